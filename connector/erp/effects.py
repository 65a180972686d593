"""An Effect becomes one `vals` object, so that Odoo carries it out in one transaction or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from html import escape, unescape
from typing import Any, cast

from connector.erp import values
from connector.erp.answers import as_number, as_row, odd
from connector.erp.port import BILL, Activity, Capabilities, Effect
from connector.erp.records import Shape
from connector.erp.transport import Session
from connector.errors import AccessError, FatalError
from mappings.erp_data import Record

VAT_SINCE = 19
SIGNED = "<small>Vouch "
"""What stands before the key in every note."""
_KEY = re.compile(re.escape(SIGNED) + r"([^<]{1,64})</small>")


def markup(text: str) -> str:
    """Plain text as HTML, one paragraph a line, everything in it escaped."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def note(effect: Effect) -> str:
    """The chatter note with the Effect's key as its last paragraph."""
    return f"{markup(effect.note)}<p>{_signed(effect.key)}</p>"


def mark(key: str) -> str:
    """A pattern for `ilike` that finds the note with this key and no other."""
    return _signed(key).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def keys(body: str) -> list[str]:
    """The keys in a note's HTML."""
    return [unescape(key) for key in _KEY.findall(body)]


def _signed(key: str) -> str:
    # Odoo's sanitizer writes quotes out, so they are not escaped here: the search would miss them.
    return f"{SIGNED}{escape(key, quote=False)}</small>"


@dataclass(slots=True)
class Effects:
    """Builds `vals`; looks up the ids of Odoo's own data (note type, to-do type, model) once."""

    session: Session
    keeps_done: bool = True
    _ids: dict[str, int] = field(default_factory=dict[str, int], repr=False)

    def prepare(self, effect: Effect) -> None:
        """Ask for what `vals` needs to know and does not yet, so that nothing is asked between a look and a write."""
        self._xmlid("mail", "mt_note")
        if effect.activity:
            self._model_id(effect.model)
            self._xmlid("mail", "mail_activity_data_todo")

    def vals(self, effect: Effect, shape: Shape, record: Record) -> dict[str, Any]:
        """Values, lines, note and activity for one `write` on the record."""
        found = values.vals(effect.values)
        if effect.lines or effect.removed_lines:
            found[shape.lines] = [
                *([2, number, 0] for number in effect.removed_lines),
                *(_command(line, shape.renames()) for line in effect.lines),
            ]
        if effect.vat:
            found["tax_totals"] = _tax_totals(effect.vat)
        found["message_ids"] = [[0, 0, self._message(effect)]]
        to_do: list[list[Any]] = []
        if effect.activity:
            to_do.append([0, 0, self._activity(effect.activity, effect.model, record)])
        # Odoo archives what is done, from 17 on; before, it deletes it.
        to_do.extend(
            [1, done, {"active": False}] if self.keeps_done else [2, done, 0]
            for done in effect.done
            if done in record.activity_ids
        )
        return found | ({"activity_ids": to_do} if to_do else {})

    def _message(self, effect: Effect) -> dict[str, Any]:
        return {
            "model": effect.model,
            "res_id": effect.record_id,
            "body": note(effect),
            "message_type": "comment",
            "subtype_id": self._xmlid("mail", "mt_note"),
        }

    def _activity(self, activity: Activity, model: str, record: Record) -> dict[str, Any]:
        return {
            "res_model_id": self._model_id(model),
            "activity_type_id": self._xmlid("mail", "mail_activity_data_todo"),
            "summary": activity.summary,
            "note": markup(activity.note),
            "date_deadline": datetime.now(UTC).date().isoformat(),
            "user_id": activity.user_id or record.responsible_id or self.session.user_id,
        }

    def _model_id(self, model: str) -> int:
        """The id of an `ir.model`, which only administrators may read: an activity's default tells it."""
        if model not in self._ids:
            defaults = self.session.read(
                "mail.activity",
                "default_get",
                args={"fields": ["res_model", "res_model_id"]},
                context={"default_res_model": model},
            )
            told = as_row(defaults, "mail.activity.default_get", ("res_model_id",))
            self._ids[model] = as_number(told["res_model_id"], "mail.activity.default_get")
        return self._ids[model]

    def _xmlid(self, module: str, name: str) -> int:
        known = f"{module}.{name}"
        if known not in self._ids:
            found = self.session.read(
                "ir.model.data", "check_object_reference", args={"module": module, "xml_id": name}
            )
            if not isinstance(found, list) or len(cast(list[Any], found)) != 2:
                raise odd("ir.model.data.check_object_reference", "a model and a number")
            number = cast(list[Any], found)[1]
            if not number:
                raise AccessError(
                    f"Odoo does not show {known} to this user: give the user the role Internal User"
                )
            self._ids[known] = as_number(number, "ir.model.data.check_object_reference")
        return self._ids[known]


def corrects_vat(capabilities: Capabilities) -> bool:
    """Whether this Odoo sets a bill's VAT in the write that adds its lines: seen on 19, so not taken for granted below."""
    return capabilities.major >= VAT_SINCE and capabilities.has(BILL, "tax_totals")


def _tax_totals(vat: Mapping[int, Decimal]) -> dict[str, Any]:
    """What the web client sends where a person corrects VAT under the lines: Odoo applies it after it has computed them.

    Source: `account.move` of Odoo 19 (`write`, `_inverse_tax_totals`).
    """
    groups = [{"id": group, "tax_amount_currency": float(amount)} for group, amount in vat.items()]
    return {"subtotals": [{"tax_groups": groups}]}


def _command(line: Mapping[str, Any], renames: Mapping[str, str]) -> list[Any]:
    """The x2many command: change the line that `id` names, else add one."""
    vals = values.vals({name: value for name, value in line.items() if name != "id"}, renames)
    return [1, line["id"], vals] if "id" in line else [0, 0, vals]


def context(record: Record, effect: Effect | None = None) -> Mapping[str, Any]:
    """The context to write in: the record's company, or the one that it goes to, and Odoo's mark of a person's work left
    alone."""
    if not record.company_id:
        raise FatalError(f"{record.display_name} has no company")
    goes_to = effect.values.get("company_id") if effect else None
    companies = [record.company_id, *([goes_to] if goes_to else [])]
    return {"allowed_company_ids": companies, "skip_is_manually_modified": True}
