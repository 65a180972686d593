"""Several draft bills out of one: all made in one call, known again by the key in their notes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from connector.erp import effects
from connector.erp.answers import as_numbers
from connector.erp.port import BILL, Capabilities, Effect, Upload
from connector.erp.transport import Session
from connector.errors import SkippableError
from mappings.erp_data import Record


def divide(
    session: Session, capabilities: Capabilities, bill: Record, uploads: Sequence[Upload], key: str, note: str
) -> tuple[int, ...]:
    """A draft bill like `bill` for each document; those that the key names already, where there are."""
    if made := _made(session, key):
        return made
    if not capabilities.has(BILL, "attachment_ids"):
        raise SkippableError("Splitting needs Odoo 17 or later: split the document in Odoo.", "refused")
    effect = Effect(key, BILL, bill.id, "", note=note)
    context = {**effects.context(bill), "default_move_type": bill.kind}
    bills = [
        {
            "move_type": bill.kind,
            "attachment_ids": [[0, 0, _attachment(upload)]],
            "message_ids": [[0, 0, {"model": BILL, "body": effects.note(effect), "message_type": "comment"}]],
        }
        for upload in uploads
    ]
    answer = session.write(BILL, "create", args={"vals_list": bills}, context=context)
    created = as_numbers(answer, f"{BILL}.create", len(bills))
    rows = session.rows("ir.attachment", [("res_model", "=", BILL), ("res_id", "in", created)], ["id"])
    for row in rows:
        session.write("ir.attachment", "register_as_main_attachment", [int(row["id"])], {"force": False})
    return tuple(created)


def _made(session: Session, key: str) -> tuple[int, ...]:
    domain = [("model", "=", BILL), ("body", "ilike", effects.mark(key))]
    rows = session.rows("mail.message", domain, ["res_id"])
    return tuple(sorted({int(row["res_id"]) for row in rows}))


def _attachment(upload: Upload) -> dict[str, Any]:
    return {"name": upload.name, "datas": base64.b64encode(upload.data).decode("ascii"), "res_model": BILL}
