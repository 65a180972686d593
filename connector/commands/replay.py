"""`vouch replay`: posted bills read again by this program, model and prompt, before it may fill."""

from __future__ import annotations

import dataclasses
import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from connector.bootstrap import connection, opened_ledger
from connector.commands.output import OUT, print_json, progress
from connector.erp.odoo import OdooErp
from connector.erp.port import BILL
from connector.errors import RegressionError, SkippableError
from connector.ledger.accepted import AcceptedReaders
from connector.ledger.documents import DocumentStore
from connector.ledger.judged import JudgedValues
from connector.ledger.learning import Learning, PostedBill
from connector.model import Desk, opened_desk, require_reader
from connector.pipeline import local_today
from connector.recipient import recipient
from connector.replay import Outcome, Twice, identity_of, outcome_of, twice
from connector.settings import load_settings
from inference.errors import DocumentError
from inference.invoice import Reading
from mappings.index import ErpIndex
from mappings.lessons import compare
from mappings.memory import Memory

if TYPE_CHECKING:
    from connector.settings import Settings

SHOWN = 20


def replay(sample: int, reader: str, model: str, accept: bool, as_json: bool, config: Path | None) -> int:
    """Read again, print what got better and worse, and accept the reader where nothing fell; 0, or RegressionError's
    exit code where something did and it was not accepted all the same."""
    settings = load_settings(config)
    if model:
        settings = settings.model_copy(update={"vlm": settings.vlm.model_copy(update={"model": model})})
    if reader:
        require_reader(reader)
        settings = settings.model_copy(
            update={"reading": settings.reading.model_copy(update={"reader": reader})}
        )
    identity = identity_of(settings)
    with opened_ledger(settings) as ledger:
        accepted = AcceptedReaders(ledger.engine)
        with opened_desk(settings, reader, reviewed=JudgedValues(ledger.engine)) as desk:
            values = list(_values(settings, Learning(ledger.engine), desk, sample))
        found = outcome_of(values, settings.policy.fill_confidence)
        passed = accept or not found.faults
        if passed:
            figures = {
                "bills": found.bills,
                "values": found.values,
                "right": found.right_now,
                "forced": bool(found.faults),
            }
            accepted.accept(identity, f"person:{getpass.getuser()}", figures)
    if as_json:
        print_json({"reader": identity, "accepted": passed, **dataclasses.asdict(found)})
    else:
        _report(identity, found, passed)
    return 0 if passed else RegressionError.exit_code


def _values(settings: Settings, learning: Learning, desk: Desk, sample: int) -> Iterator[Twice]:
    documents = DocumentStore(settings.folder / "documents")
    for name, backend in settings.backends.items():
        bills = [bill for bill in learning.posted(name, sample) if documents.size(bill.sha256)]
        if not bills:
            continue
        erp = OdooErp(connection(name, backend, settings), declared=backend.field_map())
        try:
            index, memory = ErpIndex(erp.erp_data()), Memory(learning.lessons(name))
            with progress() as bar:
                for bill in bar.track(bills, description="Bills"):
                    data = documents.get(bill.sha256) or b""
                    yield from _again(erp, index, memory, desk, bill, data)
        finally:
            erp.close()


def _again(
    erp: OdooErp, index: ErpIndex, memory: Memory, desk: Desk, bill: PostedBill, data: bytes
) -> Iterator[Twice]:
    try:
        record = erp.record(BILL, bill.record_id)
    except SkippableError:
        return  # deleted meanwhile
    if record.state != "posted":
        return
    then = Reading.from_json(bill.reading)
    try:
        now = desk.read(data, bill.name, recipient(index, memory))[1]
    except DocumentError:
        now = None

    def standing(reading: Reading | None) -> dict[str, str]:
        if reading is None:
            return {}
        today = local_today()
        return dict(
            compare(bill.proposal, reading, record, index, str(bill.job_id), today, Memory([])).standing
        )

    yield from twice(bill.job_id, then, now, standing(then), standing(now))


def _report(identity: str, found: Outcome, passed: bool) -> None:
    OUT.print(identity, markup=False)
    if not found.values:
        OUT.print("There is no posted bill whose document is kept: nothing to hold it against.")
    else:
        OUT.print(
            f"{found.bills} posted bills, {found.values} values: right {found.right_then} then, {found.right_now} now; "
            f"sure and wrong {found.sure_wrong_then} then, {found.sure_wrong_now} now; "
            f"error of confidences {found.brier_then:.4f} then, {found.brier_now:.4f} now"
        )
    for title, names in (("better", found.better), ("worse", found.worse)):
        for one in names[:SHOWN]:
            OUT.print(f"{title}: {one}", markup=False)
        if len(names) > SHOWN:
            OUT.print(f"{title}: {len(names) - SHOWN} more")
    for fault in found.faults:
        OUT.print(fault)
    OUT.print(
        "Accepted: bills are filled by it." if passed else "Not accepted: --accept does it all the same."
    )
