"""How the attachments of a poll become Jobs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from connector.ledger.records import Job, SeenAttachment
from connector.ledger.states import JobState

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


def known_jobs(
    session: Session, backend: str, attachments: Sequence[Attachment]
) -> dict[tuple[int, str], Job]:
    """The Jobs of these attachments, by the attachment's id and the checksum of its content."""
    chosen = (
        select(Job)
        .join(SeenAttachment)
        .where(SeenAttachment.backend == backend, SeenAttachment.erp_id.in_({one.id for one in attachments}))
    )
    return {(job.attachment.erp_id, job.attachment.checksum): job for job in session.scalars(chosen)}


def place_of(of: Job | Attachment) -> tuple[str, int]:
    """Model and id of the ERP record."""
    return of.model, of.record_id


def same_attachment(job: Job, attachment: Attachment) -> bool:
    """Whether it is the one that the Job was made for: a restored ERP gives ids a second time."""
    return abs(job.attachment.created_at - attachment.created) < timedelta(seconds=1)


def hidden_job(known: Mapping[tuple[int, str], Job], attachment: Attachment) -> Job | None:
    """The failed Job of this attachment from when the ERP did not show us its content."""
    job = known.get((attachment.id, "")) if attachment.checksum else None
    return job if job and job.state == JobState.FAILED else None


def new_job(attachment: Attachment, now: datetime) -> Job:
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
