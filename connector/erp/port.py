"""The one door to an ERP. Every call to Odoo in the project goes through an implementation of `Erp`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from mappings.erp_data import ErpData, Record
from mappings.field_map import FieldMap

BILL = "account.move"
ORDER = "purchase.order"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this ERP and this login can do, probed once per start.

    `fields` holds, per model, the names of the fields present; `missing_rights` sentences a person understands.
    Documents on orders are looked for only where `fills_orders`: the app is there, and this login may write them.
    """

    version: str
    major: int
    protocol: str
    login: str
    user_id: int
    companies: tuple[int, ...]
    modules: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    missing_rights: tuple[str, ...] = ()
    key_expires: datetime | None = None
    fills_orders: bool = True

    def has(self, model: str, name: str) -> bool:
        """Whether that model has that field here."""
        return name in self.fields.get(model, frozenset())


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """How far a Backend has been polled. `since` is the server's time of the newest attachment seen."""

    since: datetime | None = None
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class Attachment:
    """An `ir.attachment` of an ERP record; its identity is backend + id + checksum."""

    backend: str
    id: int
    checksum: str
    name: str
    mimetype: str
    size: int
    model: str
    record_id: int
    created: datetime
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll found, and the cursor to keep once every attachment of it is in the ledger.

    `went_back` says that the ERP is not where the last poll left it: its database or clock may have been set back.
    """

    attachments: tuple[Attachment, ...]
    cursor: SyncCursor
    complete: bool = True
    went_back: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """A to-do for a person on a record: the portable review queue."""

    summary: str
    note: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One intended write on one record: values, lines, chatter note and activity go in one RPC.

    `key` makes it unique for ever and stands in the note, so that a retry can read back whether it happened.
    `expected_write_date` is the record's when it was read: another one means a person was faster. A line with an `id`
    is one that the record has, and changes; one without is added; `removed_lines` are ids of lines to take away. `vat`
    sets what a tax group (by id) adds to the bill, where `ErpData.corrects_vat`. `note` and the activity's texts are
    plain text, one paragraph a line; the adapter escapes them. `done` are to-dos of the record that the write marks
    done, where they are still open. With an empty `expected_write_date` the record may be any: for notes and to-dos,
    which overwrite nothing.
    """

    key: str
    model: str
    record_id: int
    expected_write_date: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lines: tuple[Mapping[str, Any], ...] = ()
    vat: Mapping[int, Decimal] = field(default_factory=dict[int, Decimal])
    note: str = ""
    activity: Activity | None = None
    removed_lines: tuple[int, ...] = ()
    done: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A record that a person may choose: `name` as Odoo's users know it, `detail` what tells it from its like."""

    id: int
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands: its state, when its header was last written, and its open to-dos."""

    name: str
    state: str
    write_date: str
    activity_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """A document to put into the ERP as a new draft bill; `mark` is kept with it, to find the bill again."""

    name: str
    data: bytes
    move_type: str = "in_invoice"
    company_id: int | None = None
    mark: str = ""


class Erp(Protocol):
    """One Backend. Every method raises only the errors of `connector.errors`."""

    @property
    def backend(self) -> str:
        """The Backend's name in the settings."""
        ...

    def capabilities(self) -> Capabilities:
        """Probe version, fields, rights, companies and modules; cached."""
        ...

    def clock(self) -> datetime | None:
        """The ERP's time now, asked anew; None where it does not tell."""
        ...

    def field_map(self) -> FieldMap:
        """The declared mapping with what this ERP says of its fields. Raises SettingsError where it does not fit."""
        ...

    def discover(self, cursor: SyncCursor, further: Callable[[], None] | None = None) -> Poll:
        """Attachments of draft vendor bills, refunds, receipts and of purchase orders since `cursor`.

        `further` is called with every part that has come.
        """
        ...

    def download(self, attachment: Attachment) -> bytes:
        """The attachment's bytes. Raises SkippableError when it is gone or over the size limit."""
        ...

    def record(self, model: str, record_id: int) -> Record:
        """The record as it is now. Raises SkippableError when it is gone."""
        ...

    def states(self, model: str, record_ids: Sequence[int]) -> Mapping[int, str]:
        """The state (`draft`, `posted` …) of each of these records; those that are gone are left out."""
        ...

    def standing(self, model: str, record_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Where each of these records stands; those that are gone are left out."""
        ...

    def mark_done(self, activity_ids: Sequence[int]) -> None:
        """Mark to-dos done, those that are there still."""
        ...

    def erp_data(self) -> ErpData:
        """The data for matching, for a round; records that say the same as the last time are the same objects."""
        ...

    def apply(self, effect: Effect) -> Record:
        """Check that the record is unchanged, write once, and return the record as Odoo has it afterwards.

        Raises ConflictError when the record changed since it was read or is no longer a draft, and
        OutcomeUnknown when it is not known whether the write happened (then ask `happened` before trying again);
        after any other error nothing was written.
        """
        ...

    def post(self, record_id: int) -> Record:
        """Post the bill; the record as it is afterwards, posted or not. Errors as those of `apply`."""
        ...

    def divide(self, record_id: int, uploads: Sequence[Upload], key: str, note: str) -> tuple[int, ...]:
        """Make one draft bill per document in the company and of the type of that bill, all in one RPC; their ids.

        Each gets the note with the key, by which the same call again finds them instead of making them twice.
        Errors as those of `apply`.
        """
        ...

    def happened(self, effect: Effect) -> bool:
        """Whether a note with this Effect's key stands on the record."""
        ...

    def noted(self, model: str, record_id: int, sealed: Callable[[str], bool]) -> frozenset[str]:
        """The keys of all Effects whose notes stand on a record: in notes of our own user, and those of others that are
        `sealed`."""
        ...

    def noted_on(
        self, model: str, record_ids: Sequence[int], sealed: Callable[[str], bool]
    ) -> Mapping[int, frozenset[str]]:
        """The same of each of these records that there still is."""
        ...

    def upload(self, uploads: Sequence[Upload]) -> tuple[int, ...]:
        """Make one draft bill per document with its attachment; the ids of the bills."""
        ...

    def search(
        self,
        model: str,
        text: str,
        companies: Collection[int] | None = None,
        vendor: int | None = None,
        limit: int = 20,
    ) -> tuple[Choice, ...]:
        """At most `limit` records with every word of `text` in a name or number of theirs, the likeliest first.

        `companies` keeps to records of these companies and those of none, `vendor` to what belongs to that partner. Raises
        SkippableError for a model that nobody chooses from.
        """
        ...

    def create_vendor(self, details: Mapping[str, str | bool], company: int | None = None) -> Choice:
        """Make a `res.partner` from these of its fields (`country_code` is an ISO code), or give the one there is with
        the same name and tax id, so that asking twice makes one. Bank details are refused: SkippableError."""
        ...

    def uploaded(self, mark: str) -> int | None:
        """The bill of the upload with that mark, None where there is none. What an upload that broke off left undone on it
        is done."""
        ...

    def user_id(self, login: str) -> int:
        """The id of the person with that login, who gets activities. Raises SettingsError when there is none."""
        ...

    def record_url(self, model: str, record_id: int) -> str:
        """The address of the record in the ERP's web client."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...
