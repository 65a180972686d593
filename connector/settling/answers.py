"""What a person must answer of a document as a whole before its bill can be approved."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.settling.doubts import ASKED
from connector.settling.edits import Answer
from inference.invoice import DocumentType
from mappings.bills import BILL_TYPES
from mappings.case import BILL, REFUND

if TYPE_CHECKING:
    from connector.settling.edits import Edit
    from connector.settling.fold import Folded
    from mappings.erp_data import Record

PLACES = {
    "document_type": "document_type",
    "duplicate": "invoice_number",
    "buyer_is_company": "buyer_name",
    "vendor_is_not_us": "seller_name",
    "vendor_look_alike": "seller_name",
    "bank_account_known": "payment_account",
}
"""The Term whose place on the page a question is about; all others are about the total."""

KIND = "document_type"
MAKE_REFUND = (
    "The document is a credit note, the record is a bill: it cannot be approved as one. Make it a refund, or in Odoo "
    "choose Switch into invoice/credit note in the bill's menu; Vouch reads it again then."
)
MAKE_BILL = (
    "The document is a bill, the record is a refund: it cannot be approved as one. Make it a bill, or in Odoo "
    "choose Switch into invoice/credit note in the refund's menu; Vouch reads it again then."
)


class Unanswered(Exception):
    """A bill cannot be approved before these are answered."""

    def __init__(self, questions: Collection[Question]) -> None:
        super().__init__("Answer first: " + " ".join(one.message for one in questions))
        self.questions = tuple(questions)


@dataclass(frozen=True, slots=True)
class Question:
    """Failed Checks of one id. `barred`: the bill cannot be approved as it is, whatever the answer, but when the record
    `becomes` a `refund` or a `bill`."""

    id: str
    messages: tuple[str, ...]
    barred: bool = False
    becomes: str = ""

    @property
    def message(self) -> str:
        """What the Checks say."""
        return " ".join(self.messages)

    @property
    def mark(self) -> str:
        """Another one when the question says something else."""
        return hashlib.sha256(self.message.encode()).hexdigest()[:16]

    @property
    def place(self) -> str:
        """The Term to look at."""
        return PLACES.get(self.id, "total_with_vat")

    def answered_by(self, edits: Sequence[Edit]) -> bool:
        """Whether a person answered just this."""
        if self.barred:
            return False
        return any(
            isinstance(edit, Answer) and (edit.answer, edit.to) == (self.id, self.mark) for edit in edits
        )


def questions(folded: Folded, record: Record | None) -> tuple[Question, ...]:
    """What the person has to answer, the gravest first; last what no value of the form answers for."""
    told: dict[str, list[str]] = {}
    for check in folded.unplaced:
        said = told.setdefault(check.id, [])
        said.extend([check.message] if check.message not in said else [])
    if barred := other_kind(folded, record):
        told.pop(KIND, None)
    first = [Question(KIND, (barred,), True, "refund" if barred == MAKE_REFUND else "bill")] if barred else []
    names = (*(name for name in ASKED if name in told), *(name for name in told if name not in ASKED))
    return (*first, *(Question(name, tuple(told[name])) for name in names))


def marked(edits: Sequence[Edit], asked: Sequence[Question]) -> list[Edit]:
    """The edits with a mark at each new answer; an answer to what is not asked any more is left out."""
    marks = {one.id: one.mark for one in asked if not one.barred}
    found: list[Edit] = []
    for edit in edits:
        if isinstance(edit, Answer) and edit.to is None:
            if edit.answer in marks:
                found.append(Answer(answer=edit.answer, to=marks[edit.answer]))
        else:
            found.append(edit)
    return found


def other_kind(folded: Folded, record: Record | None) -> str:
    """What to do where a credit note is on a bill, or a bill on a refund; empty where they agree."""
    reading = folded.reading
    kind = reading.document_type if reading else None
    if record is None or record.model != BILL or kind not in BILL_TYPES:
        return ""
    is_credit = kind is DocumentType.CREDIT_NOTE
    if is_credit == (record.kind == REFUND):
        return ""
    return MAKE_REFUND if is_credit else MAKE_BILL


def require_answers(folded: Folded, record: Record | None, acknowledged: Collection[str]) -> None:
    """Raise Unanswered unless each question is among those acknowledged, and none bars approving."""
    open_ones = [one for one in questions(folded, record) if one.barred or one.id not in acknowledged]
    if open_ones:
        raise Unanswered(open_ones)
