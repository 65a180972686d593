"""What was learned from people's corrections and from posted bills, and how sure that makes.

A Lesson is one document's word on one Subject: that bills which print this name are of that vendor, that this
description of a vendor goes to that account. Memory counts, per Subject, the documents that agree: one is enough to
suggest, two agreeing ones make sure, others that disagree lower it. The order in which Lessons come does not matter, and
the same Lesson twice counts once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mappings.folding import alnum, fold_account, fold_tax_id, most_similar, plain

ONCE, SURE = 0.80, 0.97
RECENT = 10
"""So many of the newest documents count: what was done otherwise long ago is no doubt for ever."""

SIMILAR = 0.85


class Kind(StrEnum):
    """What a Lesson tells."""

    VENDOR = "vendor"
    ACCOUNT = "account"
    PRODUCT = "product"
    TAX = "tax"
    LAYOUT = "layout"


VENDOR_TERMS: Mapping[str, str] = {
    "seller_vat_id": "tax ID",
    "seller_tax_id": "tax ID",
    "seller_registration": "register number",
    "seller_name": "name",
    "seller_email": "e-mail address",
    "payment_account": "bank account",
}
"""What a vendor is known by, best first, in words. A known account only names the vendor: whether it may be paid to is
for the control of bank accounts to say."""

DESCRIPTION, RATE = "item_name", "vat_rate"
SHORTEST_LABEL = 3
SHORTEST: Mapping[str, int] = {"seller_name": 2, DESCRIPTION: 2, RATE: 1}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a Lesson is about: printed words of one kind, folded; for lines those of one vendor in one company.

    `vendor_id` is a commercial partner; it and `company_id` are 0 where the Subject is a vendor. For `LAYOUT` the words
    are the label on the vendor's papers by which the value of `term` stands.
    """

    kind: Kind
    term: str
    words: str
    vendor_id: int = 0
    company_id: int = 0

    @property
    def id(self) -> str:
        """The same for the same Subject, on every machine: 32 hex digits, of which people need the first ones."""
        parts = (self.kind, self.term, self.words, str(self.vendor_id), str(self.company_id))
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One document's word: the ERP ids that were chosen for the Subject, empty where a person chose none.

    `printed` are the words as printed, `label` what the ERP calls the choice, `vendor` the vendor's name there,
    `document` tells documents apart. `set_by` names the person who set it by hand, without a document.
    """

    subject: Subject
    printed: str
    value: tuple[int, ...]
    label: str
    document: str
    on: date
    vendor: str = ""
    set_by: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What Memory says on a Subject: the choice of most documents, how many agree and how many do not."""

    subject: Subject
    printed: str
    value: tuple[int, ...]
    label: str
    times: int
    against: int
    last: date
    vendor: str = ""
    set_by: str = ""

    @property
    def confidence(self) -> float:
        """ONCE for one document, SURE for two or for what a person set; less by the share that disagrees."""
        base = SURE if self.times > 1 or self.set_by else ONCE
        return base * (self.times / (self.times + self.against))

    @property
    def is_sure(self) -> bool:
        """Whether two documents, or a person by hand, said so and none otherwise."""
        return self.confidence >= SURE

    @property
    def sentence(self) -> str:
        """What a person chose, how often and when, without a full stop."""
        if self.subject.kind is Kind.LAYOUT:
            return f"You pointed at what stands by “{self.printed}” as the {self.label}{self._when()}"
        named = self.label if self.subject.kind is Kind.VENDOR else f"{self.subject.kind} {self.label}"
        return f"You {self._said(named)}"

    @property
    def clause(self) -> str:
        """The same beside the name of what was chosen."""
        return f"you {self._said('it')}"

    def _said(self, chosen: str) -> str:
        return f"{'set' if self.set_by else 'chose'} {chosen} for {self._about}{self._when()}"

    def _when(self) -> str:
        count = {1: "once, on", 2: "twice, last on"}.get(self.times, f"{self.times} times, last on")
        said = f" on {self.last}" if self.set_by else f" {count} {self.last}"
        if self.against:
            said += f", and otherwise {'once' if self.against == 1 else f'{self.against} times'}"
        return said

    @property
    def _about(self) -> str:
        term = VENDOR_TERMS.get(self.subject.term)
        if term:
            return f"the {term} “{self.printed}”"
        return f"{self.printed} % VAT" if self.subject.term == RATE else f"“{self.printed}”"


