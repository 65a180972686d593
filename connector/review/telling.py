"""The history of a document told for the page: what belongs together as one moment, in the person's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connector.review.bill import Arrange, ShownTable, ShownValue, level_of
from connector.settling.form import KINDS, MODELS
from connector.settling.snapshot import record_from_json
from inference.invoice import LINE, LINE_TERMS, Reading
from mappings.naming import named
from mappings.proposal import scalar_as_json

if TYPE_CHECKING:
    from connector.ledger.history import History
    from connector.ledger.records import CorrectionRecord, EffectRecord, ProposalRecord, ReadingRecord
    from connector.review.language import Language
    from mappings.erp_data import Record
    from mappings.index import ErpIndex

AMOUNTS = frozenset({"price_unit", "subtotal", "amount_untaxed", "amount_tax", "amount_total"})
LINE_COLUMNS = ("name", "quantity", "price_unit", "tax_ids", "account_id", "subtotal")
TOTALS = ("amount_untaxed", "amount_tax", "amount_total")
# Steps of the machinery, which the moments around them tell already; the JSON has them.
UNTOLD = frozenset({"running", "applying"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell of a table: `look` is `label`, `number`, `was`, `now`, `quiet` or empty; with a confidence its level."""

    text: str
    look: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; `columns` may be empty where the rows speak for themselves."""

    caption: str
    columns: tuple[Entry, ...]
    rows: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened at once. `tone` is `good`, `ask`, `bad` or empty; `more` names what `tables` and `note` hold."""

    at: datetime
    kind: str
    title: str
    actor: str = ""
    tone: str = ""
    said: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    more: str = ""
    tables: tuple[Table, ...] = ()
    note: str = ""
    key: str = ""

    @property
    def day(self) -> str:
        """The day, in the machine's own zone, in ISO 8601."""
        return self.at.astimezone().date().isoformat()


@dataclass(frozen=True, slots=True)
class Step:
    """A station of every document: when it was first reached, and how long after the one before."""

    name: str
    at: datetime | None
    after: timedelta | None


class Names:
    """Values of the ERP in words, from what is known here: the index where there is one, else the Matches kept."""

    def __init__(
        self, language: Language, index: ErpIndex | None, matches: Mapping[int, str], currency: str
    ) -> None:
        self._language, self._index, self._matches, self._currency = language, index, matches, currency

    def say(self, field: str, value: Any) -> str:
        """A value as it stands in the ledger's JSON."""
        if value in (None, "", False) or value == [] or value == {}:
            return "–"
        kind = KINDS.get(field, "amount" if field in AMOUNTS else "")
        try:
            if kind == "date":
                return self._language.iso_day(str(value))
            if kind == "amount":
                return self._language.amount(Decimal(str(value)), self._currency)
            if kind in ("quantity", "percent"):
                return self._language.number(Decimal(str(value)))
        except (ValueError, InvalidOperation):
            # What a person corrected a Reading to is kept as it is.
            return str(value)
        if isinstance(value, list):
            return ", ".join(self._record(field, one) for one in value)  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, int) and (field in MODELS or field.endswith("_id")):
            return self._record(field, value)
        return str(value)

    def _record(self, field: str, number: Any) -> str:
        if self._index is not None and isinstance(number, int):
            found = _found(self._index, field, number)
            if found:
                return found
        return self._matches.get(number, f"#{number}") if field == "partner_id" else f"#{number}"


def _found(index: ErpIndex, field: str, number: int) -> str:
    if field == "partner_bank_id":
        return next((one.number for one in index.data.bank_accounts if one.id == number), "")
    if field == "invoice_payment_term_id":
        return index.terms[number].name if number in index.terms else ""
    if field == "tax_ids":
        return index.taxes[number].name if number in index.taxes else ""
    if field == "company_id":
        return index.companies[number].name if number in index.companies else ""
    text = named(index, field, number)
    return "" if text in (str(number), f"number {number}") else text


def matches_of(history: History) -> dict[int, str]:
    """The vendors that Proposals named."""
    return {
        int(one["id"]): str(one["name"])
        for proposal in history.story.proposals
        for one in proposal.body.get("matches", {}).get("partner_id", ())
        if isinstance(one.get("id"), int)
    }


