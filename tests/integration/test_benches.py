"""The benches of the model server run and count right: on a card they are run by hand, and must not fail there first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from inference.vllm.profile import DEFAULT
from tests.bench import vllm_gpu
from tests.bench.capacity import CARDS, computed, table
from tests.bench.model_client import measure, still_model
from tests.bench.vllm_gpu import bench, sheets
from tests.integration.recorded_model import true_answer
from tests.integration.vllm_server import KEY, VllmServer
from tests.samples.random_bills import random_bill

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


def in_a_thread(task: Callable[[], T]) -> T:
    """The browser of other tests keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(task).result()


@pytest.mark.timeout(900)
def test_the_bench_for_a_card_measures_a_real_server(
    vllm_server: Callable[[str], VllmServer], capsys: pytest.CaptureFixture[str]
) -> None:
    url = vllm_server(DEFAULT).url
    one, two, again = in_a_thread(lambda: asyncio.run(bench(url, None, [1, 2], 12, key=KEY, rounds=1)))
    assert (one.in_flight, two.in_flight) == (1, 2)
    for found in (one, two):
        assert found.pages > 0
        assert found.tokens == pytest.approx(12 * found.pages)
        # Our words come after the image, so that nothing of a new page is in the cache.
        assert found.cached < 0.1
    assert again.cached > 0.9
    assert "first token" in capsys.readouterr().out


def test_without_a_card_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert vllm_gpu.main([]) == 3
    assert "nvidia-smi is missing" in capsys.readouterr().err
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 24564'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    card = vllm_gpu.find_card()
    assert (card.gigabytes, card.bandwidth) == (24, CARDS[0].bandwidth)
    # And no vLLM either.
    assert vllm_gpu.main([]) == 3
    assert "vouch[vllm]" in capsys.readouterr().err


def test_the_bench_of_the_client_counts_pages_processor_and_bytes() -> None:
    answer, [image] = true_answer(random_bill(3, "modern").truth()), list(sheets(1))
    with still_model(0.3, answer) as url:
        found = in_a_thread(lambda: asyncio.run(measure(url, image, 4, 8, 0.3)))
    assert 0 < found.ideal <= 1
    assert found.cpu > 0
    assert len(image.png) < found.sent < 1.5 * len(image.png) + 10_000


def test_the_page_on_capacity_has_the_computed_figures() -> None:
    page = (ROOT / "docs/capacity.md").read_text("utf-8")
    assert all(line in page for line in table())
    # More pages at once are never slower together, nor faster each.
    for card in CARDS:
        rates = [one for number in (1, 2, 4, 8, 32) if (one := computed(card, number))]
        assert [one.pages_per_second for one in rates] == sorted(one.pages_per_second for one in rates)
        assert [one.answer for one in rates] == sorted(one.answer for one in rates)
