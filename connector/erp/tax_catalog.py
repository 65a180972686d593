"""Purchase taxes and fiscal positions as Odoo has them, one shape for all versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from connector.erp import values
from connector.erp.wire import Row
from mappings.erp_data import FiscalPosition, Tax

Rows = Callable[[str, Sequence[Any], str], list[Row]]
Country = Callable[[Any], str]

_TAX = (
    "name amount amount_type price_include company_id country_id active sequence has_negative_factor "
    "include_base_amount is_base_affected children_tax_ids tax_scope type_tax_use fiscal_position_ids invoice_label "
    "description tax_group_id"
)
_POSITION = "name company_id sequence auto_apply vat_required country_id country_group_id state_ids zip_from zip_to active"


def read_taxes(rows: Rows, country: Country, shared: Sequence[Any]) -> tuple[Tax, ...]:
    """The active purchase taxes; a group with its children, whose own use may be none."""
    found = rows("account.tax", [("type_tax_use", "in", ["purchase", "none"]), *shared], _TAX)
    by_id = {int(row["id"]): row for row in found}
    led_to = _led_to(rows)
    return tuple(
        _tax(row, by_id, country, led_to) for row in found if values.text(row["type_tax_use"]) == "purchase"
    )


def _led_to(rows: Rows) -> Mapping[int, tuple[int, ...]]:
    """Before Odoo 19 a fiscal position names the taxes it leads to."""
    found: dict[int, tuple[int, ...]] = {}
    for row in rows("account.fiscal.position.tax", [], "position_id tax_dest_id"):
        tax, position = values.many2one(row.get("tax_dest_id")), values.many2one(row.get("position_id"))
        if tax and position:
            found[tax] = (*found.get(tax, ()), position)
    return found


def _tax(row: Row, by_id: Mapping[int, Row], country: Country, led_to: Mapping[int, tuple[int, ...]]) -> Tax:
    number = int(row["id"])
    children = [by_id[child] for child in values.many(row.get("children_tax_ids")) if child in by_id]
    return Tax(
        id=number,
        name=values.text(row["name"]),
        amount=values.decimal(row["amount"]),
        amount_type=values.text(row["amount_type"]),
        price_include=bool(row["price_include"]),
        company_id=values.many2one(row["company_id"]),
        country=country(row.get("country_id")),
        active=bool(row["active"]),
        sequence=int(row["sequence"]),
        reverse_charge=bool(row.get("has_negative_factor")),
        include_base_amount=bool(row.get("include_base_amount")),
        is_base_affected=bool(row.get("is_base_affected", True)),
        children=tuple(_tax(child, {}, country, {}) for child in children),
        scope=values.text(row.get("tax_scope")),
        fiscal_position_ids=values.many(row.get("fiscal_position_ids")) or led_to.get(number, ()),
        label=values.text(row.get("invoice_label")) or values.text(row.get("description")),
        group_id=values.many2one(row.get("tax_group_id")) or 0,
    )


def read_fiscal_positions(rows: Rows, country: Country, shared: Sequence[Any]) -> tuple[FiscalPosition, ...]:
    """The active fiscal positions with the countries they are for."""
    groups = {
        int(row["id"]): values.many(row.get("country_ids"))
        for row in rows("res.country.group", [], "country_ids")
    }
    accounts: dict[int, list[tuple[int, int]]] = {}
    for row in rows("account.fiscal.position.account", [], "position_id account_src_id account_dest_id"):
        source, wanted = (values.many2one(row[name]) for name in ("account_src_id", "account_dest_id"))
        if source and wanted:
            accounts.setdefault(values.many2one(row["position_id"]) or 0, []).append((source, wanted))
    return tuple(
        FiscalPosition(
            id=int(row["id"]),
            name=values.text(row["name"]),
            company_id=values.many2one(row["company_id"]),
            sequence=int(row["sequence"] or 0),
            auto_apply=bool(row["auto_apply"]),
            vat_required=bool(row["vat_required"]),
            countries=frozenset(_countries(row, groups, country)),
            regional=bool(row.get("state_ids") or row.get("zip_from")),
            accounts=tuple(accounts.get(int(row["id"]), ())),
        )
        for row in rows("account.fiscal.position", shared, _POSITION)
    )


def _countries(row: Row, groups: Mapping[int, tuple[int, ...]], country: Country) -> Iterable[str]:
    """The fiscal position's country and those of its group; both given mean the country within the group."""
    own, group = values.many2one(row.get("country_id")), values.many2one(row.get("country_group_id"))
    if own:
        return [country(own)]
    return [country(one) for one in groups.get(group or 0, ())]
