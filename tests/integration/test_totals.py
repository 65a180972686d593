"""Odoo's own totals of generated bills, against the prediction, on both rounding methods."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from mappings.erp_data import Precision, Tax
from mappings.proposal import Totals
from mappings.totals import PricedLine, predict, round_digits
from tests.integration.odoo_server import Odoo, OdooDatabase

pytestmark = pytest.mark.usefixtures("development_odoo")

CENT = Decimal("0.01")
BILLS = 30


@pytest.fixture
def odoo(odoo_database: OdooDatabase) -> Odoo:
    return Odoo(odoo_database)


def purchase_taxes(odoo: Odoo) -> list[Tax]:
    """Every active percentage tax of the template, and price-included copies of two."""
    domain = [["type_tax_use", "=", "purchase"], ["amount_type", "=", "percent"]]
    for rate in (7, 19):
        [tax] = odoo.find("account.tax", [*domain, ["amount", "=", rate]], ["name"])
        change = {"name": f"{tax['name']} incl.", "price_include_override": "tax_included"}
        odoo.call("account.tax", "copy", [tax["id"]], change)
    rows = odoo.find("account.tax", domain, ["name", "amount", "price_include"])
    return [
        Tax(r["id"], r["name"], Decimal(str(r["amount"])), price_include=r["price_include"]) for r in rows
    ]


def generated(taxes: list[Tax], seed: int) -> Iterator[list[PricedLine]]:
    """Bills of one to nine lines with odd quantities, long prices, discounts and one or several rates."""
    dice = random.Random(seed)
    for _ in range(BILLS):
        rates = dice.sample(taxes, dice.randint(1, 3))
        yield [
            PricedLine(
                Decimal(dice.choice([1, 3, 7, 12, 250])) + Decimal(dice.randint(0, 99)) / 100,
                Decimal(dice.randint(1, 9_999_999)).scaleb(-dice.choice([2, 3, 4])),
                dice.choice([Decimal(0), Decimal(0), Decimal("3"), Decimal("12.5"), Decimal("33.33")]),
                dice.choice([(dice.choice(rates),), (dice.choice(rates),), ()]),
            )
            for _ in range(dice.randint(1, 9))
        ]


def as_line(line: PricedLine) -> list[Any]:
    values = {
        "name": "Line",
        "quantity": float(line.quantity),
        "price_unit": float(line.price_unit),
        "discount": float(line.discount),
        "tax_ids": [[6, 0, [tax.id for tax in line.taxes]]],
    }
    return [0, 0, values]


@pytest.mark.parametrize("method", ["round_globally", "round_per_line"])
def test_the_prediction_is_what_odoo_computes(odoo: Odoo, method: str) -> None:
    companies = [company["id"] for company in odoo.find("res.company", [], ["name"])]
    odoo.call("res.company", "write", companies, {"tax_calculation_rounding_method": method})
    vendor = odoo.find("res.partner", [["supplier_rank", ">", 0]], ["name"])[0]["id"]
    bills = list(generated(purchase_taxes(odoo), seed=19))
    created = odoo.call(
        "account.move",
        "create",
        [
            {"move_type": "in_invoice", "partner_id": vendor, "invoice_line_ids": [as_line(x) for x in lines]}
            for lines in bills
        ],
    )
    rows = odoo.call("account.move", "read", created, ["amount_untaxed", "amount_tax", "amount_total"])
    precision = Precision(price=None)
    for lines, row in zip(bills, rows, strict=True):
        found = Totals(*(round_digits(Decimal(repr(row[name])), 2) for name in AMOUNTS))
        assert predict([line.kept(precision) for line in lines], CENT, method) == found, lines


AMOUNTS = ("amount_untaxed", "amount_tax", "amount_total")
