"""The fiscal position of a vendor, as Odoo finds it, and whose VAT a document charges."""

from __future__ import annotations

from mappings.case import Case
from mappings.erp_data import FiscalPosition, Partner
from mappings.folding import fold_tax_id

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)  # Northern Ireland (XI) counts as the United Kingdom here: only its goods are in the union.
GREECE = "EL"


def fiscal_position(case: Case, vendor: Partner | None) -> FiscalPosition | None:
    """The vendor's own fiscal position, else the first automatic one that its country and tax id fit.

    Source: `account.fiscal.position` (`_get_fiscal_position`). A position for states or postcodes is left out: the
    snapshot does not hold a vendor's.
    """
    if vendor is None:
        return None
    known = {one.id: one for one in case.index.data.fiscal_positions}
    own = known.get(vendor.fiscal_position_id or 0)
    if own:
        return own
    if not vendor.country:
        return None
    fitting = (
        one
        for one in known.values()
        if one.auto_apply
        and not one.regional
        and case.within_company(one.company_id)
        and (vendor.country in one.countries or not one.countries)
        and (not one.vat_required or len(fold_tax_id(vendor.vat)) > len("DE"))
    )
    return min(fitting, key=lambda one: (_distance(case, one), one.sequence, one.id), default=None)


def _distance(case: Case, one: FiscalPosition) -> int:
    """How many companies up the family: our own positions come before a parent's."""
    return case.family.index(one.company_id) if one.company_id in case.family else len(case.family)


def taxing_country(case: Case, vendor: Partner | None) -> str:
    """Whose VAT the document charges: that of the tax id it prints, else the vendor's; empty where nothing tells."""
    printed = fold_tax_id(case.reading.text("seller_vat_id") or "")
    prefix = "GR" if printed.startswith(GREECE) else printed[:2]
    if prefix in EU or (prefix and vendor is not None and prefix == vendor.country):
        return prefix
    return vendor.country if vendor else ""