def steps_of(history: History) -> tuple[Step, ...]:
    """Seen, read, decided, written, posted: when each was reached first."""
    story = history.story
    written = [one.settled_at for one in story.effects if one.status == "done" and one.settled_at]
    reached = {
        "seen": story.job.created_at,
        "read": min((one.at for one in story.readings), default=None),
        "decided": min((one.at for one in story.proposals), default=None),
        "written": min(written, default=None),
        "posted": history.verdict.at if history.verdict else None,
    }
    steps: list[Step] = []
    before: datetime | None = None
    for name, at in reached.items():
        steps.append(Step(name, at, at - before if at and before and at >= before else None))
        before = at or before
    return tuple(steps)


class Teller:
    """Tells one History in one language."""

    def __init__(self, history: History, language: Language, names: Names, sure: float) -> None:
        self._history, self._language, self._names, self._sure = history, language, names, sure

    def moments(self) -> list[Moment]:
        """Everything in the order it happened."""
        return sorted(self._moments(), key=lambda moment: moment.at)

    def _moments(self) -> Iterator[Moment]:
        t, story = self._language.t, self._history.story
        size = self._language.plain_number(round(story.job.attachment.size / 1024, 1))
        seen = (story.job.attachment.name, t("history.file", kind=story.job.attachment.mimetype, size=size))
        yield Moment(story.job.created_at, "seen", t("history.kind.seen"), quiet=(" · ".join(seen),))
        told = UNTOLD | {effect.leads_to for effect in story.effects}
        for step in story.transitions:
            if step.after not in told and step.before:
                tone = "bad" if step.after == "failed" else ""
                said = (self._say(step.message),) if step.message else ()
                title = t("history.again") if step.after == "queued" else t(f"job_state.{step.after}")
                yield Moment(step.at, "state", title, _person(step.actor), tone, said)
        for attempt in story.attempts:
            if attempt.outcome not in ("", "done"):
                at = attempt.ended_at or attempt.started_at
                said = (self._say(attempt.error),) if attempt.error else ()
                yield Moment(at, "attempt", t("history.kind.attempt"), tone="bad", said=said)
        yield from map(self._reading, story.readings)
        yield from map(self._proposal, story.proposals)
        yield from map(self._effect, story.effects)
        if (review := story.review) is not None:
            topics = " · ".join(self._language.topic(topic) for topic in review.topics)
            asked = (topics,) if topics else tuple(map(self._say, review.reasons))
            yield Moment(review.opened_at, "review", t("history.kind.review"), tone="ask", said=asked)
            if review.settled_at is not None:
                title = self._titled("settled", self._language.verdict(review.verdict))
                took = (t("history.took", n=review.seconds),) if review.seconds else ()
                yield Moment(review.settled_at, "settled", title, self._who(review.actor), "good", quiet=took)
        yield from self._corrections()
        yield from self._learned()

    def _who(self, login: str) -> str:
        """A person's name, where a write of theirs tells it; else the login."""
        told = (effect.body for effect in self._history.story.effects)
        return next(
            (str(one["name"]) for one in told if one.get("actor") == login and one.get("name")), login
        )

    def _titled(self, kind: str, how: str) -> str:
        return self._language.t("history.titled", what=self._language.t(f"history.kind.{kind}"), how=how)

    def _say(self, sentence: str) -> str:
        return self._language.say(sentence)

    # -- readings -------------------------------------------------------------------------------------------------------

    def _reading(self, kept: ReadingRecord) -> Moment:
        t = self._language.t
        usage: Mapping[str, Any] = kept.body.get("usage") or {}
        reading = Reading.from_json(kept.body)
        said = [t("history.read", fields=len(reading.fields), n=len(reading.lines), version=kept.version)]
        if usage.get("model"):
            said.append(t("history.model", model=usage["model"], prompt=usage.get("prompt") or "–"))
        timing: Mapping[str, Any] = kept.body.get("timing_ms") or {}
        total = float(timing.get("total") or 0)
        seconds = self._language.plain_number(round(total / 1000, 1)) if total else ""
        quiet = (t("history.seconds", n=seconds),) if seconds else ()
        arrange = Arrange(self._language, reading.text("currency") or "", self._sure)
        fields = [value for values in arrange.groups(reading).values() for value in values]
        tables = [self._values(fields, reading)] if fields else []
        if reading.lines:
            tables.append(self._rows(arrange.table(reading.lines, LINE_TERMS, LINE)))
        title = self._titled("reading", self._language.reader(kept.reader))
        return Moment(kept.at, "reading", title, said=tuple(said), quiet=quiet, more=t("history.more.reading"), tables=tuple(tables))  # fmt: skip

    def _values(self, values: Sequence[ShownValue], reading: Reading) -> Table:
        t = self._language.t
        rows: list[tuple[Entry, ...]] = []
        for value in values:
            proof = reading.fields[value.name].evidence
            where = next((t("history.page", n=one.page) for one in proof if one.page), value.path)
            rows.append(
                (
                    Entry(t(f"term.{value.name}"), "label"),
                    Entry(value.text),
                    Entry(value.percent, "number", value.level),
                    Entry(" · ".join(filter(None, (where, self._say(value.note)))), "quiet"),
                )
            )
        columns = ("history.column.value_of", "history.column.value", "history.column.sure", "history.column.where")  # fmt: skip
        return Table("", tuple(Entry(t(one), "number" if at == 2 else "") for at, one in enumerate(columns)), tuple(rows))  # fmt: skip

    def _rows(self, shown: ShownTable) -> Table:
        t = self._language.t
        columns = tuple(
            Entry(t(f"term.{name}"), "number" if number else "") for name, number in shown.columns
        )
        rows = tuple(
            tuple(
                Entry(cell.text, "number" if cell.number else "", cell.level if cell.level != "sure" else "")
                if cell
                else Entry("")
                for cell in row
            )
            for row in shown.rows
        )
        return Table(t("field.lines"), columns, rows)

    # -- proposals ------------------------------------------------------------------------------------------------------

    def _proposal(self, kept: ProposalRecord) -> Moment:
        t, body = self._language.t, kept.body
        outcome = t(f"history.outcome.{kept.outcome}")
        if kept.score:
            outcome = f"{outcome} ({self._language.percent(kept.score)})"
        checks = body.get("checks", ())
        failed = [self._say(str(one["message"])) for one in checks if one["status"] == "fail"]
        passed = sum(one["status"] == "pass" for one in checks)
        quiet = (t("bill.passed", n=passed),) if passed else ()
        reasons = tuple(self._say(reason) for reason in kept.reasons)
        said = (*reasons, *(one for one in failed if one not in reasons))
        tables = tuple(filter(None, (self._proposed(body), *self._proposed_lines(body))))
        tone = {"fill": "good", "review": "ask"}.get(kept.outcome, "")
        title = self._titled("proposal", outcome)
        return Moment(kept.at, "proposal", title, "", tone, said, quiet, t("history.more.proposal"), tables)

    def _proposed(self, body: Mapping[str, Any]) -> Table | None:
        rows = tuple(self._proposed_value(name, node) for name, node in body.get("values", {}).items())
        return Table("", self._columns(), rows) if rows else None

    def _proposed_lines(self, body: Mapping[str, Any]) -> Iterator[Table]:
        for at, line in enumerate(body.get("lines", ()), 1):
            rows = tuple(
                self._proposed_value(name, node) for name, node in line.items() if "confidence" in node
            )
            yield Table(self._language.t("history.line", n=at), (), rows)

    def _columns(self) -> tuple[Entry, ...]:
        t = self._language.t
        columns = ("history.column.value_of", "history.column.value", "history.column.sure", "history.column.why")  # fmt: skip
        return tuple(Entry(t(one), "number" if at == 2 else "") for at, one in enumerate(columns))

    def _proposed_value(self, name: str, node: Mapping[str, Any]) -> tuple[Entry, ...]:
        confidence = float(node.get("confidence", 0))
        return (
            Entry(self._language.field(name), "label"),
            Entry(self._names.say(name, node.get("value"))),
            Entry(self._language.percent(confidence), "number", level_of(confidence, self._sure)),
            Entry(self._say(str(node.get("reason", ""))), "quiet"),
        )

    # -- effects --------------------------------------------------------------------------------------------------------

    def _effect(self, effect: EffectRecord) -> Moment:
        t, body = self._language.t, effect.body
        title = t(f"history.effect.{effect.status}")
        if body.get("verdict") == "undo" and effect.status == "done":
            title = t("history.undone")
        elif effect.leads_to == "in_review" and effect.status == "done":
            title = t("history.asked")
        actor = str(body.get("name") or body.get("actor") or "")
        result: Mapping[str, Any] = body.get("result") or {}
        before, after = _record(body.get("before") or body.get("was")), _record(result.get("record"))
        tables = [self._written(body.get("values", {}), before, after)]
        if after is not None and after.lines and effect.status == "done":
            tables.append(self._record_lines(after))
        found = tuple(table for table in tables if table is not None)
        note = str(body.get("note") or "")
        more = t("history.more.effect") if found or note else ""
        tone = {"done": "good", "void": ""}.get(effect.status, "bad")
        if effect.leads_to == "in_review":
            tone = "" if effect.status == "done" else tone
        return Moment(effect.settled_at or effect.at, "effect", title, actor, tone, (), (), more, found, note, effect.key)  # fmt: skip

    def _written(
        self, values: Mapping[str, Any], before: Record | None, after: Record | None
    ) -> Table | None:
        t = self._language.t
        rows: list[tuple[Entry, ...]] = []
        for name, value in values.items():
            was = scalar_as_json(before.values.get(name)) if before and name in before.values else None
            rows.append(self._change(name, was, value))
        if before and after:
            for name in TOTALS:
                was, now = getattr(before, name), getattr(after, name)
                if was != now:
                    rows.append(self._change(name, scalar_as_json(was), scalar_as_json(now)))
        columns = tuple(Entry(t(f"history.column.{one}")) for one in ("value_of", "before", "after"))
        return Table("", columns, tuple(rows)) if rows else None

    def _change(self, name: str, was: Any, now: Any) -> tuple[Entry, ...]:
        shown = self._names.say(name, was), self._names.say(name, now)
        return (
            Entry(self._language.field(name), "label"),
            Entry(shown[0], "was" if shown[0] not in ("–", shown[1]) else "quiet"),
            Entry(shown[1], "now" if shown[0] != shown[1] else ""),
        )

    def _record_lines(self, record: Record) -> Table:
        numbers = ("quantity", "price_unit", "subtotal")
        columns = tuple(
            Entry(self._language.field(one), "number" if one in numbers else "") for one in LINE_COLUMNS
        )
        rows = tuple(
            tuple(
                Entry(
                    self._names.say(one, scalar_as_json(getattr(line, one))),
                    "number" if one in numbers else "",
                )
                for one in LINE_COLUMNS
            )
            for line in record.lines
        )
        return Table(self._language.t("field.lines"), columns, rows)

    # -- what people made of it -----------------------------------------------------------------------------------------

    def _corrections(self) -> Iterator[Moment]:
        t = self._language.t
        together: dict[tuple[datetime, str], list[CorrectionRecord]] = {}
        for one in self._history.corrections:
            together.setdefault((one.at, one.actor), []).append(one)
        for (at, actor), found in together.items():
            columns = tuple(
                Entry(t(f"history.column.{one}")) for one in ("value_of", "before", "after", "where")
            )
            table = Table("", columns, tuple(map(self._correction, found)))
            title = t("history.corrected", n=len(found))
            yield Moment(at, "correction", title, self._who(actor), tables=(table,))

    def _correction(self, one: CorrectionRecord) -> tuple[Entry, ...]:
        name = one.target.rpartition(".")[2]
        place = self._language.t("history.page", n=one.page) if one.page else ""
        return (*self._change(name, one.before, one.after), Entry(place, "quiet"))

    def _learned(self) -> Iterator[Moment]:
        t, history = self._language.t, self._history
        if (verdict := history.verdict) is not None:
            fields = [self._language.field(name) for name in (*verdict.wrong, *verdict.changed)]
            unchanged = verdict.right and not verdict.changed
            said = t("history.unchanged") if unchanged else f"{t('history.changed')} {', '.join(fields)}"
            yield Moment(verdict.at, "posted", t("history.kind.posted"), tone="good", said=(said,))
            if history.lessons:
                said = tuple(f"“{one.printed}” → {one.label}" for one in history.lessons)
                yield Moment(verdict.at, "lesson", t("history.kind.lesson"), quiet=said)
        together: dict[tuple[datetime, str], list[str]] = {}
        for value in history.judged:
            word = t("history.right" if value.right else "history.wrong")
            together.setdefault((value.at, value.actor), []).append(
                f"{self._language.field(value.term)}: {word}"
            )
        for (at, actor), found in together.items():
            yield Moment(at, "judged", t("history.kind.judged"), _person(actor), quiet=(" · ".join(found),))


def _person(actor: str) -> str:
    """The actor where it is a person: workers have a colon in their names."""
    return "" if ":" in actor or actor in ("vouch", "worker") else actor


def _record(node: Mapping[str, Any] | None) -> Record | None:
    """A record as the Effect kept it; None where it is of an older version, or was purged."""
    return record_from_json(node) if node and "values" in node else None
