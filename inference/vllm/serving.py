"""The command line that starts the model server on a card, with the reason for each part.

Memory is counted, not tried: weights by their published sizes, then the cache of the sequences in flight. Options are
those of vLLM (https://docs.vllm.ai/en/stable/cli/serve.html).
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from inference.vllm.profile import Profile

PORT = 8000
KEY_VARIABLE = "VLLM_API_KEY"
ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""No report of use leaves the machine."""

UTILIZATION = 0.92
WORKSPACE = 2.5e9
"""Bytes for activations, CUDA graphs and the driver, apart from weights and cache."""

MOST_SEQUENCES = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """How to start the server: variables, arguments after `vllm`, and one sentence per choice."""

    environment: dict[str, str]
    arguments: tuple[str, ...]
    reasons: tuple[str, ...]

    def command(self) -> str:
        """One line for a POSIX shell. The API key is not in it: the server takes it from `VLLM_API_KEY`."""
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*variables, "vllm", *map(shlex.quote, self.arguments)])


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights as stored, the quantisation that makes them so, the cache of one page (all in bytes), and the pages that
    then fit at a time."""

    weights: float
    quantization: str
    cache: float
    sequences: int


def plan(
    profile: Profile, gigabytes: float, *, model: str = "", host: str = "127.0.0.1", port: int = PORT
) -> Plan:
    """How to serve a profile on a card of `gigabytes` (GiB, as cards are sold).

    `model` is a local folder with the weights instead of the published name. Raises ValueError where the profile has no
    model of its own, or does not fit the card; the message says what does.
    """
    found = fit(profile, gigabytes)
    arguments = ["serve", model or profile.model, "--host", host, "--port", str(port), "--dtype", "bfloat16"]
    arguments += ["--max-model-len", str(profile.context), "--max-num-seqs", str(found.sequences)]
    arguments += ["--gpu-memory-utilization", str(UTILIZATION)]
    if found.quantization:
        arguments += ["--quantization", found.quantization]
    return Plan(
        dict(ENVIRONMENT),
        (*arguments, *options(profile)),
        (*_sizes(profile, gigabytes, found), *_whys(profile)),
    )


def fit(profile: Profile, gigabytes: float) -> Fit:
    """The best weights that leave room for at least one page on a card of so many GiB: as published, else the language
    layers in 8 bits. Raises ValueError as `plan` does."""
    memory = profile.memory
    if memory is None:
        raise ValueError(
            f"The profile {profile.name} names no model: its server is started by whoever owns it."
        )
    room = gigabytes * 2**30 * UTILIZATION - WORKSPACE
    cache = profile.context * memory.cache_bytes_per_token
    plain = 2 * (memory.language_parameters + memory.other_parameters)
    small = memory.language_parameters + 2 * memory.other_parameters
    for weights, quantization in ((plain, ""), (small, "fp8")):
        sequences = int((room - weights) / cache)
        if sequences >= 1:
            return Fit(weights, quantization, cache, min(sequences, MOST_SEQUENCES))
    needed = (small + cache + WORKSPACE) / UTILIZATION / 2**30
    raise ValueError(
        f"{profile.title} needs a card of {needed:.0f} GiB even with its language layers in 8 bits; this one has "
        f"{gigabytes:g}. Take a smaller model: vouch vllm command --profile glm-4.6v-flash (16 GiB) or glm-ocr (8 GiB)."
    )


def options(profile: Profile) -> list[str]:
    """The options of `vllm serve` that the profile needs on any machine."""
    found = ["--served-model-name", profile.name, "--generation-config", "vllm"]
    found += ["--allowed-media-domains", "none.invalid", "--enable-prompt-tokens-details"]
    found += ["--limit-mm-per-prompt", _json({"image": profile.images_per_prompt})]
    # Blanks that the schema leaves free cost tokens, and a model may never stop writing them.
    answers = {"backend": profile.backend, "disable_any_whitespace": True}
    found += ["--structured-outputs-config", _json(answers)]
    if profile.image.longest_edge:
        size = {"shortest_edge": 12544, "longest_edge": profile.image.longest_edge}
        found += ["--mm-processor-kwargs", _json({"size": size})]
    if profile.hf_overrides:
        found += ["--hf-overrides", _json(profile.hf_overrides)]
    if profile.chat_template:
        found += ["--chat-template", profile.chat_template]
    return [*found, "--trust-remote-code"] if profile.trust_remote_code else found


def _sizes(profile: Profile, gigabytes: float, found: Fit) -> tuple[str, ...]:
    used, cache = f"{UTILIZATION:.0%}", found.cache / 1e9
    made = f" (language layers in {found.quantization}, made so while loading)" if found.quantization else ""
    pages = "1 page" if found.sequences == 1 else f"{found.sequences} pages"
    return (
        f"{profile.title}: {found.weights / 1e9:.1f} GB of weights{made} on {gigabytes:g} GiB, of which {used} is used.",
        f"{pages} at a time: each takes {cache:.2f} GB of cache at {profile.context} tokens.",
    )


def _whys(profile: Profile) -> list[str]:
    whys = [
        f"Answers follow our schema by {profile.backend}; temperature and the like come from us, not from the model.",
        "Images only come with the request: the server fetches none.",
        f"A page of A4 takes {profile.image.tokens} tokens.",
    ]
    if profile.hf_overrides:
        whys.append("The model's configuration names its text half only; the architecture is set here.")
    if profile.chat_template:
        whys.append("The model brings no chat template.")
    if profile.trust_remote_code:
        whys.append(
            "Its tokenizer is code from the model's repository: take the weights from its maker only."
        )
    return whys


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
