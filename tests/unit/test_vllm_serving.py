"""What is printed, shipped and sent for the model server."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import threading
import tomllib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
import yaml
from PIL import Image

from deploy.vllm.development import VERSION
from inference.invoice import Box
from inference.readers.vlm.certainty import Certainty
from inference.readers.vlm.kept import KeptAnswers, Told, key_of
from inference.vllm import process
from inference.vllm.client import ATTEMPTS, Breaker, Client, Endpoint
from inference.vllm.errors import ModelAway, ModelSlow
from inference.vllm.images import encode, page_image
from inference.vllm.profile import COMPATIBLE, ImagePolicy, load_profile, profile_names
from inference.vllm.serving import Plan, plan

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [name for name in profile_names() if name != COMPATIBLE])
def test_every_profile_fits_its_cards_and_shuts_what_must_be_shut(name: str) -> None:
    made = plan(load_profile(name), 80)
    words = shlex.split(made.command())
    assert words[words.index("--served-model-name") + 1] == name
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--allowed-media-domains") + 1] == "none.invalid"
    assert "VLLM_NO_USAGE_STATS=1" in words
    assert "--api-key" not in words
    assert json.loads(words[words.index("--structured-outputs-config") + 1])["backend"]
    with pytest.raises(ValueError, match="needs a card of"):
        plan(load_profile(name), 3)


@pytest.mark.parametrize(
    ("name", "gigabytes", "quantised"),
    [("glm-4v-9b", 24, True), ("glm-4v-9b", 48, False), ("glm-4.6v-flash", 16, True), ("glm-ocr", 8, False)],
)
def test_small_cards_get_small_weights(name: str, gigabytes: float, quantised: bool) -> None:
    assert ("fp8" in plan(load_profile(name), gigabytes).arguments) is quantised


def test_the_compose_file_starts_what_the_command_prints() -> None:
    service = yaml.safe_load((ROOT / "deploy/vllm/compose.yaml").read_text("utf-8"))["services"]["vllm"]
    assert tuple(service["command"]) == plan(load_profile(), 48, host="0.0.0.0").arguments


def test_the_server_is_an_extra_of_the_version_that_is_tested_and_not_part_of_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [extra] = project["optional-dependencies"]["vllm"]
    assert extra.startswith(f"vllm=={VERSION} ")
    assert f"vllm/vllm-openai:v{VERSION}" in (ROOT / "deploy/vllm/compose.yaml").read_text("utf-8")
    assert not any(
        line.startswith(("vllm", "torch")) for line in (ROOT / "requirements.lock").read_text().splitlines()
    )
    assert "[vllm]'" in (ROOT / "docs/vllm.md").read_text("utf-8")


def test_the_server_gets_its_own_key_and_none_of_vouch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOUCH_BACKENDS__MAIN__API_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(process, "executable", lambda: sys.executable)
    told = tmp_path / "names"
    code = "import os, sys; open(sys.argv[1], 'w').write(' '.join(os.environ))"
    with process._child(Plan({"DO_NOT_TRACK": "1"}, ("-c", code, str(told)), ()), "key") as child:
        child.wait(60)
    names = told.read_text().split()
    assert {"VLLM_API_KEY", "CUDA_VISIBLE_DEVICES", "DO_NOT_TRACK"} <= set(names)
    assert [name for name in names if name.startswith("VOUCH_")] == []


def test_pages_are_padded_never_stretched_or_enlarged() -> None:
    square, free = ImagePolicy(square=100, tokens=1), ImagePolicy(longest_edge=2 * 10_000, tokens=1)
    tall = Image.new("RGB", (100, 400), "black")
    shown = Image.open(BytesIO(encode(tall, square).png))
    assert shown.size == (100, 100)
    assert shown.getpixel((12, 50)) == (0, 0, 0)
    assert shown.getpixel((60, 50)) == (255, 255, 255)
    shown = Image.open(BytesIO(encode(tall, free).png))
    assert shown.width * shown.height <= 10_000
    assert abs(shown.height / shown.width - 4) < 0.1
    small = Image.new("L", (30, 20))
    assert Image.open(BytesIO(encode(small, square).png)).size == (30, 30)
    assert encode(tall, free).uuid == encode(tall.copy(), free).uuid != encode(small, free).uuid


def test_a_crop_is_the_part_at_full_resolution() -> None:
    class Paper:
        number, width, height, ocr, tokens = 1, 72.0, 144.0, False, ()

        def image(self, dpi: int = 200) -> Image.Image:
            picture = Image.new("RGB", (dpi, 2 * dpi), "white")
            picture.paste("red", (0, dpi, dpi, 2 * dpi))
            return picture

    policy = ImagePolicy(longest_edge=2 * 10**6, tokens=1)
    shown = Image.open(BytesIO(page_image(Paper(), policy, Box(0, 0.5, 1, 0.75)).png))
    assert shown.size == (300, 150)
    assert shown.getextrema() == ((255, 255), (0, 0), (0, 0))
    assert Image.open(BytesIO(page_image(Paper(), policy, Box(0.5, 0.5, 0.5, 0.5)).png)).size == (1, 1)


class Stream(httpx.AsyncByteStream):
    """A body without end."""

    def __init__(self, seconds: float) -> None:
        self.sent, self._seconds = 0, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1_000_000
            await asyncio.sleep(self._seconds)
            yield b" " * 1_000_000


@pytest.mark.parametrize(
    ("seconds", "error", "said"), [(0.0, ModelAway, "more than 16 MB"), (0.2, ModelSlow, "timeout_seconds")]
)
def test_an_answer_without_end_is_not_waited_for(seconds: float, error: type[Exception], said: str) -> None:
    bodies: list[Stream] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(Stream(seconds))
        return httpx.Response(200, stream=bodies[-1])

    async def ask() -> None:
        endpoint = Endpoint("http://model", load_profile(), timeout_seconds=0.5 if seconds else 20)
        client = Client(endpoint, httpx.MockTransport(answer))
        try:
            await client.check()
        finally:
            await client.close()

    with pytest.raises(error, match=said):
        asyncio.run(ask())
    assert all(body.sent <= 18_000_000 for body in bodies)
    # To ask a slow server again would only add to its load.
    assert len(bodies) == (1 if error is ModelSlow else ATTEMPTS)


def told(text: str) -> Told:
    return Told(text, False, {"no": Certainty(0.5, 0.25, 3)})


def test_kept_answers_come_back_and_make_room(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path / "answers", 0.02)
    assert kept.get(key_of("a")) is None
    kept.put(key_of("a"), told("{}"))
    assert kept.get(key_of("a")) == told("{}")
    assert key_of("a", "b") != key_of("ab", "")
    for number in range(450):
        kept.put(key_of(str(number)), told("x" * 200))
    assert {
        folder.stat().st_mode & 0o77 for folder in (tmp_path / "answers", *(tmp_path / "answers").iterdir())
    } == {0}
    size = sum(file.stat().st_size for file in tmp_path.glob("*/*/*"))
    assert size < 0.02e6 + 200 * 400
    assert kept.get(key_of("449")) is not None
    assert kept.get(key_of("a")) is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"text": 1, "cut": false, "certainties": {}}', "\0"])
def test_a_damaged_answer_is_asked_again(tmp_path: Path, damage: str) -> None:
    kept = KeptAnswers(tmp_path, 1)
    kept.put(key_of("a"), told("{}"))
    next(tmp_path.glob("*/*.json")).write_text(damage)
    assert kept.get(key_of("a")) is None
    kept.put(key_of("a"), told("{}"))
    assert kept.get(key_of("a")) == told("{}")


def test_many_threads_keep_answers_at_once(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path, 0.001)
    failed: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for number in range(120):
                kept.put(key_of(str(start + number % 40)), told("x"))
                assert kept.get(key_of(str(start + number % 40))) in (None, told("x"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i % 2 * 40,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_breaker_opens_after_failures_in_a_row_and_closes_with_an_answer() -> None:
    breaker = Breaker(2, 60)
    breaker.failed("away")
    breaker.check()
    breaker.failed("still away")
    with pytest.raises(ModelAway, match="still away"):
        breaker.check()
    assert breaker.reason == "still away"
    breaker.succeeded()
    breaker.check()
    patient = Breaker(1, 0)
    patient.failed("away")
    patient.check()
