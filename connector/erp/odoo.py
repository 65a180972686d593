"""Odoo 16 and later behind the port `Erp`."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from connector.erp import capabilities, dividing, effects, field_check, guarded, records, values, vendors
from connector.erp import search as choosing
from connector.erp.answers import as_numbers, as_rows, odd
from connector.erp.catalog import Catalog
from connector.erp.discovery import Discovery
from connector.erp.effects import Effects
from connector.erp.port import (
    BILL,
    ORDER,
    Attachment,
    Capabilities,
    Choice,
    Effect,
    Poll,
    Standing,
    SyncCursor,
    Upload,
)
from connector.erp.transport import Session, open_session
from connector.erp.wire import Connection, Row
from connector.errors import (
    AccessError,
    AwayError,
    ConflictError,
    FatalError,
    OutcomeUnknown,
    RetriableError,
    SettingsError,
    SkippableError,
    UnreadableError,
    VouchError,
)
from mappings.erp_data import ErpData, Record
from mappings.field_map import FieldMap, default_map

_MEGABYTE = 1 << 20
# `web_read` and `web_save` nest lines in one call since Odoo 17.
_NESTED_SINCE = 17
_IDS_AT_ONCE = 1000
_MARK = "vouch upload "


def connect(settings: Connection, declared: FieldMap | None = None) -> OdooErp:
    """An Odoo that answered and let us in. Raises the errors of `connector.errors` that say what is wrong."""
    erp = OdooErp(settings, declared=declared or default_map())
    erp.session  # noqa: B018
    return erp


@dataclass(slots=True)
class OdooErp:
    """One Odoo database. Implements `connector.erp.port.Erp`; safe to use from several threads.

    It is first talked to when something is asked of it, so that an Odoo that is away does not keep others waiting.
    `nested` says whether lines are read with their record in one call; None leaves that to Odoo's version. `declared`
    is the mapping of business terms onto fields.
    """

    settings: Connection
    nested: bool | None = None
    declared: FieldMap = field(default_factory=default_map)
    _fields: FieldMap | None = field(default=None, repr=False)
    _session: Session | None = field(default=None, repr=False)
    _capabilities: Capabilities | None = field(default=None, repr=False)
    _discovery: Discovery | None = field(default=None, repr=False)
    _effects: Effects | None = field(default=None, repr=False)
    _users: dict[str, int] = field(default_factory=dict[str, int], repr=False)
    _catalog: Catalog | None = field(default=None, repr=False)
    _guard: int | None = field(default=None, repr=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _polling: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def session(self) -> Session:
        """The open session. Raises the errors of `connector.errors` that say why there is none."""
        with self._opening:
            if self._session is None:
                self._session = open_session(self.settings.current())
            return self._session

    @property
    def backend(self) -> str:
        """The Backend's name."""
        return self.settings.name

    @property
    def calls(self) -> int:
        """How many requests were sent so far."""
        return self._session.wire.calls if self._session else 0

    def capabilities(self) -> Capabilities:
        """Version, fields, rights, companies and modules; asked once."""
        if self._capabilities is None:
            self._capabilities = capabilities.probe(self.session, self.settings)
        return self._capabilities

    def clock(self) -> datetime | None:
        """The time of the server that answers for Odoo, asked anew; None where it does not tell."""
        wire = self.session.wire
        wire.get("/web/version")
        return wire.told_time()

    def field_map(self) -> FieldMap:
        """The declared mapping, held against this Odoo's fields; asked once. Raises SettingsError where it does not fit."""
        if self._fields is None:
            self._fields = field_check.resolved(self.session, self.capabilities(), self.declared)
        return self._fields

    def discover(self, cursor: SyncCursor, further: Callable[[], None] | None = None) -> Poll:
        """New attachments since the cursor; see `connector.erp.discovery` for the rule."""
        with self._polling:
            if self._discovery is None:
                self._discovery = Discovery(self.session, self.settings, self.capabilities())
            return self._discovery.poll(cursor, further)

    def download(self, attachment: Attachment) -> bytes:
        """The attachment's bytes. Raises SkippableError: `size` over the limit, `gone`, or `unreachable`."""
        if attachment.size > self.settings.max_attachment_megabytes * _MEGABYTE:
            raise UnreadableError(
                f"{attachment.name} has {attachment.size / _MEGABYTE:.0f} MB, the limit is "
                f"{self.settings.max_attachment_megabytes} MB (max_attachment_megabytes)",
                "size",
            )
        fields = ["datas", "checksum", "res_model", "res_id"]
        rows = self.session.rows("ir.attachment", [("id", "=", attachment.id)], fields)
        if not rows:
            raise _out_of_sight(attachment)
        if rows[0]["checksum"] != attachment.checksum and attachment.checksum:
            raise SkippableError(f"{attachment.name} was replaced by another file meanwhile", "gone")
        place = (rows[0]["res_model"], rows[0]["res_id"])
        if all(place) and place != (attachment.model, attachment.record_id):
            raise SkippableError(f"{attachment.name} was moved to another record meanwhile", "gone")
        try:
            return base64.b64decode(rows[0]["datas"] or "", validate=True)
        except (binascii.Error, TypeError):
            raise UnreadableError(f"Odoo gives no content for {attachment.name}", "unreadable") from None

    def record(self, model: str, record_id: int) -> Record:
        """The record as it is now."""
        return self._read(self._shape(model), record_id)

    def states(self, model: str, record_ids: Sequence[int]) -> dict[int, str]:
        """The state of each record that there still is."""
        found: dict[int, str] = {}
        for start in range(0, len(record_ids), _IDS_AT_ONCE):
            ids = list(record_ids[start : start + _IDS_AT_ONCE])
            rows = self.session.rows(model, [("id", "in", ids)], ["state"])
            found |= {int(row["id"]): str(row["state"]) for row in rows}
        return found

    def standing(self, model: str, record_ids: Sequence[int]) -> dict[int, Standing]:
        """State, last change and open to-dos of each record that there still is."""
        found: dict[int, Standing] = {}
        fields = ["display_name", "state", "write_date", "activity_ids"]
        for start in range(0, len(record_ids), _IDS_AT_ONCE):
            ids = list(record_ids[start : start + _IDS_AT_ONCE])
            rows = self.session.rows(model, [("id", "in", ids)], fields, context={"active_test": True})
            found |= {
                int(row["id"]): Standing(
                    str(row["display_name"]),
                    str(row["state"]),
                    str(row["write_date"]),
                    values.many(row["activity_ids"]),
                )
                for row in rows
            }
        return found

    def mark_done(self, activity_ids: Sequence[int]) -> None:
        """Archive to-dos, as Odoo does with what is done from 17 on; before, they are deleted."""
        rows = self.session.rows("mail.activity", [("id", "in", list(activity_ids))], ["id"])
        ids = [int(row["id"]) for row in rows]
        if not ids:
            return
        if self.capabilities().has("mail.activity", "date_done"):
            self.session.write("mail.activity", "write", ids, {"vals": {"active": False}})
        else:
            self.session.write("mail.activity", "unlink", ids)

    def erp_data(self) -> ErpData:
        """The data for matching, of the chosen companies; after the first time only what changed is fetched."""
        with self._reading:
            if self._catalog is None:
                self._catalog = Catalog(self.session, self.capabilities())
            data = self._catalog.read()
        companies = self.capabilities().companies
        return replace(data, related=field_check.related(self.session, self.field_map(), companies))

    def apply(self, effect: Effect) -> Record:
        """Check, write once and read back; two calls, three before Odoo 17.

        Where the action of `connector.erp.guarded` is installed, Odoo checks once more in the transaction that writes.
        """
        shape = self._shape(effect.model)
        if self._effects is None:
            self._effects = Effects(self.session, self.capabilities().has("mail.activity", "date_done"))
        # Everything that is asked for first is asked before the last look at the record.
        self._effects.prepare(effect)
        guard = self._guarding()
        row, lines = self._rows(shape, effect.record_id)
        before = records.build(shape, row, lines)
        if effect.expected_write_date:
            if not before.is_draft:
                raise ConflictError(f"{before.called} is no longer a draft: it {before.stands}")
            if before.write_date != effect.expected_write_date:
                raise _changed(before)
        found = self._effects.vals(effect, shape, before)
        context = effects.context(before, effect)
        if not self._nests:
            self.session.write(effect.model, "write", [effect.record_id], {"vals": found}, context=context)
            try:
                return self._read(shape, effect.record_id)
            except RetriableError as error:
                raise OutcomeUnknown(f"It was written, but could not be read back: {error}") from error
        specification = records.specification(shape)
        with self._in_sight(effect.model, effect.record_id):
            if guard is not None and effect.expected_write_date:
                answer = self._guarded(guard, effect, before, row, found, context)
            else:
                vals = {"vals": found, "specification": specification}
                answer = self.session.write(
                    effect.model, "web_save", [effect.record_id], vals, context=context
                )
        try:
            [(row, lines)] = _nested(answer, shape, f"{effect.model}.web_save", 1)
        except AwayError as error:
            raise OutcomeUnknown(str(error)) from error
        return records.build(shape, row, lines)

    def _guarded(
        self,
        guard: int,
        effect: Effect,
        before: Record,
        row: Row,
        vals: Mapping[str, Any],
        context: Mapping[str, Any],
    ) -> Any:
        specification = records.specification(self._shape(effect.model))
        try:
            return guarded.write(
                self.session, guard, effect.model, effect.record_id, row, vals, specification, context
            )
        except SkippableError as error:
            raise (_changed(before) if guarded.CHANGED in str(error) else error) from None

    def _guarding(self) -> int | None:
        """The action that compares and writes at once, None where it is not installed; asked once."""
        if self._guard is None:
            self._guard = (guarded.installed(self.session) or 0) if self._nests else 0
        return self._guard or None

    def post(self, record_id: int) -> Record:
        """Post the bill, and read it back."""
        before = self.record(BILL, record_id)
        if before.state != "posted":
            self.session.write(BILL, "action_post", [record_id], context=effects.context(before))
        return self.record(BILL, record_id)

    def divide(self, record_id: int, uploads: Sequence[Upload], key: str, note: str) -> tuple[int, ...]:
        """One `create` for all the bills; see `connector.erp.dividing`."""
        before = self.record(BILL, record_id)
        return dividing.divide(self.session, self.capabilities(), before, uploads, key, note)

    def happened(self, effect: Effect) -> bool:
        """Whether a note with this Effect's key stands on the record."""
        domain = [
            ("model", "=", effect.model),
            ("res_id", "=", effect.record_id),
            ("body", "ilike", effects.mark(effect.key)),
        ]
        return bool(self.session.rows("mail.message", domain, ["id"], limit=1))

    def noted(self, model: str, record_id: int, sealed: Callable[[str], bool]) -> frozenset[str]:
        """The keys of all Effects whose notes stand on a record; one call. A mail may bear any words: besides our own
        user's notes only keys count that nobody else can make."""
        return frozenset(key for _, key in self._notes(model, [record_id], sealed))

    def noted_on(
        self, model: str, record_ids: Sequence[int], sealed: Callable[[str], bool]
    ) -> Mapping[int, frozenset[str]]:
        """The same of many records; two calls a thousand."""
        found: dict[int, set[str]] = {}
        for start in range(0, len(record_ids), _IDS_AT_ONCE):
            ids = list(record_ids[start : start + _IDS_AT_ONCE])
            found |= {int(row["id"]): set() for row in self.session.rows(model, [("id", "in", ids)], ["id"])}
            for number, key in self._notes(model, ids, sealed):
                found.setdefault(number, set()).add(key)
        return {number: frozenset(keys) for number, keys in found.items()}

    def _notes(
        self, model: str, record_ids: Sequence[int], sealed: Callable[[str], bool]
    ) -> list[tuple[int, str]]:
        """Record and key of every note that counts."""
        domain = [
            ("model", "=", model),
            ("res_id", "in", list(record_ids)),
            ("body", "ilike", effects.SIGNED),
        ]
        rows = self.session.rows("mail.message", domain, ["res_id", "body", "create_uid"])
        return [
            (int(row["res_id"]), key)
            for row in rows
            for key in effects.keys(str(row["body"]))
            if row["create_uid"] == self.session.user_id or sealed(key)
        ]

    def upload(self, uploads: Sequence[Upload]) -> tuple[int, ...]:
        """One draft bill per document, from Odoo 17 on in one transaction with its attachment."""
        return tuple(self._upload(one) for one in uploads)

    def search(
        self,
        model: str,
        text: str,
        companies: Collection[int] | None = None,
        vendor: int | None = None,
        limit: int = 20,
    ) -> tuple[Choice, ...]:
        """Records to choose from, in one call; see `connector.erp.search`."""
        return choosing.search(self.session, self.capabilities(), model, text, companies, vendor, limit)

    def create_vendor(self, details: Mapping[str, str | bool], company: int | None = None) -> Choice:
        """A new vendor, or the one there is; see `connector.erp.vendors`."""
        return vendors.create_vendor(self.session, self.capabilities(), details, company)

    def uploaded(self, mark: str) -> int | None:
        """The bill whose attachment has the mark in its description; it shows the document from now on, where it did not."""
        domain = [("res_model", "=", BILL), ("description", "=", _MARK + mark)]
        found = self.session.rows("ir.attachment", domain, ["res_id"], limit=1)
        if not found:
            return None
        self._show([int(found[0]["id"])])
        return int(found[0]["res_id"])

    def user_id(self, login: str) -> int:
        """The id of the internal user with that login; asked once."""
        if login not in self._users:
            found = self.session.rows(
                "res.users", [("login", "=", login), ("share", "=", False)], ["id"], limit=1
            )
            if not found:
                raise SettingsError(
                    f"Odoo has no internal user with the login {login}: correct backends.{self.backend}.reviewer."
                )
            self._users[login] = int(found[0]["id"])
        return self._users[login]

    def record_url(self, model: str, record_id: int) -> str:
        """The record's form in the web client."""
        if self._session is None or self._session.version.major >= 18:
            return f"{self.settings.base}/odoo/{model}/{record_id}"
        place = urlencode({"id": record_id, "model": model, "view_type": "form"})
        return f"{self.settings.base}/web#{place}"

    def close(self) -> None:
        """Give back the connections."""
        if self._session is not None:
            self._session.close()

    @property
    def _nests(self) -> bool:
        return self.session.version.major >= _NESTED_SINCE if self.nested is None else self.nested

    def _shape(self, model: str) -> records.Shape:
        if model not in (BILL, ORDER):
            raise FatalError(f"{model} is neither a bill nor a purchase order")
        return records.shape_of(self.capabilities(), model, self.field_map())

    def _read(self, shape: records.Shape, record_id: int) -> Record:
        return records.build(shape, *self._rows(shape, record_id))

    def _rows(self, shape: records.Shape, record_id: int) -> tuple[Row, list[Row]]:
        """The record and its lines as Odoo gives them. Raises SkippableError `gone`."""
        if self._nests:
            specification = {"specification": records.specification(shape)}
            with self._in_sight(shape.model, record_id):
                answer = self.session.read(shape.model, "web_read", [record_id], specification)
            found = _nested(answer, shape, f"{shape.model}.web_read")
        else:
            rows = self.session.rows(shape.model, [("id", "=", record_id)], (*shape.header, shape.lines))
            ids = cast(list[int], rows[0][shape.lines]) if rows else []
            lines = self.session.rows(shape.line_model, [("id", "in", ids)], shape.line_fields) if ids else []
            found = [(row, lines) for row in rows]
        if not found:
            raise SkippableError(f"{shape.model} {record_id} is gone from Odoo", "gone")
        return found[0]

    @contextmanager
    def _in_sight(self, model: str, record_id: int) -> Generator[None]:
        """A right that is missing for this one record only is no matter of the user's rights: the record is gone for us.

        Raises SkippableError `gone` for it, AccessError as it was for others.
        """
        try:
            yield
        except AccessError:
            if self.session.rows(model, [("id", "=", record_id)], ["id"], limit=1):
                raise
            raise SkippableError(
                f"{model} {record_id} is out of this user's sight in Odoo: it was moved to another company, or is kept "
                "from this user",
                "gone",
            ) from None

    def _upload(self, upload: Upload) -> int:
        context: dict[str, Any] = {"default_move_type": upload.move_type}
        if upload.company_id:
            context["allowed_company_ids"] = [upload.company_id]
        document = {
            "name": upload.name,
            "datas": base64.b64encode(upload.data).decode("ascii"),
            "res_model": BILL,
            **({"description": _MARK + upload.mark} if upload.mark else {}),
        }
        bill: dict[str, Any] = {"move_type": upload.move_type}
        together = self.capabilities().has(BILL, "attachment_ids")
        if together:
            bill["attachment_ids"] = [[0, 0, document]]
        number = self._create(BILL, bill, context)
        try:
            if together:
                found = self.session.rows(
                    "ir.attachment", [("res_model", "=", BILL), ("res_id", "=", number)], ["id"], limit=1
                )
                attached = int(found[0]["id"])
            else:
                attached = self._create("ir.attachment", {**document, "res_id": number}, {})
            self._show([attached])
        except VouchError as error:
            raise type(error)(
                f"Odoo made the draft bill {number}, but {upload.name} may not be on it as its document: "
                f"look there, and attach it or delete the draft. {error}"
            ) from None
        return number

    def _show(self, attachments: Sequence[int]) -> None:
        """Make them the documents that their records show, where those have none."""
        self.session.write(
            "ir.attachment", "register_as_main_attachment", list(attachments), {"force": False}
        )

    def _create(self, model: str, values: dict[str, Any], context: dict[str, Any]) -> int:
        created = self.session.write(model, "create", args={"vals_list": [values]}, context=context)
        return as_numbers(created, f"{model}.create", 1)[0]


def _nested(
    answer: Any, shape: records.Shape, what: str, count: int | None = None
) -> list[tuple[Row, list[Row]]]:
    """Records with their lines, as `web_read` and `web_save` give; `count` of them where it must be so many."""
    rows = as_rows(answer, what, ("id", *shape.header, shape.lines))
    if count is not None and len(rows) != count:
        raise odd(what, f"{count} records")
    return [(row, as_rows(row[shape.lines], what, ("id", *shape.line_fields))) for row in rows]


def _changed(before: Record) -> ConflictError:
    return ConflictError(f"{before.called} was changed since Vouch read it; nothing was written")


def _out_of_sight(attachment: Attachment) -> SkippableError:
    if attachment.checksum:
        return SkippableError(f"{attachment.name} is gone from Odoo.", "gone")
    return UnreadableError(
        f"{attachment.name} came by mail, and Odoo shows such an image only to administrators. Drop it on the bill "
        "again, or run `vouch prepare` once as an administrator.",
        "unreachable",
    )
