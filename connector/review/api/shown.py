"""A bill in review as JSON for the screen: values in the person's language, names for ids, what speaks for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision

from connector.settling.answers import other_kind, questions
from connector.settling.edits import as_json
from connector.settling.fold import net_of
from connector.settling.form import MODELS, ORDERED, Cell, Form
from mappings.erp_data import Scalar
from mappings.folding import fold_account
from mappings.naming import named
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.review.language import Language
    from connector.settling.snapshot import Change
    from connector.settling.work import Work
    from mappings.index import ErpIndex

DOUBTFUL = 0.5
BILL_VERDICTS = (
    "approve",
    "approve_and_post",
    "not_a_bill",
    "duplicate",
    "wrong_company",
    "switch_kind",
    "split",
    "question",
    "skip",
)
ORDER_VERDICTS = ("approve", "question", "skip")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the JSON needs besides the bill. `pages` are sizes in points, None for scans."""

    language: Language
    login: str
    now: datetime
    record_url: str | None
    pages: Sequence[tuple[float, float] | None]
    next: int | None
    posting: bool
    say: Callable[[str], str] = str


def bill_json(work: Work, around: Surroundings) -> dict[str, Any]:
    """The bill as the contract of `GET /api/v1/reviews/{id}` has it."""
    case, folded, form = work.case, work.folded, work.folded.form
    show = _Show(work, around)
    job, review = case.job, case.review
    code = show.currency
    reading = folded.reading
    digits = get_currency_precision(code) if code else 2
    return {
        "id": job.id,
        "version": work.version,
        "state": job.state,
        "backend": job.backend,
        "company": {"id": review.company_id, "name": review.company},
        "title": review.title,
        "file": job.attachment.name,
        "record": {"model": job.model, "id": job.record_id, "url": around.record_url},
        "reasons": [around.say(reason) for reason in review.reasons],
        "topics": list(review.topics),
        "opened_at": review.opened_at.isoformat(),
        "asked": {"at": review.asked_at.isoformat(), "question": review.question}
        if review.asked_at
        else None,
        "claim": _claim(work, around),
        "pages": [
            {
                "number": number,
                "width": size[0] if size else None,
                "height": size[1] if size else None,
                "image": f"/documents/{job.id}/pages/{number}.webp",
            }
            for number, size in enumerate(around.pages, 1)
        ],
        "fields": [show.field(cell) for cell in form.header.values()],
        "lines": [
            {
                "key": line.key,
                "id": line.id,
                "cells": [show.field(cell) for cell in line.cells.values()],
                "net": format(net_of(form, line, Decimal(1).scaleb(-digits)), "f"),
            }
            for line in form.lines
        ],
        "totals": show.totals(),
        "checks": [{**check.as_json(), "message": around.say(check.message)} for check in folded.checks],
        "questions": [
            {
                "id": one.id,
                "message": " ".join(around.say(said) for said in one.messages),
                "barred": one.barred,
                "becomes": one.becomes,
                "answered": one.answered_by(work.edits),
                "evidence": show.evidence((one.place,)),
            }
            for one in questions(folded, work.record)
        ],
        "purchase_lines": list(folded.body.get("purchase_lines", ())),
        "new_vendor": show.new_vendor(),
        "edits": [as_json(edit) for edit in work.edits],
        "verdicts": show.verdicts(),
        "conflict": conflict_json(work, around, work.conflict) if work.conflict else None,
        "next": around.next,
        "split": [[part.first, part.last] for part in reading.split] if reading and reading.split else None,
        "digits": digits,
    }


def summary_json(work: Work, around: Surroundings, doubt: str) -> dict[str, Any]:
    """A bill in a row of a list: what would be written of its header, and the FIELD of the one value to look at."""
    show, header = _Show(work, around), work.folded.form.header
    return {
        "version": work.version,
        **{
            name: show.shown(header[target])
            for name, target in (
                ("vendor", "partner_id"),
                ("number", "ref"),
                ("date", "invoice_date"),
                ("total", "total_with_vat"),
            )
        },
        "doubt": show.field(header[doubt]),
    }


def conflict_json(work: Work, around: Surroundings, found: Sequence[Change]) -> dict[str, Any]:
    """What changed in the ERP since the record was read, in words."""
    show = _Show(work, around)
    return {
        "message": around.say("The record was changed in Odoo since it was read."),
        "changes": [
            {
                "field": change.field,
                "label": show.label(change.field.rpartition(".")[2] if "." in change.field else change.field),
                "was": show.scalar(change.field, change.was),
                "now": show.scalar(change.field, change.now),
            }
            for change in found
        ],
    }


