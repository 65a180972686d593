"""Every trap goes to a person, for its true reason; what is sure and proven is filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from inference.invoice import Check, Reading, Status
from mappings.erp_data import BankAccount, Bill, Company, Partner, Record
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
from tests.unit.mappings_builder import (
    EMPLOYEE,
    TODAY,
    demo_data,
    draft_bill,
    index,
    paper_bill,
    reading,
    vendor_id,
)

INDEX = index()


def decision(
    read: Reading, record: Record | None = None, erp: ErpIndex = INDEX, policy: Policy | None = None
) -> Decision:
    record = record or draft_bill()
    return decide(propose(read, record, erp, TODAY), read, record, policy or Policy())


def test_a_sure_bill_is_filled() -> None:
    assert decision(paper_bill()).outcome is Outcome.FILL


def look_alike() -> Reading:
    """Only a name, and one letter away from it another vendor."""
    return paper_bill(seller_name="Nordlicht Elektronik GmbH", seller_vat_id="", payment_account="")


def factor_ten() -> Reading:
    """The second line's amount is ten times quantity by price, and the totals follow it."""
    read = paper_bill(total_without_vat="684.00", total_vat="129.96", total_with_vat="813.96")
    lines = list(read.lines)
    amount = lines[1]["line_net_amount"]
    lines[1] = dict(lines[1]) | {"line_net_amount": replace(amount, value=Decimal("470.00"))}
    return replace(read, lines=tuple(lines))


def without_evidence(name: str) -> Reading:
    read = paper_bill()
    bare = replace(read.fields[name], evidence=())
    return replace(read, fields=dict(read.fields) | {name: bare})


def doubtful(name: str, confidence: float, note: str) -> Reading:
    read = paper_bill()
    return replace(read, fields=dict(read.fields) | {name: read.fields[name].doubted(confidence, note)})


def failing_check() -> Reading:
    return replace(paper_bill(), checks=(Check("sum", Status.FAIL, "The VAT does not add up."),))


