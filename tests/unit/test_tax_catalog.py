"""Taxes and fiscal positions of Odoo 16 to 18 and of 19: the data models differ, what is made of them does not.

The rows are as those versions answer. Before 19 `account.fiscal.position.tax` has lines of a position, each with a tax and
the one to use instead (`tax_src_id`, `tax_dest_id`, which may be empty); since 19 a tax names its positions
(`fiscal_position_ids`). Source: `account/models/partner.py` of Odoo 16 to 18, `account_tax.py` of Odoo 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from connector.erp.tax_catalog import read_fiscal_positions, read_taxes
from connector.erp.wire import Row
from mappings.erp_data import FiscalPosition, Tax

HOME, ABROAD = 1, 2
DOMESTIC, INTRA, FREE = 11, 12, 13


def tax(number: int, name: str, **more: Any) -> Row:
    return {
        "id": number,
        "name": name,
        "amount": 19.0,
        "amount_type": "percent",
        "price_include": False,
        "company_id": 1,
        "country_id": 57,
        "active": True,
        "sequence": number,
        "include_base_amount": False,
        "is_base_affected": True,
        "children_tax_ids": [],
        "tax_scope": False,
        "type_tax_use": "purchase",
        **more,
    }


def position(number: int, name: str, **more: Any) -> Row:
    return {
        "id": number,
        "name": name,
        "company_id": 1,
        "sequence": number,
        "auto_apply": True,
        "vat_required": number == ABROAD,
        "country_id": False,
        "country_group_id": 5 if number == ABROAD else False,
        "state_ids": [],
        "zip_from": False,
        "active": True,
        **more,
    }


GROUPS: list[Row] = [{"id": 5, "country_ids": [75, 20]}]
MAPPED: list[Row] = [
    {"id": 1, "position_id": ABROAD, "tax_src_id": DOMESTIC, "tax_dest_id": INTRA},
    {"id": 2, "position_id": ABROAD, "tax_src_id": FREE, "tax_dest_id": False},
]
BEFORE_19: dict[str, list[Row]] = {
    "account.tax": [
        tax(DOMESTIC, "19 %", description="19"),
        tax(INTRA, "19 % intra-community", description="IC 19"),
        tax(FREE, "19 % other", description=False),
    ],
    "account.fiscal.position": [position(ABROAD, "European Union")],
    "account.fiscal.position.tax": MAPPED,
    "res.country.group": GROUPS,
}
SINCE_19: dict[str, list[Row]] = {
    "account.tax": [
        tax(DOMESTIC, "19 %", invoice_label="19", fiscal_position_ids=[]),
        tax(INTRA, "19 % intra-community", invoice_label="IC 19", fiscal_position_ids=[ABROAD]),
        tax(FREE, "19 % other", invoice_label=False, fiscal_position_ids=[]),
    ],
    "account.fiscal.position": [position(ABROAD, "European Union")],
    "res.country.group": GROUPS,
}


def read(tables: dict[str, list[Row]]) -> tuple[tuple[Tax, ...], tuple[FiscalPosition, ...]]:
    """What is made of an Odoo with these rows; of a model that it lacks there are none."""

    def rows(model: str, domain: Sequence[Any], names: str) -> list[Row]:
        return [
            {name: row[name] for name in ("id", *names.split()) if name in row}
            for row in tables.get(model, [])
        ]

    def country(value: Any) -> str:
        return {57: "DE", 75: "FR", 20: "BE"}.get(value, "")

    return read_taxes(rows, country, []), read_fiscal_positions(rows, country, [])


def test_both_data_models_lead_to_the_same_taxes_and_positions() -> None:
    assert read(BEFORE_19) == read(SINCE_19)


@pytest.mark.parametrize("tables", [BEFORE_19, SINCE_19])
def test_a_position_leads_to_its_taxes_and_to_no_other(tables: dict[str, list[Row]]) -> None:
    taxes, positions = read(tables)
    assert {one.id: one.fiscal_position_ids for one in taxes} == {DOMESTIC: (), INTRA: (ABROAD,), FREE: ()}
    [abroad] = positions
    assert abroad.countries == {"FR", "BE"}
    assert abroad.vat_required
    assert [one.label for one in taxes] == ["19", "IC 19", ""]


def test_several_positions_may_lead_to_one_tax() -> None:
    more: Row = {"id": 3, "position_id": HOME, "tax_src_id": DOMESTIC, "tax_dest_id": INTRA}
    tables = BEFORE_19 | {
        "account.fiscal.position.tax": [*MAPPED, more],
        "account.fiscal.position": [position(HOME, "Home"), position(ABROAD, "European Union")],
    }
    taxes, _ = read(tables)
    [intra] = [one for one in taxes if one.id == INTRA]
    assert intra.fiscal_position_ids == (ABROAD, HOME)
