"""The worker: one Odoo's trouble stays its own, and nothing secret gets into a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from connector.errors import AwayError, FatalError, VouchError
from connector.execution import inline
from connector.execution.inline import Worker
from connector.execution.schedule import make_scheduler
from connector.ledger.migrate import open_ledger
from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from connector.logs import configure_logs
from connector.settings import LearningSettings, ScheduleSettings, Settings
from tests.unit.test_ledger import attachment, poll


class OneAnswer:
    """A Backend's pipeline that ends every Job in the same way."""

    def __init__(self, ledger: Ledger, error: VouchError | None = None) -> None:
        self.ledger, self.error, self.tried = ledger, error, 0

    def work(self, job: Job) -> JobState:
        self.tried += 1
        if self.error:
            self.ledger.postpone(job, str(self.error))
            raise self.error
        self.ledger.finish(job, JobState.SKIPPED, "test", "")
        return JobState.SKIPPED


@pytest.mark.parametrize("error", [AwayError("away"), FatalError("wrong key")])
def test_a_backend_in_trouble_does_not_keep_the_others_waiting(tmp_path: Path, error: VouchError) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for name in ("bad", "good"):
        ledger.remember(name, poll(*(replace(attachment(n), backend=name) for n in range(1, 9))))
    pipelines = {"bad": OneAnswer(ledger, error), "good": OneAnswer(ledger)}
    reported: list[tuple[str, JobState]] = []
    worker = Worker(ledger, cast(Any, pipelines), threads=2)
    with pytest.raises(type(error)):
        worker.run_until_idle(lambda job, state: reported.append((job.backend, state)))
    assert reported.count(("good", JobState.SKIPPED)) == 8
    assert pipelines["bad"].tried <= 2
    assert ledger.pending(["bad"])[0] == 8
    ledger.close()


def test_a_backend_that_is_away_is_not_tried_with_every_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.remember("main", poll(*(attachment(number) for number in range(1, 101))))
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(inline, "time", clock)
    pipeline = OneAnswer(ledger, AwayError("away"))
    worker = Worker(ledger, cast(Any, {"main": pipeline}), threads=1)
    thread = threading.Thread(target=worker.run)
    thread.start()

    def tried(count: int) -> None:
        wait_until(lambda: pipeline.tried == count and worker._resting() == ["main"])  # pyright: ignore[reportPrivateUsage]

    tried(1)
    for count, seconds in enumerate((4, 8, 16, 30, 30), 2):
        now[0] += seconds - 0.5
        worker.wake()
        assert worker._resting() == ["main"]  # pyright: ignore[reportPrivateUsage]
        now[0] += 0.5
        worker.wake()
        tried(count)
    pipeline.error = None
    now[0] += 30
    worker.wake()
    wait_until(lambda: ledger.counts()[JobState.SKIPPED] == 94)
    worker.stop()
    thread.join()
    assert pipeline.tried == 100
    # The six that were tried meanwhile wait for their time.
    assert ledger.counts()[JobState.QUEUED] == 6
    ledger.close()


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_logged_defect_shows_no_values(log_format: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    configure_logs(Settings(log_format=log_format))
    password = "".join(["open", "sesame"])
    try:
        raise ValueError(f"{len(password)} letters")
    except ValueError:
        structlog.get_logger().exception("defect")
    finally:
        structlog.configure(**before)
    logged = capsys.readouterr().err
    assert "10 letters" in logged
    assert "opensesame" not in logged


@pytest.mark.parametrize("enabled", [True, False])
def test_learning_has_a_schedule_of_its_own(enabled: bool) -> None:
    class Learns:
        count = 0
        erp = SimpleNamespace(backend="main")

        def learn(self) -> int:
            self.count += 1
            raise AwayError("not now")

    pipeline = Learns()
    scheduler = cast("Any", make_scheduler(
        cast("Any", {"main": pipeline}), {"main": ScheduleSettings()}, cast("Any", Worker(cast("Any", None), {}, 1)),
        LearningSettings(enabled=enabled, interval_minutes=7),
    ))  # fmt: skip
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert ("learn main" in jobs) == enabled
    if enabled:
        job = jobs["learn main"]
        assert job.trigger.interval.total_seconds() == 7 * 60
        job.func(*job.args[:1])  # an Odoo that is away ends nothing
        assert pipeline.count == 1
