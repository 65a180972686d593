"""History: the whole story of a document on a page, and as JSON; and the button that takes a filling back."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse

from connector.ledger.history import History, history_of
from connector.ledger.settling import Settling
from connector.ledger.states import JobState
from connector.review.bill import bill_of
from connector.review.documents import group_of
from connector.review.pages import Paper
from connector.review.telling import Names, Teller, matches_of, steps_of

if TYPE_CHECKING:
    from connector.ledger.records import EffectRecord, ProposalRecord, ReadingRecord
    from connector.review.deps import ReviewDeps
    from connector.review.language import Language
    from connector.review.pages import PageImages
    from connector.review.screen import Screen

SCHEMA = 1
"""Of the JSON; raised with every change that is not an addition."""

JobId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: when, of which kind, by whom, and its facts as in the JSON."""

    at: datetime
    kind: str
    actor: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """See docs/review.md."""
        return {"at": self.at.isoformat(), "kind": self.kind, "actor": self.actor} | self.facts


def make_router(deps: ReviewDeps, screen: Screen, images: PageImages) -> APIRouter:
    """`/documents/{id}/history` and its JSON."""
    router = APIRouter()
    settling = Settling(deps.ledger.engine, deps.clock)

    def found(request: Request, job_id: int) -> History:
        history = history_of(deps.ledger, job_id)
        screen.access.job(request, history.story.job if history else None)
        if history is None:
            raise HTTPException(404, "no_such_page")
        return history

    def may_undo(history: History) -> bool:
        """Whether a filling can be taken back, as far as the ledger knows: the ERP has the last word."""
        return (
            history.story.job.state == JobState.FILLED
            and settling.last_fill(history.story.job.id) is not None
        )

    @contextmanager
    def names(history: History, language: Language) -> Generator[Names]:
        """What the ids of Odoo are called, by the data that is here: a page of the past asks Odoo nothing."""
        review, pipeline = history.story.review, deps.pipelines.get(history.story.job.backend)
        matches, currency = matches_of(history), review.currency if review else ""
        if pipeline is None:
            yield Names(language, None, matches, currency)
            return
        with pipeline.data.known() as index:
            if index is None:
                # The next look at a history has the names.
                pipeline.data.renew()
            yield Names(language, index, matches, currency)

    @router.get("/documents/{job_id}/history", response_class=HTMLResponse)
    def page(request: Request, job_id: JobId) -> HTMLResponse:
        history = found(request, job_id)
        language, job = screen.language(request), history.story.job
        with names(history, language) as named:
            moments = Teller(history, language, named, deps.sure).moments()
        sha256 = job.document_sha256
        return screen.render(
            request,
            "documents/history.html",
            job=job,
            moments=moments,
            steps=steps_of(history),
            group=group_of(job.state),
            bill=bill_of(history.story, language, deps.sure),
            paper=images.paper(sha256) if sha256 else Paper(problem="gone"),
            may_undo=may_undo(history),
        )

    @router.get("/api/v1/documents/{job_id}/history")
    def as_json(request: Request, job_id: JobId) -> JSONResponse:
        history = found(request, job_id)
        job = history.story.job
        seen = job.attachment
        node = {
            "schema": SCHEMA,
            "document": {
                "id": job.id,
                "backend": job.backend,
                "company_id": job.company_id,
                "attachment": {"id": seen.erp_id, "checksum": seen.checksum},
                "name": seen.name,
                "mimetype": seen.mimetype,
                "size": seen.size,
                "sha256": job.document_sha256,
                "record": {
                    "model": job.model,
                    "id": job.record_id,
                    "url": deps.record_url(job.backend, job.model, job.record_id),
                },
                "state": job.state,
            },
            "undo": may_undo(history),
            "events": [event.as_json() for event in events_of(history)],
        }
        name = {"Content-Disposition": f'attachment; filename="vouch-document-{job_id}.json"'}
        return JSONResponse(node, headers=name)

    return router


def events_of(history: History) -> list[Event]:
    """Everything in the order it happened; what happened at once in the order of the pipeline."""
    return sorted(_events(history), key=lambda event: event.at)


def _events(history: History) -> Iterator[Event]:
    story = history.story
    yield Event(story.job.created_at, "seen", facts={"name": story.job.attachment.name})
    for step in story.transitions:
        facts = {"before": step.before, "after": step.after, "reason": step.reason, "message": step.message}
        yield Event(step.at, "state", step.actor, facts)
    for attempt in story.attempts:
        if attempt.outcome not in ("", "done"):
            facts = {"step": attempt.step, "outcome": attempt.outcome, "error": attempt.error}
            yield Event(attempt.ended_at or attempt.started_at, "attempt", attempt.worker, facts)
    for reading in story.readings:
        yield Event(reading.at, "reading", reading.reader, _of_reading(reading))
    for proposal in story.proposals:
        yield Event(proposal.at, "proposal", "", _of_proposal(proposal))
    for effect in story.effects:
        yield from _of_effect(effect)
    if (review := story.review) is not None:
        yield Event(review.opened_at, "review", "", {"topics": review.topics, "reasons": review.reasons})
        if review.settled_at is not None:
            yield Event(review.settled_at, "settled", review.actor, {"verdict": review.verdict, "seconds": review.seconds})  # fmt: skip
    for one in history.corrections:
        where = {"page": one.page, "box": one.box}
        facts = {"target": one.target, "term": one.term, "before": one.before, "after": one.after} | where
        yield Event(one.at, "correction", one.actor, facts)
    if (verdict := history.verdict) is not None:
        facts = {"right": verdict.right, "wrong": verdict.wrong, "changed": verdict.changed}
        yield Event(verdict.at, "posted", "", facts)
        # Lessons bear a day only; they are made with the Verdict.
        for lesson in history.lessons:
            facts = {
                "about": lesson.kind,
                "printed": lesson.printed,
                "label": lesson.label,
                "vendor": lesson.vendor,
            }
            yield Event(verdict.at, "lesson", lesson.set_by, facts)
    for value in history.judged:
        yield Event(
            value.at, "judged", value.actor, {"term": value.term, "model": value.model, "right": value.right}
        )


def _of_reading(reading: ReadingRecord) -> dict[str, Any]:
    usage: dict[str, Any] = reading.body.get("usage") or {}
    return {
        "reader": reading.reader,
        "version": reading.version,
        "model": usage.get("model", ""),
        "prompt": usage.get("prompt", ""),
        "fields": len(reading.body.get("fields", {})),
        "lines": len(reading.body.get("lines", ())),
        "body": reading.body,
    }


def _of_proposal(proposal: ProposalRecord) -> dict[str, Any]:
    return {
        "outcome": proposal.outcome,
        "reasons": proposal.reasons,
        "score": proposal.score,
        "held": proposal.held,
        "body": proposal.body,
    }


def _of_effect(effect: EffectRecord) -> Iterator[Event]:
    facts = {"key": effect.key, "leads_to": effect.leads_to, "message": effect.message, "body": effect.body}
    yield Event(effect.at, "effect", str(effect.body.get("actor", "")), facts)
    if effect.settled_at is not None:
        yield Event(effect.settled_at, "effect_settled", "", {"key": effect.key, "status": effect.status})
