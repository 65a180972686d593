"""Where people settle bills: what they see, what they change, and how they decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connector.errors import SkippableError
from connector.ledger.settling import NotInReview, Settling
from connector.ledger.store import utc_now
from connector.settling.answers import marked, questions
from connector.settling.draft import Conventions, UnfitEdit, UnknownRecord, fitted
from connector.settling.edits import Answer, Edit, SetValue, as_json, parsed
from connector.settling.fold import fold
from connector.settling.snapshot import changes, record_as_json, record_from_json
from connector.settling.work import Work, at_hand, work_on
from inference.invoice import Reading
from mappings.policy import Outcome

if TYPE_CHECKING:
    from connector.ledger.settling import OpenCase
    from connector.ledger.store import Ledger
    from connector.settling.person import Person
    from connector.settling.working import WorkingBackend


@dataclass(slots=True)
class SettlingDesk:
    """The bills in review of all Backends. `pipelines` give the ERP and what was learned; where one is missing, its
    bills can be looked at only. `sure` is the confidence from which a value is filled without a person."""

    ledger: Ledger
    pipelines: Mapping[str, WorkingBackend] = field(default_factory=dict[str, "WorkingBackend"])
    sure: float = 0.90
    posting: bool = False
    clock: Callable[[], datetime] = utc_now

    @property
    def settling(self) -> Settling:
        """What the ledger keeps of it."""
        return Settling(self.ledger.engine, self.clock)

    def work(self, job_id: int) -> Work:
        """The bill as it is before a person. Raises NotInReview, and KeyError where there is no such document."""
        case = self._case(job_id)
        pipeline = self.pipelines.get(case.job.backend)
        with at_hand(pipeline) as index:
            return work_on(case, pipeline, self.settling, index, self.sure)

    def draft(self, job_id: int, edits: Sequence[Edit], person: Person, own: Conventions) -> Work:
        """Keep a person's edits in place of those before; the bill with them.

        Raises UnfitEdit (nothing is kept then), NotInReview and ClaimedByOther.
        """
        case = self._case(job_id)
        pipeline = self.pipelines.get(case.job.backend)
        try:
            kept = self._fitted(case, pipeline, edits, own)
        except UnknownRecord:
            if pipeline is None:
                raise
            # It may have been made a moment ago.
            pipeline.data.mark_stale()
            with pipeline.data.fresh():
                pass
            kept = self._fitted(case, pipeline, edits, own)
        self.settling.save_draft(job_id, [as_json(edit) for edit in kept], person.login)
        return self.work(job_id)

    def _fitted(
        self, case: OpenCase, pipeline: WorkingBackend | None, edits: Sequence[Edit], own: Conventions
    ) -> list[Edit]:
        with at_hand(pipeline) as index:
            bare = work_on(case, pipeline, self.settling, index, self.sure, ())
            kept = fitted(edits, bare.ground, bare.folded.form, own)
            folded = fold(bare.ground, kept)
        if folded.form.unfit:
            target = folded.form.unfit[0]
            raise UnfitEdit(target, f"{target} is not there any more: take this change back.")
        return marked(kept, questions(folded, bare.record))

    def take_over(self, job_id: int, person: Person) -> Work:
        """The record as it is now in the ERP, proposed for anew; the edits stay, but for values that changed there.

        Raises NotInReview and ClaimedByOther, and errors of `connector.errors`.
        """
        case = self._case(job_id)
        pipeline = self._pipeline(case.job.backend)
        now = pipeline.erp.record(case.job.model, case.job.record_id)
        if not now.is_draft:
            raise NotInReview(now.state)
        body = case.proposal
        if case.reading is not None:
            reading = Reading.from_json(case.reading)
            with pipeline.data.latest() as index:
                judged = pipeline.judge.judge(
                    reading,
                    now,
                    index,
                    pipeline.today(),
                    pipeline.knowledge(),
                    fields=pipeline.erp.field_map(),
                )
            if judged.decision.outcome is not Outcome.SKIP or judged.proposal.checks:
                body = judged.proposal.as_json()
        edits = parsed(list(case.edits))
        if case.record is not None:
            changed = {change.field for change in changes(record_from_json(case.record), now)}
            had, has = (bool(record["lines"]) for record in (case.record, record_as_json(now)))
            edits = [edit for edit in edits if not _touched(edit, changed, lines=had != has)]
        self.settling.take_over(
            job_id,
            record_as_json(now),
            case.reading_id,
            body,
            [as_json(edit) for edit in edits],
            person.login,
        )
        return self.work(job_id)

    def _case(self, job_id: int) -> OpenCase:
        case = self.settling.case(job_id)
        if case is None:
            job = self.settling.job(job_id)
            if job is None:
                raise KeyError(job_id)
            raise NotInReview(job.state)
        return case

    def _pipeline(self, backend: str) -> WorkingBackend:
        if backend not in self.pipelines:
            raise SkippableError(f"{backend} is not configured any more.", "no_backend")
        return self.pipelines[backend]


def _touched(edit: Edit, changed: set[str], *, lines: bool) -> bool:
    """Whether an edit is about something that is otherwise in the ERP by now."""
    if isinstance(edit, Answer):
        return False  # it holds as long as the same is asked
    target = edit.target if isinstance(edit, SetValue) else getattr(edit, "accept", None)
    if target is None or target.startswith("lines."):
        if lines:
            return True
        key = target.split(".")[1] if target else getattr(edit, "remove_line", "")
        number = key.removeprefix("r")
        return any(name == f"lines.{number}" or name.startswith(f"lines.{number}.") for name in changed)
    return target in changed
