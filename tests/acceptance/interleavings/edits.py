"""What a person does to a draft bill in Odoo's own screens, and how to see whether it is still there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.odoo.administrator import Administrator, MailedFile
from tests.acceptance.invariants import BILL

DAY, DUE = "2026-03-04", "2027-03-31"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """What an edit needs to know of the database: a vendor whom no document names, and another company's journal."""

    vendor: int
    company: int
    journal: int
    spare: MailedFile


@dataclass(frozen=True)
class Edit:
    """One thing a person does. `do` gives what must be there afterwards, by field; `touches` says that Vouch must keep its
    hands off the bill from then on."""

    name: str
    do: Callable[[Administrator, Place, int], Mapping[str, Any]]
    touches: bool = True


def _writes(**vals: Any) -> Callable[[Administrator, Place, int], Mapping[str, Any]]:
    def do(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
        found = {name: value(place) if callable(value) else value for name, value in vals.items()}
        odoo.call(BILL, "write", [bill], found)
        return found

    return do


def _hand_line() -> dict[str, Any]:
    return {"name": f"by hand {next(_numbers)}", "quantity": 1, "price_unit": 7.5, "tax_ids": [(6, 0, [])]}


def _add_line(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    line = _hand_line()
    odoo.call(BILL, "write", [bill], {"invoice_line_ids": [(0, 0, line)]})
    return {"line": (line["name"], 7.5)}


def _lines(odoo: Administrator, bill: int) -> list[dict[str, Any]]:
    domain = [["move_id", "=", bill], ["display_type", "=", "product"]]
    return odoo.find("account.move.line", domain, ["name", "price_unit"])


def _change_line(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    lines = _lines(odoo, bill)
    if not lines:
        return _add_line(odoo, place, bill)
    name = f"changed by hand {next(_numbers)}"
    odoo.call(
        BILL, "write", [bill], {"invoice_line_ids": [(1, lines[0]["id"], {"name": name, "price_unit": 3.25})]}
    )
    return {"line": (name, 3.25)}


def _remove_line(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    lines = _lines(odoo, bill)
    if not lines:
        return _add_line(odoo, place, bill)
    odoo.call(BILL, "write", [bill], {"invoice_line_ids": [(2, lines[0]["id"])]})
    return {"no line": lines[0]["id"]}


def _fill_by_hand(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    line = _hand_line()
    vals = {"partner_id": place.vendor, "ref": f"HAND-{next(_numbers)}", "invoice_date": DAY}
    odoo.call(BILL, "write", [bill], {**vals, "invoice_line_ids": [(0, 0, line)]})
    return {**vals, "line": (line["name"], 7.5)}


def _post(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    kept = _fill_by_hand(odoo, place, bill)
    odoo.call(BILL, "action_post", [bill])
    return {**kept, "state": "posted"}


def _post_and_reset(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    kept = _post(odoo, place, bill)
    odoo.call(BILL, "button_draft", [bill])
    return {**kept, "state": "draft"}


def _cancel(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    odoo.call(BILL, "button_cancel", [bill])
    return {"state": "cancel"}


def _delete(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    odoo.call(BILL, "unlink", [bill])
    return {"gone": True}


def _attachments(odoo: Administrator, bill: int) -> list[int]:
    domain = [["res_model", "=", BILL], ["res_id", "=", bill]]
    return [row["id"] for row in odoo.find("ir.attachment", domain, ["id"])]


def _take_off(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    ids = _attachments(odoo, bill)
    odoo.call("ir.attachment", "unlink", ids)
    return {"no attachment": ids}


def _replace(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    kept = _take_off(odoo, place, bill)
    return {**kept, "attachment": odoo.attach(BILL, bill, place.spare)}


def _say(odoo: Administrator, place: Place, bill: int) -> Mapping[str, Any]:
    said = f"said by hand {next(_numbers)}"
    odoo.call(BILL, "message_post", [bill], body=said, message_type="comment")
    return {"note": said}


EDITS: tuple[Edit, ...] = (
    Edit("vendor", _writes(partner_id=lambda place: place.vendor)),
    Edit("reference", _writes(ref=lambda _: f"HAND-{next(_numbers)}")),
    Edit("date", _writes(invoice_date=DAY)),
    Edit("due date", _writes(invoice_date_due=DUE)),
    Edit("line added", _add_line),
    Edit("line changed", _change_line),
    Edit("line removed", _remove_line),
    Edit("all filled by hand", _fill_by_hand),
    Edit("posted", _post),
    Edit("posted, reset to draft", _post_and_reset),
    Edit("cancelled", _cancel),
    Edit("deleted", _delete),
    Edit("attachment taken off", _take_off, touches=False),
    Edit("attachment replaced", _replace, touches=False),
    Edit("moved to another company", _writes(journal_id=lambda place: place.journal)),
    Edit("note", _say, touches=False),
)


def missing(odoo: Administrator, bill: int, kept: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for everything that a person wrote and that is not there any more."""
    rows = odoo.find(
        BILL, [["id", "=", bill]], [name for name in kept if name.isidentifier() and name not in _OTHER]
    )
    if "gone" in kept:
        if rows:
            yield f"bill {bill} was deleted and is there"
        return
    if not rows:
        yield f"bill {bill} is gone"
        return
    for name, value in kept.items():
        yield from _missing(odoo, bill, rows[0], name, value)


_OTHER = ("line", "gone", "note", "attachment")


def _missing(odoo: Administrator, bill: int, row: Mapping[str, Any], name: str, value: Any) -> Iterator[str]:
    if name == "line":
        there = [(line["name"], line["price_unit"]) for line in _lines(odoo, bill)]
        if value not in there:
            yield f"bill {bill}: the line {value} is lost; there are {there}"
    elif name == "no line":
        if any(line["id"] == value for line in _lines(odoo, bill)):
            yield f"bill {bill}: line {value} was removed and is there"
    elif name == "note":
        domain = [["model", "=", BILL], ["res_id", "=", bill], ["body", "ilike", value]]
        if len(odoo.find("mail.message", domain, ["id"])) != 1:
            yield f"bill {bill}: the note “{value}” is lost"
    elif name == "attachment":
        if value not in _attachments(odoo, bill):
            yield f"bill {bill}: the new attachment is lost"
    elif name == "no attachment":
        if set(value) & set(_attachments(odoo, bill)):
            yield f"bill {bill}: an attachment that was taken off is there"
    else:
        shown = row[name][0] if isinstance(row[name], list) else row[name]
        if shown != value:
            yield f"bill {bill}: {name} was set to {value} by hand and is {shown}"
