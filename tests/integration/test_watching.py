"""What people do in Odoo with a bill in review is known here with the next round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.erp.port import BILL
from connector.ledger.settling import Settling
from tests.integration.odoo_server import OdooDatabase
from tests.integration.settling import Desk, make_desk


@pytest.fixture
def desk(database: OdooDatabase, tmp_path: Path) -> Iterator[Desk]:
    made = make_desk(database, tmp_path)
    yield made
    made.erp.close()
    made.ledger.close()


def ended(desk: Desk, job_id: int) -> tuple[str, str]:
    desk.pipeline.discover()
    found = Settling(desk.ledger.engine).job(job_id)
    assert found is not None
    return found.state, found.reason


def test_bills_cancelled_deleted_changed_or_marked_done_in_odoo(desk: Desk) -> None:
    jobs = [desk.in_review(name) for name in ("look_alike", "english", "multi_page", "french")]
    cancelled, deleted, done, changed = jobs
    assert ended(desk, changed.id) == ("in_review", "doubtful")
    assert desk.settler().get(f"/reviews/{changed.id}")["conflict"] is None
    desk.odoo.call(BILL, "button_cancel", [cancelled.record_id])
    desk.odoo.call(BILL, "unlink", [deleted.record_id])
    [to_do] = desk.to_do(done)
    desk.odoo.call("mail.activity", "action_feedback", [to_do["id"]], feedback="Seen")
    time.sleep(1.1)  # Odoo gives times to the second
    desk.odoo.call(BILL, "write", [changed.record_id], {"ref": "PERSON"})
    assert ended(desk, cancelled.id) == ("skipped", "cancel")
    assert ended(desk, deleted.id) == ("skipped", "gone")
    assert ended(desk, done.id) == ("skipped", "activity_done")
    assert desk.to_do(cancelled) == []
    assert ended(desk, changed.id) == ("in_review", "doubtful")
    found = desk.settler().get(f"/reviews/{changed.id}")["conflict"]["changes"]
    assert [(one["field"], one["now"]) for one in found if one["field"] == "ref"] == [("ref", "PERSON")]
