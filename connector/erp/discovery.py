"""Which attachments are new. The rule of the SyncCursor is pure and stands apart from the calls.

An attachment is looked for by `write_date`, not by `create_date`: a file that was uploaded first and attached to
its record later is only then found. Both times are those of the start of Odoo's transaction, and ids are taken
before commit, so a row can appear late, with an older time and a smaller id than rows seen already. Hence every
poll looks `overlap` seconds back before the newest time seen, and in addition at every larger id. What is older
than that when it appears is lost: `overlap` must be longer than Odoo's longest transaction (its
`limit_time_real` is 120 s by default). Repeats are reported again; the ledger knows them by their identity.

The document with the largest id is asked for too. Where it is gone, or the cursor is ahead of Odoo's clock, the cursor tells
nothing: Odoo's database may have been restored, and ids are given a second time. Then every open document is looked at.
"""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.erp import values
from connector.erp.mailed_images import SMALLEST
from connector.erp.port import BILL, ORDER, Attachment, Capabilities, Poll, SyncCursor
from connector.erp.records import BILL_TYPES, ORDER_STATES
from connector.erp.transport import Session
from connector.erp.wire import Connection, Row

PAGE = 2000
_IDS = 1000
"""So many records are asked for at once: fewer than a page, which needs no second look for more."""
_FIELDS = ("name", "mimetype", "file_size", "checksum", "res_model", "res_id", "create_date", "write_date")
_DOCUMENTS = (("res_model", "in", [BILL, ORDER]), ("res_field", "=", False), ("type", "=", "binary"))
_Key = tuple[int, str, int, str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def window(cursor: SyncCursor, overlap: float) -> list[Any]:
    """The domain of what may be new since the cursor."""
    if cursor.since is None:
        return []
    since = values.stamp(cursor.since - timedelta(seconds=overlap))
    return ["|", ("write_date", ">=", since), ("id", ">=", cursor.last_id)]


def went_back(cursor: SyncCursor, rows: Iterable[Mapping[str, Any]], now: datetime, overlap: float) -> bool:
    """Whether the rows of a poll show that this cursor is of another past: see above. `now` is Odoo's time."""
    if cursor.since is not None and cursor.since > now + timedelta(seconds=overlap):
        return True
    return cursor.last_id > 0 and all(int(row["id"]) != cursor.last_id for row in rows)


def advance(cursor: SyncCursor, rows: Iterable[Mapping[str, Any]]) -> SyncCursor:
    """The cursor after these rows: it never goes back."""
    since, last_id = cursor.since, cursor.last_id
    for row in rows:
        written = values.moment(row["write_date"])
        if written is not None and (since is None or written > since):
            since = written
        last_id = max(last_id, int(row["id"]))
    return SyncCursor(since, last_id)


@dataclass(frozen=True, slots=True)
class _Target:
    """A record that documents are wanted for, and its main attachment."""

    id: int
    main: int | None


@dataclass(slots=True)
class Discovery:
    """The polls of one Backend. Idle, a poll is one call; drafts with a detached image cost one more now and then.

    Odoo detaches images that came by mail from their bill (`res_model` empty), so that they are found only
    through the bill: a draft without attached documents whose main attachment is such an image.
    """

    session: Session
    settings: Connection
    capabilities: Capabilities
    _known: dict[_Key, Attachment | None] = field(default_factory=dict[_Key, "Attachment | None"], repr=False)
    _looked_at: float = field(default=float("-inf"), repr=False)
    _bare: frozenset[tuple[int, int]] = field(default=frozenset(), repr=False)
    _further: Callable[[], None] | None = field(default=None, repr=False)
    _images: list[Attachment] = field(default_factory=list[Attachment], repr=False)

    def poll(self, cursor: SyncCursor, further: Callable[[], None] | None = None) -> Poll:
        """What is new since the cursor; every document on a draft where the cursor is empty. `further` hears of every page."""
        self._further = further
        polled = None if cursor.since is None else self._since(cursor)
        found, after = polled or self._everything()
        if time.monotonic() - self._looked_at >= self.settings.detached_every:
            seen = {attachment.id for attachment in found}
            found += [attachment for attachment in self._detached() if attachment.id not in seen]
            self._looked_at = time.monotonic()
        return Poll(tuple(found), after, went_back=cursor.since is not None and polled is None)

    def _since(self, cursor: SyncCursor) -> tuple[list[Attachment], SyncCursor] | None:
        """What is new since the cursor and the next one; None where this cursor tells nothing."""
        rows = self._pages("ir.attachment", [*_DOCUMENTS, *window(cursor, self.settings.overlap)], _FIELDS)
        if went_back(cursor, rows, self.session.wire.server_time(), self.settings.overlap):
            self._known = {}
            return None
        fresh = [row for row in rows if _key(row) not in self._known]
        now = {_key(row): self._known.get(_key(row)) for row in rows}
        now.update({_key(row): attachment for row, attachment in self._of_targets(fresh)})
        self._known = now
        return [attachment for attachment in now.values() if attachment is not None], advance(cursor, rows)

    def _everything(self) -> tuple[list[Attachment], SyncCursor]:
        # The newest first, so that what arrives meanwhile is after the cursor and not before it.
        newest = self.session.rows(
            "ir.attachment", _DOCUMENTS, ["write_date"], limit=1, order="write_date desc, id desc"
        )
        if not newest:
            return [], SyncCursor()
        largest = self.session.rows("ir.attachment", _DOCUMENTS, ["write_date"], limit=1, order="id desc")
        found: list[Attachment] = []
        for model in self._models():
            targets = self._targets(model, [])
            for ids in _chunks(sorted(targets)):
                domain = [("res_model", "=", model), ("res_id", "in", ids), *_DOCUMENTS[1:]]
                rows = self._pages("ir.attachment", domain, _FIELDS)
                found += [self._attachment(row, targets[int(row["res_id"])]) for row in rows]
        after = advance(SyncCursor(), newest)
        # What was written while Odoo's clock was ahead would keep the cursor there.
        now = self.session.wire.server_time()
        after = replace(after, since=min(after.since or now, now))
        return found, replace(after, last_id=max(after.last_id, *(int(row["id"]) for row in largest)))

    def _of_targets(self, rows: Sequence[Row]) -> Iterable[tuple[Row, Attachment | None]]:
        for model in self._models():
            of_model = [row for row in rows if row["res_model"] == model and row["res_id"]]
            targets: dict[int, _Target] = {}
            for ids in _chunks(sorted({int(row["res_id"]) for row in of_model})):
                targets |= self._targets(model, [("id", "in", ids)])
            for row in of_model:
                target = targets.get(int(row["res_id"]))
                yield row, self._attachment(row, target) if target else None

    def _models(self) -> tuple[str, ...]:
        return (BILL, ORDER) if self.capabilities.fills_orders else (BILL,)

    def _targets(self, model: str, domain: Sequence[Any]) -> dict[int, _Target]:
        """The open records of a model, by id."""
        wanted = [*domain, *self._open(model)]
        main = (
            "message_main_attachment_id" if self.capabilities.has(model, "message_main_attachment_id") else ""
        )
        rows = self._pages(model, wanted, [main] if main else [])
        return {
            int(row["id"]): _Target(int(row["id"]), values.many2one(row.get(main)) if main else None)
            for row in rows
        }

    def _open(self, model: str) -> list[Any]:
        found: list[Any] = [("state", "in", ["draft"] if model == BILL else list(ORDER_STATES))]
        if model == BILL:
            found.append(("move_type", "in", list(BILL_TYPES)))
            if self.capabilities.has(BILL, "extract_state"):
                # Odoo's own reading of this bill is under way or done.
                found.append(("extract_state", "in", [False, "no_extract_requested"]))
        if self.settings.companies:
            found.append(("company_id", "in", list(self.settings.companies)))
        return found

    def _detached(self) -> list[Attachment]:
        if not self.capabilities.has(BILL, "attachment_ids"):
            return []
        domain = [
            *self._open(BILL),
            ("message_main_attachment_id", "!=", False),
            ("attachment_ids", "=", False),
        ]
        bills = self._pages(BILL, domain, ["message_main_attachment_id", "create_date"], pairs=True)
        targets = {
            int(row["id"]): _Target(int(row["id"]), int(row["message_main_attachment_id"][0]))
            for row in bills
        }
        bare = frozenset((target.id, target.main or 0) for target in targets.values())
        if bare != self._bare:
            self._images = self._images_of(targets, bills) if bills else []
            self._bare = bare
        return self._images

    def _images_of(self, targets: Mapping[int, _Target], bills: Sequence[Row]) -> list[Attachment]:
        owner = {target.main or 0: target for target in targets.values()}
        mails = self._pages(
            "mail.message",
            [("model", "=", BILL), ("res_id", "in", sorted(targets)), ("attachment_ids", "!=", False)],
            ["res_id", "attachment_ids"],
        )
        for mail in mails:
            for attached in values.many(mail["attachment_ids"]):
                owner.setdefault(attached, targets[int(mail["res_id"])])
        rows = self._pages("ir.attachment", [("id", "in", sorted(owner)), ("res_model", "=", False)], _FIELDS)
        readable = [self._attachment(row, owner[int(row["id"])]) for row in rows]
        found = [one for one in readable if one.is_main or one.size >= SMALLEST]
        seen = {attachment.id for attachment in found}
        return found + [
            self._unreadable(row) for row in bills if row["message_main_attachment_id"][0] not in seen
        ]

    def _attachment(self, row: Row, target: _Target) -> Attachment:
        model = values.text(row["res_model"]) or BILL
        return Attachment(
            backend=self.settings.name,
            id=int(row["id"]),
            checksum=values.text(row["checksum"]),
            name=values.text(row["name"]),
            mimetype=values.text(row["mimetype"]),
            size=int(row["file_size"] or 0),
            model=model,
            record_id=target.id,
            created=values.moment(row["create_date"]) or _EPOCH,
            is_main=target.main == int(row["id"]),
        )

    def _unreadable(self, bill: Row) -> Attachment:
        """An image that Odoo shows only to administrators: known by number and name, without a checksum."""
        number, name = bill["message_main_attachment_id"]
        return Attachment(
            backend=self.settings.name,
            id=int(number),
            checksum="",
            name=values.text(name),
            mimetype=mimetypes.guess_type(values.text(name))[0] or "application/octet-stream",
            size=0,
            model=BILL,
            record_id=int(bill["id"]),
            created=values.moment(bill["create_date"]) or _EPOCH,
            is_main=True,
        )

    def _pages(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, pairs: bool = False
    ) -> list[Row]:
        """Every row, in pages by id: rows that change meanwhile keep their place."""
        found: list[Row] = []
        while True:
            after = [("id", ">", int(found[-1]["id"]))] if found else []
            page = self.session.rows(model, [*domain, *after], fields or ["id"], limit=PAGE, pairs=pairs)
            found += page
            if self._further:
                self._further()
            if len(page) < PAGE:
                return found


def _key(row: Mapping[str, Any]) -> _Key:
    # Odoo gives times to the second only: a file may get its record, or other content, within one.
    return int(row["id"]), str(row["write_date"]), int(row["res_id"] or 0), str(row["checksum"])


def _chunks(ids: Sequence[int]) -> Iterable[list[int]]:
    return (list(ids[start : start + _IDS]) for start in range(0, len(ids), _IDS))
