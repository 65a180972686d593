"""What is interrupted: rounds, verdicts, uploads, purge, backup. Each kill is of a real process at a point of its own."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import utc_now
from connector.ledger.uploads import UploadRecord
from tests.acceptance.command import vouch
from tests.acceptance.crash.office import Client, Ended, Office, Point
from tests.acceptance.crash.tally import Tally
from tests.acceptance.many import Made

WRITE = "call account.move/web_save"
ROUND = ("sync", "--once")
SOON = {"VOUCH_BACKENDS__MAIN__LONGEST_REQUEST_SECONDS": "1"}
PROBES = ("/fields_get", "/has_access")
Wish = tuple[str, dict[str, Any]]
VERDICTS = {
    "approve": JobState.FILLED,
    "approve_and_post": JobState.FILLED,
    "question": JobState.IN_REVIEW,
    "not_a_bill": JobState.SKIPPED,
    "undo": JobState.IN_REVIEW,
}


# -- rounds -----------------------------------------------------------------------------------------------------------------


def passages(
    tally: Tally, office: Office, stage: str, made: Iterator[Made], *, matching: bool = False, of: int = 1
) -> None:
    """A bill at a time, each interrupted at another point of its passage; the next round takes up the one before."""
    with tally.held(stage, office):
        points = _round(office, next(made)).points
        for at in tally.chosen(points, matching=matching, of=of):
            tally.note(stage, _round(office, next(made), at))


def polls(tally: Tally, office: Office, stage: str, made: Iterator[Made]) -> None:
    """Killed while Odoo is looked at for something new. Of the calls that only ask what there is (models, fields, rights)
    one in ten is enough."""
    with tally.held(stage, office):
        office.deliver(next(made))
        points = office.killed(office.spec("poll", alone=True), *ROUND).points
        asking = [name for name in points if name.partition(":")[0].endswith(PROBES)]
        telling = [name for name in points if name not in asking]
        every = [*tally.chosen(telling, of=2), *tally.chosen(telling, matching=True, of=2)]
        for at in [*every, *tally.chosen(asking, of=10), *tally.chosen(asking, matching=True, of=10)]:
            office.deliver(next(made))
            tally.note(stage, office.killed(office.spec("poll", at, alone=True), *ROUND))


def in_writes(
    tally: Tally, office: Office, stage: str, made: Iterator[Made], moments: Sequence[float]
) -> None:
    """While Odoo works on the one write of a bill: it goes on with it, and nobody hears the answer."""
    with tally.held(stage, office):
        for late in moments[:: tally.share]:
            tally.note(stage, _round(office, next(made), Point(f"{WRITE}: before"), late), "in a request")


def recoveries(tally: Tally, office: Office, stage: str, made: Iterator[Made]) -> None:
    """Killed again while a bill is taken up whose write had happened, or had not."""
    with tally.held(stage, office):
        for end in ("before", "after"):
            points = _taken_up(tally, office, stage, next(made), end, None)
            for at in tally.chosen(points, of=5):
                _taken_up(tally, office, stage, next(made), end, at)


def _taken_up(
    tally: Tally, office: Office, stage: str, made: Made, end: str, at: Point | None
) -> Sequence[str]:
    bill = office.deliver(made)
    first = office.spec("work", Point(f"{WRITE}: {end}"), bill)
    tally.note(stage, office.killed(first, *ROUND))
    second = office
    if end == "before":
        # Odoo never heard of it: it need not be waited for as long as for a write that it may still be at.
        second = replace(office, environment=office.environment | SOON)
        time.sleep(1.1)
    ended = second.killed(office.spec("work", at, bill), *ROUND)
    if at:
        tally.note(stage, ended)
    return ended.points


def _round(office: Office, made: Made, at: Point | None = None, late: float = 0.0) -> Ended:
    bill = office.deliver(made)
    return office.killed(office.spec("work", at, bill, late), *ROUND)


# -- verdicts -----------------------------------------------------------------------------------------------------------------


def verdicts(
    tally: Tally, office: Office, verdict: str, made: Iterator[Made], *, sent_again: float = 0.5
) -> None:
    """A person's verdict, interrupted at every point. Of the interrupted ones `sent_again` are sent once more, as the
    screen does; the others are left to the service."""
    stage, rng = f"verdict {verdict}", random.Random(verdict)

    def asked(count: int) -> Iterator[tuple[int, int]]:
        """Bills that wait for this verdict, with their documents."""
        bills = [office.deliver(next(made)) for _ in range(count)]
        office.run(*ROUND)
        jobs = [job_of(office, bill) for bill in bills]
        if verdict == "undo":
            with office.serving() as client:
                for job in jobs:
                    assert send(client, wish(client, "approve", job)) == 200
        return iter(zip(bills, jobs, strict=True))

    with tally.held(stage, office):
        [(bill, job)] = asked(1)
        with office.serving(office.spec("verdict", None, job)) as client:
            assert send(client, wish(client, verdict, job)) == 200
        _expect(office, bill, VERDICTS[verdict])
        points = client.ended.points
        chosen = tally.chosen(points, of=4)
        waiting, last = asked(len(chosen)), None
        for at in chosen:
            bill, job = next(waiting)
            with office.serving(office.spec("verdict", at, job)) as client:
                if last:
                    assert send(client, last) == 200
                last = wish(client, verdict, job)
                if send(client, last) is None:
                    client.process.wait(60)
            tally.note(stage, client.ended)
            again = rng.random() < sent_again
            # Once Odoo has written, the verdict is carried out, whatever happens to us.
            done = points.index(at.name) >= points.index(f"{WRITE}: after")
            _expect(office, bill, VERDICTS[verdict] if again or done else None)
            last = last if again else None
        if last:
            with office.serving() as client:
                assert send(client, last) == 200


def _expect(office: Office, bill: int, state: JobState | None) -> None:
    office.papers[bill] = replace(office.papers[bill], expected=state)


def job_of(office: Office, bill: int) -> int:
    with Session(office.engine) as session:
        return session.scalars(select(Job.id).where(Job.record_id == bill)).one()


def wish(client: Client, verdict: str, job: int) -> Wish | None:
    """Path and body of a person's verdict on the bill as it is; None where the server died of showing it."""
    key = uuid.uuid4().hex
    if verdict == "undo":
        return f"/documents/{job}/undo", {"key": key}
    answer = client.send("GET", f"/reviews/{job}")
    if answer is None:
        return None
    assert answer.is_success, answer.text
    bill = answer.json()
    body = {
        "verdict": verdict,
        "version": bill["version"],
        "key": key,
        "reason": "So it was decided.",
        "acknowledged": [question["id"] for question in bill["questions"]],
    }
    return f"/reviews/{job}/verdict", body | ({"question": "Is this ours?"} if verdict == "question" else {})


