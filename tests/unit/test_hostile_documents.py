"""Documents and answers of models that want to be more than what a page shows. `make hostile` tries all of them, bombs too."""

from __future__ import annotations

from functools import cache

import pytest

from inference.document import open_document
from inference.errors import DocumentError
from inference.invoice import Reading
from inference.readers.vlm.answer import AnswerError, parse_answer
from inference.readers.vlm.schema import HEADER_KEYS, LINE_KEYS, Part, answer_schema
from inference.reading import read_document
from inference.shown import looked_at
from mappings.policy import Outcome
from tests.bench.hostile import decided, wrong
from tests.integration.recorded_model import true_answer
from tests.samples.hostile.answers import answers
from tests.samples.hostile.documents import Hostile, documents, many_lines, page, paper

HEAVY = ("bombs", "hidden words and fonts")
LIGHT = [one for one in documents() if one.kind not in HEAVY]
KINDS = sorted({one.kind for one in LIGHT})


@cache
def answered() -> dict[str, str]:
    return dict(answers(true_answer(paper().truth())))


def outcome(hostile: Hostile) -> str:
    """What would be done with it; an assertion fails where something would be filled that its page does not show."""
    data = hostile.make()
    try:
        document = open_document(data, hostile.name)
        reading = read_document(document)
    except DocumentError as error:
        return error.reason
    proposal, decision = decided(reading)
    if decision.outcome is Outcome.FILL and hostile.shows is None:
        raise AssertionError(f"{hostile.name} is filled and shows no bill")
    if decision.outcome is Outcome.FILL:
        assert wrong(proposal, hostile.shows) == "", hostile.name
    return str(decision.outcome)


def test_there_are_enough_of_them() -> None:
    every = list(documents())
    assert len({(one.kind, one.name) for one in every}) == len(every) >= 200
    assert len(answered()) >= 100


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_filled_but_what_the_page_shows(kind: str) -> None:
    found = [outcome(one) for one in LIGHT if one.kind == kind]
    assert found
    # The corpus is worth nothing where all of it is turned away at the door.
    if kind in ("orders to a model", "scripts and actions"):
        assert found.count("fill") >= len(found) // 2, found
    if kind == "e-invoices with hostile texts":
        assert set(found) <= {"review", "damaged", "unsupported"}
        assert found.count("review") > 60


def test_the_honest_bill_is_filled() -> None:
    document = open_document(page(), "honest.pdf")
    proposal, decision = decided(looked_at(read_document(document), document))
    assert decision.outcome is Outcome.FILL, decision.reasons
    assert wrong(proposal, paper()) == ""


def test_what_people_read_of_hostile_e_invoices_has_nothing_hidden() -> None:
    for one in LIGHT:
        if one.kind != "e-invoices with hostile texts":
            continue
        try:
            reading = read_document(open_document(one.make(), one.name))
        except DocumentError:
            continue
        for text in texts_of(reading):
            assert text.isprintable(), (one.name, text)
            assert len(text) <= 4000


def texts_of(reading: Reading) -> list[str]:
    rows = [reading.fields, *reading.lines, *reading.vat_breakdown]
    values = [field.value for row in rows for field in row.values()]
    return [value for value in values if isinstance(value, str)]


@pytest.mark.parametrize("part", Part)
def test_a_hostile_answer_is_refused_or_has_the_keys_that_were_asked_for(part: Part) -> None:
    refused = 0
    for name, text in answers(true_answer(paper().truth(), tuple(answer_schema(part)["properties"]))):
        try:
            found = parse_answer(text, part)
        except AnswerError:
            refused += 1
            continue
        assert set(found.header) <= set(HEADER_KEYS.values()), name
        assert all(value.isprintable() for value in found.header.values()), name
        for line in found.lines:
            assert set(line) <= set(LINE_KEYS.values()), name
    assert refused >= 20


def test_ten_thousand_lines_are_left_to_a_person_at_once() -> None:
    reading = read_document(open_document(many_lines(), "many.xml"))
    assert len(reading.lines) == 10_000
    proposal, decision = decided(reading)
    assert decision.outcome is Outcome.REVIEW
    assert "10000 lines, more than 1000" in decision.reasons[0]
    assert not any("could not be read" in reason for reason in decision.reasons)
    assert len(proposal.lines) <= 1
