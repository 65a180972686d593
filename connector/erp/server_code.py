"""Code that an administrator puts into Odoo once (`vouch prepare`), as its server actions hold it."""

from __future__ import annotations

from typing import Any

from connector.erp.port import BILL
from connector.erp.transport import Session
from connector.errors import SettingsError


def code_on_bills(session: Session, name: str, code: str) -> dict[str, Any]:
    """What an `ir.actions.server` or `ir.cron` that runs `code` on vendor bills has in common.

    Raises SettingsError where this Odoo has no bills.
    """
    models = session.rows("ir.model", [("model", "=", BILL)], ["id"])
    if not models:
        raise SettingsError("This Odoo has no vendor bills: install its app Invoicing or Accounting first")
    return {"name": name, "model_id": models[0]["id"], "state": "code", "code": code}
