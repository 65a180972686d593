"""Which ways of reading may fill bills: another program, model or prompt is held against posted bills first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import String

from connector.ledger.audit import Deed, audit
from connector.ledger.records import Base, ProposalRecord, VerdictRecord
from connector.ledger.store import utc_now

LEAST_BILLS = 20
"""With fewer posted bills there is nothing to hold a reader against: it is taken as it is."""


class AcceptedReader(Base):
    """A way of reading (see `connector.replay.identity_of`), who accepted it, and on which figures."""

    __tablename__ = "accepted_reader"

    identity: Mapped[str] = mapped_column(String(200), primary_key=True)
    actor: Mapped[str] = mapped_column(String(128))
    figures: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class AcceptedReaders:
    """The accepted readers of a ledger. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def allows(self, identity: str) -> bool:
        """Whether bills may be filled by this reader. The first one of a ledger may, and so may every one while there
        are too few posted bills to tell; from then on it is remembered."""
        with Session(self._engine.execution_options(read_only=True)) as session:
            if session.get(AcceptedReader, identity) is not None:
                return True
            is_first = session.scalar(select(AcceptedReader.identity).limit(1)) is None
            # What was read by an earlier one has a Proposal, so that two programs at a new ledger are both the first.
            bills = session.scalar(
                select(func.count(VerdictRecord.id.distinct())).join(
                    ProposalRecord, ProposalRecord.job_id == VerdictRecord.job_id
                )
            )
        if not is_first and (bills or 0) >= LEAST_BILLS:
            return False
        self.accept(identity, "vouch", {"bills": bills or 0})
        return True

    def accept(self, identity: str, actor: str, figures: Mapping[str, Any]) -> None:
        """From now on bills may be filled by this reader."""
        with Session(self._engine) as session, session.begin():
            session.merge(
                AcceptedReader(identity=identity, actor=actor, figures=dict(figures), at=self._clock())
            )
            audit(session, Deed("reader.accepted", f"reader {identity}"[:128], actor, figures))
