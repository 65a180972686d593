"""The vision Reader: page images read by a model, each value placed on the page and held against the layout Reader.

It runs where the network is, so it never opens a document: words, images and the layout Reading come from the process
that does (`inference.isolation`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inference.grounding import Finder
from inference.invoice import Box, Check, Reading, Usage
from inference.numbers import NUMBER
from inference.readers.vlm.answer import AnswerError
from inference.readers.vlm.asking import Asker, PageAnswer, Tally
from inference.readers.vlm.combine import NAME, combined, no_time, unanswered
from inference.readers.vlm.confidence import BY_HAND, Calibration
from inference.readers.vlm.merge import Merged, merged
from inference.readers.vlm.placing import PageSaid, Placer, Said
from inference.readers.vlm.prompt import VERSION, language_of
from inference.readers.vlm.second import Doubt, doubts, look_again
from inference.readers.vlm.values import Conventions
from inference.textrow import text_rows
from inference.vllm.background import Background
from inference.vllm.client import Client, Endpoint
from inference.vllm.errors import ModelRefused, ModelSlow
from inference.vllm.images import PageImage

if TYPE_CHECKING:
    from inference.page import Token
    from inference.readers.vlm.kept import KeptAnswers

DOCUMENT_SECONDS = 180.0
Crop = Callable[[int, Box], bytes]
"""A part of a page at full resolution, as PNG; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page for the model: its number from 1, its words, and its image as PNG (empty: not to be asked about)."""

    number: int
    tokens: Sequence[Token]
    png: bytes = b""


class VisionReader:
    """Asks one model server; shared by all threads. `reuse` keeps answers between documents and runs.

    The model has `document_seconds` for each document: pages it has not answered by then are a failed Check. `calibration`
    gives what makes confidences, asked anew for each document.
    """

    name = NAME

    def __init__(
        self,
        endpoint: Endpoint,
        reuse: KeptAnswers | None = None,
        *,
        second_look: bool = True,
        document_seconds: float = DOCUMENT_SECONDS,
        calibration: Callable[[], Calibration] = lambda: BY_HAND,
    ) -> None:
        self.endpoint, self._reuse, self._second_look = endpoint, reuse, second_look
        self._calibration = calibration
        self._document_seconds = document_seconds
        self._background = Background()
        self._client = self._background.run(_client(endpoint))

    @property
    def away(self) -> str:
        """Why the server is not asked at the moment, or empty."""
        return self._client.away

    def check(self) -> int:
        """The tokens of the model's context, 0 where the server does not say. Raises ModelAway or ModelMisconfigured."""
        return self._background.run(self._client.check())

    def read(self, sheets: Sequence[Sheet], layout: Reading, crop: Crop) -> Reading:
        """The Reading of the model and the layout Reader together.

        Raises ModelAway or ModelMisconfigured where the server does not answer; an answer that is no use is a failed
        Check, and leaves what the layout Reader found, doubted.
        """
        started = time.perf_counter()
        visit = _Visit(self._client, self._reuse, sheets, layout, started + self._document_seconds)
        said, checks = self._background.run(visit.pages())
        if self._second_look and visit.answers:
            said = self._looked_again(visit, said, layout, crop)
        calibration = self._calibration()
        reading = combined(said, layout, checks, calibration)
        spent = {self.name: (time.perf_counter() - started) * 1000, "model": visit.tally.seconds * 1000}
        return replace(
            reading,
            timing_ms={**layout.timing_ms, **spent},
            usage=_usage(self.endpoint, visit.tally, calibration.reviewed),
        )

    def close(self) -> None:
        """Give back connections and thread."""
        self._background.run(self._client.close())
        self._background.close()

    def _looked_again(self, visit: _Visit, said: Merged, layout: Reading, crop: Crop) -> Merged:
        header = dict(said.header)
        for doubt in doubts(said, layout):
            png = crop(doubt.page, doubt.box)
            if png:
                header |= self._background.run(visit.again(doubt, PageImage(png), header))
        return replace(said, header=header)


def sheets_to_ask(reading: Reading, pages: Sequence[Sheet]) -> tuple[int, ...]:
    """The numbers of the pages that may belong to the bill itself: the first one, those without words (a person must
    see them, or a model), and those with an amount. Covers behind the first page and terms have none.
    """
    if reading.reader == "einvoice":
        return ()
    return tuple(page.number for page in pages if page.number == 1 or _may_tell(page))


