"""Memory: one document suggests, two make sure, others lower it; order does not matter, and forgetting forgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Reading
from mappings.erp_data import Record
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.memory import ONCE, RECENT, SURE, Kind, Lesson, Memory, Subject, subject
from mappings.policy import Decision, Outcome, Policy, decide
from mappings.proposal import Proposal
from tests.unit.mappings_builder import (
    OWN_PARTNER,
    TODAY,
    demo_data,
    draft_bill,
    index,
    paper_bill,
    vendor_id,
)

INDEX = index()
PAPER, FREIGHT = vendor_id("brunnhuber"), vendor_id("fuhrwerk")
DAY = date(2026, 3, 2)
PRINTED = "Ordner A4, 80 mm"
BOOKS = next(account.id for account in demo_data().accounts if account.code == "625200")


def about(kind: Kind, term: str, printed: str, vendor: int = 0) -> Subject:
    found = subject(kind, term, printed, vendor, 1 if vendor else 0)
    assert found
    return found


def lesson(of: Subject, value: tuple[int, ...], document: str, printed: str = "", **more: object) -> Lesson:
    values = {"printed": printed or of.words, "label": f"no. {value}", "on": DAY} | more
    return Lesson(of, value=value, document=document, **values)  # type: ignore[arg-type]


ALIAS = about(Kind.VENDOR, "seller_name", "Papier Isartor")


def alias(*documents: str) -> Memory:
    name = INDEX.partners[PAPER].name
    return Memory(lesson(ALIAS, (PAPER,), d, "Papier Isartor", label=name) for d in documents)


def unknown_name() -> Reading:
    """A trade name that Odoo does not have, and nothing else that tells the vendor."""
    return paper_bill(seller_name="Papier Isartor", seller_vat_id="", payment_account="")


def judged(
    read: Reading, memory: Memory | None = None, erp: ErpIndex = INDEX, record: Record | None = None
) -> tuple[Proposal, Decision]:
    record = record or draft_bill()
    found = propose(read, record, erp, TODAY, memory)
    return found, decide(found, read, record, Policy())


# -- how sure ---------------------------------------------------------------------------------------------------------


def test_one_document_suggests_and_two_make_sure() -> None:
    one, two = alias("1").recall(ALIAS), alias("1", "2").recall(ALIAS)
    assert one
    assert two
    assert (one.confidence, two.confidence) == (ONCE, SURE)
    assert two.sentence == (
        "You chose Papierhaus Brunnhuber GmbH & Co. KG for the name “Papier Isartor” twice, last on 2026-03-02"
    )


def test_contradiction_lowers_and_a_draw_says_nothing() -> None:
    three = [lesson(ALIAS, (PAPER,), str(n)) for n in range(3)]
    against = lesson(ALIAS, (FREIGHT,), "other")
    found = Memory([*three, against]).recall(ALIAS)
    assert found
    assert (found.value, found.times, found.against) == ((PAPER,), 3, 1)
    assert found.confidence == pytest.approx(SURE * 3 / 4)
    assert found.sentence.endswith("3 times, last on 2026-03-02, and otherwise once")
    assert Memory([three[0], against]).recall(ALIAS) is None
    assert [entry.against for entry in Memory([three[0], against]).entries()] == [1]


def test_what_a_person_sets_by_hand_is_sure_at_once() -> None:
    found = Memory([lesson(ALIAS, (PAPER,), "", set_by="accountant")]).recall(ALIAS)
    assert found
    assert (found.confidence, found.is_sure) == (SURE, True)
    assert found.sentence.startswith("You set no.")


def test_words_too_short_to_tell_anything_are_no_subject() -> None:
    assert subject(Kind.VENDOR, "seller_vat_id", "/") is None
    assert subject(Kind.VENDOR, "seller_name", ".") is None


# -- properties -------------------------------------------------------------------------------------------------------

SUBJECTS = [ALIAS, *(about(Kind.ACCOUNT, "item_name", words, PAPER) for words in ("Papier", "Porto"))]
LESSONS = st.lists(
    st.builds(
        lambda of, value, document, day: lesson(of, value, document, on=DAY + timedelta(days=day)),
        st.sampled_from(SUBJECTS),
        st.sampled_from([(1,), (2,), (3, 4), ()]),
        st.sampled_from("abcdefgh"),
        st.integers(0, 3),
    ),
    max_size=30,
)


@given(LESSONS, st.integers())
def test_neither_order_nor_repetition_matters(lessons: list[Lesson], seed: int) -> None:
    mixed = [*lessons, *lessons[: len(lessons) // 2]]
    Random(seed).shuffle(mixed)
    assert Memory(mixed).entries() == Memory(lessons).entries()


@given(LESSONS, st.sampled_from(SUBJECTS))
def test_what_is_forgotten_is_as_if_never_taught(lessons: list[Lesson], gone: Subject) -> None:
    kept = Memory(one for one in lessons if one.subject.id != gone.id)
    assert kept.recall(gone) is None
    assert not kept.knows(gone)
    whole = Memory(lessons)
    for other in SUBJECTS:
        if other != gone:
            assert kept.recall(other) == whole.recall(other)


@given(LESSONS)
def test_confidence_grows_with_agreement_and_falls_with_contradiction(lessons: list[Lesson]) -> None:
    for before in Memory(lessons).entries():
        if before.times + before.against >= RECENT - 1 or before.times <= before.against or not before.value:
            continue
        later = DAY + timedelta(days=9)
        agrees = Memory([*lessons, lesson(before.subject, before.value, "new", on=later)])
        differs = Memory([*lessons, lesson(before.subject, (99,), "new", on=later)])
        more, less = agrees.recall(before.subject), differs.recall(before.subject)
        assert more
        assert more.confidence >= before.confidence
        assert less is None or less.confidence < before.confidence


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_was_done_otherwise_long_ago_is_no_doubt_for_ever(old: int, new: int) -> None:
    lessons = [lesson(ALIAS, (1,), f"old {n}") for n in range(old)]
    lessons += [lesson(ALIAS, (2,), f"new {n}", on=DAY + timedelta(days=30)) for n in range(new)]
    found = Memory(lessons).recall(ALIAS)
    if new >= RECENT:
        assert found
        assert (found.value, found.against) == ((2,), 0)


# -- in a Proposal ----------------------------------------------------------------------------------------------------


def test_a_learned_name_is_suggested_once_and_filled_when_sure() -> None:
    nothing, asked = judged(unknown_name())
    assert "partner_id" not in nothing.values
    assert asked.reasons[0] == "Odoo has no vendor named 'Papier Isartor'."
    once, asked = judged(unknown_name(), alias("1"))
    assert once.values["partner_id"].value == PAPER
    assert asked.outcome is Outcome.REVIEW
    assert asked.reasons == (
        "The vendor is not sure (80 %): Papierhaus Brunnhuber GmbH & Co. KG: you chose it for the name “Papier Isartor” once, on 2026-03-02.",
    )
    twice, filled = judged(unknown_name(), alias("1", "2"))
    assert (filled.outcome, filled.reasons[0][:11]) == (Outcome.FILL, "All is sure")
    assert "twice, last on 2026-03-02" in twice.values["partner_id"].reason


def test_several_learned_words_of_one_document_are_one_proof() -> None:
    mail = about(Kind.VENDOR, "seller_email", "isartor@papier.example")
    memory = Memory([lesson(ALIAS, (PAPER,), "1"), lesson(mail, (PAPER,), "1")])
    read = paper_bill(
        seller_name="Papier Isartor",
        seller_vat_id="",
        payment_account="",
        seller_email="isartor@papier.example",
    )
    assert judged(read, memory)[0].values["partner_id"].confidence == pytest.approx(ONCE)


def test_between_vendors_alike_in_everything_the_one_chosen_twice_wins() -> None:
    twin = replace(INDEX.partners[PAPER], id=900, commercial_partner_id=900)
    erp = index(partners=(*demo_data().partners, twin))
    read = paper_bill(payment_account="")
    assert "could be" in judged(read, erp=erp)[1].reasons[0]
    tax_id = about(Kind.VENDOR, "seller_vat_id", "DE371628131")
    lessons = [lesson(tax_id, (900,), document) for document in "12"]
    once, asked = judged(read, Memory(lessons[:1]), erp)
    assert (once.values["partner_id"].value, asked.outcome) == (900, Outcome.REVIEW)
    twice, filled = judged(read, Memory(lessons), erp)
    assert (twice.values["partner_id"].value, filled.outcome) == (900, Outcome.FILL)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"payment_account": "DE02 1203 0000 0000 2020 51"}, "bank account DE02 1203 0000 0000 2020 51"),
        ({"invoice_number": "2026 - 817"}, "Probably entered before"),
        ({"total_vat": "49.60", "total_with_vat": "310.60"}, "Odoo would compute"),
        ({"seller_vat_id": "DE214513568"}, "is Kestrel Works GmbH itself"),
        ({"buyer_name": "Havelblick Immobilien AG"}, "made out to Havelblick"),
    ],
)
def test_memory_never_overrides_the_controls(changes: dict[str, str], words: str) -> None:
    taught = [("seller_name", "Papierhaus Brunnhuber GmbH & Co. KG"), ("seller_vat_id", "DE214513568"),
              ("payment_account", "DE02120300000000202051")]  # fmt: skip
    memory = Memory(
        lesson(about(Kind.VENDOR, term, printed), (PAPER,), document)
        for term, printed in taught
        for document in "12345"
    )
    decision = judged(paper_bill(**changes), memory)[1]
    assert decision.outcome is Outcome.REVIEW
    assert any(words in reason for reason in decision.reasons), decision.reasons


@pytest.mark.parametrize("partner", [OWN_PARTNER, 2, 77777])
def test_ourselves_our_people_and_partners_that_are_gone_are_never_the_vendor(partner: int) -> None:
    memory = Memory(lesson(ALIAS, (partner,), document) for document in "123")
    assert "partner_id" not in judged(unknown_name(), memory)[0].values


def test_a_tax_id_that_odoo_does_not_have_is_the_vendors_once_sure() -> None:
    read = paper_bill(seller_vat_id="DE999999999", payment_account="")
    tax_id = about(Kind.VENDOR, "seller_vat_id", "DE999999999")
    lessons = [lesson(tax_id, (PAPER,), document) for document in "12"]
    assert "prints the tax ID DE999999999" in judged(read, Memory(lessons[:1]))[1].reasons[0]
    assert judged(read, Memory(lessons))[1].outcome is Outcome.FILL


def line_values(name: str, memory: Memory) -> tuple[object, float, str]:
    value = judged(paper_bill(), memory)[0].lines[1][name]
    return value.value, value.confidence, value.reason


def test_a_learned_account_comes_before_the_vendors_history() -> None:
    account = about(Kind.ACCOUNT, "item_name", PRINTED, PAPER)
    assert line_values("account_id", Memory())[0] != BOOKS
    one = Memory([lesson(account, (BOOKS,), "1", PRINTED, label="625200 Books and journals")])
    assert line_values("account_id", one) == (
        BOOKS,
        ONCE,
        "You chose account 625200 Books and journals for “Ordner A4, 80 mm” once, on 2026-03-02.",
    )
    near = about(Kind.ACCOUNT, "item_name", "Ordner A4, 50 mm", PAPER)
    alike = line_values("account_id", Memory([lesson(near, (BOOKS,), d) for d in "12"]))
    assert alike[0] == BOOKS
    assert ONCE < float(alike[1]) < SURE
    gone = Memory([lesson(account, (4711,), d) for d in "12"])
    assert line_values("account_id", gone) == line_values("account_id", Memory())


def test_a_learned_product_and_tax_are_for_these_words_and_this_rate_alone() -> None:
    product = about(Kind.PRODUCT, "item_name", PRINTED, PAPER)
    other = next(p.id for p in INDEX.products.values() if p.default_code == "KW-3001")
    found = judged(paper_bill(), Memory([lesson(product, (other,), d) for d in "12"]))[0]
    assert [line["product_id"].value == other for line in found.lines] == [False, True]
    free = INDEX.data.taxes[0]
    tax = about(Kind.TAX, "vat_rate", "19", PAPER)
    twin = replace(next(t for t in INDEX.data.taxes if t.amount == 19), id=99, name="19 % G")
    erp = index(taxes=(*INDEX.data.taxes, twin))
    sure, filled = judged(paper_bill(), Memory([lesson(tax, (99,), d) for d in "12"]), erp)
    assert {line["tax_ids"].value for line in sure.lines} == {(99,)}
    assert filled.outcome is Outcome.FILL
    once = judged(paper_bill(), Memory([lesson(tax, (99,), "1")]), erp)[1]
    assert "The tax of 2 of 2 lines, such as line 1 is not sure (65 %)" in once.reasons[0]
    wrong = judged(paper_bill(), Memory([lesson(tax, (free.id,), d) for d in "12"]))[1]
    assert wrong.outcome is Outcome.REVIEW
    assert "Odoo would compute" in wrong.reasons[0]


def test_lessons_of_one_vendor_are_not_for_another() -> None:
    account = about(Kind.ACCOUNT, "item_name", PRINTED, FREIGHT)
    assert line_values("account_id", Memory([lesson(account, (BOOKS,), d) for d in "12"]))[0] != BOOKS
