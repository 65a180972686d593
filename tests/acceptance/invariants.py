"""What must be true after anything that was done to Vouch: each function gives a sentence for what is not.

Nothing here changes anything: the ledger, Odoo and the data folder are only looked at, once all has gone quiet.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from connector.erp import effects
from connector.ledger.chain import Chain
from connector.ledger.records import Attempt, EffectRecord, Job, Review, Transition
from connector.ledger.retention import UNSENT
from connector.ledger.states import FINAL, TRANSITIONS, JobState
from connector.ledger.uploads import UploadRecord
from deploy.odoo.administrator import Administrator

BILL, ORDER = "account.move", "purchase.order"
SEEN = ["state", "ref", "partner_id", "invoice_date", "amount_total", "invoice_line_ids", "write_date"]
DATABASES = {"ledger.db", "ledger.db-wal", "ledger.db-shm"}


@dataclass(frozen=True)
class Paper:
    """What a delivered document says: how many lines, and the total with VAT. `expected` is the state that a Job of it
    may end in; None leaves it open."""

    lines: int
    total: Decimal
    expected: JobState | None = None


def broken(
    engine: Engine,
    odoo: Administrator,
    papers: Mapping[int, Paper],
    folder: Path,
    untouched: Mapping[int, Any] | None = None,
) -> list[str]:
    """Everything that is not as it must be. `papers` by the id of the draft bill that each document was put on;
    `untouched` is what `standing` gave of bills that nobody should write on."""
    return [
        *of_ledger(engine),
        *of_bills(engine, odoo, papers),
        *of_folder(folder),
        *(of_untouched(odoo, untouched) if untouched else ()),
    ]


# -- the ledger alone -------------------------------------------------------------------------------------------------------


def of_ledger(engine: Engine) -> Iterator[str]:
    """No Job waits or is held, every story fits together, nothing is left unknown, the audit is whole."""
    with Session(engine) as session:
        jobs = list(session.scalars(select(Job)))
        stories: dict[int, list[Transition]] = defaultdict(list)
        for change in session.scalars(select(Transition).order_by(Transition.id)):
            stories[change.job_id].append(change)
        for job in jobs:
            yield from _of_job(job, stories[job.id])
        for effect in session.scalars(select(EffectRecord).where(EffectRecord.status == "intended")):
            yield f"document {effect.job_id}: nobody knows whether effect {effect.key} happened"
        for attempt in session.scalars(select(Attempt).where(Attempt.ended_at.is_(None))):
            yield f"document {attempt.job_id}: attempt {attempt.id} (step {attempt.step}) never ended"
        for upload in session.scalars(select(UploadRecord).where(UploadRecord.state.in_(UNSENT))):
            yield f"upload {upload.id} is {upload.state} after {upload.tries} tries: {upload.message}"
        states = {job.id: job.state for job in jobs}
        for review in session.scalars(select(Review)):
            is_open, state = review.settled_at is None, states[review.job_id]
            # What cannot be read is failed, and asked about all the same.
            if is_open != (state == JobState.IN_REVIEW) and not (is_open and state == JobState.FAILED):
                yield f"document {review.job_id} is {state}, its review {'open' if is_open else 'settled'}"
            if is_open and not review.reasons:
                yield f"document {review.job_id} is in review without a reason"
    count, faults = Chain(engine).verify()
    yield from (f"audit: {fault.message}" for fault in faults)
    if jobs and not count:
        yield "audit: it is empty"


def _of_job(job: Job, story: list[Transition]) -> Iterator[str]:
    what = f"document {job.id} on {job.model} {job.record_id}"
    if job.state not in FINAL:
        yield f"{what} is {job.state}: {job.reason} {job.message}"
    elif not job.reason:
        yield f"{what} is {job.state} without a reason"
    if job.state in (JobState.SKIPPED, JobState.FAILED) and not job.message:
        yield f"{what} is {job.state} ({job.reason}) without a sentence"
    if job.lease_owner or job.lease_until:
        yield f"{what} is {job.state}, and {job.lease_owner} holds it until {job.lease_until}"
    state = JobState.QUEUED
    for change in story:
        if change.before != state or change.after not in TRANSITIONS[JobState(change.before)]:
            yield f"{what}: {change.before} → {change.after} after {state}"
        state = JobState(change.after)
    if state != job.state:
        yield f"{what} is {job.state}, its story ends {state}"


# -- the ledger and Odoo ------------------------------------------------------------------------------------------------------


def of_bills(engine: Engine, odoo: Administrator, papers: Mapping[int, Paper]) -> Iterator[str]:
    """Every document is known once, every effect has its one note and its one to-do, every bill its lines once."""
    with Session(engine) as session:
        chosen = select(Job).where(Job.model == BILL, Job.record_id.in_(papers)).order_by(Job.id)
        jobs: dict[int, list[Job]] = defaultdict(list)
        for job in session.scalars(chosen):
            jobs[job.record_id].append(job)
        effects_of: dict[int, list[EffectRecord]] = defaultdict(list)
        for effect in session.scalars(select(EffectRecord).where(EffectRecord.status == "done")):
            effects_of[effect.record_id].append(effect)
    notes = _notes(odoo, papers)
    to_dos = _to_dos(odoo, papers)
    bills = {row["id"]: row for row in odoo.find(BILL, [["id", "in", list(papers)]], SEEN)}
    lines = Counter(
        row["move_id"][0]
        for row in odoo.find(
            "account.move.line",
            [["move_id", "in", list(papers)], ["display_type", "=", "product"]],
            ["move_id"],
        )
    )
    for number, paper in papers.items():
        if len(jobs[number]) != 1:
            yield f"bill {number} has {len(jobs[number])} documents in the ledger"
            continue
        if number not in bills:
            yield f"bill {number} is gone from Odoo"
            continue
        [job] = jobs[number]
        if paper.expected and job.state != paper.expected:
            yield f"bill {number} should be {paper.expected} and is {job.state} ({job.reason}): {job.message}"
        yield from _of_notes(number, effects_of[number], notes[number])
        yield from _of_to_dos(number, job, effects_of[number], to_dos[number])
        yield from _of_lines(number, job, paper, lines[number], Decimal(str(bills[number]["amount_total"])))


def _notes(odoo: Administrator, papers: Iterable[int]) -> Mapping[int, Counter[str]]:
    domain = [["model", "=", BILL], ["res_id", "in", list(papers)], ["body", "ilike", effects.SIGNED]]
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in odoo.find("mail.message", domain, ["res_id", "body"]):
        found[row["res_id"]].update(effects.keys(row["body"]))
    return found


def _to_dos(odoo: Administrator, papers: Iterable[int]) -> Mapping[int, list[bool]]:
    """Of each bill whether its to-dos are open, those that are done too."""
    domain = [["res_model", "=", BILL], ["res_id", "in", list(papers)], ["active", "in", [True, False]]]
    found: dict[int, list[bool]] = defaultdict(list)
    for row in odoo.find("mail.activity", domain, ["res_id", "active"]):
        found[row["res_id"]].append(row["active"])
    return found


def _of_notes(number: int, done: list[EffectRecord], notes: Counter[str]) -> Iterator[str]:
    wanted = {effect.key for effect in done if not effect.body.get("posting")}
    for key, count in notes.items():
        if count != 1:
            yield f"bill {number} has {count} notes with the key {key}"
        if key not in wanted:
            yield f"bill {number} has a note with the key {key}, of which the ledger does not know"
    for key in wanted - set(notes):
        yield f"bill {number} has no note with the key {key}, which the ledger takes for done"


def _of_to_dos(number: int, job: Job, done: list[EffectRecord], to_dos: list[bool]) -> Iterator[str]:
    asking = [
        one
        for one in done
        if one.body.get("review") is not None or one.body.get("verdict") in ("question", "undo")
    ]
    if len(to_dos) != len(asking):
        yield f"bill {number} was asked about {len(asking)} times and has {len(to_dos)} to-dos"
    if job.state == JobState.IN_REVIEW and not any(to_dos):
        yield f"bill {number} is in review and has no open to-do"
    if job.state in (JobState.FILLED, JobState.SKIPPED) and any(to_dos):
        yield f"bill {number} is {job.state} and has {sum(to_dos)} open to-dos"


def _of_lines(number: int, job: Job, paper: Paper, lines: int, total: Decimal) -> Iterator[str]:
    if job.state == JobState.FILLED:
        if lines != paper.lines:
            yield f"bill {number} is filled with {lines} lines, the document has {paper.lines}"
        if total != paper.total:
            yield f"bill {number} is filled with {total}, the document says {paper.total}"
    elif lines:
        yield f"bill {number} is {job.state} and has {lines} lines"


def standing(odoo: Administrator, bills: Iterable[int]) -> dict[int, Any]:
    """What these bills are now, to be held against later."""
    rows = odoo.find(BILL, [["id", "in", list(bills)]], [*SEEN, "message_ids", "activity_ids"])
    return {row["id"]: row for row in rows}


def of_untouched(odoo: Administrator, before: Mapping[int, Any]) -> Iterator[str]:
    """What nobody should write on is as it was."""
    now = standing(odoo, before)
    for number, row in before.items():
        if now.get(number) != row:
            yield f"bill {number} should be untouched: it was {row} and is {now.get(number)}"


# -- the data folder ----------------------------------------------------------------------------------------------------------


def of_folder(folder: Path) -> Iterator[str]:
    """Every document kept is whole, and there is no half file of any kind."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in DATABASES or path.name.endswith((".lock", ".log")):
            continue
        if path.parent.parent.name != "documents":
            yield f"{path.relative_to(folder)} should not be there"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            yield f"{path.relative_to(folder)} is not the document of that name"


def of_secrets(folder: Path, secrets: Iterable[str]) -> Iterator[str]:
    """No secret stands in the bytes of any file: ledger, documents, answers, logs."""
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        for secret in secrets:
            if secret and secret.encode() in data:
                yield f"{path.relative_to(folder)} holds the secret that begins with {secret[:4]}"


# -- waiting for quiet ----------------------------------------------------------------------------------------------------------


def waiting(engine: Engine) -> dict[str, int]:
    """How much is not settled yet: Jobs by state, and uploads. Empty when all is quiet."""
    with Session(engine) as session:
        found = Counter(session.scalars(select(Job.state).where(Job.state.not_in(FINAL))))
        found.update(
            f"upload {state}" for state in session.scalars(select(UploadRecord.state)) if state in UNSENT
        )
    return dict(found)
