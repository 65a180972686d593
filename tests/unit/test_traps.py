"""Fraud and accidents: each goes to a person for its true reason, and its honest twin does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inference.invoice import Check, Reading, Status
from mappings.case import SeenDocument
from mappings.erp_data import BankAccount, Bill, Company, ErpData, Partner, Record, RecordLine
from mappings.index import ErpIndex
from mappings.matching import propose
from mappings.policy import Decision, Outcome, Policy, decide
from tests.unit.mappings_builder import (
    CARTON,
    EMPLOYEE,
    FILM,
    TODAY,
    demo_data,
    dijkzicht,
    draft_bill,
    paper_bill,
    reading,
    vendor_id,
)

BRUNNHUBER = vendor_id("brunnhuber")
DATA = demo_data()
DRAFT = draft_bill()
YUAN = draft_bill(values={"currency_id": 4})


@dataclass(frozen=True)
class Situation:
    """A document, the record it hangs on, the ERP around them, and the same document met before."""

    read: Reading
    data: ErpData = DATA
    record: Record = DRAFT
    seen: tuple[SeenDocument, ...] = ()

    def decide(self) -> Decision:
        proposal = propose(self.read, self.record, ErpIndex(self.data), TODAY, seen=self.seen)
        assert not [name for name in proposal.values if "bank" in name]
        return decide(proposal, self.read, self.record, Policy())


def data(**extra: tuple[Any, ...]) -> ErpData:
    """The demo company's data with more rows; a row with a known id replaces the one there is."""
    tables: dict[str, Any] = {}
    for name, rows in extra.items():
        ids = {row.id for row in rows}
        tables[name] = (*(row for row in getattr(DATA, name) if row.id not in ids), *rows)
    return replace(DATA, **tables)


def doubted(read: Reading, name: str, sure: float) -> Reading:
    return replace(read, fields=dict(read.fields) | {name: read.fields[name].doubted(sure, "")})


def earlier(*totals: str, vendor: int = BRUNNHUBER, currency: int = 1, ref: str = "H-{}") -> tuple[Bill, ...]:
    """Posted bills of the vendor, one a month."""
    return tuple(
        Bill(
            8000 + i,
            vendor,
            1,
            "in_invoice",
            "posted",
            ref.format(i),
            date(2026, 8, 5) - timedelta(days=30 * i),
            Decimal(total),
            currency,
            f"BILL/{8000 + i}",
        )
        for i, total in enumerate(totals)
    )


SEEN = SeenDocument(77, "scan_0031.pdf", "the same pages")
HABIT = ("298.00", "310.59", "405.10", "260.00", "188.40", "333.20", "290.00")


def times_ten() -> Reading:
    """Every amount shifted by a factor of ten: nothing on the document contradicts itself."""
    read = paper_bill(total_without_vat="2610.00", total_vat="495.90", total_with_vat="3105.90")
    lines = []
    for row in read.lines:
        ten = {n: replace(row[n], value=row[n].value * 10) for n in ("net_price", "line_net_amount")}  # type: ignore[operator]
        lines.append(dict(row) | ten)
    return replace(read, lines=tuple(lines))


def line_times_ten() -> Reading:
    read = paper_bill(total_without_vat="684.00", total_vat="129.96", total_with_vat="813.96")
    lines = list(read.lines)
    amount = lines[1]["line_net_amount"]
    lines[1] = dict(lines[1]) | {"line_net_amount": replace(amount, value=Decimal("470.00"))}
    return replace(read, lines=tuple(lines))


def posted(number: str = "2026-0901", **changes: Any) -> Bill:
    bill = Bill(
        77, BRUNNHUBER, 1, "in_invoice", "posted", number, date(2026, 9, 10), Decimal("310.59"), 1, "BILL/77"
    )
    return replace(bill, **changes)


def other_bill(number: str, **changes: Any) -> Bill:
    return posted(number, **({"amount_total": Decimal("99.00"), "invoice_date": date(2026, 7, 1)} | changes))


