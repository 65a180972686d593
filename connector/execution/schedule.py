"""When each Backend is polled: APScheduler with jitter, no overlap and missed polls made up once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from structlog.typing import FilteringBoundLogger

from connector.errors import SettingsError, VouchError
from connector.execution.inline import HEARTBEAT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connector.execution.inline import Worker
    from connector.pipeline import Pipeline
    from connector.settings import LearningSettings, ScheduleSettings


class Scheduler(Protocol):
    """The part of APScheduler's BackgroundScheduler that we use; the library has no types."""

    def add_job(self, func: Any, trigger: Any, **options: Any) -> Any:
        """Add a job."""
        ...

    def start(self) -> None:
        """Start the scheduler's thread."""
        ...

    def get_jobs(self) -> Sequence[Any]:
        """The jobs there are."""
        ...

    def shutdown(self, wait: bool = True) -> None:
        """Stop it, waiting for the jobs that run."""
        ...


log: FilteringBoundLogger = structlog.get_logger()


def make_scheduler(
    pipelines: Mapping[str, Pipeline],
    schedules: Mapping[str, ScheduleSettings],
    worker: Worker,
    learning: LearningSettings,
    daily: Mapping[str, Callable[[], object]] | None = None,
) -> Scheduler:
    """A scheduler that polls every Backend and learns from its posted bills, now and then on schedule, keeps the
    worker's leases, and does what is to be done once a day, by name."""
    scheduler = cast(
        "Scheduler",
        BackgroundScheduler(job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}),
    )
    for name, pipeline in pipelines.items():
        trigger = _trigger(name, schedules[name])
        scheduler.add_job(
            _poll, trigger, args=(pipeline, worker), id=f"poll {name}", next_run_time=datetime.now(UTC)
        )
        if learning.enabled:
            scheduler.add_job(
                _learn,
                IntervalTrigger(minutes=learning.interval_minutes, jitter=5),
                args=(pipeline,),
                id=f"learn {name}",
                next_run_time=datetime.now(UTC),
            )
    for name, work in (daily or {}).items():
        scheduler.add_job(
            _daily,
            IntervalTrigger(hours=24, jitter=600),
            args=(name, work),
            id=name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.add_job(worker.heartbeat, IntervalTrigger(seconds=HEARTBEAT_SECONDS), id="heartbeat")
    return scheduler


def catch_up(scheduler: Scheduler, jump: timedelta) -> None:
    """After the clock was set: all is done now, and from then on at its interval again. Put back, it would else wait
    until the clock has gone through that time once more."""
    log.warning("the clock was set", seconds=round(jump.total_seconds()))
    for job in scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC))


def _trigger(name: str, schedule: ScheduleSettings) -> Any:
    if schedule.cron is None:
        return IntervalTrigger(seconds=schedule.interval_seconds, jitter=schedule.jitter_seconds)
    try:
        trigger: Any = CronTrigger.from_crontab(  # pyright: ignore[reportUnknownMemberType]
            schedule.cron
        )
    except ValueError as error:
        raise SettingsError(
            f"backends.{name}.schedule.cron is not a cron expression: {error}. Five fields, as in `*/5 8-18 * * 1-5`."
        ) from error
    trigger.jitter = schedule.jitter_seconds
    return trigger


def _learn(pipeline: Pipeline) -> None:
    try:
        pipeline.learn()
    except VouchError as error:
        # What was not learned now is learned the next time.
        log.error("learning failed", backend=pipeline.erp.backend, cause=str(error))


def _daily(name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except VouchError as error:
        log.error("daily work failed", work=name, cause=str(error))


def _poll(pipeline: Pipeline, worker: Worker) -> None:
    try:
        if pipeline.discover():
            worker.wake()
    except VouchError as error:
        # The ledger has the cause, `readyz` shows it, and the next poll tries again.
        log.error("poll failed", backend=pipeline.erp.backend, cause=str(error))
