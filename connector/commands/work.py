"""`vouch sync`, `vouch run` and `vouch web`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from connector.bootstrap import Service, make_uploads, open_service
from connector.commands.output import ERR, OUT, print_json, progress
from connector.errors import RetriableError, VouchError
from connector.execution.allocator import keep_small
from connector.ledger.states import JobState
from connector.logs import configure_logs
from connector.settings import Settings, load_settings

if TYPE_CHECKING:
    from connector.ledger.records import Job


def sync_once(config: Path | None, as_json: bool) -> int:
    """Poll every Backend and work until nothing is due; the exit code of the first thing that went wrong."""
    settings = _settings(config)
    with open_service(settings) as service:
        for keeper in service.keys.values():
            keeper.look()
        new, errors = poll(service)
        ended = work_off(service, errors)
        _report(service, new, ended, as_json)
        for error in errors:
            ERR.print(f"vouch: {escape(str(error))}")
        if errors:
            return errors[0].exit_code
        # What Odoo was too busy for waits for the next round.
        return RetriableError.exit_code if any(state is JobState.QUEUED for _, state in ended) else 0


def sync_on_schedule(config: Path | None) -> int:
    """Poll and work on the schedule until stopped, without a web server."""
    return _serve(config, work=True, web=False)


def run_all(config: Path | None) -> int:
    """Schedule, workers and, unless switched off, the web server."""
    return _serve(config, work=True, web=True)


def run_web(config: Path | None) -> int:
    """The web server alone."""
    return _serve(config, work=False, web=True)


def _serve(config: Path | None, *, work: bool, web: bool) -> int:
    keep_small()
    from connector.service import run

    settings = _settings(config)
    with open_service(settings) as service:
        if work:
            _refuse_hopeless(service)
        run(service, work=work, web=web and (settings.web.enabled or not work))
    return 0


def _settings(config: Path | None) -> Settings:
    settings = load_settings(config)
    configure_logs(settings)
    return settings


def _refuse_hopeless(service: Service) -> None:
    """Wrong address, key or rights end the start; an Odoo that is away for the moment does not."""
    for pipeline in service.pipelines.values():
        try:
            pipeline.erp.capabilities()
        except RetriableError as error:
            ERR.print(f"vouch: {escape(str(error))} It will be tried again.")


def poll(service: Service) -> tuple[int, list[VouchError]]:
    """Send what was brought and waits, learn from every Backend's posted bills and poll it, once; the number of attachments
    not seen before, and what went wrong."""
    new, errors = 0, list[VouchError]()
    make_uploads(service, lambda _: None).sweep()
    for pipeline in service.pipelines.values():
        try:
            if service.settings.learning.enabled:
                pipeline.learn()
            new += pipeline.discover()
        except VouchError as error:
            errors.append(error)
    return new, errors


def work_off(service: Service, errors: list[VouchError]) -> list[tuple[Job, JobState]]:
    """Work until nothing is due, with a progress bar; the Jobs and how they ended. Adds what went wrong to `errors`."""
    ended: list[tuple[Job, JobState]] = []
    waiting, _ = service.ledger.pending(list(service.pipelines))
    with progress() as bar:
        task = bar.add_task("Documents", total=waiting)

        def note(job: Job, state: JobState) -> None:
            ended.append((job, state))
            bar.update(task, advance=1, description=f"{escape(job.attachment.name)}: {state}")

        try:
            service.worker.run_until_idle(note)
        except VouchError as error:
            errors.append(error)
    return ended


def _report(service: Service, new: int, ended: list[tuple[Job, JobState]], as_json: bool) -> None:
    stories = [story for job, _ in ended if (story := service.ledger.story(job.id))]
    if as_json:
        print_json(
            {
                "new": new,
                "documents": [
                    {
                        "document": story.job.id,
                        "name": story.job.attachment.name,
                        "backend": story.job.backend,
                        "model": story.job.model,
                        "record": story.job.record_id,
                        "state": story.job.state,
                        "reason": story.job.reason,
                        "message": story.job.message,
                    }
                    for story in stories
                ],
            }
        )
        return
    for story in sorted(stories, key=lambda story: story.job.id):
        job = story.job
        OUT.print(f"{job.state:10} {escape(job.attachment.name)}  [dim]{job.model} {job.record_id}[/]")
        if job.message and job.state != JobState.FILLED:
            OUT.print(f"           {escape(job.message)}")
    waiting, due = service.ledger.pending(list(service.pipelines))
    if waiting and due:
        OUT.print(
            f"{waiting} wait for another try, the next from {due.astimezone():%H:%M:%S} on; see `vouch status`"
        )
    tally = Counter(str(state) for _, state in ended)
    OUT.print(f"{new} new; " + (", ".join(f"{n} {state}" for state, n in tally.items()) or "nothing to do"))
