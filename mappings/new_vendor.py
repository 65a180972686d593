"""A vendor that Odoo does not have, made ready from the document for a person to create."""

from __future__ import annotations

import re

from inference.invoice import Field
from mappings.case import Case
from mappings.erp_data import Scalar
from mappings.folding import domain_of, fold_tax_id
from mappings.proposal import NewVendor, ProposedValue

# Field of `res.partner` -> the terms that tell it, best first.
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("seller_name",),
    "vat": ("seller_vat_id", "seller_tax_id"),
    "company_registry": ("seller_registration",),
    "email": ("seller_email",),
    "website": ("seller_website",),
    "country_code": ("seller_country",),
}
_ZIP_CITY = re.compile(
    r"(?:[A-Z]{1,2}-)?(?P<zip>\d{4,6}|\d{3} \d{2}|\d{4} [A-Z]{2}|\d{2}-\d{3})\s+(?P<city>\D{2,})"
)
_PREFIX = re.compile(r"[A-Z]{2}(?=[A-Z]{0,2}\d)")


def new_vendor(case: Case) -> NewVendor | None:
    """The values of a new `res.partner`, each as the document prints it; None where not even a name is there."""
    if not case.reading.text("seller_name"):
        return None
    values: dict[str, ProposedValue] = {}
    for name, terms in FIELDS.items():
        term = next((term for term in terms if case.reading.get(term)), None)
        if term and (found := case.reading.get(term)):
            values[name] = _printed(found, term, found.value)
    values |= _address(case)
    if "country_code" not in values and (country := _country_of(case)):
        values["country_code"] = country
    if "website" not in values and (site := _site_of(case)):
        values["website"] = site
    values["is_company"] = ProposedValue(True, 1.0, "Vendors are companies unless a person says otherwise.")
    return NewVendor(values, case.reading.text("payment_account") or "")


def _printed(found: Field, term: str, value: Scalar) -> ProposedValue:
    return ProposedValue(value, found.confidence, "As printed.", (term,))


def _address(case: Case) -> dict[str, ProposedValue]:
    """Street, postcode and town; all of it as the street where it has another form."""
    term = "seller_address"
    found, text = case.reading.get(term), case.reading.text(term)
    if found is None or not text:
        return {}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for position, part in enumerate(parts):
        if position and (town := _ZIP_CITY.fullmatch(part)):
            told = {"street": ", ".join(parts[:position]), "zip": town["zip"], "city": town["city"].strip()}
            return {name: _printed(found, term, value) for name, value in told.items()}
    return {"street": _printed(found, term, text)}


def _country_of(case: Case) -> ProposedValue | None:
    for term in ("seller_vat_id", "payment_account"):
        found = case.reading.get(term)
        folded = fold_tax_id(case.reading.text(term) or "")
        prefix = _PREFIX.match(folded)
        if found and prefix:
            code = "GR" if prefix[0] == "EL" else prefix[0]
            what = "tax ID" if term == "seller_vat_id" else "bank account"
            return ProposedValue(
                code, found.confidence * 0.95, f"The {what} begins with {prefix[0]}.", (term,)
            )
    return None


def _site_of(case: Case) -> ProposedValue | None:
    found, domain = case.reading.get("seller_email"), domain_of(case.reading.text("seller_email") or "")
    if found is None or not domain:
        return None
    return ProposedValue(
        domain, found.confidence * 0.8, "The domain of the e-mail address.", ("seller_email",)
    )
