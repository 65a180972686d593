"""What people found right and wrong of the values that a model read: what its confidences are learned from.

The smallest input: a Job, and what a person left standing of each value they saw. Bills in review that
people post give it (`connector.learn`); a screen that settles Reviews need only call `keep`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from connector.ledger.records import JudgedRecord, ReadingRecord
from connector.ledger.store import utc_now
from inference.invoice import HEADER, value_from_json
from inference.readers.vlm.agreement import same
from inference.readers.vlm.confidence import BY_HAND, Calibration, Signs
from inference.readers.vlm.learning import JudgedValue, learned

MOST_VALUES = 5000
"""The newest ones count: documents, models and prompts change."""
NAME = 128


class JudgedValues:
    """The judged values of a ledger. Safe to share between threads."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock

    def keep(self, job_id: int, standing: Mapping[str, str], actor: str) -> int:
        """Judge the values of a Job's last Reading; how many were judged.

        `standing` has, by header Term, the value that a person left or put there (as JSON text, see
        `inference.invoice.value_as_json`), or "" where they took it away; what they did not see is not in it. Values
        without signs (other readers', or such as two readers dispute) teach nothing. A later judgement of the same
        Reading replaces an earlier one.
        """
        latest = (
            select(ReadingRecord)
            .where(ReadingRecord.job_id == job_id)
            .order_by(ReadingRecord.id.desc())
            .limit(1)
        )
        with Session(self._engine) as session, session.begin():
            reading = session.scalar(latest)
            if reading is None:
                return 0
            judged = [
                JudgedRecord(
                    reading_id=reading.id,
                    term=term,
                    model=str(reading.body["usage"]["model"])[:NAME],
                    right=is_right(term, node["value"], standing[term]),
                    signs=node["signs"],
                    actor=actor,
                    at=self._clock(),
                )
                for term, node in reading.body["fields"].items()
                if term in standing and node.get("signs")
            ]
            terms = [one.term for one in judged]
            session.execute(
                delete(JudgedRecord).where(
                    JudgedRecord.reading_id == reading.id, JudgedRecord.term.in_(terms)
                )
            )
            session.add_all(judged)
            return len(judged)

    def count(self, model: str) -> int:
        """How many values of a model were judged."""
        counted = select(func.count(JudgedRecord.id)).where(JudgedRecord.model == model[:NAME])
        with self._read() as session:
            return session.scalar(counted) or 0

    def changed_at(self, model: str) -> datetime | None:
        """When a value of a model was last judged; None where none was."""
        latest = select(func.max(JudgedRecord.at)).where(JudgedRecord.model == model[:NAME])
        with self._read() as session:
            return session.scalar(latest)

    def newest(self, model: str) -> list[JudgedValue]:
        """The newest judged values of a model, `MOST_VALUES` at most."""
        chosen = (
            select(JudgedRecord.signs, JudgedRecord.right)
            .where(JudgedRecord.model == model[:NAME])
            .order_by(JudgedRecord.at.desc(), JudgedRecord.id.desc())
            .limit(MOST_VALUES)
        )
        with self._read() as session:
            return [JudgedValue(Signs.from_json(signs), right) for signs, right in session.execute(chosen)]

    def calibration(self, model: str) -> Callable[[], Calibration]:
        """Gives the Calibration that a model's judged values make, made anew when there are others."""
        made: dict[datetime | None, Calibration] = {None: BY_HAND}

        def calibration() -> Calibration:
            changed = self.changed_at(model)
            found = made.get(changed)
            if found is None:
                found = learned(self.newest(model))
                made.clear()
                made[changed] = found
            return found

        return calibration

    def _read(self) -> Session:
        return Session(self._engine.execution_options(read_only=True))


def is_right(term: str, read: str, standing: str) -> bool:
    """Whether what was read is what stands; a name is right with a slip or without its legal form, as between readers."""
    if not standing:
        return False
    kind = HEADER[term].kind
    return same(HEADER[term], value_from_json(kind, read), value_from_json(kind, standing))