def _may_tell(page: Sheet) -> bool:
    texts = [token.text for token in page.tokens]
    if not any(text.strip() for text in texts):
        return True
    return any(
        ((found := NUMBER.fullmatch(text.strip())) and ("." in found["digits"] or "," in found["digits"]))
        or any(char in "〇零壹贰叁肆伍陆柒捌玖" for char in text)
        for text in texts
    )


class _Visit:
    """One document at the model: what it was asked, what it said, what that cost. `deadline` is a time of
    `time.perf_counter`."""

    def __init__(
        self,
        client: Client,
        reuse: KeptAnswers | None,
        sheets: Sequence[Sheet],
        layout: Reading,
        deadline: float,
    ) -> None:
        self.tally = Tally()
        self._deadline = deadline
        self.answers: dict[int, PageAnswer] = {}
        self._client, self._layout, self._sheets = client, layout, [sheet for sheet in sheets if sheet.png]
        self._images = client.endpoint.profile.images_per_prompt
        rows = [row.text for sheet in sheets for row in text_rows(sheet)]
        self._asker = Asker(client, reuse, language_of(rows), self.tally)
        self._conventions = Conventions.of(rows)
        self._placers = {
            sheet.number: Placer(sheet.number, Finder([sheet]), self._conventions, layout)
            for sheet in self._sheets
        }

    async def pages(self) -> tuple[Merged, tuple[Check, ...]]:
        """What the model says of all pages, a failed Check for each one it could not answer, and one for those that
        it had no time for. Raises ModelSlow where it had no time for any."""
        asked = {sheet.number: asyncio.create_task(self._page(sheet)) for sheet in self._sheets}
        await asyncio.wait(asked.values(), timeout=self._left(), return_when=asyncio.FIRST_EXCEPTION)
        late = {number for number, task in asked.items() if not task.done()}
        for number in late:
            asked[number].cancel()
        await asyncio.gather(*asked.values(), return_exceptions=True)
        # The error of one page is that of the document, and the reason why the others are late.
        found = [task.result() for number, task in asked.items() if number not in late]
        if not found:
            raise ModelSlow(
                f"The model server at {self._client.endpoint.url} answered for no page of the document in time: is the "
                "card overloaded? Lower vlm.in_flight, or raise vlm.document_seconds"
            )
        said = merged([page for page in found if isinstance(page, PageSaid)])
        checks = [page for page in found if isinstance(page, Check)]
        return said, (*checks, *([no_time(late)] if late else []))

    async def again(self, doubt: Doubt, crop: PageImage, header: Mapping[str, Said]) -> dict[str, Said]:
        """The values that a second look changes or confirms; what it does not show stays as it was."""
        placer, first = self._placers.get(doubt.page), self.answers.get(doubt.page)
        if placer is None or first is None:
            return {}
        try:
            async with asyncio.timeout(self._left()):
                texts, certainties = await look_again(self._asker, doubt, crop, first, self._images)
        except (AnswerError, ModelRefused, TimeoutError):
            # The first answer stands, with its doubt.
            return {}
        found: dict[str, Said] = {}
        for name, said in placer.header(texts, certainties).items():
            known = header.get(name)
            if known is not None and known.value == said.value:
                found[name] = replace(known, seen_again=True)
            elif said.evidence is not None:
                found[name] = said
        return found

    def _left(self) -> float:
        """The seconds until the deadline."""
        return max(0.0, self._deadline - time.perf_counter())

    async def _page(self, sheet: Sheet) -> PageSaid | Check:
        try:
            answered = await self._asker.page(PageImage(sheet.png))
        except (AnswerError, ModelRefused) as error:
            return unanswered(sheet.number, str(error).rstrip("."))
        self.answers[sheet.number] = answered
        # Searching a page takes the processor, which other pages' answers should not wait for.
        placer = self._placers[sheet.number]
        return await asyncio.to_thread(placer.placed, answered.answer, answered.certainties)


async def _client(endpoint: Endpoint) -> Client:
    return Client(endpoint)


def _usage(endpoint: Endpoint, tally: Tally, reviewed: int) -> Usage:
    return Usage(
        model=endpoint.served_model,
        calls=tally.calls,
        reused=tally.reused,
        prompt_tokens=tally.prompt_tokens,
        cached_tokens=tally.cached_tokens,
        answer_tokens=tally.answer_tokens,
        sent_bytes=tally.sent_bytes,
        reviewed=reviewed,
        prompt=VERSION,
    )
