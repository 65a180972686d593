"""A full-size GLM-4v-9b with random weights on this machine's card: time to the first token, pages a second.

``python -m tests.bench.vllm_gpu`` starts the server that `vouch vllm serve` would start for the card, with `--load-format
dummy` (no weights are fetched, only configuration and tokenizer, or a local folder with them), asks it about different
pages with 1, 8 and 32 in flight, with and without the prefix cache, and prints the figures beside the computed ones
(`capacity`). Without a card it says why it cannot; ``--tiny`` runs all of it against the tiny model on the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx

from deploy.vllm import development
from inference.document import open_document
from inference.readers.vlm.prompt import prompt
from inference.readers.vlm.schema import Part, answer_schema
from inference.vllm.client import Client, Endpoint, Reply, Turn
from inference.vllm.images import PageImage, page_image
from inference.vllm.leash import held
from inference.vllm.process import ServerError, executable
from inference.vllm.profile import DEFAULT, load_profile
from inference.vllm.serving import plan
from tests.bench.capacity import ANSWER_TOKENS, CARDS, Card, computed
from tests.samples.designs import render
from tests.samples.random_bills import random_bill

PORT = 8172
STARTS_IN_SECONDS = 1800.0
PATIENCE = 600.0
ROUNDS = 3
FIRST_SEED = 7000
"""Of bills that no test has shown to the server before."""


class NoCard(Exception):
    """There is nothing to measure on; the message says why."""


class Measured(NamedTuple):
    """Of pages asked about at once: pages and answer tokens a second, the mean seconds of one answer, and the share of
    the prompts' tokens that came from the prefix cache."""

    in_flight: int
    pages: float
    tokens: float
    answer: float
    cached: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0, or 3 where there is no card or no server."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vllm_gpu", description=__doc__)
    parser.add_argument(
        "--model", default="", help="folder with configuration and tokenizer, instead of the published name"
    )
    parser.add_argument(
        "--tiny", action="store_true", help="the tiny model on this processor: shows that the bench runs"
    )
    parser.add_argument("--in-flight", type=int, nargs="*", default=[1, 8, 32])
    asked = parser.parse_args(arguments)
    try:
        card = None if asked.tiny else find_card()
        for prefix_cache in (True, False):
            print(f"\nprefix cache {'on' if prefix_cache else 'off'}", flush=True)
            with served(card, asked.model, prefix_cache) as url:
                asyncio.run(bench(url, card, asked.in_flight, 40 if asked.tiny else ANSWER_TOKENS))
    except (NoCard, ServerError, development.VllmSetupError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


def find_card() -> Card:
    """This machine's first card. Raises NoCard."""
    query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    program = shutil.which("nvidia-smi")
    if program is None:
        raise NoCard(
            "There is no NVIDIA driver here (nvidia-smi is missing): run this on the machine with the card."
        )
    found = subprocess.run([program, *query], capture_output=True, text=True, check=False)
    if found.returncode or not found.stdout.strip():
        raise NoCard(f"nvidia-smi shows no card: {(found.stderr or found.stdout).strip()[:200]}")
    name, _, megabytes = found.stdout.splitlines()[0].rpartition(", ")
    # Cards report a little less than they are sold with.
    gigabytes = round(float(megabytes) / 1024)
    known = next((card for card in CARDS if card.name.split()[-1 if "RTX" in card.name else 0] in name), None)
    print(f"{name}, {gigabytes} GiB" + ("" if known else ": computed figures are not known for it"))
    return replace(known, gigabytes=gigabytes) if known else Card(name, gigabytes, 0, 0, 0)


@contextmanager
def served(card: Card | None, model: str, prefix_cache: bool) -> Iterator[str]:
    """The address of a running server: of the tiny model where there is no card."""
    cache = [] if prefix_cache else ["--no-enable-prefix-caching"]
    if card is None:
        development.install()
        words, environment = development.command(DEFAULT, PORT, extra=tuple(cache)), development.environment()
    else:
        made = plan(load_profile(), card.gigabytes, model=model, port=PORT)
        words = [executable(), *made.arguments, "--load-format", "dummy", *cache]
        environment = {**os.environ, **made.environment}
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        server = held(words, environment, log)
        try:
            _wait(server, Path(log.name))
            yield f"http://127.0.0.1:{PORT}"
        finally:
            server.terminate()
            server.communicate()


def _wait(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_IN_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/health", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise ServerError(f"The server did not come up:\n{log.read_text(errors='replace')[-2000:]}")


async def bench(
    url: str, card: Card | None, in_flight: Sequence[int], tokens: int, *, key: str = "", rounds: int = ROUNDS
) -> list[Measured]:
    """Measure and print: the time to the first token of pages that come one by one, then each number in flight, for so
    many rounds; at last pages that the server has seen."""
    pages = list(sheets(2 + rounds + rounds * sum(in_flight)))
    seen = pages[:2]
    client = Client(
        Endpoint(url, load_profile(), key=key, timeout_seconds=PATIENCE, in_flight=max(in_flight))
    )
    try:
        # The first answers of a server pay for what is compiled once.
        await asyncio.gather(*(ask(client, page, tokens) for page in seen))
        alone = [(await ask(client, page, 1)).seconds for page in pages[2 : 2 + rounds]]
        expected = computed(card, 1) if card and card.operations else None
        beside = f" (computed {expected.first_token:.2f})" if expected else ""
        print(f"  first token {statistics.median(alone):.3f} s{beside}", flush=True)
        rest, found = iter(pages[2 + rounds :]), list[Measured]()
        for number in in_flight:
            found.append(await measure(client, list(islice(rest, rounds * number)), number, tokens))
            _show(found[-1], card)
        found.append(await measure(client, seen, 1, tokens))
        print("  pages that it has seen:")
        _show(found[-1], None)
        return found
    finally:
        await client.close()


async def measure(client: Client, pages: Sequence[PageImage], in_flight: int, tokens: int) -> Measured:
    """Ask about all pages, so many at a time, for answers of that many tokens at most."""
    gate = asyncio.Semaphore(in_flight)

    async def one(page: PageImage) -> Reply:
        async with gate:
            return await ask(client, page, tokens)

    started = time.perf_counter()
    replies = await asyncio.gather(*(one(page) for page in pages))
    spent = time.perf_counter() - started
    return Measured(
        in_flight,
        len(replies) / spent,
        sum(reply.answer_tokens for reply in replies) / spent,
        sum(reply.seconds for reply in replies) / len(replies),
        sum(reply.cached_tokens for reply in replies) / sum(reply.prompt_tokens for reply in replies),
    )


async def ask(client: Client, page: PageImage, tokens: int) -> Reply:
    """One page by our own words and schema. Random weights write until they may write no more."""
    return await client.ask([Turn("user", prompt(Part.ALL, "en"), (page,))], answer_schema(Part.ALL), tokens)


def sheets(count: int) -> Iterator[PageImage]:
    """Pages of different bills; no two images are the same."""
    policy = load_profile().image
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        yield page_image(open_document(render(random_bill(seed, "modern")), "bill.pdf").pages[0], policy)


def _show(one: Measured, card: Card | None) -> None:
    expected = computed(card, one.in_flight) if card and card.operations else None
    beside = f" (computed {expected.pages_per_second:.2f}: {one.pages / expected.pages_per_second:.2f} × that)" if expected else ""  # fmt: skip
    print(
        f"  {one.in_flight:2} in flight: {one.pages:.2f} pages/s{beside}, {one.tokens:.0f} answer tokens/s, "
        f"{one.answer:.1f} s an answer, {one.cached:.0%} of the prompt from the cache",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