def odoo_filled(**changes: Any) -> Record:
    """What Odoo's own importer made of the paper bill."""
    record = draft_bill(
        values={
            "partner_id": BRUNNHUBER,
            "ref": "2026-0901",
            "invoice_date": date(2026, 9, 10),
            "invoice_date_due": date(2026, 9, 24),
        },
        lines=(
            RecordLine(1, "Kopierpapier", Decimal(10), Decimal("21.40"), Decimal("214.00")),
            RecordLine(2, "Ordner", Decimal(20), Decimal("2.35"), Decimal("47.00")),
        ),
        amount_untaxed=Decimal("261.00"),
        amount_tax=Decimal("49.59"),
        amount_total=Decimal("310.59"),
    )
    return replace(record, **changes)


def order_data(**changes: Any) -> ErpData:
    """Order P00103 with its lines changed alike."""
    order = next(o for o in DATA.purchase_orders if o.name == "P00103")
    lines = tuple(replace(line, **changes) for line in order.lines)
    return data(purchase_orders=(replace(order, lines=lines),))


SHAFT = {
    "item_name": "Arbre tourné",
    "item_seller_id": "ARB-20-300",
    "quantity": "15",
    "net_price": "34.50",
    "line_net_amount": "517.50",
    "vat_rate": "20",
}


def vaucelin(quantity: str, net: str, vat: str, total: str, **changes: str) -> Reading:
    header = {
        "document_type": "invoice",
        "invoice_number": "FA-26-771",
        "issue_date": "2026-09-11",
        "currency": "EUR",
        "seller_name": "Ateliers Vaucelin SARL",
        "seller_vat_id": "FR08744105461",
        "purchase_order_reference": "P00102",
        "total_without_vat": net,
        "total_vat": vat,
        "total_with_vat": total,
    }
    return reading([SHAFT | {"quantity": quantity, "line_net_amount": net}], **(header | changes))


CHIP = {
    "item_name": "Mikrocontroller",
    "quantity": "10",
    "net_price": "50.00",
    "line_net_amount": "500.00",
    "vat_rate": "13",
}


def fapiao(number: str, **changes: str) -> Reading:
    header = {
        "document_type": "invoice",
        "invoice_number": number,
        "issue_date": "2026-09-11",
        "currency": "CNY",
        "seller_name": "深圳市明岸电子有限公司",
        "seller_tax_id": "91440300MAJPB1988W",
        "total_without_vat": "500.00",
        "total_vat": "65.00",
        "total_with_vat": "565.00",
    }
    return reading([CHIP], **{name: text for name, text in (header | changes).items() if text})


FAPIAO = "26442000000012345678"
CHINESE_US = replace(
    DATA.companies[0], name="红隼机械有限公司", country="CN", vat="91310000MA1K35XE4G", currency_id=4
)
OTHER_COMPANY = Company(2, "Kestrel Retail GmbH", 3, 1, "DE", "DE811907980")
TWO_COMPANIES = data(
    companies=(OTHER_COMPANY,), partners=(Partner(3, "Kestrel Retail GmbH", 3, vat="DE811907980"),)
)
IMPOSTOR = Partner(970, "Papierhaus Brunhuber GmbH & Co. KG", 970, vat="DE811569869", supplier_rank=1)
EMPLOYEE_ACCOUNT = BankAccount(971, EMPLOYEE, "DE89370400440532013000")
SECOND_ACCOUNT = BankAccount(972, BRUNNHUBER, "DE89370400440532013000")

