"""A vendor that Odoo lacks, made from what a person confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.erp import values
from connector.erp.answers import as_numbers
from connector.erp.port import Capabilities, Choice
from connector.erp.transport import Session
from connector.errors import AccessError, RetriableError, SkippableError
from mappings.folding import fold_tax_id

# Never bank details: they are entered in Odoo, after a call to the vendor.
VENDOR_FIELDS = frozenset(
    {
        "name",
        "vat",
        "company_registry",
        "email",
        "phone",
        "website",
        "street",
        "street2",
        "zip",
        "city",
        "country_code",
        "is_company",
    }
)


def create_vendor(
    session: Session, capabilities: Capabilities, details: Mapping[str, str | bool], company: int | None
) -> Choice:
    """See `connector.erp.port.Erp.create_vendor`."""
    if unknown := details.keys() - VENDOR_FIELDS:
        raise SkippableError(f"A vendor is not made with {', '.join(sorted(unknown))}", "refused")
    name = str(details.get("name", "")).strip()
    if not name:
        raise SkippableError("A vendor needs a name", "refused")
    if company is not None and company not in capabilities.companies:
        raise SkippableError(f"Vouch does not work for the company {company}", "refused")
    vat = str(details.get("vat", "")).strip()
    if known := _known(session, name, vat):
        return known
    vals: dict[str, Any] = {
        key: value.strip() if isinstance(value, str) else value
        for key, value in details.items()
        if value != "" and key != "country_code" and capabilities.has("res.partner", key)
    }
    if code := str(details.get("country_code", "")).strip():
        countries = session.rows("res.country", [("code", "=", code.upper())], ["id"], limit=1)
        if not countries:
            raise SkippableError(f"Odoo knows no country {code}", "refused")
        vals["country_id"] = int(countries[0]["id"])
    if capabilities.has("res.partner", "supplier_rank"):
        vals["supplier_rank"] = 1
    context = {"allowed_company_ids": [company] if company is not None else list(capabilities.companies)}
    try:
        answer = session.write("res.partner", "create", args={"vals_list": [vals]}, context=context)
    except AccessError as error:
        raise AccessError(
            f"Odoo does not let Vouch make contacts: give its user the role Contact: Creation, or make {name} in Odoo. {error}"
        ) from None
    except RetriableError:
        # Whether it happened is not known: what is there now tells.
        if known := _known(session, name, vat):
            return known
        raise
    [number] = as_numbers(answer, "res.partner.create", 1)
    return Choice(number, name, _detail(vat, str(vals.get("city", ""))))


def _known(session: Session, name: str, vat: str) -> Choice | None:
    """The partner of that name and tax id; Odoo may write the id without its spaces and dots."""
    domain = [("name", "=", name), ("parent_id", "=", False)]
    for row in session.rows("res.partner", domain, ["name", "vat", "city"], context={"active_test": True}):
        if fold_tax_id(values.text(row["vat"])) == fold_tax_id(vat):
            detail = _detail(values.text(row["vat"]), values.text(row["city"]))
            return Choice(int(row["id"]), values.text(row["name"]), detail)
    return None


def _detail(vat: str, city: str) -> str:
    return " · ".join(part for part in (vat, city) if part)
