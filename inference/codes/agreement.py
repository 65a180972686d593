"""A Reading of the page and what the codes on it say: they confirm, correct or contradict each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from inference.checks import code_agrees, run_checks
from inference.codes.claims import Claim
from inference.codes.marks import SOURCE, marks_of
from inference.codes.scan import find_codes
from inference.codes.standards import claims_in
from inference.confidence import FAILED_CHECK, doubt_failed
from inference.grounding import Finder, fold
from inference.invoice import HEADER, Evidence, Field, Kind, Reading, Value, value_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.appearance import Appearance
    from inference.document import Document

AGREED = 0.995
"""How sure a value is that the page and a code give alike."""
TOLD = 0.97
"""How sure a value is that a code gives and the page does not deny."""
CALLED = {
    "invoice_number": "invoice number", "issue_date": "date of issue", "due_date": "due date", "currency": "currency",
    "seller_vat_id": "seller's VAT id", "seller_tax_id": "seller's tax number", "buyer_vat_id": "buyer's VAT id",
    "payment_account": "payment account", "payment_bic": "BIC", "payment_reference": "payment reference",
    "total_without_vat": "net total", "total_vat": "total VAT", "total_with_vat": "total", "amount_due": "amount due",
    "invoice_code": "invoice code", "document_type": "type of document",
}  # fmt: skip


class _Told(NamedTuple):
    """A claim, and the code that makes it: what people call it and where it stands."""

    claim: Claim
    source: str
    proof: Evidence | None


def confirmed(reading: Reading, document: Document, appearance: Appearance | None = None) -> Reading:
    """The Reading with what the codes on the pages say: values that agree become sure, missing ones are added.

    A value that the page has too corrects another one that was read; otherwise the Check `code_agrees` fails.
    """
    told = _agreed_among_themselves(_told(document, appearance))
    if not told:
        return reading
    return _Agreement(reading, Finder(document.pages)).with_all(told)


def _told(document: Document, appearance: Appearance | None) -> Iterator[_Told]:
    own = marks_of(document)
    for claim in own.claims if own else ():
        yield _Told(claim, SOURCE, None)
    for code in find_codes(document.pages, appearance):
        found = claims_in(code.text)
        for claim in found.claims if found else ():
            yield _Told(claim, f"{found.source if found else ''} on page {code.page}", code.evidence)


def _agreed_among_themselves(told: Iterator[_Told]) -> list[_Told]:
    """Without what several codes say differently: payment slips of instalments, several bills in one file."""
    by_terms: dict[tuple[str, ...], list[_Told]] = defaultdict(list)
    for one in told:
        by_terms[one.claim.terms].append(one)
    return [
        group[0]
        for group in by_terms.values()
        if all(_same(one.claim.value, group[0].claim.value, _kind(one.claim)) for one in group)
    ]


class _Agreement:
    """Brings claims into a Reading, one after the other."""

    def __init__(self, reading: Reading, finder: Finder) -> None:
        self._reading, self._finder = reading, finder
        self._fields = dict(reading.fields)
        self._said: list[str] = []

    def with_all(self, told: Sequence[_Told]) -> Reading:
        """The Reading with all claims, and its checks again, now that values may have changed."""
        for one in told:
            self._bring(one)
        reading = replace(self._reading, fields=self._fields)
        own = [check for check in self._reading.checks if check.id not in {c.id for c in run_checks(reading)}]
        checks = (*run_checks(reading), *own, code_agrees(told[0].source, self._said))
        return replace(reading, fields=doubt_failed(self._fields, checks), checks=checks)

    def _bring(self, one: _Told) -> None:
        claim, kind = one.claim, _kind(one.claim)
        present = {term: self._fields[term] for term in claim.terms if term in self._fields}
        alike = [term for term, field in present.items() if _same(field.value, claim.value, kind)]
        for term in alike:
            found = present[term]
            sure = max(found.confidence, AGREED)
            self._fields[term] = replace(
                found, confidence=sure, evidence=_proofs(*found.evidence, one.proof), note=""
            )
        if alike or claim.weak:
            return
        place = self._finder.find(claim.value, kind)
        if len(claim.terms) == 1 and (place or not present):
            seen = place.evidence if place else None
            if proofs := _proofs(seen, one.proof):
                self._fields[claim.terms[0]] = Field(claim.value, TOLD, proofs, (seen and seen.text) or "")
        elif present:
            self._contradict(present, one, printed=place is not None)

    def _contradict(self, present: dict[str, Field], one: _Told, *, printed: bool) -> None:
        """The values doubted; a failed check only where the page has the code's value nowhere."""
        term, found = next(iter(present.items()))
        sentence = (
            f"The {one.source} gives {value_as_json(one.claim.value)} as the {CALLED.get(term, term)},"
            f" but {value_as_json(found.value)} was read."
        )
        for name, field in present.items():
            self._fields[name] = field.doubted(FAILED_CHECK, sentence)
        if not printed:
            self._said.append(sentence)


def _proofs(*proofs: Evidence | None) -> tuple[Evidence, ...]:
    return tuple(proof for proof in proofs if proof is not None)


def _kind(claim: Claim) -> Kind:
    return HEADER[claim.terms[0]].kind


def _same(read: Value, told: Value, kind: Kind) -> bool:
    """Whether two values mean the same; an identifier may be printed with or without what stands before it."""
    if not isinstance(read, str) or not isinstance(told, str):
        return read == told
    ours, theirs = fold(read), fold(told)
    if kind is not Kind.CODE and min(len(ours), len(theirs)) >= 4:
        short, long = sorted((ours, theirs), key=len)
        return long.endswith(short) or (kind is Kind.TEXT and short in long)
    return ours == theirs
