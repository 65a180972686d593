"""Calls to Odoo per poll and per filled bill, and what a poll costs beside a bare `search_read`, in the same run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from connector.bootstrap import open_service
from connector.logs import configure_logs
from connector.settings import Settings
from deploy.demo import deliver
from deploy.odoo.administrator import Administrator
from deploy.odoo.installation import Installation
from tests.samples.generate import samples

DATABASE = "vouch_bench"
REPEATS = 20


def main() -> None:
    """Make a database, fill it, print, drop it."""
    installation = Installation()
    installation.start()
    key = installation.clone(DATABASE)
    try:
        _measure(installation, key.read_text().strip())
    finally:
        installation.drop(DATABASE)


def _measure(installation: Installation, key: str) -> None:
    odoo = Administrator(installation.places.url, DATABASE)
    sure = [
        one
        for one in samples()
        if one.expected == "fill" and one.quality == "digital" and one.target == "mail"
    ]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {
                "data_dir": Path(folder),
                "workers": 1,
                "log_level": "error",
                "backends": {
                    "bench": {
                        "url": installation.places.url, "database": DATABASE, "login": "vouch", "api_key": key,
                    }
                },
            }
        )  # fmt: skip
        configure_logs(settings)
        with open_service(settings) as service:
            pipeline = service.pipelines["bench"]
            deliver(odoo, sure, lambda _: None)
            pipeline.discover()
            # The first bill also pays for what is looked up once.
            pipeline.work(service.ledger.claim(service.worker.name, ["bench"]))
            started, before, states = time.perf_counter(), pipeline.erp.calls, list[str]()
            service.worker.run_until_idle(lambda _, state: states.append(state))
            spent = time.perf_counter() - started
            filled = states.count("filled")
            used = pipeline.erp.calls - before
            print(f"  {filled} of {len(states)} bills filled in {spent:.1f} s, {filled / spent:.1f} a second")
            print(f"  calls per bill after discovery: {used / len(states):.1f}")
            print(f"  calls for the matching data of a round: {_data_calls(pipeline.erp)}")
            before = pipeline.erp.calls
            polls = statistics.median(_timed(pipeline.discover) for _ in range(REPEATS))
            print(f"  calls per idle poll: {(pipeline.erp.calls - before) / REPEATS:.2f}")
            bare = statistics.median(_timed(lambda: _bare(odoo)) for _ in range(REPEATS))
            print(
                f"  idle poll {polls * 1000:.0f} ms, {polls / bare:.2f} × a bare search_read ({bare * 1000:.0f} ms)"
            )


def _data_calls(erp) -> int:
    before = erp.calls
    erp.erp_data()
    return erp.calls - before


def _bare(odoo: Administrator) -> None:
    fields = ["name", "mimetype", "checksum", "res_model", "res_id"]
    odoo.find("ir.attachment", [["res_model", "in", ["account.move", "purchase.order"]]], fields)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
