"""All documents that a person may see, by state and page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from connector.ledger.queue import Sight
from connector.ledger.records import Job
from connector.ledger.states import JobState


class Overview:
    """Reads Jobs. Each call is one short transaction. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, sight: Sight) -> dict[JobState, int]:
        """How many Jobs stand in each state."""
        chosen = select(Job.state, func.count()).where(*_of(sight)).group_by(Job.state)
        with self._read() as session:
            found = {JobState(state): count for state, count in session.execute(chosen)}
        return {state: found.get(state, 0) for state in JobState}

    def jobs(self, sight: Sight, states: Iterable[JobState] | None, limit: int, skip: int) -> tuple[Job, ...]:
        """Jobs with their attachments, the one changed last first."""
        # The ids first, from an index: rows that are skipped are not fetched.
        ids = select(Job.id).where(*_of(sight)).order_by(Job.updated_at.desc(), Job.id.desc())
        if states is not None:
            ids = ids.where(Job.state.in_(list(states)))
        shown = ids.limit(limit).offset(skip)
        with self._read() as session:
            wanted = list(session.scalars(shown))
            found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(wanted)))}
            return tuple(found[number] for number in wanted)

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True), expire_on_commit=False)


def _of(sight: Sight) -> Sequence[ColumnElement[bool]]:
    mine = [Job.backend.in_(sight.backends)]
    return mine if sight.companies is None else [*mine, Job.company_id.in_(sight.companies)]
