"""What our side of the model server costs: pages a second of what is possible, processor time, bytes and tokens.

Against a server in a process of its own that takes a fixed time for each answer (`still_model`); answers are those of a
model that reads everything right, with a log-probability per token.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from inference.document import Document, open_document
from inference.grounding import Finder
from inference.invoice import HEADER, LINE, VAT, Reading
from inference.readers.vlm.asking import Asker, PageAnswer, Tally
from inference.readers.vlm.combine import combined
from inference.readers.vlm.merge import merged
from inference.readers.vlm.placing import Placer
from inference.readers.vlm.values import Conventions
from inference.reading import make_readers, read_document
from inference.textrow import text_rows
from inference.vllm.client import Client, Endpoint
from inference.vllm.images import PageImage, page_image
from inference.vllm.profile import load_profile
from tests.integration.recorded_model import tokens_of, true_answer
from tests.samples.designs import render
from tests.samples.random_bills import random_bill

IN_FLIGHT = (1, 8, 32)
ROUNDS = 3
SECONDS = 4.0
"""No card answers 32 pages at once any sooner (docs/capacity.md)."""
MOST_CPU = 0.060
"""Seconds of processor for a page, image preparation left out: the target."""
BILLS = range(1, 21)
# What a tokenizer of GLM-4's kind splits a text into first; each piece is one token or more.
PIECES = re.compile(r"[^\r\n\w]?[^\W\d_]+|\d{1,3}| ?[^\s\w]+[\r\n]*|\s+|_")


class Measured(NamedTuple):
    """Of pages asked about at once: share of the ideal throughput, processor seconds and bytes of one page."""

    ideal: float
    cpu: float
    sent: float


def main() -> None:
    """Print a line per figure."""
    bill = random_bill(11, "modern")
    document = open_document(render(bill), "bill.pdf")
    image = page_image(document.pages[0], load_profile().image)
    with still_model(SECONDS, true_answer(bill.truth())) as url:
        for in_flight in IN_FLIGHT:
            one = asyncio.run(measure(url, image, in_flight, ROUNDS * in_flight, SECONDS))
            bare = asyncio.run(bare_sockets(url, int(one.sent), in_flight, ROUNDS, SECONDS))
            print(f"  {in_flight:2} in flight: {one.ideal:6.1%} of the pages a second that are possible (target 95 %), {one.ideal / bare:.2f} × bare sockets")  # fmt: skip
        print(f"  processor for a page                   {one.cpu * 1000:7.1f} ms  {one.cpu / MOST_CPU:7.2f} × the target of {MOST_CPU * 1000:.0f} ms")  # fmt: skip
    placing = _placing(document, true_answer(bill.truth()))
    print(
        f"  placing and combining its answer       {placing * 1000:7.1f} ms  {placing / one.cpu:7.2f} × the above"
    )
    prepared = _preparing(document)
    print(
        f"  preparing its image                    {prepared * 1000:7.1f} ms  {prepared / one.cpu:7.2f} × the above"
    )
    print(
        f"  bytes sent for a page                  {one.sent / 1e3:7.0f} kB  {one.sent / len(image.png):7.2f} × its PNG"
    )
    print_schema()


def print_schema() -> None:
    """Our answers beside those by a schema with all terms of the invoice model by their names."""
    ours = verbose = our_pieces = verbose_pieces = 0
    for seed in BILLS:
        truth = random_bill(seed).truth()
        short, long = true_answer(truth), wordy_answer(truth)
        short = json.dumps(json.loads(short), ensure_ascii=False, separators=(",", ":"))
        ours, verbose = ours + len(short), verbose + len(long)
        our_pieces += len(PIECES.findall(short))
        verbose_pieces += len(PIECES.findall(long))
    count = len(BILLS)
    print(f"  answer, {count} bills: {our_pieces / count:5.0f} pieces of the tokenizer's splitting, {our_pieces / verbose_pieces:.2f} × a schema with whole names ({verbose_pieces / count:.0f})")  # fmt: skip
    print(
        f"                    {ours / count:5.0f} characters, {ours / verbose:.2f} × ({verbose / count:.0f})"
    )


def wordy_answer(truth: dict[str, Any]) -> str:
    """The same values by a schema that names every term and says null for what is not there."""
    whole = {
        **{name: truth["fields"].get(name) for name in HEADER},
        "vat_breakdown": [{name: row.get(name) for name in VAT} for row in truth["vat_breakdown"]],
        "lines": [{name: row.get(name) for name in LINE} for row in truth["lines"]],
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def still_model(seconds: float, answer: str) -> Iterator[str]:
    """The address of a server that gives that answer after so many seconds."""
    node = {
        "choices": [
            {
                "message": {"content": answer}, "finish_reason": "stop",
                "logprobs": {"content": list(tokens_of(answer, 0.99))},
            }
        ],
        "usage": {"prompt_tokens": 2500, "completion_tokens": 500},
    }  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(node, file)
        file.flush()
        words = [sys.executable, str(Path(__file__).with_name("still_model.py")), str(seconds), file.name]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            try:
                yield f"http://127.0.0.1:{int(server.stdout.readline())}"
            finally:
                server.terminate()


async def measure(url: str, image: PageImage, in_flight: int, pages: int, seconds: float) -> Measured:
    """Ask about so many pages, each with an image of its own, as the reader does: prompt, answer, certainties."""
    client = Client(Endpoint(url, load_profile(), in_flight=in_flight))
    tally = Tally()
    asker = Asker(client, None, "en", tally)
    # Bytes after the end of a PNG make it another image for whoever goes by its hash.
    images = [PageImage(image.png + number.to_bytes(4, "big")) for number in range(pages)]
    started, used = time.perf_counter(), time.process_time()
    answers: Sequence[PageAnswer] = await asyncio.gather(*(asker.page(one) for one in images))
    spent, used = time.perf_counter() - started, time.process_time() - used
    await client.close()
    assert len(answers) == pages == tally.calls
    assert all(one.answer.header and one.certainties for one in answers)
    return Measured(-(-pages // in_flight) * seconds / spent, used / pages, tally.sent_bytes / pages)


async def bare_sockets(url: str, sent: int, in_flight: int, rounds: int, seconds: float) -> float:
    """The share of the ideal throughput of sockets that send as many bytes and look at no answer: what the machine,
    with all else that it does, lets anybody reach."""
    question = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % sent + bytes(sent)

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        for _ in range(rounds):
            writer.write(question)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b": ")[2]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(talk() for _ in range(in_flight)))
    return rounds * seconds / (time.perf_counter() - started)


def _placing(document: Document, answer: str) -> float:
    from inference.readers.vlm.answer import parse_answer
    from inference.readers.vlm.schema import Part

    page, layout = document.pages[0], read_document(document, readers=make_readers("layout"))
    rows = [row.text for row in text_rows(page)]

    def once() -> Reading:
        placer = Placer(1, Finder([page]), Conventions.of(rows), layout)
        return combined(merged([placer.placed(parse_answer(answer, Part.ALL), {})]), layout)

    return _best(once)


def _preparing(document: Document) -> float:
    return _best(lambda: page_image(document.pages[0], load_profile().image))


def _best(work: Any) -> float:
    def timed() -> float:
        used = time.process_time()
        work()
        return time.process_time() - used

    return statistics.median(timed() for _ in range(5))


if __name__ == "__main__":
    main()
