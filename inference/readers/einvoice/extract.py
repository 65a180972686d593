"""Elements made into Fields: typed exactly, proven by their path, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING

from inference.invoice import Check, Evidence, Field, Kind, Status, Term, Value, as_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.xml import Node

CERTAIN = 1.0
MOST_TEXT, MOST_IDENTIFIER, MOST_SHOWN = 4000, 200, 80
"""Characters that a text and an identifier may have, and that a sentence shows of what is none."""
Paths = Mapping[str, tuple[str, ...]]
Price = tuple["Node | None", "Node | None"]
"""The elements of a price and of the quantity it is for."""


@dataclass(slots=True)
class Extraction:
    """Makes Fields and keeps a failed Check for every value that its standard does not allow."""

    checks: list[Check] = field(default_factory=list[Check])

    def row(self, node: Node, paths: Paths, terms: Mapping[str, Term]) -> dict[str, Field]:
        """A Field for each name in `paths` that has an element under `node`."""
        found: dict[str, Field] = {}
        for name, alternatives in paths.items():
            self.put(found, terms[name], node.first(*alternatives))
        return found

    def put(self, row: dict[str, Field], term: Term, node: Node | None) -> None:
        """Add the element's Field to `row`, or nothing where there is no element or no such value."""
        if node is None:
            return
        value = self.value(term, node)
        if value is not None:
            row[term.name] = proven(value, node)

    def value(self, term: Term, node: Node) -> Value | None:
        """The element's value as the Term's kind has it; None, and a failed Check, where it is none."""
        if term.kind is Kind.DATE:
            value = _date(node)
        elif term.kind in (Kind.AMOUNT, Kind.QUANTITY, Kind.PERCENT):
            value = _number(node.text)
        else:
            value = " ".join(node.text.split()) or None
            if value and len(value) > (MOST_TEXT if term.kind is Kind.TEXT else MOST_IDENTIFIER):
                value = None
        if value is None:
            shown = term.name.replace("_", " ")
            text = node.text if len(node.text) <= MOST_SHOWN else node.text[:MOST_SHOWN] + "…"
            self.checks.append(
                Check(
                    f"einvoice_{term.name}",
                    Status.FAIL,
                    f"The e-invoice's {shown} is “{text}”, which is no {term.kind.value}.",
                )
            )
        return value


def proven(value: Value, *nodes: Node) -> Field:
    """A Field that stands in the data in so many words."""
    evidence = tuple(Evidence(xpath=node.path, text=node.text) for node in nodes)
    return Field(value, CERTAIN, evidence, raw=" ".join(node.text for node in nodes))


def attribute(node: Node | None, name: str) -> Field | None:
    """The Field of an attribute, such as a quantity's unit."""
    value = node.attribute(name) if node else ""
    if node is None or not value or len(value) > MOST_IDENTIFIER:
        return None
    return Field(value, CERTAIN, (Evidence(xpath=f"{node.path}/@{name}", text=value),), raw=value)


def one_line(nodes: Sequence[Node]) -> Field | None:
    """The texts of several elements as one line, such as an address."""
    nodes = [node for node in nodes if node.text and len(node.text) <= MOST_TEXT // 10]
    return proven(", ".join(" ".join(node.text.split()) for node in nodes), *nodes) if nodes else None


def put_prices(line: dict[str, Field], net: Price, gross: Price) -> None:
    """Add `net_price` and, where it differs, `gross_price`: prices of one unit."""
    if found := _unit_price(*net):
        line["net_price"] = found if _fits(line, found) else _undivided(line, net) or found
    found = _unit_price(*gross)
    if found and ("net_price" not in line or found.value != line["net_price"].value):
        line["gross_price"] = found


def _unit_price(price: Node | None, basis: Node | None) -> Field | None:
    """The price divided by the quantity it is for (BT-149), where that is not one."""
    amount = _number(price.text) if price else None
    if price is None or amount is None:
        return None
    quantity = _number(basis.text) if basis else None
    if basis is None or quantity is None or quantity in (0, 1):
        return proven(amount, price)
    with localcontext(prec=12):
        return proven(amount / quantity, price, basis)


def _undivided(line: Mapping[str, Field], price: Price) -> Field | None:
    """Some software writes the quantity bought as the quantity the price is for: then only the plain price fits."""
    found = _unit_price(price[0], None)
    if found is None or not _fits(line, found):
        return None
    return found.doubted(
        0.95, "The line's amount is right only if the price is for one unit, not for several."
    )


def _fits(line: Mapping[str, Field], price: Field) -> bool:
    """Whether quantity times price, less the discount, is the line's amount."""
    quantity, amount = as_decimal(line.get("quantity")), as_decimal(line.get("line_net_amount"))
    each, less = as_decimal(price), as_decimal(line.get("discount_amount")) or Decimal(0)
    if quantity is None or amount is None or each is None:
        return True
    return abs(quantity * each - less - amount) <= Decimal("0.05") + abs(quantity) * Decimal("0.005")


def discount(allowances: Sequence[tuple[Node, bool]]) -> Field | None:
    """Allowances less charges, from (amount element, whether it is a charge)."""
    amounts = [(_number(node.text), charge) for node, charge in allowances]
    known = [-amount if charge else amount for amount, charge in amounts if amount is not None]
    if not known or len(known) != len(amounts):
        return None
    return proven(sum(known, Decimal(0)), *(node for node, _ in allowances))


def _number(text: str) -> Decimal | None:
    """xs:decimal, exactly; None for anything else."""
    if not re.fullmatch(r"[+-]?(\d{1,24}(\.\d{0,24})?|\.\d{1,24})", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _date(node: Node) -> date | None:
    """UNTDID 2379 formats 102 (CCYYMMDD) and 203 (CCYYMMDDHHMM), or xs:date."""
    text = node.text
    text = text[:8] if node.attribute("format") in ("102", "203") or text.isdigit() else text[:10]
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # Year 1 is how some software writes "no date".
    return found if found.year >= 1900 else None
