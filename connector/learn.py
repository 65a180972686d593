"""Posted bills are read back and compared with what was proposed for them: each difference becomes a Lesson, once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.erp.port import BILL
from connector.errors import SkippableError
from inference.invoice import Reading
from mappings.lessons import compare
from mappings.memory import Memory
from mappings.policy import Outcome

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from connector.ledger.judged import JudgedValues
    from connector.ledger.learning import Learning, OpenBill
    from connector.ledger.store import Ledger
    from mappings.index import ErpIndex

MOST_AT_ONCE = 200
"""So many posted bills are read back in one go, a call each; the others come next time."""

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class School:
    """Everything that learning from one Backend's posted bills needs. `index` holds the ERP data still while it is
    looked at; it is asked for only where there is something to learn."""

    erp: Erp
    ledger: Ledger
    learning: Learning
    values: JudgedValues
    index: Callable[[], AbstractContextManager[ErpIndex]]
    today: date

    def learn(self) -> int:
        """Learn from the bills posted since the last time; how many. Raises errors of `connector.errors`.

        A bill in review that a person posted is settled by it.
        """
        backend = self.erp.backend
        waiting = self.learning.open_bills(backend)
        if not waiting:
            return 0
        states = self.erp.states(BILL, [bill.record_id for bill in waiting])
        posted = [bill for bill in waiting if states.get(bill.record_id) == "posted"]
        return sum(self._learn(backend, bill) for bill in posted[:MOST_AT_ONCE])

    def _learn(self, backend: str, bill: OpenBill) -> bool:
        kept = self.learning.kept(bill.job_id)
        if kept is None:
            return False
        try:
            record = self.erp.record(BILL, bill.record_id)
        except SkippableError:
            return False  # deleted in this moment
        reading, memory = Reading.from_json(kept.reading), Memory(self.learning.lessons(backend))
        with self.index() as index:
            found = compare(kept.body, reading, record, index, str(bill.job_id), self.today, memory)
        name = record.display_name
        self.ledger.settled_by_person(bill.job_id, f"A person settled it in Odoo: {name} is posted.")
        if kept.outcome == Outcome.REVIEW:
            # A person entered these themselves; what Vouch filled may stand because it was there.
            self.values.keep(bill.job_id, found.standing, "posted")
        if not self.learning.learn(backend, bill.job_id, kept, found):
            return False
        log.info("learned", bill=name, wrong=found.wrong, changed=found.changed, lessons=len(found.lessons))
        return True
