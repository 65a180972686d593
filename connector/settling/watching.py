"""What people do in the ERP with records in review closes or updates the Reviews: one search per round and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from structlog.typing import FilteringBoundLogger

from connector.errors import SkippableError
from connector.settling.snapshot import record_as_json
from mappings.erp_data import CLOSED, called

if TYPE_CHECKING:
    from connector.erp.port import Erp, Standing
    from connector.ledger.settling import Settling, Watched

MOST_READ = 20
"""So many changed records are read anew in one round; the others come with the next."""

log: FilteringBoundLogger = structlog.get_logger()


def look(erp: Erp, settling: Settling) -> int:
    """Follow what happened in the ERP to the records of open Reviews; how many Reviews it settled.

    Raises errors of `connector.errors`. To-dos of what is settled are marked done there.
    """
    watched, done, settled, read = settling.watched(erp.backend), list[int](), 0, 0
    for model in dict.fromkeys(one.model for one in watched):
        ours = [one for one in watched if one.model == model]
        standing = erp.standing(model, [one.record_id for one in ours])
        for one in ours:
            now = standing.get(one.record_id)
            if end := _end(one, now):
                settled += settling.settled_in_erp(one.job_id, *end)
                done += [to_do for to_do in settling.to_dos(one.job_id) if now and to_do in now.activity_ids]
            elif now and one.stamp and now.write_date > one.stamp.partition("#")[0] and read < MOST_READ:
                read += 1
                _see(erp, settling, one)
    if done:
        erp.mark_done(done)
    return settled


def _end(one: Watched, now: Standing | None) -> tuple[str, str] | None:
    """The verdict that the ERP's state amounts to, and the sentence; None while it is open there too."""
    if now is None:
        return "gone", "A person settled it in Odoo: the record is gone."
    if closed := CLOSED[one.model].get(now.state):
        return now.state, f"A person settled it in Odoo: {called(one.model, now.name)} {closed}."
    if one.activity_id is not None and one.activity_id not in now.activity_ids:
        return "activity_done", "A person marked it done in Odoo."
    return None


def _see(erp: Erp, settling: Settling, one: Watched) -> None:
    try:
        record = erp.record(one.model, one.record_id)
    except SkippableError:
        return  # gone in this moment
    if record.write_date != one.stamp:
        settling.saw(one.job_id, record_as_json(record))
        log.info("changed in the ERP", job=one.job_id, record=record.display_name)
