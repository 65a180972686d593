"""The demo company, its vendors, products, orders and older bills, from `deploy/odoo/company.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from tests.samples.bill import Line, Party

SOURCE = Path(__file__).parents[2] / "deploy" / "odoo" / "company.toml"


class Offer(NamedTuple):
    """A vendor's own code, name and price for a product."""

    code: str
    name: str
    price: Decimal
    unit: str
    vat_rate: Decimal


@dataclass(frozen=True)
class Order:
    """A purchase order: the printed number, the vendor's id, its dates and lines."""

    name: str
    vendor: str
    order_date: date
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Posted:
    """A bill that is booked already."""

    number: str
    vendor: str
    issue_date: date
    lines: tuple[Line, ...]


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"), parse_float=Decimal)


@cache
def buyer() -> Party:
    """The demo company as it is addressed on a bill."""
    node = _tables()["company"]
    return Party(
        name=node["name"], street=node["street"], zip=node["zip"], city=node["city"],
        country=node["country"], vat_id=node["vat"], language="de_DE", currency=node["currency"],
    )  # fmt: skip


@cache
def vendor(key: str) -> Party:
    """The vendor of that id, with a register number and a BIC made up from its name."""
    node = next(node for node in _tables()["vendors"] if node["id"] == key)
    country = node["country"]
    local = {"tax_id": node["vat"]} if country == "US" else {"vat_id": node["vat"]}
    return Party(
        name=node["name"], street=node["street"], zip=node["zip"], city=node["city"], country=country,
        registration=registration(node["name"], country), email=node["email"], phone=node["phone"],
        website=node["website"], account=node["bank_account"], routing=node.get("bank_routing", ""),
        bic=bic(node["bank_name"], country) if country not in ("US", "CN") else "", bank=node["bank_name"],
        currency=node["currency"], language=node["language"], payment_days=node["payment_days"], **local,
    )  # fmt: skip


@cache
def vendor_ids() -> tuple[str, ...]:
    """The ids of all vendors."""
    return tuple(node["id"] for node in _tables()["vendors"])


def offer(reference: str, vendor_id: str) -> Offer:
    """What a vendor sells as our product `reference`."""
    product = next(node for node in _tables()["products"] if node["reference"] == reference)
    node = next(node for node in product["vendors"] if node["vendor"] == vendor_id)
    return Offer(node["code"], node["name"], Decimal(node["price"]), product["unit"], Decimal(product["tax"]))


def line(reference: str, vendor_id: str, quantity: Decimal | int | str) -> Line:
    """A line with a vendor's own code, name, price and tax for our product `reference`."""
    found = offer(reference, vendor_id)
    return Line(
        found.name, Decimal(quantity), found.unit, found.price, found.vat_rate, item_seller_id=found.code
    )


def order(name: str) -> Order:
    """The purchase order of that number, its lines in the vendor's words."""
    node = next(node for node in _tables()["purchase_orders"] if node["name"] == name)
    lines = tuple(_ordered(entry, node["vendor"]) for entry in node["lines"])
    return Order(node["name"], node["vendor"], node["order_date"], lines)


def received(name: str) -> tuple[Decimal, ...]:
    """The quantity received so far of each line of an order."""
    node = next(node for node in _tables()["purchase_orders"] if node["name"] == name)
    return tuple(Decimal(entry.get("received", 0)) for entry in node["lines"])


def posted(number: str) -> Posted:
    """The booked bill of that vendor's number."""
    node = next(node for node in _tables()["bills"] if node["number"] == number)
    lines = tuple(
        Line(
            entry["description"],
            Decimal(entry["quantity"]),
            "C62",
            Decimal(entry["price"]),
            Decimal(entry["tax"]),
        )
        for entry in node["lines"]
    )
    return Posted(node["number"], node["vendor"], node["date"], lines)


def registration(name: str, country: str) -> str:
    """A made-up company register number in the country's form, empty where bills do not print one."""
    number = crc32(name.encode())
    return {
        "DE": f"HRB {number % 90000 + 10000}",
        "AT": f"FN {number % 900000 + 100000}{'abdfghkmpstvwxyz'[number % 16]}",
        "FR": f"RCS {number % 900 + 100} {number // 900 % 900 + 100} {number // 810000 % 900 + 100}",
        "GB": f"{number % 9000000 + 1000000:08d}",
        "NL": f"{number % 90000000 + 10000000}",
    }.get(country, "")


def bic(bank: str, country: str) -> str:
    """A made-up BIC; the 0 in its location code marks it as a test code (ISO 9362)."""
    letters = [letter for letter in bank.upper() if "A" <= letter <= "Z"]
    return "".join(letters[:4]) + country + letters[-1] + "0"


def _ordered(entry: dict[str, Any], vendor_id: str) -> Line:
    base = line(entry["product"], vendor_id, entry["quantity"])
    return Line(
        base.item_name, base.quantity, base.unit, Decimal(entry["price"]), Decimal(entry["tax"]),
        item_seller_id=base.item_seller_id,
    )  # fmt: skip
