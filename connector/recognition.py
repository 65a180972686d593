"""Effects known again by their keys in Odoo's notes, where the ledger does not have them: it was restored, or is new."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.ledger.own_secret import Seal
    from connector.ledger.records import Job

FILL, ASK = "fill", "ask"
APPROVE, UNDO = "approve", "undo"
"""A person's Effects, of which there may be several in a generation."""

_HALF = 16
RESTORED = 100
"""A restored ledger goes on counting generations so much higher, so that a person's new wish has a key of its own."""
_MOST_RESTORES, _MOST_WISHES = 10, 20

ASKED = "Vouch left this document to a person before its ledger was restored."
FILLED = "Vouch had filled this before its ledger was restored: the note in Odoo says so."


@dataclass(frozen=True, slots=True)
class Recognised:
    """The key of a Job's newest Effect in the notes, its generation, and whether a person was asked by it, or the record
    filled."""

    key: str
    generation: int
    asked: bool


def effect_key(job: Job, kind: str, generation: int | None = None) -> str:
    """The key of a Job's Effect. A generation is one person's wish to try again; within it an Effect happens once."""
    wish = job.generation if generation is None else generation
    identity = f"{job.backend}|{job.attachment.erp_id}|{job.attachment.checksum}|{wish}|{kind}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def person_key(job: Job, kind: str, wish: str, seal: Seal) -> str:
    """The key of a person's Effect: of which Job and kind it is, what is the wish's own, and the ledger's seal, by which
    it is known also in a note that the person's own API key wrote."""
    own = hashlib.sha256(f"{job.id}|{kind}|{wish}".encode()).hexdigest()[:_HALF]
    return seal.sealed(effect_key(job, kind)[:_HALF] + own)


def recognised(job: Job, noted: Collection[str]) -> Recognised | None:
    """The newest Effect of a Job among the keys in its record's notes, of this generation or a later one; or None."""
    if not noted:
        return None
    wishes = [restore * RESTORED + wish for restore in range(_MOST_RESTORES) for wish in range(_MOST_WISHES)]
    for generation in sorted({job.generation, *wishes}, reverse=True):
        if generation < job.generation:
            break
        if found := _settled(job, noted, generation):
            return found
        # A fill that did not add up was asked about afterwards.
        for kind in (ASK, FILL):
            if (key := effect_key(job, kind, generation)) in noted:
                return Recognised(key, generation, kind == ASK)
    return None


def _settled(job: Job, noted: Collection[str], generation: int) -> Recognised | None:
    """What a person made of the Job in that generation: each fill can be taken back once, and approved again then."""

    def of(kind: str) -> list[str]:
        mark = effect_key(job, kind, generation)[:_HALF]
        return sorted(key for key in noted if key.startswith(mark))

    approvals, undone = of(APPROVE), of(UNDO)
    fills = len(approvals) + (effect_key(job, FILL, generation) in noted)
    if undone and len(undone) >= fills:
        return Recognised(undone[0], generation, True)
    return Recognised(approvals[0], generation, False) if approvals else None
