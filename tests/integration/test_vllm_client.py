"""The client against the real vLLM server, and the recorded one in its place: answers by schema, log-probabilities, images sent once, every refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeVar

import pytest

from inference.document import open_document
from inference.readers.vlm.answer import parse_answer
from inference.readers.vlm.certainty import certainties
from inference.readers.vlm.prompt import prompt
from inference.readers.vlm.schema import HEADER_KEYS, Part, answer_schema
from inference.vllm.client import Client, Endpoint, Reply, Turn
from inference.vllm.errors import ModelAway, ModelMisconfigured, ModelRefused
from inference.vllm.images import PageImage, page_image
from inference.vllm.profile import DEFAULT, load_profile
from tests.integration.recorded_model import RecordedModel, true_answer
from tests.integration.vllm_server import KEY, VllmServer
from tests.samples.designs import render
from tests.samples.random_bills import random_bill

T = TypeVar("T")
Server = VllmServer | RecordedModel
Serve = Callable[[str], Server]
PROFILES = (DEFAULT, "glm-4.6v-flash", "glm-ocr")
# A tiny model on a busy machine still takes its time for 1,600 tokens of image.
PATIENCE = 240.0


@pytest.fixture
def recorded() -> Iterator[Serve]:
    """The recorded-answer server in the place of the real one."""
    with ExitStack() as stack:
        truth = random_bill(1, "modern").truth()

        def serve(profile: str) -> Server:
            model = RecordedModel(
                lambda asked: true_answer(truth, asked.keys), profile, seconds=0.05, sure=0.5
            )
            return stack.enter_context(model.serving())

        yield serve


@pytest.fixture(params=["recorded", "vllm_server"])
def either(request: pytest.FixtureRequest) -> Serve:
    """What is true of the wire is true of both servers."""
    return request.getfixturevalue(request.param)


def endpoint(server: Server) -> Endpoint:
    return Endpoint(server.url, load_profile(server.profile), key=KEY, timeout_seconds=PATIENCE)


def with_client(where: Endpoint, task: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        client = Client(where)
        try:
            return await task(client)
        finally:
            await client.close()

    # A thread of its own: the browser of other tests keeps a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


def page(seed: int, profile: str) -> PageImage:
    document = open_document(render(random_bill(seed, "modern")), "bill.pdf")
    return page_image(document.pages[0], load_profile(profile).image)


def ask(client: Client, image: PageImage, part: Part = Part.HEADER, tokens: int = 1500) -> Awaitable[Reply]:
    return client.ask([Turn("user", prompt(part, "en"), (image,))], answer_schema(part), tokens)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_page_is_read_by_schema_and_its_image_sent_once(either: Serve, profile: str) -> None:
    where, image = endpoint(either(profile)), page(1, profile)

    async def twice(client: Client) -> tuple[Reply, Reply]:
        assert await client.check() == 8192
        return await ask(client, image), await ask(client, image)

    first, second = with_client(where, twice)
    assert second.text == first.text
    assert second.sent_bytes < 0.1 * first.sent_bytes
    assert second.cached_tokens > 0.9 * second.prompt_tokens
    if first.cut and profile == "glm-ocr":
        # The random weights of this one find no end to a list.
        return
    assert not first.cut
    answer = parse_answer(first.text, Part.HEADER)
    assert set(answer.header) <= set(HEADER_KEYS.values())
    sure = certainties(first.text, first.tokens)
    assert set(HEADER_KEYS) <= set(sure)
    assert all(0 < found.least <= found.mean <= 1 for found in sure.values())
    # Random weights are never sure, and forced tokens must not make them seem so.
    assert max(found.mean for found in sure.values() if found.free) < 0.9


@pytest.mark.timeout(900)
def test_every_refusal_is_an_error_with_a_remedy(either: Serve) -> None:
    where = endpoint(either(DEFAULT))
    image = page(2, DEFAULT)
    broken = PageImage(b"\x89PNG\r\n\x1a\n nothing")
    both = Turn("user", "Two pages.", (image, page(3, DEFAULT)))
    schema = answer_schema(Part.LINES)
    cases: list[tuple[Endpoint, Turn, type[Exception], str]] = [
        (replace(where, key="wrong"), Turn("user", "x"), ModelMisconfigured, "api_key_file"),
        (replace(where, model="other"), Turn("user", "x"), ModelMisconfigured, "vlm.model"),
        (where, Turn("user", "word " * 9000), ModelRefused, "--max-model-len"),
        (where, Turn("user", "x", (broken,)), ModelRefused, "refuses"),
        (where, both, ModelRefused, "refuses"),
        (replace(where, timeout_seconds=0.01), Turn("user", "x", (image,)), ModelAway, "timeout_seconds"),
    ]
    for place, turn, error, remedy in cases:
        with pytest.raises(error, match=remedy) as caught:
            with_client(place, lambda client, turn=turn: client.ask([turn], schema, 50))
        assert KEY not in str(caught.value)


def test_an_answer_that_is_too_long_says_so(either: Serve) -> None:
    reply = with_client(endpoint(either(DEFAULT)), lambda client: ask(client, page(4, DEFAULT), tokens=20))
    assert reply.cut
    assert reply.answer_tokens == 20


@pytest.mark.timeout(900)
def test_a_server_killed_in_the_middle_is_away_and_comes_back(
    vllm_server: Callable[[str], VllmServer],
) -> None:
    server = vllm_server(DEFAULT)
    where, image = endpoint(server), page(5, DEFAULT)

    async def killed(client: Client) -> str:
        await ask(client, image)
        asking = asyncio.ensure_future(ask(client, page(6, DEFAULT)))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.kill)
        with pytest.raises(ModelAway, match="vouch vllm serve"):
            await asking
        for _ in range(2):
            with pytest.raises(ModelAway):
                await ask(client, image)
        reason = client.away
        await asyncio.to_thread(server.start)
        # The new server knows no image: it is sent again, and the caller need not know.
        fresh = Client(where)
        fresh._known = client._known
        reply = await ask(fresh, image)
        await fresh.close()
        assert reply.resent
        return reason

    assert "cannot be reached" in with_client(where, killed)
