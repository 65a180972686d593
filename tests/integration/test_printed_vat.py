"""VAT that a document rounds otherwise than this company: Odoo shows it as printed after the one write of the lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp, connect
from connector.erp.port import BILL, Effect
from connector.erp.wire import Connection
from inference.invoice import Reading
from mappings.erp_data import Record
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
from mappings.proposal import Proposal
from mappings.totals import round_amount
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.unit.mappings_builder import TODAY, reading

pytestmark = pytest.mark.usefixtures("development_odoo")

CENT = Decimal("0.01")
BILLS = 12
PER_LINE, GLOBALLY = "round_per_line", "round_globally"


@pytest.fixture(scope="module")
def odoo(database: OdooDatabase) -> Odoo:
    return Odoo(database)


@pytest.fixture(params=["json2", "jsonrpc"])
def erp(request: pytest.FixtureRequest, database: OdooDatabase) -> Iterator[OdooErp]:
    secret = database.api_key.strip() if request.param == "json2" else database.password
    found = connect(
        Connection(
            "main",
            database.url,
            database.database,
            SecretStr(secret),
            login=database.login,
            protocol=request.param,
        )
    )
    yield found
    found.close()


def rounded(nets: list[Decimal], rate: int, method: str) -> Decimal:
    if method == PER_LINE:
        return sum((round_amount(net * rate / 100, CENT) for net in nets), Decimal(0))
    return round_amount(sum(nets, Decimal(0)) * rate / 100, CENT)


def paper(number: str, nets: dict[int, list[Decimal]], method: str, **changes: str) -> Reading:
    """A bill of Papierhaus Brunnhuber with these net amounts per rate, VAT rounded by that method."""
    vat = {rate: rounded(amounts, rate, method) for rate, amounts in nets.items()}
    untaxed = sum((sum(amounts, Decimal(0)) for amounts in nets.values()), Decimal(0))
    rows = [
        {"vat_rate": str(rate), "taxable_amount": str(sum(nets[rate])), "vat_amount": str(amount)}
        for rate, amount in vat.items()
    ]
    lines = [
        {"item_name": "Ordner A4, 80 mm", "line_net_amount": str(net), "vat_rate": str(rate)}
        for rate, amounts in nets.items()
        for net in amounts
    ]
    tax = sum(vat.values(), Decimal(0))
    header = {
        "document_type": "invoice",
        "invoice_number": number,
        "issue_date": "2026-09-10",
        "currency": "EUR",
        "seller_name": "Papierhaus Brunnhuber GmbH & Co. KG",
        "seller_vat_id": "DE 371 628 131",
        "total_without_vat": str(untaxed),
        "total_vat": str(tax),
        "total_with_vat": str(untaxed + tax),
    }
    return reading(lines, rows, **(header | changes))


def carried_out(erp: OdooErp, index: ErpIndex, bill: int, read: Reading) -> tuple[Proposal, Decision, Record]:
    record = erp.record(BILL, bill)
    proposal = propose(read, record, index, TODAY)
    decision = decide(proposal, read, record, Policy())
    effect = Effect(
        f"{record.id}-fill",
        BILL,
        record.id,
        record.write_date,
        {name: found.value for name, found in proposal.values.items()},
        tuple({name: found.value for name, found in line.items()} for line in proposal.lines),
        {group: Decimal(str(vat.value)) for group, vat in proposal.vat.items()},
        note="Filled.",
    )
    before = erp.calls
    after = erp.apply(effect)
    assert erp.calls <= before + 6, "one look, one write, and ids that are asked for once"
    return proposal, decision, after


def other_method(index: ErpIndex) -> str:
    """How the company does not round."""
    return GLOBALLY if index.data.companies[0].tax_rounding == PER_LINE else PER_LINE


def printed(read: Reading) -> tuple[Decimal | None, ...]:
    return tuple(read.amount(name) for name in ("total_without_vat", "total_vat", "total_with_vat"))


def shown(record: Record) -> tuple[Decimal, Decimal, Decimal]:
    return record.amount_untaxed, record.amount_tax, record.amount_total


@pytest.mark.parametrize(("move_type", "currency"), [("in_invoice", "EUR"), ("in_refund", "USD")])
def test_the_vat_of_each_rate_is_as_printed_and_stays_so_when_posted(
    erp: OdooErp, odoo: Odoo, move_type: str, currency: str
) -> None:
    kind = "credit_note" if move_type == "in_refund" else "invoice"
    index = ErpIndex(erp.erp_data())
    bill = odoo.draft_bill(move_type=move_type)
    # Whole euros round nothing; they tell the bills of this test apart.
    nets = {19: [Decimal("2.50")] * 3 + [Decimal(bill)], 7: [Decimal("0.50")] * 3}
    read = paper(f"V-{bill}", nets, other_method(index), currency=currency, document_type=kind)
    proposal, decision, after = carried_out(erp, index, bill, read)
    assert decision.outcome is Outcome.FILL, decision.reasons
    assert len(proposal.vat) == 2
    assert shown(after) == printed(read)
    odoo.call(BILL, "action_post", [bill])
    posted = erp.record(BILL, bill)
    assert shown(posted) == shown(after)
    entry = odoo.find("account.move.line", [["move_id", "=", bill]], ["amount_currency", "balance"])
    assert sum(Decimal(str(line["balance"])) for line in entry) == 0


def test_whatever_a_document_rounds_odoo_shows_as_printed(erp: OdooErp, odoo: Odoo) -> None:
    """Generated bills of one and two rates, rounded by the method that the company does not use."""
    dice = random.Random(19)
    index = ErpIndex(erp.erp_data())
    corrected = 0
    for _ in range(BILLS):
        rates = dice.choice([(19,), (7,), (19, 7)])
        nets = {
            rate: [Decimal(dice.randint(1, 99_999)) / 100 for _ in range(dice.randint(1, 7))]
            for rate in rates
        }
        bill = odoo.draft_bill()
        read = paper(f"G-{bill}", nets, other_method(index))
        proposal, _, after = carried_out(erp, index, bill, read)
        assert shown(after) == printed(read), nets
        corrected += bool(proposal.vat)
    assert corrected >= BILLS // 4, "too few bills were rounded otherwise to tell anything"


def test_a_payment_term_that_lowers_vat_at_once_is_foretold(erp: OdooErp, odoo: Odoo) -> None:
    """The vendor's own term comes with the vendor: VAT is charged on 2 % less, as the document prints."""
    [vendor] = odoo.find(
        "res.partner", [["name", "like", "Papierhaus"]], ["property_supplier_payment_term_id"]
    )
    line = [0, 0, {"value": "percent", "value_amount": 100, "nb_days": 14}]
    values = {"name": "2 % at once", "early_discount": True, "discount_percentage": 2.0, "discount_days": 10}
    values |= {"early_pay_discount_computation": "mixed", "line_ids": [line]}
    term = odoo.call("account.payment.term", "create", values)
    odoo.call("res.partner", "write", [vendor["id"]], {"property_supplier_payment_term_id": term})
    try:
        index = ErpIndex(erp.erp_data())
        bill = odoo.draft_bill()
        net, vat = Decimal(1000 + bill), round_amount((1000 + bill) * Decimal("0.98") * 19 / 100, CENT)
        read = paper(f"E-{bill}", {19: [net]}, PER_LINE)
        totals = {"total_vat": vat, "total_with_vat": net + vat}
        header = {name: str(amount) for name, amount in totals.items()}
        terms = "2 % Skonto innerhalb 10 Tagen, 14 Tage netto"
        read = replace(read, fields={**read.fields, **reading(payment_terms=terms, **header).fields})
        proposal, _, after = carried_out(erp, index, bill, replace(read, vat_breakdown=()))
    finally:
        before = vendor["property_supplier_payment_term_id"]
        odoo.call(
            "res.partner",
            "write",
            [vendor["id"]],
            {"property_supplier_payment_term_id": before and before[0]},
        )
    assert {c.id for c in proposal.checks if c.status == "fail"} <= {"total_habit"}
    assert proposal.predicted == proposal.paper
    assert shown(after) == printed(read)
    assert after.values["invoice_payment_term_id"] == term