def subject(kind: Kind, term: str, printed: str, vendor_id: int = 0, company_id: int = 0) -> Subject | None:
    """The Subject of printed words; None where they are too short to tell anything."""
    words = plain(printed) if kind is Kind.LAYOUT else _fold(term, printed)
    shortest = SHORTEST_LABEL if kind is Kind.LAYOUT else SHORTEST.get(term, 5)
    return Subject(kind, term, words, vendor_id, company_id) if len(words) >= shortest else None


def _fold(term: str, printed: str) -> str:
    match term:
        case "seller_vat_id" | "seller_tax_id":
            return fold_tax_id(printed)
        case "payment_account":
            return fold_account(printed)
        case "seller_name" | "seller_registration":
            return alnum(plain(printed))
        case _:
            return plain(printed)


class Memory:
    """All Lessons of one Backend, findable by Subject."""

    def __init__(self, lessons: Iterable[Lesson] = ()) -> None:
        self._votes: dict[Subject, dict[str, Lesson]] = {}
        self._descriptions: dict[tuple[Kind, int, int], list[str]] = {}
        for lesson in lessons:
            votes = self._votes.setdefault(lesson.subject, {})
            if not votes and lesson.subject.term == DESCRIPTION:
                self._descriptions.setdefault(_scope(lesson.subject), []).append(lesson.subject.words)
            other = votes.get(lesson.document)
            if other is None or _newer(lesson) > _newer(other):
                votes[lesson.document] = lesson

    def knows(self, about: Subject) -> bool:
        """Whether there is any Lesson on the Subject."""
        return about in self._votes

    def recall(self, about: Subject | None) -> Remembered | None:
        """What most documents say on the Subject; None where there is none, or as many say otherwise."""
        return _tally(about, self._votes.get(about, {}).values()) if about else None

    def recall_similar(self, about: Subject | None) -> tuple[Remembered, float] | None:
        """As `recall`, and without Lessons on those very words, on the most similar ones; with the similarity."""
        if about is None:
            return None
        if self.knows(about):
            found = self.recall(about)
            return (found, 1.0) if found else None
        texts = sorted(self._descriptions.get(_scope(about), ()))
        alike = most_similar(about.words, texts, SIMILAR)
        for position, score in sorted(alike.items(), key=lambda item: (-item[1], item[0])):
            near = Subject(about.kind, about.term, texts[position], about.vendor_id, about.company_id)
            if found := self.recall(near):
                return found, score
        return None

    def entries(self) -> list[Remembered]:
        """Everything remembered, undecided Subjects too, ordered by kind, vendor and words."""
        found = [_tally(about, votes.values(), undecided=True) for about, votes in self._votes.items()]
        ordered = [one for one in found if one]
        ordered.sort(
            key=lambda one: (
                one.subject.kind,
                one.vendor,
                one.subject.term,
                one.subject.words,
                one.subject.id,
            )
        )
        return ordered


def _scope(about: Subject) -> tuple[Kind, int, int]:
    return about.kind, about.vendor_id, about.company_id


def _newer(lesson: Lesson) -> tuple[date, str, tuple[int, ...], str]:
    return lesson.on, lesson.document, lesson.value, lesson.printed


def _tally(about: Subject, votes: Iterable[Lesson], *, undecided: bool = False) -> Remembered | None:
    newest = sorted(votes, key=_newer, reverse=True)[:RECENT]
    agreeing: dict[tuple[int, ...], list[Lesson]] = {}
    for lesson in newest:
        agreeing.setdefault(lesson.value, []).append(lesson)
    if not agreeing:
        return None
    # Equal numbers: the value of the newest Lesson comes first.
    value, same = max(agreeing.items(), key=lambda item: _weight(item[1]))
    weight, against = _weight(same), sum(_weight(other) for v, other in agreeing.items() if v != value)
    if not undecided and (weight <= against or not value):
        return None
    last = same[0]
    by = next((lesson.set_by for lesson in same if lesson.set_by), "")
    return Remembered(about, last.printed, value, last.label, weight, against, last.on, last.vendor, by)


def _weight(lessons: Iterable[Lesson]) -> int:
    """What a person set by hand counts as two documents."""
    return sum(2 if lesson.set_by else 1 for lesson in lessons)