TRAPS: dict[str, tuple[Callable[[], Reading], str]] = {
    "changed bank account": (
        lambda: paper_bill(payment_account="DE02 1203 0000 0000 2020 51"),
        "The bank account DE02 1203 0000 0000 2020 51 on the document is not one of Papierhaus Brunnhuber",
    ),
    "another vendor's bank account": (
        lambda: paper_bill(payment_account="NL93 ABNA 8134 1278 86"),
        "The bank account NL93 ABNA 8134 1278 86 on the document belongs to Dijkzicht Verpakkingen B.V.",
    ),
    "look-alike vendor": (
        look_alike,
        "The vendor could be Nordlicht Elektronik GmbH or Nordlicht Elektrik GmbH",
    ),
    "tax id of one vendor, name of its look-alike": (
        lambda: paper_bill(
            seller_name="Nordlicht Elektrik GmbH", seller_vat_id="DE374639463", payment_account=""
        ),
        "The name on the document is Nordlicht Elektrik GmbH",
    ),
    "name of a vendor with a foreign tax id": (
        lambda: paper_bill(seller_vat_id="DE999999999", payment_account=""),
        "The document prints the tax ID DE999999999, Papierhaus Brunnhuber GmbH & Co. KG has DE371628131",
    ),
    "unknown vendor": (
        lambda: paper_bill(seller_name="Quarzwerk Süd AG", seller_vat_id="DE111111125", payment_account=""),
        "Odoo has no vendor named 'Quarzwerk Süd AG' or with the tax ID DE111111125.",
    ),
    "duplicate with a space": (
        lambda: paper_bill(invoice_number="2026 - 817"),
        "Probably entered before: 2026-0817 (BILL/900, posted) has the same vendor and number.",
    ),
    "factor ten on a line": (factor_ten, "Line 2, Ordner A4, 80 mm: 20 × 2.35 makes 47.00"),
    "factor ten on the totals": (
        lambda: paper_bill(total_without_vat="2610.00", total_vat="495.90", total_with_vat="3105.90"),
        "Odoo would compute 261.00 + 49.59 VAT = 310.59, the document says 2,610.00 + 495.90 VAT = 3,105.90.",
    ),
    "a cent of VAT": (
        lambda: paper_bill(total_vat="49.60", total_with_vat="310.60"),
        "Odoo would compute 261.00 + 49.59 VAT = 310.59, the document says 261.00 + 49.60 VAT = 310.60.",
    ),
    "wrong company": (
        lambda: paper_bill(buyer_name="Havelblick Immobilien AG"),
        "The document is made out to Havelblick Immobilien AG, the record is in Kestrel Works GmbH.",
    ),
    "our own invoice": (
        lambda: paper_bill(seller_name="Kestrel Works GmbH", seller_vat_id="DE214513568"),
        "The seller on the document is Kestrel Works GmbH itself.",
    ),
    "credit note on a bill": (
        lambda: paper_bill(document_type="credit_note"),
        "The document is a credit note of Papierhaus Brunnhuber GmbH & Co. KG over 310.59",
    ),
    "credit note taken for an invoice": (
        lambda: paper_bill(preceding_invoice_reference="2026-0642"),
        "The document refers to the earlier bill 2026-0642: it may be a credit note for it.",
    ),
    "total not printed": (lambda: paper_bill(total_with_vat=""), "The document's total could not be read."),
    "inactive currency": (
        lambda: paper_bill(currency="JPY"),
        "The currency JPY of the document is not active in Odoo.",
    ),
    "no currency": (lambda: paper_bill(currency=""), "The currency is not sure (70 %)"),
    "bill from the future": (lambda: paper_bill(issue_date="2027-09-10"), "is in the future"),
    "unreadable total": (
        lambda: paper_bill(total_without_vat="", total_vat="", total_with_vat=""),
        "The document's total could not be read.",
    ),
    "no evidence": (
        lambda: without_evidence("invoice_number"),
        "The bill reference has no proof on the document.",
    ),
    "unsure date": (
        lambda: doubtful("issue_date", 0.6, "two dates could be the issue date"),
        "The bill date is not sure (60 %): two dates could be the issue date.",
    ),
    "the reader's own check": (failing_check, "The VAT does not add up."),
    "unsure kind of document": (
        lambda: doubtful("document_type", 0.7, ""),
        "It is not sure that the document is an invoice.",
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_goes_to_review_for_its_true_reason(trap: str) -> None:
    make, reason = TRAPS[trap]
    made = decision(make())
    assert made.outcome is Outcome.REVIEW
    assert made.write == ()
    assert made.reasons[0].startswith(reason) or reason in made.reasons[0], made.reasons


@pytest.mark.parametrize(
    ("kind", "left_alone", "reviewed"),
    [
        ("reminder", "a reminder, not a bill.", "not a bill but a reminder."),
        (
            "other",
            "neither a bill nor an order: a letter or the like.",
            "not a bill but some other document.",
        ),
    ],
)
def test_an_unsure_other_document_is_reviewed_and_a_sure_one_left_alone(
    kind: str, left_alone: str, reviewed: str
) -> None:
    sure = paper_bill(document_type=kind)
    fields = dict(sure.fields)
    fields["document_type"] = fields["document_type"].doubted(0.7, "")
    unsure = replace(sure, fields=fields)
    assert decision(sure) == Decision(Outcome.SKIP, (f"The document is {left_alone}",))
    made = decision(unsure)
    assert made.outcome is Outcome.REVIEW
    assert made.reasons[0] == f"The document is {reviewed}"


@pytest.mark.parametrize(
    ("name", "state", "told"),
    [
        ("BILL/2026/1", "posted", "BILL/2026/1 is posted in Odoo and stays as it is."),
        ("BILL/2026/1", "cancel", "BILL/2026/1 is cancelled in Odoo and stays as it is."),
        # A draft that is cancelled before it had a number.
        ("", "cancel", "The bill is cancelled in Odoo and stays as it is."),
        (" ", "blocked", "The bill is “blocked” in Odoo and stays as it is."),
    ],
)
def test_a_record_that_is_no_draft_is_left_alone(name: str, state: str, told: str) -> None:
    made = decision(paper_bill(), draft_bill(state=state, display_name=name))
    assert made == Decision(Outcome.SKIP, (told,))


def test_our_own_employee_and_company_are_never_the_vendor() -> None:
    """The employee who forwarded the bill shares its name and its bank account with nobody else."""
    read = paper_bill(seller_name="Front Desk", seller_vat_id="", payment_account="")
    proposal = propose(read, draft_bill(), INDEX, TODAY)
    assert "partner_id" not in proposal.values
    assert decision(read).reasons[0].startswith("Odoo has no vendor named 'Front Desk'")


def test_an_archived_account_is_not_known() -> None:
    number = vendor_id("brunnhuber")
    archived = BankAccount(1, number, "DE77701500001391726847", active=False)
    made = decision(paper_bill(), erp=ErpIndex(demo_data(bank_accounts=(archived,))))
    assert made.reasons[0].startswith("The bank account DE77 7015 0000 1391 7268 47 on the document is new")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"active": False}, "is archived in Odoo"),
        ({"company_id": 2}, "belongs to Kestrel Retail GmbH in Odoo"),
    ],
)
def test_an_archived_or_foreign_vendor_is_a_finding(change: dict[str, object], reason: str) -> None:
    data = demo_data()
    number = vendor_id("brunnhuber")
    partners = tuple(replace(p, **change) if p.id == number else p for p in data.partners)
    companies = (*data.companies, Company(2, "Kestrel Retail GmbH", 3, 1))
    made = decision(paper_bill(), erp=ErpIndex(demo_data(partners=partners, companies=companies)))
    assert any(reason in sentence for sentence in made.reasons)


