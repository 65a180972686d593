"""Make a tiny checkpoint with random weights that the real vLLM loads: ``python tiny.py KIND FOLDER``.

Runs in vLLM's own environment (torch, transformers). KIND: `glm-4v` (layout of zai-org/glm-4v-9b), `glm4v` (GLM-4.1V and
4.6V-Flash), `glm_ocr`. The special tokens are the real strings with small ids. Column 0 of the output matrix acts as a
bias per token, so that random text soon closes its strings and lists instead of running into the limit.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

THINK = ["<think>", "</think>"]
MARKS = [
    "<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>", "<|assistant|>",
    "<|observation|>", "<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>",
    "<|image|>", "<|video|>", "<|begin_of_audio|>", "<|end_of_audio|>", "<|audio|>",
]  # fmt: skip
TEXT = """{"type": "invoice", "no": "INV-2026-0042", "date": "2026-03-15", "cur": "EUR", "seller": "Example GmbH",
"svat": "DE123456789", "net": "21.00", "vat": "3.99", "total": "24.99", "taxes": [{"t": "19", "b": "21.00", "v": "3.99"}],
"lines": [{"d": "Bolt M8", "c": "10-220", "q": "2", "u": "pcs", "p": "10.50", "r": "", "t": "19", "a": "21.00"}]}
Copy what the page prints into JSON. Invoice Rechnung Facture Factura Fattura total amount VAT number date
0 1 2 3 4 5 6 7 8 9 10 11 12 100 1000 2024 2025 2026 the of and to in is for on with as"""
PARTS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PLAIN_TEMPLATE = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
PARTS_TEMPLATE = (
    "[gMASK]<sop>\n{% for m in messages %}<|{{ m.role }}|>\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part.type in ('image', 'image_url') %}<|begin_of_image|><|image|><|end_of_image|>"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
VOCABULARY = 1024
BIAS = 0.35
NOISE = 0.03
# CLIP's means and deviations, as the real processors have them.
MEAN, DEVIATION = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def make_tokenizer(folder: Path, template: str) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer trained on a few lines, with the real special tokens."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    split = pre_tokenizers.Split(Regex(PARTS), "isolated")
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytewise])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=640, min_frequency=1, show_progress=False, initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=MARKS[0], pad_token=MARKS[0], additional_special_tokens=MARKS,
        model_max_length=128000, clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.add_tokens(THINK)
    fast.chat_template = template
    fast.save_pretrained(folder)
    return fast


def token(tokenizer: PreTrainedTokenizerFast, mark: str) -> int:
    """The id of a special token."""
    return int(tokenizer.convert_tokens_to_ids(mark))


def ends(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The tokens that end an answer."""
    return [token(tokenizer, mark) for mark in ("<|endoftext|>", "<|user|>", "<|observation|>")]


def lean(
    tokenizer: PreTrainedTokenizerFast, embedding: torch.Tensor, head: torch.Tensor, loud: float = 8.0
) -> None:
    """Prefer tokens that end strings and lists, in place; both matrices have one row per token. `loud` is how far
    column 0 stands out of what the layers add to it."""
    embedding[:, 0] = loud * embedding.std()
    bias = torch.zeros(head.shape[0])
    for index in range(len(tokenizer)):
        text = tokenizer.decode([index])
        bare = text.strip()
        if bare == "," or ("}," in text and "]" not in text):
            # It would go on with a list.
            bias[index] = -3.0
        elif text.startswith('"'):
            bias[index] = 3.0
        elif bare in ("]", "],", "}]"):
            bias[index] = 2.0
        elif bare == "}":
            bias[index] = 1.0
        elif not bare or "\n" in text or "\\" in text:
            bias[index] = -2.0
        elif bare.isdigit():
            bias[index] = 0.5
        elif "\ufffd" in text:
            bias[index] = -1.0
    for mark in MARKS:
        bias[token(tokenizer, mark)] = -1.0
    bias[token(tokenizer, "<|endoftext|>")] = 1.2
    head[:, 0] = BIAS * bias


