"""Who may review: Odoo's own users, let in by Odoo itself and looked at again by Vouch's own login."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from pydantic import SecretStr

from connector.erp import values
from connector.erp.capabilities import may
from connector.erp.faults import ServerFault
from connector.erp.keys import endings
from connector.erp.odoo import OdooErp
from connector.erp.port import BILL, Erp
from connector.erp.transport import PooledJsonRpc, Session, open_session
from connector.erp.wire import AUTO, JSONRPC, Row, Wire
from connector.errors import AccessError, VouchError

if TYPE_CHECKING:
    from datetime import datetime

    from connector.erp.wire import Connection


class NotAllowed(AccessError):
    """Odoo knows the person, but they have no bills to review here."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A person whom Odoo let in.

    `companies` are those of theirs that Vouch works for here, None where these are all of them. `rights` stands for
    their groups and companies in Odoo: when they change, it does. `key_ends` is the earliest end of their API keys, where
    they came with one and Odoo tells.
    """

    user_id: int
    login: str
    name: str
    companies: frozenset[int] | None
    rights: str
    key_ends: datetime | None = None


class SecondFactorAsked(NotAllowed):
    """The password is right, but Odoo wants a second factor, and so takes an API key only (`auth_totp`)."""


class People(Protocol):
    """The people of one Backend."""

    def admit(self, login: str, secret: str) -> Admitted:
        """Let a person in with their password or API key.

        Raises AccessError where Odoo does not accept them, NotAllowed where they may not edit bills here,
        SecondFactorAsked where their password alone does not do, and
        AwayError while Odoo cannot be asked.
        """
        ...

    def rights(self, user_id: int) -> str | None:
        """`Admitted.rights` as they are now; None where the person is gone or archived. Raises AwayError."""
        ...

    def erp(self, login: str, key: str) -> Erp:
        """The Backend as that person, with an API key of theirs; to be closed."""
        ...


def is_administrator(erp: OdooErp) -> bool:
    """Whether Vouch's own login may change Odoo's system settings, which it never needs."""
    return may(erp.session, "ir.config_parameter", "write")


class OdooPeople:
    """The users of one Odoo. Safe to share between threads."""

    def __init__(self, own: OdooErp) -> None:
        self._own = own

    def admit(self, login: str, secret: str) -> Admitted:
        """See `People.admit`. Raises AccessError, NotAllowed, SecondFactorAsked or AwayError."""
        known = _as(self._own.settings, login, secret)
        try:
            session = open_session(known)
        except AccessError:
            asked = not known.has_key and self._asks_second_factor(known)
            self._forgive()
            if asked:
                raise SecondFactorAsked(
                    "Odoo asks this person for a second factor: let them sign in with an API key in place of the password "
                    "(Preferences, Account security)."
                ) from None
            raise
        try:
            return self._admitted(session, login, by_key=known.has_key)
        finally:
            session.close()

    def rights(self, user_id: int) -> str | None:
        """See `People.rights`."""
        session = self._own.session
        groups = (
            "all_group_ids" if self._own.capabilities().has("res.users", "all_group_ids") else "groups_id"
        )
        fields = ["login", "active", "share", "company_ids", groups]
        [*found] = session.rows("res.users", [("id", "=", user_id)], fields)
        if not found or not found[0]["active"] or found[0]["share"]:
            return None
        row = found[0]
        told = [row["login"], sorted(values.many(row["company_ids"])), sorted(values.many(row[groups]))]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def erp(self, login: str, key: str) -> OdooErp:
        """See `People.erp`."""
        return OdooErp(_as(self._own.settings, login, key), declared=self._own.declared)

    def _admitted(self, session: Session, login: str, *, by_key: bool) -> Admitted:
        fields = ["login", "name", "share", "company_ids"]
        [row] = session.rows("res.users", [("id", "=", session.user_id)], fields)
        if str(row["login"]).strip().lower() != login.strip().lower():
            # JSON-2 knows people by their key alone.
            raise AccessError("The key is another person's.")
        if row["share"] or not may(session, BILL, "write"):
            raise NotAllowed("This person may not edit bills in Odoo.")
        ours = frozenset(self._own.capabilities().companies)
        theirs = frozenset(values.many(row["company_ids"])) & ours
        rights = self.rights(session.user_id)
        if not theirs or rights is None:
            raise NotAllowed("This person works in none of the companies that Vouch works for.")
        ends = next((one.ends_at for one in endings(session)), None) if by_key else None
        return Admitted(
            session.user_id,
            str(row["login"]),
            str(row["name"]),
            None if theirs == ours else theirs,
            rights,
            ends,
        )

    def _asks_second_factor(self, known: Connection) -> bool:
        """Whether Odoo's own sign-in takes the password and then wants more; it tells so to nobody with a wrong one.

        `/web/session/authenticate` answers then without a user (`web.controllers.session`).
        """
        parts = {"db": known.database, "login": known.login, "password": known.secret.get_secret_value()}
        wire = Wire(known)
        try:
            answer = wire.post(
                "/web/session/authenticate", {"jsonrpc": "2.0", "method": "call", "params": parts, "id": 1}
            )
        except (VouchError, ServerFault):
            return False
        finally:
            wire.close()
        reply = cast(Row, answer) if isinstance(answer, dict) else {}
        return isinstance(reply.get("result"), dict) and reply["result"].get("uid", 0) is None

    def _forgive(self) -> None:
        """Odoo shuts an address out after ten failures in a row: a good sign-in of ours ends the row.

        `res.users._assert_can_auth` counts by address, and to Odoo all our people have Vouch's. What slows
        guessing down is `connector.review.lockout`.
        """
        settings = self._own.settings.current()
        if not settings.login:
            return
        wire = Wire(settings)
        try:
            PooledJsonRpc(wire).send(
                "common", "login", settings.database, settings.login, settings.secret.get_secret_value()
            )
        except (VouchError, ServerFault):
            # The next poll tells what is wrong with Vouch's own login.
            return
        finally:
            wire.close()


def _as(settings: Connection, login: str, secret: str) -> Connection:
    """The same Odoo as another person; a password goes by JSON-RPC, and so does a key before Odoo 19."""
    theirs = settings.of(login, SecretStr(secret), AUTO)
    return theirs if theirs.has_key else replace(theirs, protocol=JSONRPC)
