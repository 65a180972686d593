"""A document that brings its worker down is set aside after its attempts, with all that is known of why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli import app
from connector.ledger.migrate import open_ledger
from connector.ledger.states import JobState
from connector.ledger.store import MAX_CRASHES
from inference.errors import BrokenReading
from inference.isolation import Sandbox
from inference.page import Limits
from tests.unit.test_ledger import attachment, poll

WORKER = """
import os, signal, sys
from connector.execution.inline import Worker
from connector.ledger.states import JobState
from connector.ledger.store import Ledger

class Poisoned:
    def work(self, job):
        if why := ledger.set_aside(job):
            ledger.finish(job, JobState.FAILED, "crashed", why)
            return JobState.FAILED
        ledger.step(job, "read")
        if job.record_id == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        ledger.finish(job, JobState.SKIPPED, "test", "")
        return JobState.SKIPPED

ledger = Ledger.connect(sys.argv[1])
Worker(ledger, {"main": Poisoned()}, 1).run_until_idle(lambda job, state: None)
"""


def test_a_document_that_kills_its_worker_is_set_aside_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOUCH_DATA_DIR", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    ledger.remember("main", poll(*(attachment(number) for number in (1, 2, 3))))
    ends = [
        subprocess.run([sys.executable, "-c", WORKER, url], capture_output=True, check=False).returncode
        for _ in range(MAX_CRASHES + 1)
    ]
    assert ends == [-11] * MAX_CRASHES + [0]
    assert (ledger.counts()[JobState.SKIPPED], ledger.counts()[JobState.FAILED]) == (2, 1)
    ledger.close()
    told = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    [failed] = told["failed"]
    assert (failed["name"], failed["reason"]) == ("bill 2.pdf", "crashed")
    assert "step “read”" in failed["message"]
    assert [(one["step"], one["outcome"]) for one in failed["attempts"]] == [
        ("read", "crashed")
    ] * MAX_CRASHES + [("claim", "done")]
    assert all("went away" in one["error"] and one["ended_at"] for one in failed["attempts"][:MAX_CRASHES])
    assert CliRunner().invoke(app, ["status"]).stdout.count("step read, crashed") == MAX_CRASHES


def test_a_reading_that_ends_its_process_is_told_with_signal_and_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Sandbox(Limits()) as sandbox:
        sandbox.start()
        with sandbox._process() as process:
            ask = process.ask
            child = process._child

            def killed(request: dict[str, object], data: bytes) -> object:
                child.kill()
                return ask(request, data)

            monkeypatch.setattr(process, "ask", killed)
        with pytest.raises(BrokenReading, match=r"ended by SIGKILL, having taken \d+ MB"):
            sandbox.open(b"%PDF-1.4", "a.pdf")