def _claim(work: Work, around: Surroundings) -> dict[str, Any] | None:
    review = work.case.review
    if review.claimed_until is None or review.claimed_until <= around.now or not review.claimed_by:
        return None
    return {
        "by": review.claimed_name or review.claimed_by,
        "mine": review.claimed_by == around.login,
        "until": review.claimed_until.isoformat(),
    }


def level_of(cell: Cell, sure: float) -> str:
    """`person` for what a person put there or accepted, else by confidence."""
    if cell.edited or cell.accepted:
        return "person"
    return "sure" if cell.confidence >= sure else "doubtful" if cell.confidence >= DOUBTFUL else "weak"


class _Show:
    def __init__(self, work: Work, around: Surroundings) -> None:
        self._work, self._around = work, around
        self._form: Form = work.folded.form
        self._index: ErpIndex | None = work.ground.index

    @property
    def currency(self) -> str:
        """The code of the bill's currency; empty where it is not known."""
        chosen = self._form.header.get("currency_id")
        record = self._work.record
        number = chosen.value if chosen else record.values.get("currency_id") if record else None
        if self._index and isinstance(number, int) and number in self._index.currencies:
            return self._index.currencies[number].name
        return self._work.case.review.currency

    def field(self, cell: Cell) -> dict[str, Any]:
        """A FIELD of the contract."""
        node: dict[str, Any] = {
            "target": cell.target,
            "term": cell.term,
            "label": self.label(cell.name),
            "kind": cell.kind,
            "model": cell.model,
            "value": cell.value,
            "shown": self.shown(cell),
            "confidence": round(cell.confidence, 4),
            "level": level_of(cell, self._work.ground.sure),
            "reason": self._around.say(cell.reason) if cell.reason else "",
            "doubtful": cell.doubtful,
            "editable": cell.editable,
            "required": cell.required,
            "evidence": cell.evidence,
            "candidates": self._candidates(cell),
        }
        if cell.kind == "records":
            node["names"] = [self._name(cell, [one]) for one in cell.value or ()]
        return node | (
            {"options": [{"id": key, "name": name} for key, name in cell.options]} if cell.options else {}
        )

    def label(self, name: str) -> str:
        """What people call a field, in the person's language where there is a word."""
        texts = self._around.language.texts
        for key in (f"field.{name}", f"term.{name}"):
            if isinstance(found := texts.get(key), str):
                return found
        label = self._work.ground.fields.label(name)
        return label[:1].upper() + label[1:]

    def shown(self, cell: Cell) -> str:
        """The value as a person reads it."""
        value, language = cell.value, self._around.language
        if value in (None, "", []):
            return ""
        match cell.kind:
            case "record" | "records":
                return self._name(cell, value)
            case "date":
                return language.day(date.fromisoformat(value)) if isinstance(value, str) else str(value)
            case "amount":
                return language.amount(Decimal(str(value)), self.currency)
            case "quantity" | "percent":
                return language.number(Decimal(str(value)))
            case "choice":
                return dict(cell.options).get(str(value), str(value))
            case _:
                return _text(value)

    def scalar(self, field: str, value: Scalar) -> str:
        """A value of the record as a person reads it."""
        name = field.rpartition(".")[2]
        if isinstance(value, date):
            return self._around.language.day(value)
        if isinstance(value, Decimal):
            if name.startswith("amount_") or name in ("price_unit", "subtotal"):
                return self._around.language.amount(value, self.currency)
            return self._around.language.number(value)
        if self._index is None:
            return _text(scalar_as_json(value)) if value is not None else ""
        if name == "company_id" and isinstance(value, int) and value in self._index.companies:
            return self._index.companies[value].name
        return named(self._index, name, value) if value not in (None, "", False, ()) else ""

    def _name(self, cell: Cell, value: Any) -> str:
        known = {one["id"]: one["name"] for one in cell.candidates}
        if isinstance(value, int) and value in known:
            return str(known[value])
        if self._index is None:
            return ", ".join(f"#{one}" for one in _ids(value))
        if cell.name == ORDERED:
            order = self._index.orders.get(value)
            return order.name if order else f"#{value}"
        if cell.name == "partner_bank_id":
            found = next((one for one in self._index.data.bank_accounts if one.id == value), None)
            return found.number if found else f"#{value}"
        if cell.name not in MODELS and cell.model:
            entry = next((e for e in self._work.ground.fields.entries if e.field == cell.name), None)
            match = entry.match if entry else ()
            return self._index.related_name(cell.model, match, value)
        ids = _ids(value)
        return named(self._index, cell.name, ids if cell.kind == "records" else ids[0])

    def _candidates(self, cell: Cell) -> list[dict[str, Any]]:
        say = self._around.say
        if cell.name == "partner_bank_id":
            return self._accounts()
        return [{**one, "reasons": [say(reason) for reason in one["reasons"]]} for one in cell.candidates]

    def _accounts(self) -> list[dict[str, Any]]:
        """The vendor's bank accounts in Odoo, the one printed first. None is ever made from the paper."""
        vendor = self._form.header["partner_id"].value
        if self._index is None or not isinstance(vendor, int):
            return []
        reading = self._work.folded.reading
        printed = fold_account((reading.text("payment_account") if reading else "") or "")
        found: list[dict[str, Any]] = []
        for account in self._index.accounts_of(vendor):
            if account.active:
                same = bool(printed) and fold_account(account.number) == printed
                reasons = [self._around.say("It is the one on the document.")] if same else []
                found.append(
                    {
                        "id": account.id,
                        "name": account.number,
                        "score": 1.0 if same else 0.0,
                        "reasons": reasons,
                    }
                )
        return sorted(found, key=lambda one: (-one["score"], one["id"]))

    def totals(self) -> dict[str, dict[str, str | None]]:
        """Paper, the sum of the lines as read and edited, and Odoo's prediction; decimals as strings."""
        folded = self._work.folded
        record = self._work.record
        has_lines = bool(self._form.lines)
        net = sum((net_of(self._form, line) for line in self._form.lines), Decimal(0)) if has_lines else None
        predicted = folded.predicted
        odoo: Mapping[str, Decimal | None] = {
            "untaxed": predicted.untaxed if predicted else None,
            "tax": predicted.tax if predicted else None,
            "total": predicted.total if predicted else None,
        }
        if predicted is None and record is not None and record.lines and not folded.form.lines_edited:
            odoo = {"untaxed": record.amount_untaxed, "tax": record.amount_tax, "total": record.amount_total}
        tax = odoo["tax"]
        lines = {"untaxed": net, "tax": tax, "total": None if net is None or tax is None else net + tax}
        return {
            name: {
                "paper": folded.paper.get(name),
                "proposal": _plain(lines[name]),
                "odoo": _plain(odoo[name]),
            }
            for name in ("untaxed", "tax", "total")
        }

    def new_vendor(self) -> dict[str, Any] | None:
        """The vendor that Odoo lacks, as it could be made."""
        new = self._work.folded.body.get("new_vendor")
        if not new:
            return None
        return {
            "values": {
                name: {
                    "value": one["value"],
                    "shown": _text(one["value"]),
                    "evidence": self.evidence(one["terms"]),
                }
                for name, one in new["values"].items()
            }
        }

    def evidence(self, terms: Sequence[str]) -> list[dict[str, Any]]:
        """Where on the pages the Fields of these Terms stand."""
        reading = self._work.folded.reading
        found = [reading.get(term) for term in terms] if reading else []
        return [
            {"page": proof.page, "box": [round(side, 5) for side in proof.box], "text": proof.text or ""}
            for field in found
            if field
            for proof in field.evidence
            if proof.page is not None and proof.box is not None
        ]

    def verdicts(self) -> list[str]:
        """What a person may decide now."""
        work = self._work
        if work.case.job.state != "in_review":
            return []
        offered = BILL_VERDICTS if work.case.job.model == "account.move" else ORDER_VERDICTS
        several = self._index is None or len(self._index.companies) > 1
        left_out = {
            *(() if self._around.posting else ("approve_and_post",)),
            *(() if several else ("wrong_company",)),
            *(
                ()
                if other_kind(work.folded, work.record) and work.record and not work.record.lines
                else ("switch_kind",)
            ),
            *(() if len(self._around.pages) > 1 else ("split",)),
        }
        return [one for one in offered if one not in left_out]


def _ids(value: Any) -> tuple[int, ...]:
    """The ids of a `record` or `records` value."""
    return tuple(value) if isinstance(value, list) else (value,)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items())  # pyright: ignore[reportUnknownVariableType]
    return str(value)
