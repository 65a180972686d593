"""ERP data of the demo company and readings of its vendors' documents, built in code for the mapping tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from inference.invoice import HEADER, LINE, VAT, Box, Evidence, Field, Reading
from inference.invoice import value_from_json as parse
from mappings.erp_data import (
    Account,
    BankAccount,
    Bill,
    Company,
    Currency,
    ErpData,
    Journal,
    OrderLine,
    Partner,
    PaymentTerm,
    PostedLine,
    Precision,
    Product,
    PurchaseOrder,
    Record,
    Scalar,
    Tax,
    VendorCode,
)
from mappings.folding import fold_account
from mappings.index import ErpIndex

COMPANY_FILE = Path(__file__).parents[2] / "deploy" / "odoo" / "company.toml"
TODAY = date(2026, 9, 20)
OWN_COMPANY, OWN_PARTNER, EMPLOYEE = 1, 1, 2
CURRENCIES = {"EUR": 1, "USD": 2, "GBP": 3, "CNY": 4, "JPY": 5}


def demo_data(**changes: Any) -> ErpData:
    """The company of `company.toml` as Odoo would give it; `changes` replace whole tables."""
    plan = tomllib.loads(COMPANY_FILE.read_text(), parse_float=Decimal)
    vendors = {vendor["id"]: 100 + i for i, vendor in enumerate(plan["vendors"])}
    levied = [tax for tax in plan["taxes"] if not tax.get("reverse_charge")]
    taxes = {Decimal(tax["rate"]): 10 + i for i, tax in enumerate(levied)}
    accounts = {account["code"]: 500 + i for i, account in enumerate(plan["accounts"])}
    terms = sorted({vendor["payment_days"] for vendor in plan["vendors"]})
    products = {product["reference"]: 300 + i for i, product in enumerate(plan["products"])}
    tables: dict[str, Any] = {
        "companies": (_company(plan["company"]),),
        "currencies": tuple(
            Currency(number, code, Decimal(1) if code == "JPY" else Decimal("0.01"), code != "JPY")
            for code, number in CURRENCIES.items()
        ),
        "partners": (
            Partner(OWN_PARTNER, plan["company"]["name"], OWN_PARTNER, vat=plan["company"]["vat"]),
            Partner(EMPLOYEE, "Front Desk", EMPLOYEE, is_company=False, is_employee=True),
            *(_vendor(v, vendors[v["id"]], terms) for v in plan["vendors"]),
        ),
        "bank_accounts": tuple(
            BankAccount(200 + i, vendors[v["id"]], fold_account(v["bank_account"]))
            for i, v in enumerate(plan["vendors"])
        ),
        "taxes": (
            *(Tax(n, f"{rate} %", rate, company_id=1, country="DE") for rate, n in taxes.items()),
            *(_owed(tax, 90 + i) for i, tax in enumerate(plan["taxes"]) if tax.get("reverse_charge")),
        ),
        "accounts": (
            Account(499, "600000", "Expenses", "expense"),
            *(Account(accounts[a["code"]], a["code"], a["name"], "expense") for a in plan["accounts"]),
        ),
        "journals": (Journal(7, OWN_COMPANY, 499),),
        "payment_terms": tuple(PaymentTerm(50 + i, f"{days} days", days) for i, days in enumerate(terms)),
        "products": tuple(_product(p, products[p["reference"]], vendors, accounts) for p in plan["products"]),
        "purchase_orders": tuple(
            _order(o, 700 + i, vendors, products, taxes) for i, o in enumerate(plan["purchase_orders"])
        ),
        "bills": tuple(_bill(b, 900 + i, vendors) for i, b in enumerate(plan["bills"])),
        "posted_lines": tuple(
            PostedLine(
                vendors[b["vendor"]],
                OWN_COMPANY,
                line["description"],
                accounts[line["account"]],
                tax_ids=(taxes[Decimal(line["tax"])],),
                date=b["date"],
            )
            for b in plan["bills"]
            for line in b["lines"]
        ),
        "precision": Precision(price=None),
    }
    return ErpData(**(tables | changes))


def _company(plan: Mapping[str, Any]) -> Company:
    return Company(
        OWN_COMPANY,
        plan["name"],
        OWN_PARTNER,
        CURRENCIES[plan["currency"]],
        plan["country"],
        plan["vat"],
        plan["tax_rounding"],
        (plan["iban"],),
    )


def _owed(plan: Mapping[str, Any], number: int) -> Tax:
    rate = Decimal(plan["rate"])
    return Tax(
        number, f"{rate} % reverse charge", rate, company_id=1, country="DE", sequence=20, reverse_charge=True
    )


def _vendor(plan: Mapping[str, Any], number: int, terms: list[int]) -> Partner:
    return Partner(
        number,
        plan["name"],
        number,
        vat=plan["vat"],
        country=plan["country"],
        email=plan["email"],
        website=plan["website"],
        supplier_rank=1,
        payment_term_id=50 + terms.index(plan["payment_days"]),
    )


def _product(
    plan: Mapping[str, Any], number: int, vendors: Mapping[str, int], accounts: Mapping[str, int]
) -> Product:
    codes = [
        VendorCode(vendors[v["vendor"]], v["code"], v["name"], Decimal(v["price"])) for v in plan["vendors"]
    ]
    return Product(
        number,
        plan["name"],
        plan["reference"],
        plan.get("barcode", ""),
        expense_account_id=accounts[plan["account"]],
        vendor_codes=tuple(codes),
        purchase_method="purchase" if plan.get("service") else "receive",
    )


def _order(
    plan: Mapping[str, Any],
    number: int,
    vendors: Mapping[str, int],
    products: Mapping[str, int],
    taxes: Mapping[Decimal, int],
) -> PurchaseOrder:
    planned = plan.get("planned_date")
    lines = tuple(
        OrderLine(
            number * 100 + i,
            number,
            line["product"],
            products[line["product"]],
            Decimal(line["quantity"]),
            Decimal(line["price"]),
            qty_received=Decimal(line.get("received", 0)),
            tax_ids=(taxes[Decimal(line["tax"])],),
            date_planned=datetime.combine(planned, time(12), UTC) if planned else None,
        )
        for i, line in enumerate(plan["lines"])
    )
    vendor, currency = vendors[plan["vendor"]], CURRENCIES[plan["currency"]]
    return PurchaseOrder(number, plan["name"], vendor, OWN_COMPANY, currency, plan["state"], lines=lines)


def _bill(plan: Mapping[str, Any], number: int, vendors: Mapping[str, int]) -> Bill:
    nets: dict[Decimal, Decimal] = {}
    for line in plan["lines"]:
        rate = Decimal(line["tax"])
        nets[rate] = nets.get(rate, Decimal(0)) + Decimal(line["quantity"]) * Decimal(line["price"])
    total = sum(
        (net + (net * rate / 100).quantize(Decimal("0.01")) for rate, net in nets.items()), Decimal(0)
    )
    return Bill(
        number,
        vendors[plan["vendor"]],
        OWN_COMPANY,
        "in_invoice",
        "posted",
        plan["number"],
        plan["date"],
        total.quantize(Decimal("0.01")),
        CURRENCIES[plan["currency"]],
        f"BILL/{number}",
    )


def vendor_id(name: str) -> int:
    """The partner id of a vendor by its key in `company.toml`."""
    plan = tomllib.loads(COMPANY_FILE.read_text())
    return 100 + [vendor["id"] for vendor in plan["vendors"]].index(name)


def index(**changes: Any) -> ErpIndex:
    """An index of the demo company."""
    return ErpIndex(demo_data(**changes))


def draft_bill(kind: str = "in_invoice", **changes: Any) -> Record:
    """An empty draft as a mail alias makes it; keyword arguments replace fields."""
    values: dict[str, Scalar] = {"currency_id": 1, "invoice_date_due": date(2026, 9, 20)}
    fields: dict[str, Any] = {
        "model": "account.move",
        "id": 4242,
        "display_name": "Draft Bill (* 4242)",
        "kind": kind,
        "state": "draft",
        "company_id": OWN_COMPANY,
        "write_date": "2026-09-20 08:00:00",
        "values": values,
        "journal_id": 7,
    }
    changes["values"] = values | changes.get("values", {})
    return Record(**(fields | changes))


def reading(
    lines: list[dict[str, str]] | None = None,
    vat: list[dict[str, str]] | None = None,
    sure: float = 0.98,
    **header: str,
) -> Reading:
    """A Reading from strings as the JSON contract has them, every Field proven on page 1."""
    return Reading(
        "test",
        _fields(HEADER, header, sure),
        tuple(_fields(LINE, line, sure) for line in lines or []),
        tuple(_fields(VAT, row, sure) for row in vat or []),
    )


def _fields(terms: Mapping[str, Any], values: Mapping[str, str], sure: float) -> dict[str, Field]:
    return {
        name: Field(
            parse(terms[name].kind, text), sure, (Evidence(1, Box(0.1, 0.1, 0.2, 0.12), text),), raw=text
        )
        for name, text in values.items()
    }


def paper_bill(**changes: str) -> Reading:
    """A bill of Papierhaus Brunnhuber that agrees with everything in Odoo; an empty string drops a Field."""
    header = {
        "document_type": "invoice",
        "invoice_number": "2026-0901",
        "issue_date": "2026-09-10",
        "due_date": "2026-09-24",
        "currency": "EUR",
        "seller_name": "Papierhaus Brunnhuber GmbH & Co. KG",
        "seller_vat_id": "DE 371 628 131",
        "buyer_name": "Kestrel Works GmbH",
        "payment_account": "DE77 7015 0000 1391 7268 47",
        "total_without_vat": "261.00",
        "total_vat": "49.59",
        "total_with_vat": "310.59",
    }
    return reading(
        [
            {
                "item_name": "Kopierpapier A4 80 g, Karton 2500 Blatt",
                "item_seller_id": "4711-A4",
                "quantity": "10",
                "net_price": "21.40",
                "line_net_amount": "214.00",
                "vat_rate": "19",
            },
            {
                "item_name": "Ordner A4, 80 mm",
                "item_seller_id": "5230-80",
                "quantity": "20",
                "net_price": "2.35",
                "line_net_amount": "47.00",
                "vat_rate": "19",
            },
        ],
        **{name: text for name, text in (header | changes).items() if text},
    )


CARTON = {
    "item_name": "Vouwdoos 400 × 300 × 200 mm",
    "item_seller_id": "DV-D432",
    "quantity": "600",
    "net_price": "0.94",
    "line_net_amount": "564.00",
    "vat_rate": "21",
}
FILM = {
    "item_name": "Rekfolie 500 mm",
    "quantity": "24",
    "net_price": "6.75",
    "line_net_amount": "162.00",
    "vat_rate": "21",
}


def dijkzicht(*lines: dict[str, str], **changes: str) -> Reading:
    """A bill of Dijkzicht Verpakkingen for order P00103; an empty string drops a Field."""
    header = {
        "document_type": "invoice",
        "invoice_number": "DV-20260901",
        "issue_date": "2026-09-01",
        "currency": "EUR",
        "seller_name": "Dijkzicht Verpakkingen B.V.",
        "seller_vat_id": "NL867741168B01",
        "purchase_order_reference": "P00103",
        "total_without_vat": "726.00",
        "total_vat": "152.46",
        "total_with_vat": "878.46",
    }
    return reading(list(lines), **{name: text for name, text in (header | changes).items() if text})
