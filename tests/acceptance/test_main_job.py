"""The main job on a real Odoo: documents arrive, `vouch sync --once` fills the sure ones and asks about the others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.command import vouch
from tests.acceptance.round import BILL, MONEY, SAMPLES, Round
from tests.samples.generate import bad_inputs

FILLED = [name for name, sample in SAMPLES.items() if sample.expected == "fill" and sample.target != "order"]
ASKED = {
    # What the sentence in the activity must speak of.
    "credit_note_mail": "credit note",
    "duplicate": "2026-0817",
    "changed_account": "account",
    "unreadable": "",
    "order_dearer": "36.20",
    "unknown_vendor": "vendor",
}


def test_every_document_is_accounted_for(done: Round) -> None:
    assert len(done.answer["documents"]) == len(done.places)
    states = {document["state"] for document in done.answer["documents"]}
    assert states <= {"filled", "in_review", "skipped", "failed"}


@pytest.mark.parametrize("name", FILLED)
def test_a_sure_bill_is_filled_exactly(done: Round, name: str) -> None:
    sample, outcome = SAMPLES[name], done.outcome(name)
    assert outcome["state"] == "filled", outcome["message"]
    bill, truth = done.bill(name), sample.truth["fields"]
    assert bill["state"] == "draft"
    assert bill["partner_id"][1] == sample.truth["vendor"]
    assert bill["ref"] == truth["invoice_number"]
    assert bill["invoice_date"] == truth["issue_date"]
    assert bill["currency_id"][1] == truth["currency"]
    paper = [Decimal(truth[term]) for term in ("total_without_vat", "total_vat", "total_with_vat")]
    assert [Decimal(str(bill[field])) for field in MONEY] == paper
    # A tax with reverse charge adds nothing to what is owed.
    rates = {
        tax["id"]: Decimal(0) if tax["has_negative_factor"] else Decimal(str(tax["amount"]))
        for tax in done.odoo.find("account.tax", [], ["amount", "has_negative_factor"])
    }
    written = [
        (
            Decimal(str(line["quantity"])),
            Decimal(str(line["price_subtotal"])),
            sum(rates[tax] for tax in line["tax_ids"]),
        )
        for line in done.lines(name)
    ]
    printed = [
        (Decimal(line["quantity"]), Decimal(line["line_net_amount"]), Decimal(line.get("vat_rate", "0")))
        for line in sample.truth["lines"]
    ]
    assert written[: len(printed)] == printed
    assert len(done.notes(name)) == 1
    assert done.activities(name) == []


@pytest.mark.parametrize("name", list(ASKED))
def test_a_doubtful_bill_is_left_to_a_person_for_the_true_reason(done: Round, name: str) -> None:
    outcome = done.outcome(name)
    assert outcome["state"] == "in_review", outcome["message"]
    assert ASKED[name].lower() in outcome["message"].lower()
    [activity] = done.activities(name)
    assert activity["user_id"][1] == "Accountant"
    bill = done.bill(name)
    assert (bill["ref"], done.lines(name), bill["amount_total"]) == (False, [], 0)


def test_a_reminder_is_no_bill(done: Round) -> None:
    outcome = done.outcome("reminder")
    assert outcome["state"] == "skipped", outcome["message"]
    assert done.lines("reminder") == []


def test_a_bill_of_an_order_is_linked_to_its_lines(done: Round) -> None:
    links = [line["purchase_line_id"] for line in done.lines("order_billed")]
    assert all(links)
    [order] = done.odoo.find("purchase.order", [["name", "=", "P00103"]], ["order_line"])
    assert {link[0] for link in links} == set(order["order_line"])


def test_a_bill_with_reverse_charge_gets_the_tax_that_we_owe(done: Round) -> None:
    [tax] = done.odoo.find("account.tax", [["name", "=", "19 % reverse charge"]], ["id"])
    assert [line["tax_ids"] for line in done.lines("reverse_charge")] == [[tax["id"]]] * 2
    assert done.bill("reverse_charge")["amount_tax"] == 0


def test_a_confirmation_gives_the_order_its_reference_and_date(done: Round) -> None:
    outcome, truth = done.outcome("order_confirmation"), SAMPLES["order_confirmation"].truth
    assert outcome["state"] == "filled", outcome["message"]
    [order] = done.odoo.find("purchase.order", [["name", "=", "P00101"]], ["partner_ref", "date_planned"])
    assert order["partner_ref"] == truth["fields"]["order_number"]


def test_a_quotation_whose_number_is_not_sure_leaves_the_order_as_it_is(done: Round) -> None:
    outcome = done.outcome("quotation")
    assert outcome["state"] == "in_review", outcome["message"]
    assert "vendor reference is not sure" in outcome["message"]
    fields = ["partner_ref", "order_line"]
    [order] = done.odoo.find("purchase.order", [["name", "=", "P00105"]], fields)
    assert (order["partner_ref"], order["order_line"]) == (False, [])


@pytest.mark.parametrize("name", [sample.name for sample in bad_inputs()])
def test_bad_input_ends_with_a_sentence(done: Round, name: str) -> None:
    outcome = done.outcome(name)
    # Odoo shrinks large pictures when it takes them, so that one arrives readable, and empty.
    ends = ("in_review",) if name == "huge_image" else ("skipped", "failed")
    assert outcome["state"] in ends, outcome["message"]
    assert outcome["message"].endswith(".")
    assert done.lines(name) == []


def test_another_round_changes_nothing(done: Round) -> None:
    def everything() -> list[Any]:
        return [
            done.odoo.find("account.move", [], BILL),
            done.odoo.find("purchase.order", [], ["write_date", "partner_ref"]),
            done.odoo.call("mail.message", "search_count", []),
            done.odoo.call("mail.activity", "search_count", []),
        ]

    before = everything()
    ran = vouch(done.environment, "sync", "--once", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"new": 0, "documents": []}
    assert everything() == before
