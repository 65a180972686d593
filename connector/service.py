"""`vouch run`: schedule, workers and web server in one process, started and stopped together."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
import uvicorn
from structlog.typing import FilteringBoundLogger

from connector.bootstrap import make_uploads, owner_of, purging_of
from connector.errors import FatalError
from connector.execution.clock import Watch
from connector.execution.prompt import Prompt
from connector.execution.schedule import catch_up, make_scheduler
from connector.ledger.sessions import Lifetime
from connector.review.app import create_app
from connector.review.deps import ReviewDeps, SignIn
from connector.review.server import server_config

if TYPE_CHECKING:
    from connector.bootstrap import Service
    from connector.erp.port import Erp
    from connector.settings import ScheduleSettings
    from connector.uploads import Uploads

log: FilteringBoundLogger = structlog.get_logger()


def run(service: Service, *, work: bool = True, web: bool = True) -> None:
    """Serve until SIGINT or SIGTERM: polls and works where `work`, shows the review queue where `web`."""
    stopping = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda _sign, _frame: stopping.set())
    prompt = Prompt(service.pipelines, service.worker.wake)
    uploads = make_uploads(service, prompt.ask)
    server, listening = _web_server(service, uploads, prompt) if web else (None, [])
    threads = [threading.Thread(target=prompt.run, args=(uploads.sweep,), name="prompt")]
    threads += [threading.Thread(target=service.worker.run, name="workers")] if work else []
    threads += [threading.Thread(target=server.run, args=(listening,), name="web")] if server else []
    scheduler = (
        make_scheduler(
            service.pipelines,
            {name: backend.schedule for name, backend in service.settings.backends.items()},
            service.worker,
            service.settings.learning,
            _daily(service),
        )
        if work
        else None
    )
    service.worker.recover()
    for thread in threads:
        thread.start()
    if scheduler:
        scheduler.start()
    log.info("running", backends=list(service.pipelines), queue=service.settings.web_url if web else None)
    watch = Watch()
    while not stopping.wait(0.5) and all(thread.is_alive() for thread in threads):
        if scheduler and (jump := watch.jump()):
            catch_up(scheduler, jump)
    asked = stopping.is_set()
    log.info("stopping")
    for sign in (signal.SIGINT, signal.SIGTERM):
        # Nothing is lost by it: who asks a second time does not want to wait for what is in hand.
        signal.signal(sign, signal.SIG_DFL)
    service.worker.stop()
    prompt.stop()
    if server:
        server.should_exit = True
    for thread in threads:
        thread.join()
    if scheduler:
        # Last, since it keeps the leases of what is in hand.
        scheduler.shutdown()
    if not asked:
        raise FatalError("A part of the service ended by itself; the lines above say why.")


def _daily(service: Service) -> Mapping[str, Callable[[], object]]:
    """What is to be done once a day, by name."""
    erps = {name: pipeline.erp for name, pipeline in service.pipelines.items()}
    purging = purging_of(service.settings, service.ledger, erps)
    keys = {f"key {name}": keeper.look for name, keeper in service.keys.items()}
    return {**keys, **({"purge": purging.daily} if purging else {})}


class _Server(uvicorn.Server):
    """uvicorn in a thread; signals belong to `run`."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


def _web_server(service: Service, uploads: Uploads, prompt: Prompt) -> tuple[_Server, list[socket.socket]]:
    settings = service.settings.web
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise FatalError(
            f"The web server cannot listen on {settings.host}:{settings.port}: {error.strerror}. Stop what uses that "
            "port, or choose another with web.port."
        ) from error
    config = server_config(create_app(_review_deps(service, uploads, prompt)), settings.proxies)
    return _Server(config), [listening]


def _review_deps(service: Service, uploads: Uploads, prompt: Prompt) -> ReviewDeps:
    def record_url(backend: str, model: str, record_id: int) -> str | None:
        pipeline = service.pipelines.get(backend)
        return pipeline.erp.record_url(model, record_id) if pipeline else None

    def erp(backend: str) -> Erp | None:
        pipeline = service.pipelines.get(backend)
        return pipeline.erp if pipeline else None

    return ReviewDeps(
        erp=erp,
        pipelines=service.pipelines,
        posting=service.settings.web.allow_posting,
        ledger=service.ledger,
        documents=service.documents,
        record_url=record_url,
        backends={name: _patience(backend.schedule) for name, backend in service.settings.backends.items()},
        sure=service.settings.policy.fill_confidence,
        sandbox=service.screen,
        problems=lambda: _model_problems(service),
        attribution=service.desk.attribution,
        hosts=service.settings.web.hosts,
        sign_in=_sign_in(service),
        owner=owner_of(service.settings),
        minutes_by_hand=service.settings.insight.minutes_by_hand,
        key_warnings={
            name: timedelta(days=backend.key_warning_days)
            for name, backend in service.settings.backends.items()
        },
        uploads=uploads,
        poll_soon=prompt.ask,
        max_upload_bytes=int(service.settings.reading.max_megabytes * (1 << 20)),
        requests_per_minute=service.settings.web.requests_per_minute,
    )


def _sign_in(service: Service) -> SignIn | None:
    web = service.settings.web
    if not web.sign_in:
        return None
    lifetime = Lifetime(
        timedelta(minutes=web.idle_minutes),
        timedelta(hours=web.session_hours),
        timedelta(minutes=web.recheck_minutes),
    )
    return SignIn(service.people, lifetime)


def _model_problems(service: Service) -> Sequence[str]:
    """A sentence while the model server is away and documents wait for it."""
    away = service.desk.away()
    return (
        (f"Documents wait for the model server: {away}",)
        if away and service.settings.vlm.fallback == "wait"
        else ()
    )


def _patience(schedule: ScheduleSettings) -> timedelta:
    """How old the last poll may be: three intervals, or three days where cron leaves out the weekend."""
    if schedule.cron:
        return timedelta(days=3)
    return timedelta(seconds=max(60, 3 * (schedule.interval_seconds + schedule.jitter_seconds)))
