"""`vouch status` and `vouch retry`: what the ledger knows, and how to try again."""

from __future__ import annotations

import dataclasses
import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from connector.bootstrap import opened_ledger, owner_of
from connector.commands.output import OUT, print_json
from connector.errors import SettingsError
from connector.judgement import Judge, proven
from connector.ledger.learning import Learning
from connector.ledger.states import JobState
from connector.settings import load_settings

if TYPE_CHECKING:
    from connector.ledger.records import Attempt, Job
    from connector.ledger.store import Ledger
    from connector.settings import Settings
    from mappings.budget import Proof


CRASHED = "crashed"


def show_status(as_json: bool, config: Path | None) -> int:
    """Print counts by state, polls, and what failed or waits; 0."""
    settings = load_settings(config)
    with opened_ledger(settings) as ledger:
        proofs = _proofs(settings, ledger)
        counts, polls = ledger.counts(), ledger.polls()
        failed, waiting = ledger.jobs([JobState.FAILED]), ledger.jobs([JobState.QUEUED])
        tries = {job.id: story.attempts for job in failed if (story := ledger.story(job.id))}
        in_review = ledger.reviews()
    if as_json:
        print_json(
            {
                "documents": {state.value: count for state, count in counts.items()},
                "open_reviews": len(in_review),
                "polls": [
                    {
                        "backend": poll.backend,
                        "polled_at": poll.polled_at.isoformat() if poll.polled_at else None,
                        "error": poll.error,
                    }
                    for poll in polls
                ],
                "error_budget": [
                    {"backend": name, "proven": proof.threshold is not None} | dataclasses.asdict(proof)
                    for name, proof in proofs.items()
                ],
                "failed": [
                    _job(job) | {"attempts": [_attempt(one) for one in tries.get(job.id, ())]}
                    for job in failed
                ],
                "waiting": [_job(job) for job in waiting],
            }
        )
        return 0
    for state, count in counts.items():
        OUT.print(f"{state.value:10} {count:>6}")
    for poll in polls:
        when = f"{poll.polled_at.astimezone():%Y-%m-%d %H:%M:%S}" if poll.polled_at else "never"
        OUT.print(
            f"{escape(poll.backend)}: last poll {when}"
            + (f", then: {escape(poll.error)}" if poll.error else "")
        )
    for name, proof in proofs.items():
        OUT.print(f"{escape(name)}: {escape(proven(proof, owner_of(settings)))}")
    for job in failed + waiting:
        OUT.print(f"[dim]{job.id:>6}[/] {job.state} {escape(job.attachment.name)}: {escape(job.message)}")
        for one in tries.get(job.id, ()) if job.reason == CRASHED else ():
            began = f"{one.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
            OUT.print(f"       {began} step {one.step}, {one.outcome}: {escape(one.error)}")
    return 0


def retry_documents(
    documents: Sequence[int] | None, skipped: bool, review: bool, as_json: bool, config: Path | None
) -> int:
    """Queue documents again and print how many; 0."""
    states = [JobState.FAILED]
    states += [JobState.SKIPPED] if skipped or documents else []
    states += [JobState.IN_REVIEW] if review or documents else []
    with opened_ledger(load_settings(config)) as ledger:
        count = ledger.retry(f"person:{getpass.getuser()}", states, documents or None)
        if documents and count == 0:
            raise SettingsError(
                "None of these documents can be tried again: filled ones stay as they are, others do not exist. "
                "See `vouch status`."
            )
    if as_json:
        print_json({"retried": count})
    else:
        OUT.print(f"{count} to be tried again in the next round")
    return 0


def _proofs(settings: Settings, ledger: Ledger) -> dict[str, Proof]:
    """What each Backend's posted bills prove of the error budget; none where there is no budget."""
    learning, owner = Learning(ledger.engine), owner_of(settings)
    found = {name: Judge(name, learning, owner).proof() for name in settings.backends}
    return {name: proof for name, proof in found.items() if proof}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "worker": attempt.worker,
        "step": attempt.step,
        "outcome": attempt.outcome,
        "error": attempt.error,
        "started_at": attempt.started_at.isoformat(),
        "ended_at": attempt.ended_at.isoformat() if attempt.ended_at else None,
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "document": job.id,
        "name": job.attachment.name,
        "state": job.state,
        "reason": job.reason,
        "message": job.message,
        "not_before": job.not_before.isoformat(),
    }
