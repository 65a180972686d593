"""One bill on a person's desk: what is kept of it, the form with their edits, and the version that they see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.errors import RetriableError
from connector.ledger.marks import SAME
from connector.settling.answers import Question, questions
from connector.settling.edits import Edit, parsed
from connector.settling.fold import Folded, Ground, fold
from connector.settling.snapshot import Change, changes, record_from_json
from inference.invoice import Reading
from mappings.case import SeenDocument
from mappings.field_map import default_map

if TYPE_CHECKING:
    from connector.ledger.settling import OpenCase, Settling
    from connector.settling.working import WorkingBackend
    from mappings.erp_data import Record
    from mappings.field_map import FieldMap
    from mappings.index import ErpIndex
    from mappings.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Work:
    """A bill in review as a person has it before them. `version` changes with all that they see and would write."""

    case: OpenCase
    ground: Ground
    folded: Folded
    edits: tuple[Edit, ...]
    version: str
    conflict: tuple[Change, ...]

    @property
    def record(self) -> Record | None:
        """The record as it was read."""
        return self.ground.record


@contextmanager
def at_hand(pipeline: WorkingBackend | None) -> Generator[ErpIndex | None]:
    """The ERP's data, held still; None where there is none and the ERP is away."""
    if pipeline is None:
        yield None
        return
    try:
        pipeline.data.prepare()
    except RetriableError:
        yield None
        return
    with pipeline.data.latest() as index:
        yield index


def work_on(
    case: OpenCase,
    pipeline: WorkingBackend | None,
    settling: Settling,
    index: ErpIndex | None,
    sure: float,
    edits: Sequence[Edit] | None = None,
) -> Work:
    """The bill with the edits kept, or with these ones."""
    chosen = tuple(parsed(list(case.edits)) if edits is None else edits)
    record = record_from_json(case.record) if case.record else None
    reading = Reading.from_json(case.reading) if case.reading else None
    fields = _fields(pipeline)
    ground = Ground(
        case.job.model,
        case.proposal,
        reading,
        record,
        fields,
        index,
        sure,
        _proposer(case, pipeline, settling, index, record, fields),
        orders=index is None or bool(index.orders) or case.job.model == "purchase.order",
    )
    folded = fold(ground, chosen)
    seen = record_from_json(case.seen) if case.seen else None
    conflict = changes(record, seen) if record and seen else ()
    return Work(case, ground, folded, chosen, _version(case, folded, questions(folded, record)), conflict)


def _fields(pipeline: WorkingBackend | None) -> FieldMap:
    if pipeline is None:
        return default_map()
    try:
        return pipeline.erp.field_map()
    except RetriableError:
        return default_map()


def _proposer(
    case: OpenCase,
    pipeline: WorkingBackend | None,
    settling: Settling,
    index: ErpIndex | None,
    record: Record | None,
    fields: FieldMap,
) -> Any:
    if pipeline is None or index is None or record is None:
        return None

    def propose(reading: Reading, vendor_id: int | None) -> Proposal:
        again = settling.sightings(case.job)
        seen = tuple(SeenDocument(one.record_id, one.name, SAME[one.kind]) for one in again)
        known, today = pipeline.knowledge(), pipeline.today()
        return pipeline.judge.propose(reading, record, index, today, known, seen, fields, vendor_id)

    return propose


def _version(case: OpenCase, folded: Folded, asked: Sequence[Question]) -> str:
    """A digest of the record as it was read, the values as they would be written, the edits, and what is to answer."""
    predicted = folded.predicted
    seen: Mapping[str, Any] = {
        "record": (case.record or {}).get("write_date"),
        "values": {cell.target: cell.value for cell in folded.form.cells()},
        "removed": [line.id for line in folded.form.removed],
        "edits": list(case.edits),
        "totals": [str(one) for one in (predicted.untaxed, predicted.tax, predicted.total)]
        if predicted
        else None,
        "vat": folded.vat,
        "asked": [(one.id, one.message) for one in asked],
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:16]