def make_glm_4v(folder: Path, random: torch.Generator, seq_length: int = 8192) -> None:
    """The layout of zai-org/glm-4v-9b: vLLM's ChatGLM configuration with the vision tower, weights by their own names."""
    tokenizer = make_tokenizer(folder, PLAIN_TEMPLATE)
    hidden, layers, heads, groups, forward = 128, 2, 4, 2, 256
    seen, depth, patch, side = 64, 2, 14, 1120
    positions = (side // patch) ** 2 + 1
    config = {
        "model_type": "chatglm", "architectures": ["ChatGLMModel"], "torch_dtype": "bfloat16",
        "add_bias_linear": False, "add_qkv_bias": True, "apply_query_key_layer_scaling": True,
        "apply_residual_connection_post_layernorm": False, "attention_dropout": 0.0, "attention_softmax_in_fp32": True,
        "bias_dropout_fusion": True, "ffn_hidden_size": forward, "fp32_residual_connection": False,
        "hidden_dropout": 0.0, "hidden_size": hidden, "kv_channels": hidden // heads, "layernorm_epsilon": 1.5625e-07,
        "multi_query_attention": True, "multi_query_group_num": groups, "num_attention_heads": heads,
        "num_layers": layers, "original_rope": True, "padded_vocab_size": VOCABULARY, "post_layer_norm": True,
        "rmsnorm": True, "seq_length": seq_length, "use_cache": True, "tie_word_embeddings": False,
        "eos_token_id": ends(tokenizer), "pad_token_id": ends(tokenizer)[0],
        "boi_token_id": token(tokenizer, "<|begin_of_image|>"), "eoi_token_id": token(tokenizer, "<|end_of_image|>"),
        "vision_config": {
            "dropout_prob": 0.0, "hidden_act": "gelu", "in_channels": 3, "num_hidden_layers": depth,
            "hidden_size": seen, "patch_size": patch, "num_heads": 2, "intermediate_size": 128,
            "layer_norm_eps": 1e-6, "num_positions": positions, "image_size": side, "scaling_factor": 8,
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2))

    def noise(*shape: int, deviation: float = 0.05) -> torch.Tensor:
        return torch.randn(*shape, generator=random) * deviation

    ones, zeros = torch.ones, torch.zeros
    qkv = hidden + 2 * groups * (hidden // heads)
    weights = {
        "transformer.embedding.word_embeddings.weight": noise(VOCABULARY, hidden, deviation=0.3),
        "transformer.output_layer.weight": noise(VOCABULARY, hidden, deviation=NOISE),
        "transformer.encoder.final_layernorm.weight": ones(hidden),
    }
    for index in range(layers):
        layer = f"transformer.encoder.layers.{index}."
        weights |= {
            layer + "input_layernorm.weight": ones(hidden),
            layer + "post_attention_layernorm.weight": ones(hidden),
            layer + "self_attention.query_key_value.weight": noise(qkv, hidden),
            layer + "self_attention.query_key_value.bias": zeros(qkv),
            layer + "self_attention.dense.weight": noise(hidden, hidden),
            layer + "mlp.dense_h_to_4h.weight": noise(2 * forward, hidden),
            layer + "mlp.dense_4h_to_h.weight": noise(hidden, forward),
        }
    vision = "transformer.vision."
    weights |= {
        vision + "patch_embedding.cls_embedding": noise(1, seen),
        vision + "patch_embedding.position_embedding.weight": noise(positions, seen),
        vision + "patch_embedding.proj.weight": noise(seen, 3, patch, patch),
        vision + "patch_embedding.proj.bias": zeros(seen),
        vision + "linear_proj.linear_proj.weight": noise(hidden, hidden, deviation=0.3),
        vision + "linear_proj.norm1.weight": ones(hidden),
        vision + "linear_proj.norm1.bias": zeros(hidden),
        vision + "linear_proj.gate_proj.weight": noise(forward, hidden, deviation=0.3),
        vision + "linear_proj.dense_h_to_4h.weight": noise(forward, hidden, deviation=0.3),
        vision + "linear_proj.dense_4h_to_h.weight": noise(hidden, forward, deviation=0.3),
        vision + "conv.weight": noise(hidden, seen, 2, 2),
        vision + "conv.bias": zeros(hidden),
        vision + "boi": noise(1, 1, hidden),
        vision + "eoi": noise(1, 1, hidden),
    }
    for index in range(depth):
        layer = f"{vision}transformer.layers.{index}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights |= {f"{layer}{norm}.weight": ones(seen), f"{layer}{norm}.bias": zeros(seen)}
        weights |= {
            layer + "attention.query_key_value.weight": noise(3 * seen, seen),
            layer + "attention.query_key_value.bias": zeros(3 * seen),
            layer + "attention.dense.weight": noise(seen, seen),
            layer + "attention.dense.bias": zeros(seen),
            layer + "mlp.fc1.weight": noise(128, seen),
            layer + "mlp.fc1.bias": zeros(128),
            layer + "mlp.fc2.weight": noise(seen, 128),
            layer + "mlp.fc2.bias": zeros(seen),
        }
    embedding = weights["transformer.embedding.word_embeddings.weight"]
    lean(tokenizer, embedding, weights["transformer.output_layer.weight"])
    stored = {name: weight.to(torch.bfloat16).contiguous() for name, weight in weights.items()}
    save_file(stored, folder / "model.safetensors", {"format": "pt"})


def make_transformers(kind: str, folder: Path, random: torch.Generator, seq_length: int = 16384) -> None:
    """GLM-4.1V, 4.6V-Flash (`glm4v`) or GLM-OCR (`glm_ocr`), as transformers has them."""
    import transformers

    tokenizer = make_tokenizer(folder, PARTS_TEMPLATE)
    hidden, heads = 256, 4
    text = {
        "vocab_size": VOCABULARY, "hidden_size": hidden, "intermediate_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": heads, "num_key_value_heads": 2, "max_position_embeddings": seq_length,
        "rms_norm_eps": 1e-5, "eos_token_id": ends(tokenizer), "pad_token_id": ends(tokenizer)[0],
        "dtype": "bfloat16",
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [4, 6, 6],
        },
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 64, "num_heads": 2, "intermediate_size": 256, "out_hidden_size": hidden,
        "in_channels": 3, "image_size": 336, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
        "hidden_act": "silu",
    }  # fmt: skip
    marks = {
        "image_token_id": "<|image|>", "video_token_id": "<|video|>", "image_start_token_id": "<|begin_of_image|>",
        "image_end_token_id": "<|end_of_image|>", "video_start_token_id": "<|begin_of_video|>",
        "video_end_token_id": "<|end_of_video|>",
    }  # fmt: skip
    ids = {name: token(tokenizer, mark) for name, mark in marks.items()}
    if kind == "glm4v":
        config_type, model_type = transformers.Glm4vConfig, transformers.Glm4vForConditionalGeneration
    else:
        config_type, model_type = transformers.GlmOcrConfig, transformers.GlmOcrForConditionalGeneration
        text |= {"head_dim": hidden // heads}
    model = model_type(config_type(text_config=text, vision_config=vision, tie_word_embeddings=False, **ids))
    model = model.to(torch.bfloat16)
    with torch.no_grad():
        state = model.state_dict()
        name = next(key for key in state if key.endswith("embed_tokens.weight"))
        embedding = torch.randn(state[name].shape, generator=random) * 0.3
        head = torch.randn(state["lm_head.weight"].shape, generator=random) * NOISE
        lean(tokenizer, embedding, head, 8.0 if kind == "glm4v" else 16.0)
        state[name].copy_(embedding)
        state["lm_head.weight"].copy_(head)
        for key, weight in state.items():
            # Random towers say almost nothing: louder, so that another image gives another answer.
            if "visual.merger" in key and key.endswith("proj.weight"):
                weight.mul_(8)
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=ends(tokenizer), pad_token_id=ends(tokenizer)[0]
    )
    model.save_pretrained(folder)
    images = {
        "size": {"shortest_edge": 12544, "longest_edge": 9633792}, "do_rescale": True, "patch_size": 14,
        "temporal_patch_size": 2, "merge_size": 2, "image_mean": MEAN, "image_std": DEVIATION,
        "processor_class": "Glm46VProcessor",
    }  # fmt: skip
    for file, role, name in (
        ("preprocessor_config.json", "image_processor_type", "Glm46VImageProcessor"),
        ("video_preprocessor_config.json", "video_processor_type", "Glm46VVideoProcessor"),
    ):
        (folder / file).write_text(json.dumps(images | {role: name}, indent=1))


def main() -> None:
    """Make the checkpoint that the command line names; the same weights each time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["glm-4v", "glm4v", "glm_ocr"])
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    if wanted.kind == "glm-4v":
        make_glm_4v(wanted.folder, random)
    else:
        make_transformers(wanted.kind, wanted.folder, random)


if __name__ == "__main__":
    main()