def send(client: Client, wanted: Wish | None) -> int | None:
    """Send it until there is a word on it; the status, None where the server died of it."""
    assert wanted
    path, body = wanted
    for _ in range(60):
        answer = client.send("POST", path, json=body)
        if answer is None or answer.status_code != 503:
            return answer and answer.status_code
        time.sleep(1)
    raise AssertionError(f"{path}: it is not settled after a minute")


# -- uploads ------------------------------------------------------------------------------------------------------------------


def uploads(tally: Tally, office: Office, stage: str, made: Iterator[Made]) -> None:
    """A program brings a document, and the server dies of it. It asks again only where it had no answer before its document
    was kept; all others are left to the service."""
    with tally.held(stage, office):
        brought: list[Made] = [next(made)]
        with office.serving(office.spec("upload")) as client:
            assert bring(client, brought[0]) == 201
        for at in tally.chosen(client.ended.points, of=2):
            brought.append(next(made))
            with office.serving(office.spec("upload", at)) as client:
                if bring(client, brought[-1]) is None:
                    client.process.wait(60)
            tally.note(stage, client.ended)
        with office.serving() as client:
            for one in brought:
                # The server may have died of another upload, which it was sending meanwhile.
                if not _kept(office, one):
                    assert bring(client, one) == 201
    each_once(tally, office, stage, brought)


def _kept(office: Office, made: Made) -> bool:
    with Session(office.engine) as session:
        chosen = select(UploadRecord.id).where(UploadRecord.name == made.file.name)
        return session.scalar(chosen) is not None