Make = Callable[[], Situation]
TRAPS: dict[str, tuple[Make, str, Make]] = {
    "changed bank account": (
        lambda: Situation(paper_bill(payment_account="DE02 1203 0000 0000 2020 51")),
        "is not one of Papierhaus Brunnhuber GmbH & Co. KG's accounts in Odoo",
        lambda: Situation(
            paper_bill(payment_account="DE89 3704 0044 0532 0130 00"), data(bank_accounts=(SECOND_ACCOUNT,))
        ),
    ),
    "first bank account of a vendor without any": (
        lambda: Situation(paper_bill(), replace(DATA, bank_accounts=())),
        "is new: Odoo has none for Papierhaus Brunnhuber",
        lambda: Situation(paper_bill(payment_account=""), replace(DATA, bank_accounts=())),
    ),
    "bank account of another vendor": (
        lambda: Situation(paper_bill(payment_account="NL93 ABNA 8134 1278 86")),
        "belongs to Dijkzicht Verpakkingen B.V., not to Papierhaus",
        lambda: Situation(paper_bill()),
    ),
    "bank account of an employee": (
        lambda: Situation(
            paper_bill(payment_account="DE89 3704 0044 0532 0130 00"), data(bank_accounts=(EMPLOYEE_ACCOUNT,))
        ),
        "is that of Front Desk, who works for us",
        # Our own account on a bill: the vendor collects.
        lambda: Situation(paper_bill(payment_account="DE28 2005 0550 7086 0934 83")),
    ),
    "swapped vendor: tax ID of one, name of its look-alike": (
        lambda: Situation(
            paper_bill(seller_name="Nordlicht Elektrik GmbH", seller_vat_id="DE374639463", payment_account="")
        ),
        "The name on the document is Nordlicht Elektrik GmbH",
        lambda: Situation(
            paper_bill(seller_name="Nordlicht Elektrik GmbH", seller_vat_id="DE240496329", payment_account="")
        ),
    ),
    "same name, other tax ID": (
        lambda: Situation(paper_bill(seller_vat_id="DE999999999", payment_account="")),
        "prints the tax ID DE999999999, Papierhaus Brunnhuber GmbH & Co. KG has DE371628131",
        lambda: Situation(paper_bill(seller_vat_id="371 628 131", payment_account="")),
    ),
    "homoglyphs in the name": (
        lambda: Situation(paper_bill(seller_name="Papierhаus Brunnhuber GmbH & Co. KG", payment_account="")),
        "mixes alphabets in 'Papierhаus'",
        lambda: Situation(paper_bill(seller_name="PAPIERHAUS BRUNNHUBER", payment_account="")),
    ),
    "a name wholly in another alphabet that looks the same": (
        lambda: Situation(
            paper_bill(seller_name="ТОСКА ЕООД", seller_vat_id="", payment_account=""),
            data(partners=(Partner(973, "TOCKA Ltd", 973, supplier_rank=1),)),
        ),
        "Odoo has no vendor named",
        lambda: Situation(
            paper_bill(seller_name="Тоска ЕООД", seller_vat_id="DE136695976", payment_account=""),
            data(partners=(Partner(974, "Тоска ЕООД", 974, vat="DE136695976", supplier_rank=1),)),
        ),
    ),
    "impostor one letter away is in Odoo too": (
        lambda: Situation(
            paper_bill(seller_name="Papierhaus Brunhuber GmbH & Co KG", payment_account=""),
            data(partners=(IMPOSTOR,)),
        ),
        "The name on the document is Papierhaus Brunhuber GmbH & Co KG, which is Papierhaus Brunhuber",
        lambda: Situation(paper_bill(), data(partners=(IMPOSTOR,))),
    ),
    "domain one letter away": (
        lambda: Situation(
            paper_bill(seller_email="faktura@papierhaus-brunnhuber.example".replace("nn", "mn"))
        ),
        "looks like papierhaus-brunnhuber.example",
        lambda: Situation(paper_bill(seller_email="faktura@papierhaus-brunnhuber.example")),
    ),
    "duplicate with a space": (
        lambda: Situation(paper_bill(invoice_number="2026 - 817")),
        "2026-0817 (BILL/900, posted) has the same vendor and number",
        lambda: Situation(paper_bill(invoice_number="2026 - 818")),
    ),
    "duplicate among the drafts of another company": (
        lambda: Situation(paper_bill(), data(bills=(posted(state="draft", company_id=2),))),
        "Probably entered before: 2026-0901 (BILL/77, draft) in another company",
        lambda: Situation(paper_bill(), data(bills=(posted("2026-0900", amount_total=Decimal("12.00")),))),
    ),
    "duplicate under a misread number, months later": (
        lambda: Situation(
            paper_bill(invoice_number="2O26-O9O1"), data(bills=(posted(invoice_date=date(2026, 5, 2)),))
        ),
        "the same total 310.59 and nearly the same number",
        lambda: Situation(paper_bill(), data(bills=(posted("2026-0501", invoice_date=date(2026, 5, 2)),))),
    ),
    "same sum within days": (
        lambda: Situation(paper_bill(), data(bills=(posted("RG 77123", invoice_date=date(2026, 9, 8)),))),
        "the same total 310.59 and nearly the same date",
        lambda: Situation(paper_bill(), data(bills=(posted("RG 77123", invoice_date=date(2026, 8, 8)),))),
    ),
    "the same page in another file": (
        lambda: Situation(paper_bill(), data(bills=(other_bill("?"),)), seen=(SEEN,)),
        "scan_0031.pdf on BILL/77 has the same pages",
        # The draft that it was on has been deleted meanwhile.
        lambda: Situation(paper_bill(), seen=(SEEN,)),
    ),
    "all amounts times ten": (
        lambda: Situation(times_ten(), data(bills=earlier(*HABIT))),
        "The total 3,105.90 is far from what Papierhaus Brunnhuber GmbH & Co. KG bills",
        lambda: Situation(times_ten(), data(bills=earlier(*HABIT, "2890.00", "3350.00"))),
    ),
    "all amounts a tenth": (
        lambda: Situation(
            paper_bill(), replace(DATA, bills=earlier(*(str(Decimal(total) * 10) for total in HABIT)))
        ),
        "The total 310.59 is far from what",
        lambda: Situation(
            paper_bill(), data(bills=earlier("460.00", "520.10", "433.00", "610.00", "580.00"))
        ),
    ),
    "one line times ten": (
        lambda: Situation(line_times_ten()),
        "Line 2, Ordner A4, 80 mm: 20 × 2.35 makes 47.00",
        lambda: Situation(paper_bill()),
    ),
    "totals times ten": (
        lambda: Situation(
            paper_bill(total_without_vat="2610.00", total_vat="495.90", total_with_vat="3105.90")
        ),
        "Odoo would compute 261.00 + 49.59 VAT = 310.59",
        lambda: Situation(paper_bill()),
    ),
    "another of our companies buys": (
        lambda: Situation(
            paper_bill(buyer_name="Kestrel Retail GmbH", buyer_vat_id="DE811907980"), TWO_COMPANIES
        ),
        "made out to the tax ID DE811907980, that is Kestrel Retail GmbH; the record is in Kestrel Works GmbH",
        lambda: Situation(
            paper_bill(buyer_name="Kestrel Works GmbH", buyer_vat_id="DE 214 513 568"), TWO_COMPANIES
        ),
    ),
    "a stranger buys": (
        lambda: Situation(paper_bill(buyer_name="Havelblick Immobilien AG")),
        "made out to Havelblick Immobilien AG",
        lambda: Situation(paper_bill(buyer_name="Kestrel Works GmbH, Frau Ortner")),
    ),
    "reminder that may be a bill": (
        lambda: Situation(doubted(paper_bill(document_type="reminder"), "document_type", 0.7)),
        "not a bill but a reminder",
        lambda: Situation(paper_bill()),
    ),
    "reminder read as the bill it reminds of": (
        lambda: Situation(
            paper_bill(issue_date="2026-09-18"), data(bills=(posted(invoice_date=date(2026, 7, 1)),))
        ),
        "2026-0901 (BILL/77, posted) has the same vendor and number",
        lambda: Situation(paper_bill(issue_date="2026-09-18"), data(bills=(other_bill("2026-0701"),))),
    ),
    "quotation that may be a bill": (
        lambda: Situation(doubted(paper_bill(document_type="quotation"), "document_type", 0.7)),
        "not a bill but a quotation",
        lambda: Situation(paper_bill()),
    ),
    "credit note on a bill": (
        lambda: Situation(paper_bill(document_type="credit_note")),
        "is a credit note of Papierhaus Brunnhuber GmbH & Co. KG over 310.59, the record is a bill",
        lambda: Situation(paper_bill(document_type="credit_note"), record=draft_bill("in_refund")),
    ),
    "credit note read as an invoice": (
        lambda: Situation(paper_bill(preceding_invoice_reference="2026-0642")),
        "refers to the earlier bill 2026-0642",
        lambda: Situation(paper_bill()),
    ),
    "our own invoice, by tax ID": (
        lambda: Situation(paper_bill(seller_name="Kestrel Works GmbH", seller_vat_id="DE214513568")),
        "The seller on the document is Kestrel Works GmbH itself",
        lambda: Situation(paper_bill()),
    ),
    "our own invoice, by name and account": (
        lambda: Situation(
            paper_bill(
                seller_name="Kestrel Works GmbH",
                seller_vat_id="",
                payment_account="DE28 2005 0550 7086 0934 83",
            )
        ),
        "The seller on the document is Kestrel Works GmbH itself",
        lambda: Situation(
            paper_bill(
                seller_name="Kestrel Workshop Supplies GmbH", seller_vat_id="DE811569869", payment_account=""
            ),
            data(
                partners=(
                    Partner(975, "Kestrel Workshop Supplies GmbH", 975, vat="DE811569869", supplier_rank=1),
                )
            ),
        ),
    ),
    "the forwarding employee as vendor": (
        lambda: Situation(paper_bill(seller_name="Front Desk", seller_vat_id="", payment_account="")),
        "Odoo has no vendor named 'Front Desk'",
        lambda: Situation(paper_bill(), record=draft_bill(values={"partner_id": EMPLOYEE})),
    ),
    "archived vendor": (
        lambda: Situation(paper_bill(), data(partners=(archived(BRUNNHUBER),))),
        "Papierhaus Brunnhuber GmbH & Co. KG is archived in Odoo",
        lambda: Situation(
            paper_bill(), data(partners=(replace(archived(BRUNNHUBER), id=976, commercial_partner_id=976),))
        ),
    ),
    "currency swapped against habit": (
        lambda: Situation(paper_bill(currency="USD"), data(bills=earlier(*HABIT))),
        "The document is in USD; all 9 posted bills of Papierhaus Brunnhuber GmbH & Co. KG are in EUR",
        lambda: Situation(paper_bill(currency="USD"), data(bills=earlier(*HABIT, currency=2))),
    ),
    "currency swapped against the order": (
        lambda: Situation(dijkzicht(CARTON, FILM, currency="USD")),
        "The document is in USD, order P00103 in EUR",
        lambda: Situation(dijkzicht(CARTON, FILM)),
    ),
    "order billed already": (
        lambda: Situation(
            dijkzicht(CARTON, FILM),
            order_data(qty_invoiced=Decimal(600)),
        ),
        "600 are billed, 0 of the order are left to bill",
        lambda: Situation(dijkzicht(CARTON, FILM)),
    ),
    "order that Odoo has closed": (
        lambda: Situation(
            dijkzicht(CARTON, FILM),
            replace(DATA, purchase_orders=tuple(o for o in DATA.purchase_orders if o.name != "P00103")),
        ),
        "refers to order P00103, which Odoo does not have open",
        lambda: Situation(dijkzicht(CARTON, FILM, purchase_order_reference="")),
    ),
    "goods not received": (
        lambda: Situation(vaucelin("40", "1380.00", "276.00", "1656.00")),
        "40 are billed, but only 15 received and not billed yet",
        lambda: Situation(vaucelin("15", "517.50", "103.50", "621.00")),
    ),
    "dearer than ordered": (
        lambda: Situation(
            dijkzicht(
                CARTON | {"net_price": "1.04", "line_net_amount": "624.00"},
                FILM,
                total_without_vat="786.00",
                total_vat="165.06",
                total_with_vat="951.06",
            )
        ),
        "the price is 1.04, the order says 0.94",
        lambda: Situation(dijkzicht(CARTON, FILM)),
    ),
    "order of another vendor": (
        lambda: Situation(dijkzicht(CARTON, FILM, purchase_order_reference="P00101")),
        "order P00101, which is at Nordlicht Elektronik GmbH",
        lambda: Situation(dijkzicht(CARTON, FILM)),
    ),
    "Odoo's importer dropped the tax": (
        lambda: Situation(
            paper_bill(), record=odoo_filled(amount_tax=Decimal(0), amount_total=Decimal("261.00"))
        ),
        "Odoo has 261.00 as the total, the document says 310.59",
        lambda: Situation(paper_bill(), record=odoo_filled()),
    ),
    "Odoo's importer swapped amounts between lines": (
        lambda: Situation(
            paper_bill(),
            record=odoo_filled(
                lines=(
                    RecordLine(1, "Kopierpapier", Decimal(10), Decimal("21.50"), Decimal("215.00")),
                    RecordLine(2, "Ordner", Decimal(20), Decimal("2.30"), Decimal("46.00")),
                )
            ),
        ),
        "Odoo has a line of 46.00, which the document says is 47.00",
        lambda: Situation(paper_bill(), record=odoo_filled(lines=tuple(reversed(odoo_filled().lines)))),
    ),
    "fapiao entered before, by another vendor": (
        lambda: Situation(fapiao(FAPIAO), data(bills=(other_bill(FAPIAO),))),
        f"Probably entered before: {FAPIAO} (BILL/77, posted) has the same fapiao number",
        lambda: Situation(fapiao(FAPIAO), data(bills=(other_bill(FAPIAO[:-1] + "9"),))),
    ),
    "fapiao of 19 digits": (
        lambda: Situation(fapiao(FAPIAO[:-1])),
        "has 19 digits, a digital fapiao has 20",
        lambda: Situation(fapiao(FAPIAO)),
    ),
    "fapiao without the buyer's tax ID": (
        lambda: Situation(fapiao(FAPIAO), replace(DATA, companies=(CHINESE_US,)), YUAN),
        "The fapiao does not bear the tax ID of 红隼机械有限公司",
        lambda: Situation(
            fapiao(FAPIAO, buyer_vat_id=CHINESE_US.vat), replace(DATA, companies=(CHINESE_US,)), YUAN
        ),
    ),
    "bill from the future": (
        lambda: Situation(paper_bill(issue_date="2027-09-10", due_date="2027-09-24")),
        "is in the future",
        lambda: Situation(paper_bill(issue_date="2026-09-20", due_date="2026-10-04")),
    ),
    "the page contradicts its own data": (
        lambda: Situation(
            replace(paper_bill(), checks=(Check("page_agrees", Status.FAIL, "The page says 3,105.90."),))
        ),
        "The page says 3,105.90.",
        lambda: Situation(paper_bill()),
    ),
}


def archived(number: int) -> Partner:
    return replace(next(p for p in DATA.partners if p.id == number), active=False)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_goes_to_review_for_its_true_reason(trap: str) -> None:
    make, reason, _ = TRAPS[trap]
    made = make().decide()
    assert made.outcome is Outcome.REVIEW
    assert made.write == ()
    assert reason in made.reasons[0], made.reasons


@pytest.mark.parametrize("trap", TRAPS)
def test_its_honest_twin_does_not(trap: str) -> None:
    made = TRAPS[trap][2]().decide()
    assert made.outcome is not Outcome.REVIEW, made.reasons
