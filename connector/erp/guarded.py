"""A write that Odoo itself makes only on a record that nobody changed: compared and written in one transaction.

Odoo's RPC knows no such write, and between Vouch's last look at a record and its write a person may save. An administrator
installs this server action once (`vouch prepare`); it runs with the rights of whoever calls it. PostgreSQL lets one of
two transactions that write the same record go first, and Odoo begins the other anew: it compares again then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.erp.answers import as_row, as_rows
from connector.erp.port import BILL
from connector.erp.server_code import code_on_bills
from connector.erp.transport import Session
from connector.errors import AwayError, OutcomeUnknown

NAME = "Vouch: write where nobody changed the record"
CHANGED = "vouch: changed meanwhile"
_ASKED = "vouch_write"
# No view has this type, so the action is in no menu; only bound actions are shown to who may not read actions.
_NOWHERE = "vouch"

CODE = f"""
asked = env.context['{_ASKED}']
clean = {{key: value for key, value in env.context.items() if key != '{_ASKED}'}}
record = env[asked['model']].with_context(clean).browse(asked['id'])

def plain(value):
    if isinstance(value, dict):
        return {{key: plain(part) for key, part in value.items()}}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value).split('.')[0]

if plain(record.web_read(asked['specification'])) != plain([asked['expected']]):
    raise UserError('{CHANGED}')
record.write(asked['vals'])
action = {{'rows': plain(record.web_read(asked['specification']))}}
"""


def install(session: Session) -> bool:
    """Install the action, or bring it up to date; whether anything was done. The session must be an administrator's."""
    found = session.rows("ir.actions.server", [("name", "=", NAME)], ["code"], limit=1)
    if found and str(found[0]["code"]).strip() == CODE.strip():
        return False
    if found:
        session.write("ir.actions.server", "write", [int(found[0]["id"])], {"vals": {"code": CODE}})
        return True
    action = code_on_bills(session, NAME, CODE)
    action |= {"binding_model_id": action["model_id"], "binding_view_types": _NOWHERE}
    session.write("ir.actions.server", "create", args={"vals_list": [action]})
    return True


def installed(session: Session) -> int | None:
    """The action's id; None where no administrator installed it."""
    bound = session.read("ir.actions.actions", "get_bindings", args={"model_name": BILL})
    found = as_rows(
        as_row(bound, "ir.actions.actions.get_bindings").get("action", []), "get_bindings", ("id",)
    )
    return next((int(one["id"]) for one in found if one.get("name") == NAME), None)


def write(
    session: Session,
    action: int,
    model: str,
    record_id: int,
    expected: Mapping[str, Any],
    vals: Mapping[str, Any],
    specification: Mapping[str, Any],
    context: Mapping[str, Any],
) -> Any:
    """The rows as `web_save` gives them. `expected` is the record as `web_read` gave it by the specification.

    Raises SkippableError with `CHANGED` in it where the record is another by now: nothing was written.
    """
    asked = {
        "model": model,
        "id": record_id,
        "expected": dict(expected),
        "vals": dict(vals),
        "specification": dict(specification),
    }
    answer = session.write("ir.actions.server", "run", [action], context={**context, _ASKED: asked})
    try:
        return as_row(answer, "ir.actions.server.run", ("rows",))["rows"]
    except AwayError as error:
        raise OutcomeUnknown(str(error)) from error
