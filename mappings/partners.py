"""Who sent it: the vendor among the ERP's partners, and whether the bill is addressed to us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from inference.invoice import Check, Field
from mappings.case import Case, confidence, failed, not_applicable, passed, proven
from mappings.erp_data import Partner
from mappings.folding import alnum, bare_tax_id, domain_of, fold_account, fold_tax_id, registry_keys
from mappings.index import ErpIndex
from mappings.learned import knows_tax_id, learned_vendors
from mappings.memory import Remembered
from mappings.names import name_core, name_similarity
from mappings.new_vendor import new_vendor
from mappings.proposal import Match, NewVendor, ProposedValue

# How far one key alone tells who the vendor is. A register number repeats between courts, a domain between firms.
TAX_ID, BARE_TAX_ID, ACCOUNT, REGISTRY, DOMAIN, NAME = 0.99, 0.95, 0.95, 0.85, 0.70, 0.93
CERTAIN = 0.995
SHORTEST_CREDIT_CODE = 15
TAX_TERMS = frozenset({"seller_vat_id", "seller_tax_id"})
LIKE_NAME = 0.75
LIKELY_NAME = 0.80
SAME_NAME = 0.90
CLASH_MARGIN = 0.05
# A second candidate is too near when the doubt about it is less than this many times the doubt about the first.
NEAR = 4.0


@dataclass(slots=True)
class _Candidate:
    partner: Partner
    scores: dict[str, float] = field(default_factory=dict[str, float])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    set_in_odoo: bool = False
    learned: Remembered | None = None

    def add(self, term: str, score: float, reason: str) -> None:
        if score > self.scores.get(term, 0.0):
            self.scores[term] = score
            self.reasons[term] = reason

    @property
    def doubt(self) -> float:
        """The probability that every key misleads, taken as independent."""
        return prod(1.0 - score for score in self.scores.values())

    @property
    def score(self) -> float:
        return min(CERTAIN, 1.0 - self.doubt)


@dataclass(frozen=True, slots=True)
class Vendor:
    """The vendor found, if any, with the other candidates and the Checks on the choice."""

    partner: Partner | None
    value: ProposedValue | None
    matches: tuple[Match, ...]
    checks: tuple[Check, ...]
    new: NewVendor | None = None


def find_vendor(case: Case) -> Vendor:
    """Tax id, bank account, register number, domain and name together point at one partner, or do not."""
    candidates = _candidates(case)
    ranked = sorted(
        candidates.values(), key=lambda c: (c.doubt, bool(_unusable(case, c.partner)), c.partner.id)
    )
    matches = tuple(
        Match("res.partner", c.partner.id, c.partner.name, c.score, tuple(c.reasons.values()))
        for c in ranked[:5]
    )
    if chosen := case.index.partners.get(case.vendor_id or 0):
        value = ProposedValue(chosen.id, 1.0, "Chosen by a person.")
        return Vendor(chosen, value, matches, tuple(_unusable(case, chosen)))
    if seller := _is_ourselves(case, candidates.values()):
        return Vendor(None, None, matches, (failed("vendor_is_not_us", seller),))
    if not ranked:
        return Vendor(None, None, (), (failed("vendor_known", _unknown(case)),), new_vendor(case))
    if not _unusable(case, ranked[0].partner):
        # An archived twin, or another company's copy, of a vendor that can be used is no rival.
        ranked = [c for c in ranked if not _unusable(case, c.partner)]
    if _is_a_guess(case, ranked[0]):
        return Vendor(None, None, matches, (failed("vendor_known", _unknown(case)),), new_vendor(case))
    ranked = _as_set_in_odoo(case, _as_learned(ranked))
    best = ranked[0]
    checks = (
        *_agreement(case, best, ranked),
        *_distinct(best, ranked),
        *_unusable(case, best.partner),
    )
    return Vendor(best.partner, _value(case, best), matches, checks)


def _value(case: Case, best: _Candidate) -> ProposedValue:
    """The vendor as far as what has a place on the document proves it; all keys only where none has."""
    terms = tuple(t for t in best.scores if proven(case.reading.get(t))) or tuple(best.scores)
    sure = min(CERTAIN, 1.0 - prod(1.0 - best.scores[t] for t in terms))
    reason = f"{best.partner.name}: {'; '.join(best.reasons[t] for t in terms)}."
    return ProposedValue(best.partner.id, sure, reason, terms)


def _as_set_in_odoo(case: Case, ranked: list[_Candidate]) -> list[_Candidate]:
    """Between look-alikes, the one that the record has already comes first: somebody has told them apart."""
    present = case.record.values.get("partner_id")
    head = case.index.commercial(present) if isinstance(present, int) else None
    chosen = next((c for c in [ranked[0], *_near(ranked)] if c.partner.id == head), None)
    if chosen is None:
        return ranked
    chosen.set_in_odoo = True
    return [chosen, *(c for c in ranked if c is not chosen)]


def _as_learned(ranked: list[_Candidate]) -> list[_Candidate]:
    """Between look-alikes, the one that a person chose for what is printed comes first."""
    chosen = next((c for c in [ranked[0], *_near(ranked)] if c.learned), None)
    return [chosen, *(c for c in ranked if c is not chosen)] if chosen else ranked


def _candidates(case: Case) -> dict[int, _Candidate]:
    found: dict[int, _Candidate] = {}
    reading, index = case.reading, case.index

    def add(partners: Iterable[Partner], term: str, score: float, reason: str) -> None:
        source = reading.get(term)
        sure = min(score, source.confidence) if source else 0.0
        for partner in partners:
            head = index.partners.get(partner.commercial_partner_id, partner)
            if head.id not in index.own and partner.id not in index.own:
                found.setdefault(head.id, _Candidate(head)).add(term, sure, reason)

    for term in ("seller_vat_id", "seller_tax_id"):
        if text := reading.text(term):
            folded = fold_tax_id(text)
            exact = index.with_tax_id(folded) or _registered(index, folded)
            add(exact, term, TAX_ID, f"tax ID {text} is the vendor's")
            if not exact and len(bare_tax_id(folded)) >= 7:
                bare = index.with_bare_tax_id(bare_tax_id(folded))
                alike = [p for p in bare if _one_has_no_country(folded, fold_tax_id(p.vat))]
                add(alike, term, BARE_TAX_ID, f"tax ID {text} is the vendor's but for the country")
    if text := reading.text("payment_account"):
        holders = [
            index.partners[account.partner_id]
            for account in index.accounts_with(fold_account(text))
            if account.active and account.partner_id in index.partners
        ]
        add(holders, "payment_account", ACCOUNT, f"bank account {text} is the vendor's")
    if text := reading.text("seller_registration"):
        holders = [p for key in registry_keys(text) for p in index.registered(key)]
        holders += index.with_tax_id(fold_tax_id(text))
        add(holders, "seller_registration", REGISTRY, f"register number {text} is the vendor's")
    domains = {domain_of(reading.text(term) or ""): term for term in ("seller_website", "seller_email")}
    for domain, term in domains.items():
        # E-mail address and website of one domain are one key, not two.
        holders = index.vendors_at(domain)
        if len({p.commercial_partner_id for p in holders}) == 1:
            add(holders, term, DOMAIN, f"only this vendor uses {domain}")
    if text := reading.text("seller_name"):
        for partner, similarity in index.vendors_named(text):
            reason = f"name {text!r} is like {partner.name!r}" if similarity < 1 else f"name {text!r} fits"
            add([partner], "seller_name", NAME * similarity**2, reason)
    for partner, term, remembered in learned_vendors(case):
        add([partner], term, remembered.confidence, remembered.clause)
        if partner.id in found:
            found[partner.id].learned = remembered
    return found


def _registered(index: ErpIndex, folded: str) -> list[Partner]:
    """Who has the id as a register number: a Chinese credit code is both."""
    return index.registered(folded) if len(folded) >= SHORTEST_CREDIT_CODE else []


def _one_has_no_country(one: str, other: str) -> bool:
    return one[:2].isalpha() != other[:2].isalpha()


def _distinct(best: _Candidate, ranked: list[_Candidate]) -> list[Check]:
    """A second vendor for whom nearly as much speaks makes the first one a guess."""
    if best.set_in_odoo:
        return [passed("vendor_unique", f"The record has {best.partner.name} already.")]
    if best.learned and best.learned.is_sure:
        return [passed("vendor_unique", f"{best.learned.sentence}.")]
    near = _near(ranked)
    if not near:
        return [passed("vendor_unique", f"No other vendor is nearly like {best.partner.name}.")]
    names = " or ".join(c.partner.name for c in (best, *near[:2]))
    return [
        failed("vendor_unique", f"The vendor could be {names}: the document has nothing that tells which.")
    ]


def _is_a_guess(case: Case, best: _Candidate) -> bool:
    """Only a somewhat similar name, or a similar name under another tax id: a vendor that Odoo does not have."""
    if best.learned or best.scores.keys() != {"seller_name"}:
        return False
    similarity = name_similarity(case.reading.text("seller_name") or "", best.partner.name)
    printed = case.reading.text("seller_vat_id")
    other = bool(printed and best.partner.vat and not _same_tax_id(printed, best.partner.vat))
    return similarity < (SAME_NAME if other else LIKELY_NAME)


def _near(ranked: list[_Candidate]) -> list[_Candidate]:
    return [c for c in ranked[1:] if c.doubt < NEAR * ranked[0].doubt]


def _agreement(case: Case, best: _Candidate, ranked: list[_Candidate]) -> list[Check]:
    """Tax id, bank account and name must not point at different vendors."""
    reading, checks = case.reading, list[Check]()
    printed = reading.text("seller_vat_id")
    known = best.partner.vat
    if printed and known and not _same_tax_id(printed, known) and not _otherwise_known(case, best):
        text = f"The document prints the tax ID {printed}, {best.partner.name} has {known} in Odoo."
        checks.append(failed("vendor_tax_id", text))
    name = reading.text("seller_name")
    for other in ranked:
        if other is best:
            continue
        clash = other.scores.keys() - best.scores.keys()
        for term in ("seller_vat_id", "payment_account"):
            if term in clash:
                text = f"The document names {best.partner.name}, but its {_SAYS[term]} is that of {other.partner.name}."
                checks.append(failed("vendor_agrees", text))
    if name:
        checks.extend(_name_clash(case, best, name))
    by_account_only = best.scores.keys() - {"seller_name"} == {"payment_account"}
    if name and by_account_only and name_similarity(name, best.partner.name) < LIKE_NAME:
        # A factoring bank's account, or a wrong one: it alone does not make one vendor of two names.
        text = f"The document is from {name}, but its bank account is that of {best.partner.name}."
        checks.append(failed("vendor_agrees", text))
    return checks or [passed("vendor_agrees", f"Everything printed points at {best.partner.name}.")]


def _otherwise_known(case: Case, best: _Candidate) -> bool:
    """Whether another tax id than Odoo's is the vendor's all the same: its national one, or one that was learned."""
    return "seller_tax_id" in best.scores or knows_tax_id(case, best.partner)


_SAYS = {"seller_vat_id": "tax ID", "payment_account": "bank account"}


def _name_clash(case: Case, best: _Candidate, name: str) -> list[Check]:
    own = name_similarity(name, best.partner.name)
    for other, similarity in case.index.vendors_named(name):
        fits_better = similarity >= own + CLASH_MARGIN or similarity == 1.0 > own
        if other.id != best.partner.id and similarity >= SAME_NAME and fits_better:
            says = next(iter(best.reasons.values()))
            text = f"The name on the document is {name}, which is {other.name}, but the {says.split(' is ')[0]} is {best.partner.name}'s."
            return [failed("vendor_agrees", text)]
    return []


def _same_tax_id(one: str, other: str) -> bool:
    a, b = fold_tax_id(one), fold_tax_id(other)
    return a == b or (_one_has_no_country(a, b) and bare_tax_id(a) == bare_tax_id(b))


def _unusable(case: Case, partner: Partner) -> list[Check]:
    if not partner.active:
        return [failed("vendor_usable", f"{partner.name} is archived in Odoo.")]
    if not case.within_company(partner.company_id):
        owner = case.index.companies.get(partner.company_id or 0)
        text = f"{partner.name} belongs to {owner.name if owner else 'another company'} in Odoo."
        return [failed("vendor_usable", text)]
    return []


def _is_ourselves(case: Case, candidates: Iterable[_Candidate]) -> str | None:
    printed = case.reading.text("seller_vat_id")
    for company in case.index.companies.values():
        if printed and company.vat and _same_tax_id(printed, company.vat):
            return f"The seller on the document is {company.name} itself."
    if any(candidate.scores.keys() & TAX_TERMS for candidate in candidates):
        return None  # our name was read where the seller's stands: the tax ID tells better
    name = name_core(case.reading.text("seller_name") or "")
    for company in case.index.companies.values():
        if name and name == name_core(company.name) and not case.index.is_vendor_named(name):
            return f"The seller on the document is {company.name} itself, by its name."
    return None


def _unknown(case: Case) -> str:
    name = case.reading.text("seller_name")
    printed = case.reading.text("seller_vat_id") or case.reading.text("seller_tax_id")
    if not name and not printed:
        return "The document's vendor could not be read."
    parts = ([f"named {name!r}"] if name else []) + ([f"with the tax ID {printed}"] if printed else [])
    return f"Odoo has no vendor {' or '.join(parts)}."


def check_buyer(case: Case) -> Check:
    """The document must be addressed to the record's company."""
    company, others = case.company, case.index.companies.values()
    vat: Field | None = case.reading.get("buyer_vat_id")
    if proven(vat) and vat and isinstance(vat.value, str) and company.vat:
        if _same_tax_id(vat.value, company.vat):
            return passed("buyer_is_company", f"The buyer's tax ID is {company.name}'s.")
        other = next((c for c in others if c.vat and _same_tax_id(vat.value, c.vat)), None)
        whose = f"that is {other.name}" if other else "which is not ours"
        text = (
            f"The document is made out to the tax ID {vat.value}, {whose}; the record is in {company.name}."
        )
        return failed("buyer_is_company", text)
    name = case.reading.text("buyer_name")
    if not name or confidence([case.reading.get("buyer_name")]) < 0.5:
        return not_applicable("buyer_is_company", "The document does not say who buys.")
    own = name_similarity(name, company.name)
    best = max(others, key=lambda c: (name_similarity(name, c.name), c.id == company.id))
    if (best.id == company.id and own >= LIKE_NAME) or _stands_in(company.name, name):
        return passed("buyer_is_company", f"The document is made out to {company.name}.")
    text = f"The document is made out to {name}, the record is in {company.name}."
    return failed("buyer_is_company", text)


def _stands_in(company: str, printed: str) -> bool:
    """Whether our name is part of what was read as the buyer: a department or a person stands beside it."""
    return len(alnum(company)) >= 5 and alnum(company) in alnum(printed)
