"""Pages a second of GLM-4v-9b on a card, computed from its arithmetic and its bytes: the tables of docs/capacity.md.

Nothing here is measured. `python -m tests.bench.vllm_gpu` measures, on a card, and prints its figures beside these.
The model's sizes are those of its published configuration (https://huggingface.co/zai-org/glm-4v-9b, config.json),
speeds and memory those of the cards' data sheets (dense, 16 bits).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inference.vllm.profile import load_profile
from inference.vllm.serving import fit

IMAGE_TOKENS, PROMPT_TOKENS, ANSWER_TOKENS = 1602, 900, 450
"""Of a page: its image, our words with the keys, the JSON answer of a bill with a few lines."""

PATCHES, VISION_LAYERS, VISION_WIDTH, VISION_INNER = 80 * 80 + 1, 63, 1792, 15360
LAYERS, WIDTH, INNER, VOCABULARY, KEY_WIDTH = 40, 4096, 13696, 151_552, 2 * 128

ARITHMETIC, BANDWIDTH = 0.4, 0.6
"""Assumed shares of what a data sheet promises that are reached: in prefill, in decoding."""

IN_FLIGHT = (1, 8, 32)
PAGES_PER_BILL = 1.3
"""Assumed: pages with amounts of a usual bill."""


@dataclass(frozen=True)
class Card:
    """A card: GiB, dense bfloat16 operations and bytes a second, and dollars an hour where it is rented."""

    name: str
    gigabytes: float
    operations: float
    bandwidth: float
    rent: float


CARDS = (
    Card("RTX 4090", 24, 165e12, 1.008e12, 0.45),
    Card("L40S", 48, 362e12, 0.864e12, 1.58),
    Card("A100 80 GB", 80, 312e12, 2.039e12, 1.30),
    Card("H100 SXM", 80, 989e12, 3.35e12, 2.95),
    Card("H200", 141, 989e12, 4.8e12, 4.00),
)


@dataclass(frozen=True)
class Computed:
    """Of one card with so many pages in flight: seconds to the first token of a page alone, seconds to a whole answer,
    pages a second, and dollars for a thousand bills where the card is rented and busy."""

    in_flight: int
    first_token: float
    answer: float
    pages_per_second: float
    rent_per_thousand: float


def vision_operations() -> float:
    """Of one image: the tower's matrices over all patches, and its attention."""
    layer = 4 * VISION_WIDTH**2 + 2 * VISION_WIDTH * VISION_INNER
    return VISION_LAYERS * (2 * layer * PATCHES + 4 * PATCHES**2 * VISION_WIDTH)


def language_parameters() -> float:
    """Of the layers of the language model."""
    return LAYERS * (2 * WIDTH**2 + 2 * WIDTH * KEY_WIDTH + 3 * WIDTH * INNER)


def prefill_operations() -> float:
    """Of one page's prompt in the language model; attention is causal, the last matrix is for the last token only."""
    tokens = IMAGE_TOKENS + PROMPT_TOKENS
    return 2 * language_parameters() * tokens + LAYERS * 2 * tokens**2 * WIDTH + 2 * WIDTH * VOCABULARY


def step_bytes(in_flight: int, bytes_per_weight: float) -> float:
    """Read from memory for one token of each page in flight: the weights once, each page's keys and values."""
    memory = load_profile().memory
    assert memory
    context = IMAGE_TOKENS + PROMPT_TOKENS + ANSWER_TOKENS / 2
    weights = bytes_per_weight * language_parameters() + 2 * WIDTH * VOCABULARY
    return weights + in_flight * context * memory.cache_bytes_per_token


def computed(card: Card, in_flight: int) -> Computed | None:
    """What a card can do with so many pages in flight; None where its memory does not hold them."""
    held = fit(load_profile(), card.gigabytes)
    if in_flight > held.sequences:
        return None
    prefill = (vision_operations() + prefill_operations()) / (ARITHMETIC * card.operations)
    step = step_bytes(in_flight, 1 if held.quantization else 2) / (BANDWIDTH * card.bandwidth)
    # Pages are prefilled one after another, and decoded together.
    answer = in_flight * prefill + ANSWER_TOKENS * step
    pages = in_flight / answer
    return Computed(in_flight, prefill, answer, pages, 1000 * PAGES_PER_BILL / pages / 3600 * card.rent)


def table() -> Iterator[str]:
    """The lines of the table in docs/capacity.md."""
    yield "| card | weights | in flight | first token, s | whole answer, s | pages a second | pages an hour | 1000 bills, rented card |"
    yield "|---|---|---|---|---|---|---|---|"
    for card in CARDS:
        held = fit(load_profile(), card.gigabytes)
        # The most that fits counts too, where it is between two of the rungs.
        rungs = {min(in_flight, held.sequences) for in_flight in IN_FLIGHT}
        for found in filter(None, (computed(card, in_flight) for in_flight in sorted(rungs))):
            yield (
                f"| {card.name} | {'8 bits' if held.quantization else '16 bits'} | {found.in_flight} "
                f"| {found.first_token:.2f} | {found.answer:.0f} | {found.pages_per_second:.2f} | {found.pages_per_second * 3600:,.0f} "
                f"| ${found.rent_per_thousand:.2f} |"
            )


def main() -> None:
    """Print the operations, bytes and the table."""
    print(f"vision tower: {vision_operations() / 1e12:.0f} TFLOP an image")
    print(f"language model, prefill: {prefill_operations() / 1e12:.0f} TFLOP a page")
    for bits, size in ((16, 2), (8, 1)):
        print(f"decoding, {bits} bits: {step_bytes(1, size) / 1e9:.1f} GB a step for 1 page, {step_bytes(32, size) / 1e9:.1f} GB for 32")  # fmt: skip
    print("\n".join(table()))


if __name__ == "__main__":
    main()
