"""The client against the real vLLM server, and the recorded one in its place: answers by schema, log-probabilities, images sent once, every refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from io import BytesIO
from typing import TypeVar

import pytest
from PIL import Image

from inference.document import open_document
from inference.invoice import Box
from inference.readers.vlm.answer import Answer, AnswerError, parse_answer
from inference.readers.vlm.asking import Asker, PageAnswer, Tally
from inference.readers.vlm.certainty import certainties
from inference.readers.vlm.prompt import prompt
from inference.readers.vlm.schema import HEADER_KEYS, Part, answer_schema
from inference.readers.vlm.second import Doubt, look_again
from inference.vllm.client import Client, Endpoint, Reply, Turn
from inference.vllm.errors import ModelAway, ModelMisconfigured, ModelRefused
from inference.vllm.images import PageImage, page_image
from inference.vllm.profile import DEFAULT, load_profile
from tests.integration.recorded_model import RecordedModel, true_answer
from tests.integration.vllm_server import KEY, VllmServer
from tests.samples.designs import render
from tests.samples.random_bills import random_bill

T = TypeVar("T")
HEAD = Box(0.0, 0.0, 1.0, 0.3)
Server = VllmServer | RecordedModel
Serve = Callable[[str], Server]
# A tiny model on a busy machine still takes its time for 1,600 tokens of image.
PATIENCE = 240.0


@pytest.fixture
def recorded() -> Iterator[Serve]:
    """The recorded-answer server in the place of the real one."""
    with ExitStack() as stack:
        truth = random_bill(1, "modern").truth()

        def serve(profile: str) -> Server:
            images = load_profile(profile).images_per_prompt
            model = RecordedModel(
                lambda asked: true_answer(truth, asked.keys), profile, images, seconds=0.05, sure=0.5
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


def crop(seed: int, profile: str, box: Box) -> PageImage:
    document = open_document(render(random_bill(seed, "modern")), "bill.pdf")
    return page_image(document.pages[0], load_profile(profile).image, box)


def ask(client: Client, image: PageImage, part: Part = Part.HEADER, tokens: int = 1500) -> Awaitable[Reply]:
    return client.ask([Turn("user", prompt(part, "en"), (image,))], answer_schema(part), tokens)


@pytest.mark.timeout(900)
def test_a_page_is_read_by_schema_and_its_image_sent_once(either: Serve, profile: str) -> None:
    where, image, part = endpoint(either(profile)), page(1, profile), crop(1, profile, HEAD)

    async def thrice(client: Client) -> tuple[Reply, Reply, Tally]:
        assert await client.check() == 8192
        first, again, tally = await ask(client, image), await ask(client, image), Tally()
        asker = Asker(client, None, "en", tally)
        turns = (Turn("user", prompt(Part.HEADER, "en"), (image,)), Turn("assistant", '{"no": "A-7"}'))
        doubt, known = Doubt(1, HEAD, ("invoice_number",)), PageAnswer(Answer({}), {}, turns)
        with suppress(AnswerError):
            await look_again(asker, doubt, part, known, where.profile.images_per_prompt)
        return first, again, tally

    first, second, look = with_client(where, thrice)
    assert second.text == first.text
    assert second.sent_bytes < 0.1 * first.sent_bytes
    assert second.cached_tokens > 0.9 * second.prompt_tokens
    assert look.calls == 1
    if where.profile.images_per_prompt > 1:
        # The second look goes on with the conversation: the page is neither sent nor encoded again, only its part is.
        assert look.cached_tokens > where.profile.image.tokens / 2
        assert look.prompt_tokens > first.prompt_tokens
        assert look.sent_bytes < len(part.data_uri) + 10_000
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
    # Twice what Pillow opens: 180 megapixels in a few kilobytes.
    out = BytesIO()
    Image.new("1", (13_500, 13_500)).save(out, "PNG")
    huge = PageImage(out.getvalue())
    both = Turn("user", "Two pages.", (image, page(3, DEFAULT)))
    schema = answer_schema(Part.LINES)
    cases: list[tuple[Endpoint, Turn, type[Exception], str]] = [
        (replace(where, key="wrong"), Turn("user", "x"), ModelMisconfigured, "api_key_file"),
        (replace(where, model="other"), Turn("user", "x"), ModelMisconfigured, "vlm.model"),
        (where, Turn("user", "word " * 9000), ModelRefused, "--max-model-len"),
        (where, Turn("user", "x", (broken,)), ModelRefused, "refuses"),
        (where, both, ModelRefused, "refuses"),
        (where, Turn("user", "x", (huge,)), ModelAway, "failed \\(500\\)"),
        (replace(where, timeout_seconds=0.01), Turn("user", "x", (image,)), ModelAway, "timeout_seconds"),
    ]
    for place, turn, error, remedy in cases:
        with pytest.raises(error, match=remedy) as caught:
            with_client(place, lambda client, turn=turn: client.ask([turn], schema, 50))
        assert KEY not in str(caught.value)

    async def after_a_failure(client: Client) -> Reply:
        with pytest.raises(ModelAway):
            await client.ask([Turn("user", "x", (huge,))], schema, 50)
        # The server closed that connection; the next question takes another.
        return await ask(client, image, Part.LINES, 20)

    assert with_client(where, after_a_failure).answer_tokens > 0


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
