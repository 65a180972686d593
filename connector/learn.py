"""Posted bills are read back and compared with what was proposed for them: each difference becomes a Lesson, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.erp.port import BILL
from connector.errors import SkippableError
from inference.invoice import Reading
from mappings.lessons import compare
from mappings.memory import Memory

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.ledger.learning import Learning, OpenBill
    from connector.ledger.store import Ledger
    from mappings.index import ErpIndex

MOST_AT_ONCE = 200
"""So many posted bills are read back in one go, a call each; the others come next time."""

log: FilteringBoundLogger = structlog.get_logger()


def learn_from_posted(
    erp: Erp, ledger: Ledger, learning: Learning, index: Callable[[], ErpIndex], today: date
) -> int:
    """Learn from the bills posted since the last time; how many. Raises errors of `connector.errors`.

    A bill in review that a person posted is settled by it. `index` is asked for only where there is something to learn.
    """
    waiting = learning.open_bills(erp.backend)
    if not waiting:
        return 0
    states = erp.states(BILL, [bill.record_id for bill in waiting])
    posted = [bill for bill in waiting if states.get(bill.record_id) == "posted"][:MOST_AT_ONCE]
    count = 0
    for bill in posted:
        memory = Memory(learning.lessons(erp.backend))
        count += _learn(bill, erp, ledger, learning, index(), today, memory)
    return count


def _learn(
    bill: OpenBill,
    erp: Erp,
    ledger: Ledger,
    learning: Learning,
    index: ErpIndex,
    today: date,
    memory: Memory,
) -> bool:
    kept = learning.kept(bill.job_id)
    if kept is None:
        return False
    try:
        record = erp.record(BILL, bill.record_id)
    except SkippableError:
        return False  # deleted in this moment
    reading = Reading.from_json(kept.reading)
    compared = compare(kept.body, reading, record, index, str(bill.job_id), today, memory)
    ledger.settled_by_person(bill.job_id, f"A person settled it in Odoo: {record.display_name} is posted.")
    if not learning.learn(erp.backend, bill.job_id, kept, compared):
        return False
    log.info(
        "learned",
        bill=record.display_name,
        wrong=compared.wrong,
        changed=compared.changed,
        lessons=len(compared.lessons),
    )
    return True
