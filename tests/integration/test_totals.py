"""Odoo's own totals of generated bills against the prediction, with the real charts of accounts of four countries."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from connector.erp.odoo import connect
from connector.erp.wire import Connection
from deploy.odoo.installation import Installation
from mappings.erp_data import Tax
from mappings.proposal import Totals
from mappings.totals import EarlyDiscount, PricedLine, predict, round_digits
from tests.integration.odoo_server import Odoo, OdooDatabase, cloned

BILLS = 26
GLOBALLY, PER_LINE = "round_globally", "round_per_line"
AMOUNTS = ("amount_untaxed", "amount_tax", "amount_total")
MADE = ": "
Wanted = Callable[[Tax], bool]


@dataclass(frozen=True)
class Configuration:
    """A company with its chart of accounts, a rounding method, the taxes on the bills, and their currency.

    `made` are taxes to add to the chart's; `combined` puts several taxes on one line; `discount` is how a payment term
    with 2 % for early payment takes VAT (`early_pay_discount_computation`).
    """

    chart: str
    method: str
    wanted: Wanted
    currency: str = ""
    made: tuple[dict[str, Any], ...] = ()
    move_type: str = "in_invoice"
    combined: bool = False
    discount: str = ""


def ordinary(tax: Tax) -> bool:
    return tax.amount_type == "percent" and not tax.reverse_charge and not tax.price_include


def included(tax: Tax) -> bool:
    return tax.price_include and not tax.reverse_charge


def nothing(tax: Tax) -> bool:
    return False


def made(name: str, amount: float, **values: Any) -> dict[str, Any]:
    return {"name": name, "amount": amount, **values}


INSIDE = {"price_include_override": "tax_included"}
GROUP = made("GST 18", 0, amount_type="group", children=(("CGST", 9.0), ("SGST", 9.0)))
ECO = made("eco fee", 0.13, amount_type="fixed", include_base_amount=True, sequence=1)
TTC = (made("20 TTC", 20, **INSIDE), made("5.5 TTC", 5.5, **INSIDE))
TABLE = {
    "Germany, SKR 03, globally": Configuration("de_skr03", GLOBALLY, ordinary),
    "Germany, SKR 04, per line": Configuration("de_skr04", PER_LINE, ordinary),
    "Germany, reverse charge": Configuration(
        "de_skr03", GLOBALLY, lambda t: t.reverse_charge or t.amount == 7
    ),
    "France, per line": Configuration("fr", PER_LINE, ordinary),
    "France, included in the price": Configuration("fr", GLOBALLY, included, made=TTC),
    "France, included or not, per line": Configuration(
        "fr", PER_LINE, lambda t: not t.reverse_charge, made=TTC
    ),
    "France, included or not, globally": Configuration(
        "fr", GLOBALLY, lambda t: not t.reverse_charge, made=TTC
    ),
    "China, globally": Configuration("cn", GLOBALLY, ordinary),
    "China, 3 and 1 % in the price, per line": Configuration(
        "cn", PER_LINE, included, made=(made("3 incl", 3, **INSIDE), made("1 incl", 1, **INSIDE))
    ),
    "China, refunds": Configuration("cn", PER_LINE, ordinary, move_type="in_refund"),
    "United States, globally": Configuration("us", GLOBALLY, ordinary),
    "United States, per line": Configuration("us", PER_LINE, ordinary),
    "a group of two taxes": Configuration("us", PER_LINE, nothing, made=(GROUP,)),
    "a fixed fee below VAT": Configuration(
        "fr", GLOBALLY, nothing, made=(ECO, made("20", 20, sequence=2)), combined=True
    ),
    "a fixed fee in the price": Configuration(
        "fr", PER_LINE, nothing, made=(ECO | INSIDE, made("20 incl", 20, sequence=2, **INSIDE)), combined=True
    ),
    "a tax on a tax": Configuration(
        "us",
        GLOBALLY,
        nothing,
        made=(made("5", 5, include_base_amount=True, sequence=1), made("9.975", 9.975, sequence=2)),
        combined=True,
    ),
    "a share of the price": Configuration(
        "us", GLOBALLY, nothing, made=(made("division", 12, amount_type="division", **INSIDE),)
    ),
    "2 % early, VAT with it": Configuration("de_skr03", GLOBALLY, ordinary, discount="included"),
    "2 % early, VAT without it": Configuration("fr", PER_LINE, ordinary, discount="excluded"),
    "2 % early, VAT less at once, globally": Configuration("de_skr03", GLOBALLY, ordinary, discount="mixed"),
    "2 % early, VAT less at once, per line": Configuration("fr", PER_LINE, ordinary, discount="mixed"),
    "2 % early, price with VAT, per line": Configuration(
        "fr", PER_LINE, included, made=TTC, discount="mixed"
    ),
    "yen": Configuration("us", GLOBALLY, ordinary, "JPY"),
    "dinars of Kuwait": Configuration("de_skr04", GLOBALLY, ordinary, "KWD"),
    "yen, per line, included": Configuration("fr", PER_LINE, included, "JPY", made=TTC),
}


@pytest.fixture(scope="module")
def charts(development_odoo: Installation) -> Iterator[OdooDatabase]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cloned(development_odoo, name, charts=True)
    development_odoo.drop(name)


class Books:
    """A database with charts, the taxes of the whole table made, as the administrator and as the connector see it."""

    def __init__(self, database: OdooDatabase) -> None:
        self.odoo = Odoo(database)
        self.vendor = self.odoo.call("res.partner", "create", {"name": "Vendor", "is_company": True})
        for code in ("JPY", "KWD"):
            found = self.odoo.call(
                "res.currency", "search", [["name", "=", code]], context={"active_test": False}
            )
            self.odoo.call("res.currency", "write", found, {"active": True})
        named = [["name", "like", "Chart "]]
        self.companies = {
            row["name"][6:]: row["id"] for row in self.odoo.find("res.company", named, ["name"])
        }
        for name, set_up in TABLE.items():
            for values in set_up.made:
                self._make_tax(name, self.companies[set_up.chart], dict(values))
        secret = SecretStr(database.api_key.strip())
        erp = connect(Connection("charts", database.url, database.database, secret))
        self.data = erp.erp_data()
        erp.close()

    def _make_tax(self, set_up: str, company: int, values: dict[str, Any]) -> None:
        here = {"context": {"allowed_company_ids": [company]}}
        common = {"type_tax_use": "purchase", "company_id": company}
        parts = [
            self.odoo.call(
                "account.tax", "create", {**common, "name": f"Part{MADE}{name}", "amount": rate}, **here
            )
            for name, rate in values.pop("children", ())
        ]
        if parts:
            values["children_tax_ids"] = [[6, 0, parts]]
        values["name"] = f"{set_up}{MADE}{values['name']}"
        self.odoo.call("account.tax", "create", {**common, **values}, **here)

    def taxes(self, name: str) -> list[Tax]:
        """The taxes for the bills of a configuration: those wanted of the chart, and those made for it."""
        company, wanted = self.companies[TABLE[name].chart], TABLE[name].wanted
        here = [tax for tax in self.data.taxes if tax.company_id == company]
        own = [tax for tax in here if tax.name.startswith(name + MADE)]
        return [tax for tax in here if MADE not in tax.name and wanted(tax)] + own

    def expense_accounts(self, company: int) -> list[int]:
        """Two accounts to book on."""
        of = ("company_ids", "in", [company])
        return self.odoo.call("account.account", "search", [["account_type", "=", "expense"], of], limit=2)

    def _term(self, company: int, mode: str) -> int:
        values = {"name": f"2 % {mode}", "company_id": company, "early_discount": True}
        values |= {"discount_percentage": 2.0, "discount_days": 10, "early_pay_discount_computation": mode}
        values["line_ids"] = [[0, 0, {"value": "percent", "value_amount": 100, "nb_days": 30}]]
        return self.odoo.call("account.payment.term", "create", values)

    def enter(
        self, name: str, currency: int, bills: list[list[PricedLine]], booked: list[list[int]]
    ) -> list[Totals]:
        """Make the bills in one call, with the accounts of their lines; what Odoo shows as their totals."""
        set_up = TABLE[name]
        company = self.companies[set_up.chart]
        here = {"context": {"allowed_company_ids": [company]}}
        self.odoo.call("res.company", "write", [company], {"tax_calculation_rounding_method": set_up.method})
        term = self._term(company, set_up.discount) if set_up.discount else None
        drafts = [
            {
                "move_type": set_up.move_type,
                "partner_id": self.vendor,
                "currency_id": currency,
                "invoice_date": "2026-09-01",
                "invoice_line_ids": [as_line(*line) for line in zip(lines, accounts, strict=True)],
                **({"invoice_payment_term_id": term} if term else {}),
            }
            for lines, accounts in zip(bills, booked, strict=True)
        ]
        created = self.odoo.call("account.move", "create", drafts, **here)
        rows = self.odoo.call("account.move", "read", created, list(AMOUNTS), **here)
        return [Totals(*(round_digits(Decimal(repr(row[one])), 3) for one in AMOUNTS)) for row in rows]


@pytest.fixture(scope="module")
def books(charts: OdooDatabase) -> Books:
    return Books(charts)


def generated(taxes: list[Tax], dice: random.Random, *, combined: bool) -> Iterator[list[PricedLine]]:
    """Bills of one to seven lines: odd quantities, long prices, discounts, returns, free lines, one or several rates."""
    for _ in range(BILLS):
        rates = dice.sample(taxes, min(len(taxes), dice.randint(1, 3)))
        lines: list[PricedLine] = []
        for _ in range(dice.randint(1, 7)):
            price = Decimal(dice.randint(1, 9_999_999)).scaleb(-dice.choice([2, 2, 3, 4]))
            quantity = Decimal(dice.choice([1, 1, 3, 7, 12, 250])) + Decimal(dice.randint(0, 99)) / 100
            chosen = (dice.choice(rates),) if dice.random() < 0.9 else ()
            lines.append(
                PricedLine(
                    quantity * dice.choice([1, 1, 1, 1, 1, -1]),
                    price * dice.choice([1, 1, 1, 1, 1, 1, -1, 0]),
                    dice.choice([Decimal(0), Decimal(0), Decimal("3"), Decimal("12.5"), Decimal("33.33")]),
                    tuple(rates) if combined and chosen else chosen,
                )
            )
        yield lines


def as_line(line: PricedLine, account: int) -> list[Any]:
    values = {
        "name": "Line",
        "account_id": account,
        "quantity": float(line.quantity),
        "price_unit": float(line.price_unit),
        "discount": float(line.discount),
        "tax_ids": [[6, 0, [tax.id for tax in line.taxes]]],
    }
    return [0, 0, values]


@pytest.mark.parametrize("name", TABLE)
def test_the_prediction_is_what_odoo_computes(books: Books, name: str) -> None:
    set_up, data = TABLE[name], books.data
    company = next(one for one in data.companies if one.id == books.companies[set_up.chart])
    taxes = books.taxes(name)
    assert taxes, "the chart has no such tax"
    default = next(one.name for one in data.currencies if one.id == company.currency_id)
    currency = next(one for one in data.currencies if one.name == (set_up.currency or default))
    bills = list(generated(taxes, random.Random(name), combined=set_up.combined))
    dice, accounts = random.Random(name), books.expense_accounts(company.id)
    booked = [[dice.choice(accounts) for _ in lines] for lines in bills]
    found = books.enter(name, currency.id, bills, booked)
    for lines, on, totals in zip(bills, booked, found, strict=True):
        kept = [line.kept(data.precision) for line in lines]
        early = EarlyDiscount(Decimal(2), tuple(on)) if set_up.discount == "mixed" else None
        assert predict(kept, currency.rounding, set_up.method, early) == totals, lines
