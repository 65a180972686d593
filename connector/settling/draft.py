"""A person's edits made fit to keep: texts become values, and what cannot be is told with its target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from babel.dates import get_date_format
from babel.numbers import get_decimal_symbol

from connector.settling.edits import Edit, SetValue
from connector.settling.form import ORDERED, Cell, empty_line
from connector.settling.typed import Conventions, conventions_of, typed_value

if TYPE_CHECKING:
    from babel import Locale

    from connector.settling.fold import Ground
    from connector.settling.form import Form
    from inference.invoice import Reading
    from mappings.index import ErpIndex

LONGEST = 2000
LARGEST = 15
"""So many digits before the decimal mark, and after it, has no figure of a bill."""


class UnfitEdit(ValueError):
    """An edit that cannot be kept: at which target, and why."""

    def __init__(self, target: str, message: str, code: str = "unfit") -> None:
        super().__init__(message)
        self.target, self.code = target, code


class UnknownRecord(UnfitEdit):
    """A record that the data at hand do not have: it may be new in the ERP."""


def conventions_of_locale(locale: Locale) -> Conventions:
    """How people of that locale write numbers and dates."""
    pattern = get_date_format("short", locale=locale).pattern
    order = "".join(part for part in "dMy" if part in pattern)
    places = sorted(order, key=pattern.index)
    written = "".join(places).lower()
    return Conventions(get_decimal_symbol(locale), written if written in ("dmy", "mdy") else "")


def fitted(edits: Sequence[Edit], ground: Ground, form: Form, own: Conventions) -> list[Edit]:
    """The edits with a value each. Raises UnfitEdit for the first that cannot be kept."""
    line = empty_line("l0", ground.model, ground.fields, orders=ground.orders)
    paper = conventions_of(_words(ground.reading))
    vendor = form.header["partner_id"].value if "partner_id" in form.header else None
    found: list[Edit] = []
    for edit in edits:
        if isinstance(edit, SetValue):
            name = edit.target.rpartition(".")[2]
            cell = line.cells.get(name) if edit.target.startswith("lines.") else form.header.get(edit.target)
            if cell is None or not cell.editable:
                raise UnfitEdit(edit.target, f"There is no value {edit.target} to change.")
            fit = _with_value(edit, cell, paper, own)
            if fit.target == "partner_id":
                vendor = fit.value
            _require(fit, cell, ground.index, vendor)
            found.append(fit)
        else:
            found.append(edit)
    return found


def _words(reading: Reading | None) -> Iterable[str]:
    """The document's own words, as far as they were read."""
    if reading is None:
        return
    rows = (reading.fields, *reading.lines, *reading.vat_breakdown)
    for row in rows:
        for field in row.values():
            yield from (proof.text for proof in field.evidence if proof.text)


def _with_value(edit: SetValue, cell: Cell, paper: Conventions, own: Conventions) -> SetValue:
    if edit.text is None:
        return edit
    if not edit.text.strip():
        value: Any = None
    elif cell.kind in ("record", "records", "choice"):
        raise UnfitEdit(edit.target, "Choose one of the records of Odoo.", "unreadable")
    else:
        try:
            value = typed_value(cell.kind, edit.text, paper, None if edit.evidence else own)
        except ValueError as error:
            raise UnfitEdit(edit.target, str(error), "unreadable") from None
    if edit.evidence is None:
        return SetValue(target=edit.target, value=value)
    return SetValue(target=edit.target, value=value, evidence=edit.evidence)


def _require(edit: SetValue, cell: Cell, index: ErpIndex | None, vendor: Any) -> None:
    """Raise UnfitEdit unless the value is of the field's kind, and its records are there."""
    value, target = edit.value, edit.target
    if value is None or value == "":
        return
    match cell.kind:
        case "date":
            _require_day(value, target)
        case "amount" | "quantity" | "percent":
            _require_number(value, target, cell.kind)
        case "record":
            if not isinstance(value, int) or isinstance(value, bool):
                raise UnfitEdit(target, "The value must be the id of a record.")
            _require_known(cell, (value,), index, vendor, target)
        case "records":
            if not isinstance(value, list):
                raise UnfitEdit(target, "The value must be a list of ids.")
            _require_known(cell, tuple(value), index, vendor, target)
        case "choice":
            if value not in dict(cell.options):
                raise UnfitEdit(target, f"{value} is none of the choices.")
        case _:
            if not isinstance(value, str) or len(value) > LONGEST:
                raise UnfitEdit(target, "The value must be a text.")


def _require_day(value: Any, target: str) -> None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2200:
        raise UnfitEdit(target, f"{value} is not a date. Write it as 2025-02-28.")


def _require_number(value: Any, target: str, kind: str) -> None:
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise UnfitEdit(target, f"{value} is not a number.")
    digits = -int(number.as_tuple().exponent)
    if digits > LARGEST or (number and number.adjusted() > LARGEST):
        raise UnfitEdit(target, f"{value} has more digits than a bill can have.")
    if kind == "percent" and not 0 <= number <= 100:
        raise UnfitEdit(target, f"{value} is not a percentage from 0 to 100.")


def _require_known(
    cell: Cell, ids: tuple[int, ...], index: ErpIndex | None, vendor: Any, target: str
) -> None:
    if index is None:
        return
    match cell.name:
        case "partner_bank_id":
            accounts = index.accounts_of(vendor) if isinstance(vendor, int) else []
            known = {account.id for account in accounts if account.active}
            message = "The bank account is not one of the vendor's in Odoo."
        case "purchase_line_id":
            known = {line.id for order in index.orders.values() for line in order.lines}
            message = "Odoo has no such line of an open order."
        case _:
            tables = {
                "partner_id": index.partners,
                "currency_id": index.currencies,
                "account_id": index.accounts,
                "product_id": index.products,
                "tax_ids": index.taxes,
                ORDERED: index.orders,
            }
            if cell.name not in tables:
                return
            known = set(tables[cell.name])
            message = "Odoo has no such record, or does not show it to Vouch."
    if not known.issuperset(ids):
        raise UnknownRecord(target, message)
