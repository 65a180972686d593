"""What a posted bill teaches: compared with the Proposal kept of it, difference by difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.invoice import Reading
from mappings.erp_data import Record, RecordLine
from mappings.index import ErpIndex
from mappings.lessons import Compared, compare
from mappings.matching import propose
from mappings.memory import Kind, Lesson, Memory
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
DAY = date(2026, 10, 1)
ACCOUNTS = {account.code: account.id for account in demo_data().accounts}


def posted(proposal: Proposal, **changes: Any) -> Record:
    """The bill exactly as proposed, posted; `values` and other fields replaced."""
    values = {name: value.value for name, value in proposal.values.items()} | changes.pop("values", {})
    lines = tuple(
        RecordLine(
            number,
            str(line["name"].value),
            Decimal(str(line["quantity"].value)),
            Decimal(str(line["price_unit"].value)),
            Decimal(str(line["quantity"].value)) * Decimal(str(line["price_unit"].value)),
            tax_ids=line["tax_ids"].value,  # type: ignore[arg-type]
            account_id=line["account_id"].value,  # type: ignore[arg-type]
            product_id=line["product_id"].value if "product_id" in line else None,  # type: ignore[arg-type]
        )
        for number, line in enumerate(proposal.lines)
    )
    predicted = proposal.predicted
    assert predicted
    assert predicted.untaxed is not None
    assert predicted.tax is not None
    record = draft_bill(
        state="posted",
        values=values,
        lines=lines,
        amount_untaxed=predicted.untaxed,
        amount_tax=predicted.tax,
        amount_total=predicted.total,
    )
    return replace(record, **changes)


def learned(
    read: Reading, record: Record, memory: Memory | None = None, document: str = "1", erp: ErpIndex = INDEX
) -> Compared:
    known = memory or Memory()
    body = propose(read, draft_bill(), erp, TODAY, known).as_json()
    return compare(body, read, record, erp, document, DAY, known)


def proposed(read: Reading, memory: Memory | None = None) -> Proposal:
    return propose(read, draft_bill(), INDEX, TODAY, memory)


def said(lessons: tuple[Lesson, ...]) -> set[tuple[str, str, tuple[int, ...]]]:
    return {(lesson.subject.kind.value, lesson.printed, lesson.value) for lesson in lessons}


def changed_line(record: Record, position: int, **changes: Any) -> Record:
    lines = list(record.lines)
    lines[position] = replace(lines[position], **changes)
    return replace(record, lines=tuple(lines))


def test_a_bill_posted_as_proposed_is_right_and_teaches_nothing() -> None:
    found = learned(paper_bill(), posted(proposed(paper_bill())))
    assert (found.wrong, found.changed, found.lessons) == ((), (), ())
    assert (found.vendor_id, found.vendor) == (PAPER, "Papierhaus Brunnhuber GmbH & Co. KG")


def test_an_unknown_vendor_is_learned_under_all_that_is_printed() -> None:
    read = paper_bill(
        seller_name="Papier Isartor", seller_vat_id="", payment_account="DE02120300000000202051"
    )
    record = posted(proposed(read), values={"partner_id": PAPER})
    found = learned(read, record)
    assert said(found.lessons) == {
        ("vendor", "Papier Isartor", (PAPER,)),
        ("vendor", "DE02120300000000202051", (PAPER,)),
    }
    assert found.lessons[0].label == "Papierhaus Brunnhuber GmbH & Co. KG"
    # Two such bills, and the third is known by its name.
    again = learned(read, record, document="2")
    memory = Memory([*found.lessons, *again.lessons])
    value = proposed(read, memory).values["partner_id"]
    assert (value.value, value.confidence > 0.9) == (PAPER, True)


def test_a_changed_account_product_and_tax_are_lessons_of_their_line() -> None:
    record = posted(proposed(paper_bill()))
    twin = replace(next(t for t in INDEX.data.taxes if t.amount == 19), id=99, name="19 % G")
    erp = index(taxes=(*INDEX.data.taxes, twin))
    record = changed_line(record, 1, account_id=ACCOUNTS["625200"], product_id=300)
    record = replace(record, lines=tuple(replace(line, tax_ids=(99,)) for line in record.lines))
    read = paper_bill()
    known = Memory()
    body = propose(read, draft_bill(), INDEX, TODAY, known).as_json()
    found = compare(body, read, record, erp, "1", DAY, known)
    assert said(found.lessons) == {
        ("account", "Ordner A4, 80 mm", (ACCOUNTS["625200"],)),
        ("product", "Ordner A4, 80 mm", (300,)),
        ("tax", "19", (99,)),
    }
    # Another account is no wrong bill, another tax is.
    assert (found.wrong, found.changed) == (("tax_ids",), ("account_id", "product_id"))
    labels = {lesson.subject.kind: lesson.label for lesson in found.lessons}
    assert (labels[Kind.ACCOUNT], labels[Kind.TAX]) == ("625200 Books and journals", "19 % G")


def test_agreement_counts_where_memory_had_a_say() -> None:
    record = changed_line(posted(proposed(paper_bill())), 1, account_id=ACCOUNTS["625200"])
    first = learned(paper_bill(), record)
    memory = Memory(first.lessons)
    assert [v.times for v in memory.entries()] == [1]
    read = paper_bill(invoice_number="2026-0902")
    agreed = learned(read, posted(proposed(read, memory)), memory, document="2")
    assert said(agreed.lessons) == said(first.lessons)
    assert [v.times for v in Memory([*first.lessons, *agreed.lessons]).entries()] == [2]
    back = changed_line(posted(proposed(read, memory)), 1, account_id=ACCOUNTS["625100"])
    contradicted = Memory([*first.lessons, *learned(read, back, memory, document="3").lessons])
    assert [(v.times, v.against) for v in contradicted.entries()] == [(1, 1)]


def test_lines_in_another_order_and_with_other_words_are_still_known_by_their_amounts() -> None:
    record = posted(proposed(paper_bill()))
    first, second = record.lines
    mixed = replace(
        record,
        lines=(replace(second, name="Binders", account_id=ACCOUNTS["625200"]), replace(first, name="x")),
    )
    found = learned(paper_bill(), mixed)
    assert said(found.lessons) == {("account", "Ordner A4, 80 mm", (ACCOUNTS["625200"],))}


def test_one_line_in_place_of_many_teaches_no_account() -> None:
    record = posted(proposed(paper_bill()))
    whole = replace(record.lines[0], name="Office", subtotal=Decimal("261.00"), account_id=ACCOUNTS["625200"])
    assert learned(paper_bill(), replace(record, lines=(whole,))).lessons == ()


def test_lines_of_one_document_that_contradict_each_other_teach_nothing() -> None:
    read = paper_bill()
    twice = replace(read, lines=(read.lines[1], read.lines[1]))
    record = posted(proposed(twice))
    record = changed_line(record, 0, account_id=ACCOUNTS["625200"])
    assert learned(twice, record).lessons == ()


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"values": {"ref": "4711"}}, "ref"),
        ({"values": {"ref": "2026 - 0901"}}, None),
        ({"values": {"invoice_date": date(2026, 9, 11)}}, "invoice_date"),
        ({"values": {"partner_id": FREIGHT}}, "partner_id"),
        ({"amount_tax": Decimal("49.60")}, "amount_tax"),
    ],
)
def test_what_makes_a_bill_wrong(changes: dict[str, Any], wrong: str | None) -> None:
    found = learned(paper_bill(), posted(proposed(paper_bill()), **changes))
    assert found.wrong == ((wrong,) if wrong else ())


def test_another_document_on_the_same_record_teaches_nothing() -> None:
    record = posted(
        proposed(paper_bill()), values={"ref": "R-77", "partner_id": FREIGHT}, amount_total=Decimal("12.00")
    )
    found = learned(paper_bill(), record)
    assert found.wrong
    assert found.lessons == ()


def test_what_people_left_standing_of_what_was_read() -> None:
    record = posted(proposed(paper_bill()), values={"ref": "2026 - 0901", "invoice_date": date(2026, 9, 11)})
    assert learned(paper_bill(), record).standing == {
        "invoice_number": "2026-0901",
        "issue_date": "2026-09-11",
        "currency": "EUR",
        "total_without_vat": "261.00",
        "total_vat": "49.59",
        "total_with_vat": "310.59",
    }


def test_ourselves_as_the_vendor_is_no_lesson() -> None:
    read = paper_bill(seller_name="Papier Isartor", seller_vat_id="", payment_account="")
    assert learned(read, posted(proposed(read), values={"partner_id": OWN_PARTNER})).lessons == ()


@given(st.permutations(range(5)))
def test_the_order_in_which_bills_are_learned_does_not_matter(order: list[int]) -> None:
    """Five bills, each judged before any of them was learned; two teach the name, one another vendor, two an account."""
    read = paper_bill(seller_name="Papier Isartor", seller_vat_id="", payment_account="")
    other = changed_line(posted(proposed(paper_bill())), 1, account_id=ACCOUNTS["625200"])
    bills = [
        (read, posted(proposed(read), values={"partner_id": partner})) for partner in (PAPER, PAPER, FREIGHT)
    ] + [(paper_bill(), other), (paper_bill(), other)]
    lessons = [learned(*bill, document=str(number)).lessons for number, bill in enumerate(bills)]
    flat = [one for number in order for one in lessons[number]]
    entries = Memory(flat).entries()
    assert entries == Memory(one for part in lessons for one in part).entries()
    assert {(e.subject.kind.value, e.times, e.against) for e in entries} == {
        ("vendor", 2, 1),
        ("account", 2, 0),
    }
