"""API keys of the user that Vouch logs in as: when they end, and how one takes the place of another.

`res.users.apikeys` of Odoo: the end since 18; `generate` and `revoke` in builds of 19 from 2026 on, for administrators, and
for all where the system parameter `base.enable_programmatic_api_keys` is true. An older Odoo makes and removes keys only after
the user's password was typed in (`check_identity`), which a program with a key alone cannot do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connector.erp import values
from connector.erp.faults import NoModelError
from connector.errors import AccessError, OutcomeUnknown, RetriableError, VouchError

if TYPE_CHECKING:
    from connector.erp.transport import Session

MODEL = "res.users.apikeys"
PARAMETER = "base.enable_programmatic_api_keys"
_ENGLISH = {"lang": "en_US"}
BY_HAND = "make a new one in Odoo (Preferences, Account security) and put it in the old one's place"


class NotRenewed(AccessError):
    """Odoo does not let this login renew its key. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class KeyEnding:
    """A key that ends, and how long it lives in all."""

    ends_at: datetime
    lifetime: timedelta


def endings(session: Session) -> tuple[KeyEnding, ...]:
    """Of this user's keys those that end some day, the earliest first; none where Odoo does not tell."""
    try:
        if "expiration_date" not in session.read(MODEL, "fields_get", attributes=["type"]):
            return ()
        rows = session.rows(MODEL, [("user_id", "=", session.user_id)], ["create_date", "expiration_date"])
    except (AccessError, NoModelError):
        return ()
    found: list[KeyEnding] = []
    for row in rows:
        made, end = values.moment(row["create_date"]), values.moment(row["expiration_date"])
        if made is not None and end is not None:
            found.append(KeyEnding(end, end - made))
    return tuple(sorted(found, key=lambda one: one.ends_at))


def generate(session: Session, key: str, name: str, ends_at: datetime) -> str:
    """A new key of the same user, made with a good one. Raises NotRenewed, and RetriableError while Odoo is away."""
    arguments = {"key": key, "scope": "rpc", "name": name, "expiration_date": f"{ends_at:%Y-%m-%d %H:%M:%S}"}
    try:
        made = session.write(MODEL, "generate", args=arguments, context=_ENGLISH)
    except RetriableError:
        raise
    except VouchError as error:
        raise NotRenewed(_why(str(error))) from None
    if not isinstance(made, str) or not made.strip():
        raise NotRenewed(f"Odoo gave no key: {BY_HAND}.")
    return made


def revoke(session: Session, key: str) -> None:
    """End a key of the same user. Raises NotRenewed, and RetriableError while Odoo is away."""
    try:
        session.write(MODEL, "revoke", args={"key": key}, context=_ENGLISH)
    except OutcomeUnknown:
        raise
    except VouchError as error:
        if isinstance(error, RetriableError):
            raise
        raise NotRenewed(_why(str(error))) from None


def _why(said: str) -> str:
    if "does not exist" in said:
        return f"This Odoo cannot renew keys (it has no {MODEL}.generate; builds of Odoo 19 from 2026 on have it): {BY_HAND}."
    if "not enabled" in said:
        return f"Odoo does not let this user renew keys: set the system parameter {PARAMETER} to True, or {BY_HAND}."
    return f"Odoo did not renew the key ({said.rstrip('.')}): {BY_HAND}."
