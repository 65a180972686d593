"""One page, asked of the model: everything at once, or, where that is too long for one answer, in parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inference.readers.vlm.answer import Answer, AnswerError, parse_answer, whole_lines
from inference.readers.vlm.certainty import Certainty, certainties
from inference.readers.vlm.kept import KeptAnswers, Told, key_of
from inference.readers.vlm.prompt import VERSION, Language, prompt
from inference.readers.vlm.schema import Part, answer_schema
from inference.vllm.client import Client, Reply, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.vllm.images import PageImage

MOST_TOKENS = {Part.ALL: 3000, Part.HEADER: 1500, Part.LINES: 6000}
"""The longest answer that is waited for; a page with more lines is asked in parts."""
LEAST_TOKENS = 256
_MARGIN = 64
_CHARACTERS_PER_TOKEN = {"en": 3.0, "zh": 1.0}


@dataclass
class Tally:
    """What reading one document cost. Not safe for threads: it is one event loop's."""

    calls: int = 0
    reused: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0

    def count(self, reply: Reply) -> None:
        """Add one call."""
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.cached_tokens += reply.cached_tokens
        self.answer_tokens += reply.answer_tokens
        self.sent_bytes += reply.sent_bytes
        self.seconds += reply.seconds


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What the model answered for a page, and how sure it was of each value, by path."""

    answer: Answer
    certainties: Mapping[str, Certainty] = field(default_factory=dict[str, Certainty])
    turns: tuple[Turn, ...] = ()


class Asker:
    """Asks about one document's pages, first the answers that were kept. `reuse` is None where none are."""

    def __init__(self, client: Client, reuse: KeptAnswers | None, language: Language, tally: Tally) -> None:
        self._client, self._reuse, self._tally = client, reuse, tally
        self.language: Language = language

    async def page(self, image: PageImage) -> PageAnswer:
        """The answer for a page. Raises AnswerError where it is none, and what `Client.ask` raises."""
        whole = await self._part(image, Part.ALL)
        if not whole.cut:
            return self._answered(image, Part.ALL, whole)
        header = await self._part(image, Part.HEADER)
        if header.cut:
            raise AnswerError("the answer never ended")
        lines = await self._part(image, Part.LINES)
        first = self._answered(image, Part.HEADER, header)
        rest = whole_lines(lines.text) if lines.cut else parse_answer(lines.text, Part.LINES)
        answer = Answer(first.answer.header, first.answer.taxes, rest.lines, rest.complete)
        return PageAnswer(answer, {**first.certainties, **lines.certainties}, first.turns)

    async def ask(self, turns: Sequence[Turn], schema: Mapping[str, Any], most_tokens: int) -> Told:
        """One question, by a schema: from the kept answers, else from the model."""
        key = self._key(turns, schema, most_tokens) if self._reuse else ""
        if self._reuse and (found := self._reuse.get(key)):
            self._tally.reused += 1
            return found
        reply = await self._client.ask(turns, schema, most_tokens)
        self._tally.count(reply)
        told = Told(reply.text, reply.cut, {} if reply.cut else _certainties(reply))
        if self._reuse:
            self._reuse.put(key, told)
        return told

    def _key(self, turns: Sequence[Turn], schema: Mapping[str, Any], most_tokens: int) -> str:
        endpoint = self._client.endpoint
        return key_of(
            endpoint.served_model,
            endpoint.profile.name,
            VERSION,
            str(most_tokens),
            json.dumps(schema, sort_keys=True),
            *(part for turn in turns for part in (turn.role, turn.text, *(i.uuid for i in turn.images))),
        )

    def room(self, text: str, images: int) -> int:
        """The tokens left for an answer after a prompt of that text with so many images."""
        profile = self._client.endpoint.profile
        asked = len(text) / _CHARACTERS_PER_TOKEN[self.language] + images * profile.image.tokens + _MARGIN
        return max(LEAST_TOKENS, int(profile.context - asked))

    async def _part(self, image: PageImage, part: Part) -> Told:
        turn = self._turn(image, part)
        most = min(MOST_TOKENS[part], self.room(turn.text, 1))
        return await self.ask([turn], answer_schema(part), most)

    def _turn(self, image: PageImage, part: Part) -> Turn:
        return Turn("user", prompt(part, self.language), (image,))

    def _answered(self, image: PageImage, part: Part, told: Told) -> PageAnswer:
        answer = parse_answer(told.text, part)
        return PageAnswer(answer, told.certainties, (self._turn(image, part), Turn("assistant", told.text)))


def _certainties(reply: Reply) -> dict[str, Certainty]:
    try:
        return certainties(reply.text, reply.tokens)
    except (ValueError, RecursionError) as error:
        raise AnswerError("the answer is not of the form asked for") from error