def pushes(tally: Tally, office: Office, stage: str, made: Iterator[Made]) -> None:
    """A person puts files into Odoo with `vouch push`, and gives the command again where it was killed."""
    folder = office.folder.parent / "pushed"
    folder.mkdir()

    def file(one: Made) -> str:
        (folder / one.file.name).write_bytes(one.file.content)
        return str(folder / one.file.name)

    with tally.held(stage, office):
        brought: list[Made] = [next(made)]
        points = office.killed(office.spec("upload"), "push", file(brought[0])).points
        for at in tally.chosen(points, of=2):
            brought.append(next(made))
            words = ("push", file(brought[-1]))
            tally.note(stage, office.killed(office.spec("upload", at), *words))
            office.killed(office.spec("none"), *words)
    each_once(tally, office, stage, brought)


def each_once(tally: Tally, office: Office, stage: str, brought: Sequence[Made]) -> None:
    """Each document has one bill, which shows it, and is filled."""
    names = [one.file.name for one in brought]
    found = office.odoo.find(
        "ir.attachment", [["res_model", "=", "account.move"], ["name", "in", names]], ["name", "res_id"]
    )
    bills = {row["res_id"]: row["name"] for row in found}
    for one in brought:
        having = [bill for bill, name in bills.items() if name == one.file.name]
        if len(having) != 1:
            tally.losses.append(f"{stage}: {one.file.name} made {len(having)} bills")
        office.papers.update(dict.fromkeys(having, one.paper))
    for row in office.odoo.find("account.move", [["id", "in", list(bills)]], ["message_main_attachment_id"]):
        if not row["message_main_attachment_id"]:
            tally.losses.append(f"{stage}: bill {row['id']} does not show its document")
    office.settle()
    tally.losses += [f"{stage}: {sentence}" for sentence in office.broken()]


def bring(client: Client, made: Made) -> int | None:
    headers = {"Idempotency-Key": made.file.name}
    answer = client.send(
        "POST", f"/documents?name={made.file.name}", content=made.file.content, headers=headers
    )
    return answer and answer.status_code


# -- the ledger's own work ----------------------------------------------------------------------------------------------------


def purges(tally: Tally, office: Office, stage: str, made: Iterator[Made]) -> None:
    """Documents are deleted by age; afterwards each is there whole or gone, and the audit says so."""
    days = {"VOUCH_RETENTION__DOCUMENTS_DAYS": "1", "VOUCH_RETENTION__READINGS_DAYS": "1"}
    aged = replace(office, environment=office.environment | days)
    with tally.held(stage, office):

        def grow_old() -> None:
            for _ in range(2):
                office.deliver(next(made))
            office.run(*ROUND)
            with Session(office.engine) as session, session.begin():
                old = utc_now() - timedelta(days=40)
                session.execute(update(Job).where(Job.state == JobState.FILLED).values(updated_at=old))
            for path in (office.folder / "documents").glob("??/*"):
                os.utime(path, (old.timestamp(), old.timestamp()))

        grow_old()
        aged.run("purge")
        grow_old()
        points = aged.killed(aged.spec("purge"), "purge").points
        for at in tally.chosen(points):
            grow_old()
            tally.note(stage, aged.killed(aged.spec("purge", at), "purge"))
        aged.run("purge")


def backups(tally: Tally, office: Office, stage: str) -> None:
    """A backup is there whole or not at all, and what a killed one left goes with the next."""
    folder = office.folder.parent / "backups"
    folder.mkdir()
    with tally.held(stage, office):
        points = office.killed(office.spec("backup"), "backup", str(folder / "whole")).points
        files: list[Path] = []
        for number, at in enumerate(tally.chosen(points)):
            files.append(folder / str(number))
            tally.note(stage, office.killed(office.spec("backup", at), "backup", str(files[-1])))
        office.run("backup", str(folder / "last"))
        for file in [*files, folder / "last"]:
            fresh = {
                **office.environment,
                "VOUCH_DATA_DIR": str(folder / f"of-{file.name}"),
                "VOUCH_LEDGER_URL": "",
            }
            if file.exists() and (done := vouch(fresh, "restore", str(file))).returncode:
                tally.losses.append(f"{stage}: {file.name} cannot be restored: {done.stderr}")
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        tally.losses += [f"{stage}: {name} was left behind" for name in left]
