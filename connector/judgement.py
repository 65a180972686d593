"""A Reading and a record in, a Proposal and the Decision on it out, with everything that was learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from mappings.budget import Proof, percent, prove
from mappings.matching import propose
from mappings.memory import Memory
from mappings.policy import Decision, Policy, decide

if TYPE_CHECKING:
    from connector.ledger.learning import Learning
    from inference.invoice import Reading
    from mappings.case import SeenDocument
    from mappings.erp_data import Record
    from mappings.field_map import FieldMap
    from mappings.index import ErpIndex
    from mappings.proposal import Proposal


UNPROVEN_READER = (
    "All is sure, but documents are read otherwise than before (another version, model or prompt), and that was not held "
    "against your posted bills yet: run `vouch replay`."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A document that was read, matched and decided on."""

    record: Record
    reading: Reading
    proposal: Proposal
    decision: Decision


@dataclass(frozen=True, slots=True)
class Owner:
    """What the owner set: the dial, the allowed share of wrong bills (None: no budget) with the confidence that it
    must be proven with, and for how many bills new vendors are in shadow mode."""

    policy: Policy = field(default_factory=Policy)
    error_budget: float | None = None
    budget_confidence: float = 0.95
    shadow_bills: int = 0
    unproven_reader: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the ledger knew when a round began: Memory, and the dial as far as the error budget allows."""

    memory: Memory
    policy: Policy


class Judge:
    """Judges the documents of one Backend as its ledger and its owner want it."""

    def __init__(self, backend: str, learning: Learning, owner: Owner) -> None:
        self.learning, self.owner = learning, owner
        self._backend = backend

    def knowledge(self) -> Knowledge:
        """Read Memory and evidence from the ledger: once a round."""
        memory = Memory(self.learning.lessons(self._backend))
        if self.owner.unproven_reader():
            return Knowledge(memory, replace(self.owner.policy, held_back=UNPROVEN_READER))
        proof = self.proof()
        return Knowledge(memory, self.owner.policy if proof is None else self._within_budget(proof))

    def proof(self) -> Proof | None:
        """What this database's own bills prove of the error budget; None where the owner set none."""
        owner = self.owner
        if owner.error_budget is None:
            return None
        trials = self.learning.trials(self._backend)
        return prove(trials, owner.error_budget, owner.budget_confidence, owner.policy.fill_confidence)

    def judge(
        self,
        reading: Reading,
        record: Record,
        index: ErpIndex,
        today: date,
        known: Knowledge,
        seen: tuple[SeenDocument, ...] = (),
        fields: FieldMap | None = None,
    ) -> Judged:
        """Match, propose and decide. `seen` are earlier documents that are this one again, `fields` is the mapping."""
        policy = replace(known.policy, fields=fields or known.policy.fields)
        proposal = self.propose(reading, record, index, today, known, seen, fields)
        if not policy.held_back:
            policy = replace(policy, held_back=self._in_shadow(proposal, record, index))
        return Judged(record, reading, proposal, decide(proposal, reading, record, policy))

    def propose(
        self,
        reading: Reading,
        record: Record,
        index: ErpIndex,
        today: date,
        known: Knowledge,
        seen: tuple[SeenDocument, ...] = (),
        fields: FieldMap | None = None,
        vendor_id: int | None = None,
    ) -> Proposal:
        """Match and propose only, with the vendor that a person chose."""
        policy = known.policy
        return propose(
            reading,
            record,
            index,
            today,
            known.memory,
            seen,
            policy.tolerance,
            fields or policy.fields,
            policy.line_styles,
            vendor_id,
        )

    def _within_budget(self, proof: Proof) -> Policy:
        if proof.threshold is None:
            return replace(self.owner.policy, held_back=f"All is sure, but {unproven(proof, self.owner)}")
        return replace(self.owner.policy, fill_confidence=proof.threshold)

    def _in_shadow(self, proposal: Proposal, record: Record, index: ErpIndex) -> str:
        """Why the vendor's bills go to a person for now; nothing where they do not."""
        value = proposal.values.get("partner_id")
        partner = value.value if value else record.values.get("partner_id")
        if not isinstance(partner, int):
            return ""
        vendor = index.commercial(partner)
        shadow = self.learning.shadow(
            self._backend, vendor, index.partner_name(vendor), self.owner.shadow_bills
        )
        return shadow.sentence if shadow.is_on else ""


def unproven(proof: Proof, owner: Owner) -> str:
    """Why nothing is filled yet under the error budget, from “it” or “of” on."""
    allowed = percent(owner.error_budget or 0.0)
    if proof.bills < proof.needed:
        return (
            f"it is not proven yet that at most {allowed} of the bills would be wrong: {proof.bills} "
            f"like it were posted so far ({proof.wrong} wrong), at least {proof.needed} are needed."
        )
    return (
        f"of the {proof.bills} bills like it posted so far {proof.wrong} were wrong: that may be "
        f"{percent(proof.bound)}, and at most {allowed} is allowed."
    )


def proven(proof: Proof, owner: Owner) -> str:
    """What the posted bills prove of the error budget, in a sentence."""
    if proof.threshold is None:
        found = unproven(proof, owner)
        return found[0].upper() + found[1:]
    return (
        f"Bills are filled from {percent(proof.threshold)} sure on: of {proof.bills} such bills posted {proof.wrong} were "
        f"wrong, which is at most {percent(proof.bound)} with {percent(owner.budget_confidence)} confidence."
    )