def test_a_bill_filled_in_this_round_is_a_duplicate_in_the_next() -> None:
    bill = Bill(
        7777,
        vendor_id("brunnhuber"),
        1,
        "in_invoice",
        "draft",
        "2026-0901",
        date(2026, 9, 10),
        Decimal("310.59"),
        1,
    )
    assert decision(paper_bill(), erp=INDEX.with_bill(bill)).outcome is Outcome.REVIEW
    assert decision(paper_bill(), erp=INDEX.with_bill(replace(bill, id=4242))).outcome is Outcome.FILL
    assert decision(paper_bill()).outcome is Outcome.FILL


def test_sure_header_is_written_without_what_a_failed_check_speaks_of() -> None:
    policy = Policy(fill_sure_header=True)
    wrong_totals = paper_bill(total_vat="49.60", total_with_vat="310.60")
    made = decision(wrong_totals, policy=policy)
    assert made.outcome is Outcome.REVIEW
    assert set(made.write) == {"partner_id", "ref", "invoice_date", "invoice_date_due", "currency_id"}
    assert "partner_id" not in decision(look_alike(), policy=policy).write
    assert decision(paper_bill(document_type="credit_note"), policy=policy).write == ()


def test_whoever_forwarded_the_mail_is_not_the_vendor() -> None:
    record = draft_bill(values={"partner_id": EMPLOYEE})
    proposal = propose(paper_bill(), record, INDEX, TODAY)
    assert proposal.values["partner_id"].value == vendor_id("brunnhuber")
    assert decision(paper_bill(), record).outcome is Outcome.FILL


def test_a_vendor_is_proven_by_what_has_a_place_on_the_document() -> None:
    assert decision(without_evidence("seller_name")).outcome is Outcome.FILL
    fields = {
        name: replace(field, evidence=()) if name.startswith(("seller", "payment")) else field
        for name, field in paper_bill().fields.items()
    }
    made = decision(replace(paper_bill(), fields=fields))
    assert made.reasons == ("The vendor has no proof on the document.",)


def test_an_unknown_tax_is_one_reason_not_two() -> None:
    read = paper_bill(total_vat="21.14", total_with_vat="282.14")
    lines = tuple(
        dict(row) | {"vat_rate": replace(row["vat_rate"], value=Decimal("8.1"))} for row in read.lines
    )
    made = decision(replace(read, lines=lines))
    assert made.reasons == ("Odoo has no purchase tax of 8.1 %.",)


def test_nothing_of_a_bank_account_is_ever_proposed() -> None:
    for make, _ in TRAPS.values():
        proposal = propose(make(), draft_bill(), INDEX, TODAY)
        assert not [name for name in proposal.values if "bank" in name or "acc" in name]


def test_reasons_stay_few() -> None:
    nothing = reading([], document_type="invoice", seller_name="Papierhaus Brunnhuber", sure=0.2)
    made = decision(nothing)
    assert made.outcome is Outcome.REVIEW
    assert 1 <= len(made.reasons) <= 6


def test_a_contact_stands_for_its_company() -> None:
    data = demo_data()
    number = vendor_id("brunnhuber")
    contact = Partner(950, "Buchhaltung", number, email="buchhaltung@papierhaus-brunnhuber.example")
    account = BankAccount(951, 950, "DE77701500001391726847")
    erp = ErpIndex(demo_data(partners=(*data.partners, contact), bank_accounts=(account,)))
    read = paper_bill(seller_vat_id="")
    assert propose(read, draft_bill(), erp, TODAY).values["partner_id"].value == number
    assert decision(read, erp=erp).outcome is Outcome.FILL


@pytest.mark.parametrize(
    ("make", "topic"),
    [
        (look_alike, "vendor_unique"),
        (lambda: doubtful("invoice_number", 0.5, "smudged"), "low_confidence:ref"),
        (failing_check, "reading.sum"),
        (lambda: paper_bill(issue_date=""), "missing:invoice_date"),
    ],
)
def test_topics_name_what_a_review_is_about(make: Callable[[], Reading], topic: str) -> None:
    made = decision(make())
    assert topic in made.topics
    assert len(made.topics) == len(set(made.topics))
    assert decision(paper_bill()).topics == ()
    assert decision(paper_bill(), policy=Policy(held_back="Not yet.")).topics == ("held_back",)
