"""Which state of a Job may follow which. The only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class JobState(StrEnum):
    """Where a Document stands on its way through the pipeline.

    `queued`     waits for a worker, from `not_before` on
    `running`    a worker holds its lease: fetching, reading, matching, deciding
    `applying`   an Effect is recorded and its RPC may have happened
    `filled`     the ERP record was filled
    `in_review`  a person is asked
    `skipped`    not ours to fill: no bill, filled already, not a document
    `failed`     cannot be read or written; `vouch retry` tries again
    """

    QUEUED = "queued"
    RUNNING = "running"
    APPLYING = "applying"
    FILLED = "filled"
    IN_REVIEW = "in_review"
    SKIPPED = "skipped"
    FAILED = "failed"


HELD = frozenset({JobState.RUNNING, JobState.APPLYING})
FINAL = frozenset({JobState.FILLED, JobState.IN_REVIEW, JobState.SKIPPED, JobState.FAILED})
RETRIABLE = FINAL - {JobState.FILLED}
"""What a person may send through again; a fill is taken back instead."""

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {
            JobState.APPLYING,
            JobState.SKIPPED,
            JobState.FAILED,
            JobState.QUEUED,
            JobState.FILLED,
            JobState.IN_REVIEW,
        }
    ),
    JobState.APPLYING: frozenset(
        {
            JobState.RUNNING,
            JobState.FILLED,
            JobState.IN_REVIEW,
            JobState.SKIPPED,
            JobState.FAILED,
            JobState.QUEUED,
        }
    ),
    # A person takes a fill back, with an Effect; or the ERP was restored and has not been filled any more.
    JobState.FILLED: frozenset({JobState.APPLYING, JobState.QUEUED}),
    JobState.IN_REVIEW: frozenset({JobState.QUEUED, JobState.APPLYING, JobState.FILLED, JobState.SKIPPED}),
    JobState.SKIPPED: frozenset({JobState.QUEUED}),
    # A person entered by hand what cannot be read.
    JobState.FAILED: frozenset({JobState.QUEUED, JobState.SKIPPED}),
}


class IllegalTransition(Exception):
    """A defect of ours: this state may not follow that one."""

    def __init__(self, before: JobState, after: JobState) -> None:
        super().__init__(f"a job may not go from {before} to {after}")


def require_transition(before: JobState, after: JobState) -> None:
    """Raise IllegalTransition unless `after` may follow `before`."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransition(before, after)
