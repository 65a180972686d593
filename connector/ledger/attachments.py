"""How the attachments of a poll become Jobs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from connector.ledger.jobs import move
from connector.ledger.records import Job, SeenAttachment
from connector.ledger.reviews import close_review
from connector.ledger.states import HELD, JobState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from connector.erp.port import Attachment, Poll

MIMETYPE = 128
"""Longer media types, which nobody needs but anybody can send, are cut."""


AT_ONCE = 200
"""So many attachments of a poll are kept in one transaction."""
GIVE_WAY = 0.12
"""Seconds between two of them: SQLite's waiting writers look every tenth of a second whether it is their turn."""


def parts(found: Sequence[Attachment]) -> Iterator[tuple[Sequence[Attachment], bool]]:
    """What is kept in one transaction, and whether it is the last; between two of them others may write. One part at least."""
    for start in range(0, max(1, len(found)), AT_ONCE):
        if start:
            time.sleep(GIVE_WAY)
        yield found[start : start + AT_ONCE], start + AT_ONCE >= len(found)


class Kept:
    """What the last poll of each Backend found and the ledger keeps since: polls overlap, and a large one would be looked up
    again and again. What did not change meanwhile comes as the same object; an equal one may have been changed and back."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[int, Attachment]] = {}

    def fresh(self, backend: str, poll: Poll) -> list[Attachment]:
        """What of a poll the ledger has to be asked about."""
        known = {} if poll.went_back else self._kept.get(backend, {})
        return [one for one in poll.attachments if known.get(id(one)) is not one]

    def keep(self, backend: str, poll: Poll, later: Sequence[Attachment]) -> None:
        """All of it is kept, but for those of which the ledger has to be asked again."""
        found = {id(one): one for one in poll.attachments}
        for one in later:
            found.pop(id(one), None)
        self._kept[backend] = found


def take_in(
    session: Session, backend: str, found: Sequence[Attachment], now: datetime, later: list[Attachment]
) -> int:
    """Make Jobs of attachments not seen before, and begin again with those that are others now; how many. Adds to `later`
    those that are in hand."""
    new, known = 0, _known_jobs(session, backend, found)
    for attachment in found:
        identity = attachment.id, attachment.checksum
        job = known.get(identity)
        if job and job.state in HELD:
            later.append(attachment)  # it may have gone to another record meanwhile
            continue
        same = job is not None and _same_attachment(job, attachment)
        if job and same and (job.state == JobState.FILLED or _place_of(job) == _place_of(attachment)):
            continue
        if job := job or _hidden_job(known, attachment):
            _look_again(session, job, attachment, now)
        else:
            job = _new_job(attachment, now)
            session.add(job)
        known[identity] = job
        new += 1
    return new


def _look_again(session: Session, job: Job, attachment: Attachment, now: datetime) -> None:
    """Begin again with what the ERP now shows of an attachment: its content, or another record that has it."""
    seen = job.attachment
    seen.checksum, seen.size = attachment.checksum, attachment.size
    seen.mimetype = attachment.mimetype[:MIMETYPE]
    seen.model, seen.record_id = job.model, job.record_id = _place_of(attachment)
    seen.created_at = attachment.created
    job.generation += 1
    if job.state != JobState.QUEUED:
        move(session, job, JobState.QUEUED, now, reason="seen_again", not_before=now)
        close_review(session, job, "seen_again", "vouch", now)


def _known_jobs(
    session: Session, backend: str, attachments: Sequence[Attachment]
) -> dict[tuple[int, str], Job]:
    """The Jobs of these attachments, by the attachment's id and the checksum of its content."""
    chosen = (
        select(Job)
        .join(SeenAttachment)
        .where(SeenAttachment.backend == backend, SeenAttachment.erp_id.in_({one.id for one in attachments}))
    )
    return {(job.attachment.erp_id, job.attachment.checksum): job for job in session.scalars(chosen)}


def _place_of(of: Job | Attachment) -> tuple[str, int]:
    """Model and id of the ERP record."""
    return of.model, of.record_id


def _same_attachment(job: Job, attachment: Attachment) -> bool:
    """Whether it is the one that the Job was made for: a restored ERP gives ids a second time."""
    return abs(job.attachment.created_at - attachment.created) < timedelta(seconds=1)


def _hidden_job(known: Mapping[tuple[int, str], Job], attachment: Attachment) -> Job | None:
    """The failed Job of this attachment from when the ERP did not show us its content."""
    job = known.get((attachment.id, "")) if attachment.checksum else None
    return job if job and job.state == JobState.FAILED else None


def _new_job(attachment: Attachment, now: datetime) -> Job:
    """A Job for an attachment not seen before, due at once; the main one of a record goes first."""
    return Job(
        attachment=SeenAttachment(
            backend=attachment.backend,
            erp_id=attachment.id,
            checksum=attachment.checksum,
            name=attachment.name,
            mimetype=attachment.mimetype[:MIMETYPE],
            size=attachment.size,
            model=attachment.model,
            record_id=attachment.record_id,
            is_main=attachment.is_main,
            created_at=attachment.created,
            seen_at=now,
        ),
        backend=attachment.backend,
        model=attachment.model,
        record_id=attachment.record_id,
        priority=0 if attachment.is_main else 1,
        state=JobState.QUEUED,
        reason="",
        message="",
        generation=0,
        crashes=0,
        delays=0,
        not_before=now,
        created_at=now,
        updated_at=now,
    )
