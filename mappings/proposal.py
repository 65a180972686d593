"""A Reading and what it matched become a Proposal: the ERP values Vouch would write, each with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.erp_data import Distribution

if TYPE_CHECKING:
    from inference.invoice import Check
    from mappings.erp_data import Scalar


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate ERP record for one part of a Reading; `score` is 0–1, best first where several are listed."""

    model: str
    id: int
    name: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposedValue:
    """One ERP value, the business terms it came from, the probability that it is right, and why.

    `value` is ready for Odoo by type: ids for many2one, a tuple of ids for many2many, Decimal, date, str; None
    empties the field. `terms` name header Fields by their Term, others by path: `lines[0].quantity`,
    `vat_breakdown[1].taxable_amount`. A value without terms was chosen from ERP data alone.
    """

    value: Scalar
    confidence: float
    reason: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Untaxed amount, tax and total, in the document's currency; None where the document does not tell."""

    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """A line of an order that the document is about: quantities ordered, received and billed before, net price.

    `positions` are the document's lines for it, from 0; `document_quantity` and `document_price` (net) are what they
    say together.
    """

    order: str
    id: int
    name: str
    ordered: Decimal
    received: Decimal
    billed: Decimal
    price: Decimal
    positions: tuple[int, ...] = ()
    document_quantity: Decimal | None = None
    document_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NewVendor:
    """A vendor that Odoo lacks: `values` by the names of `res.partner`, for a person to create.

    `country_code` is the ISO code by which the country is found. `payment_account` is shown only: a person enters
    bank details, after a call to the vendor.
    """

    values: Mapping[str, ProposedValue]
    payment_account: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What Vouch would write on one ERP record.

    `values` are header values and `lines` the lines to add, by Odoo's field names; a line with an `id` is one that the
    record has, and changes. `checks` are the controls run
    on the proposal. `paper` are the totals the document prints (a rounding counts as untaxed, as in Odoo), `predicted` what Odoo will compute from `lines`.
    `matches` lists the candidates per field, best first. `verify_only` is set where the record was filled already
    (by Odoo's own import, or by a person) and the document was only compared with it. `new_vendor` is there where
    Odoo does not have the vendor. `purchase_lines` are those of the orders found. `vat` sets the VAT of a tax group, by its
    id, to what is printed, where Odoo rounds otherwise; `predicted` has it already.
    """

    model: str
    record_id: int
    values: Mapping[str, ProposedValue] = field(default_factory=dict[str, ProposedValue])
    lines: tuple[Mapping[str, ProposedValue], ...] = ()
    checks: tuple[Check, ...] = ()
    matches: Mapping[str, tuple[Match, ...]] = field(default_factory=dict[str, tuple[Match, ...]])
    paper: Totals | None = None
    predicted: Totals | None = None
    verify_only: bool = False
    new_vendor: NewVendor | None = None
    purchase_lines: tuple[PurchaseLine, ...] = ()
    vat: Mapping[int, ProposedValue] = field(default_factory=dict[int, ProposedValue])

    def as_json(self) -> dict[str, Any]:
        """A JSON object for the ledger and `--json`: decimals as strings, dates in ISO 8601, ids as numbers."""
        return {
            "model": self.model,
            "record_id": self.record_id,
            "values": {name: _value_node(value) for name, value in self.values.items()},
            "lines": [{name: _value_node(value) for name, value in line.items()} for line in self.lines],
            "checks": [check.as_json() for check in self.checks],
            "matches": {name: [_match_node(m) for m in found] for name, found in self.matches.items()},
            "paper": _totals_node(self.paper),
            "predicted": _totals_node(self.predicted),
            "verify_only": self.verify_only,
            "purchase_lines": [_purchase_node(line) for line in self.purchase_lines],
            "vat": {str(group): _value_node(value) for group, value in self.vat.items()},
        } | ({"new_vendor": _new_vendor_node(self.new_vendor)} if self.new_vendor else {})


def scalar_as_json(value: Scalar) -> Any:
    """Decimals as plain strings, dates in ISO 8601, tuples as lists; the rest as it is."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Distribution):
        return {key: format(percent, "f") for key, percent in value.parts}
    return list(value) if isinstance(value, tuple) else value


def _value_node(proposed: ProposedValue) -> dict[str, Any]:
    return {
        "value": scalar_as_json(proposed.value),
        "confidence": round(proposed.confidence, 4),
        "reason": proposed.reason,
        "terms": list(proposed.terms),
    }


def _purchase_node(line: PurchaseLine) -> dict[str, Any]:
    return {one.name: scalar_as_json(getattr(line, one.name)) for one in fields(line)}


def _new_vendor_node(new: NewVendor) -> dict[str, Any]:
    values = {name: _value_node(value) for name, value in new.values.items()}
    return {"values": values, "payment_account": new.payment_account}


def _match_node(match: Match) -> dict[str, Any]:
    return {
        "model": match.model,
        "id": match.id,
        "name": match.name,
        "score": round(match.score, 4),
        "reasons": list(match.reasons),
    }


def _totals_node(totals: Totals | None) -> dict[str, Any] | None:
    if totals is None:
        return None
    amounts = {"untaxed": totals.untaxed, "tax": totals.tax, "total": totals.total}
    return {name: scalar_as_json(amount) for name, amount in amounts.items()}
