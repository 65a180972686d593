"""After the ERP was restored: what Vouch wrote since then is gone there, and is written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.ledger.own_secret import seal_of
from connector.ledger.reclaiming import Reclaiming

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connector.erp.port import Erp

log: FilteringBoundLogger = structlog.get_logger()


def reclaim(erp: Erp, engine: Engine) -> int:
    """Begin anew with every document of which the ERP's record is there without the note of what was written; how many.

    What was settled on a record that is gone stays settled, and no later document is taken for its duplicate. It comes
    before the poll's cursor is kept: nobody sees later that the ERP went back. Raises errors of `connector.errors`.
    """
    reclaiming, sealed = Reclaiming(engine), seal_of(engine).holds
    written, lost, gone = reclaiming.written(erp.backend), list[int](), list[int]()
    for model in dict.fromkeys(one.model for one in written):
        ours = [one for one in written if one.model == model]
        keys = erp.noted_on(model, sorted({one.record_id for one in ours}), sealed)
        gone += [one.job_id for one in ours if one.record_id not in keys]
        lost += [one.job_id for one in ours if one.record_id in keys and one.key not in keys[one.record_id]]
    reclaiming.forget_marks(gone)
    count = reclaiming.begin_again(lost)
    if count:
        log.warning("the ERP was restored", backend=erp.backend, begun_anew=count)
    return count
