"""The totals, solved together: of all amounts with a fitting label, those that agree with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference.readers.layout.amounts import (
    CENT,
    SCORES,
    TERMS,
    VatRow,
    add_implied,
    add_vat_rows,
    candidates_for,
    decimal_of,
    distinct,
    scaled,
    vat_rows,
)
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context

HIGHEST_SHARE = Decimal("0.3")
"""No VAT is a larger share of the net total: 27 % is the highest rate there is."""


@dataclass(frozen=True)
class Totals:
    """The chosen findings by term, the VAT rows, and whether net + VAT = total (None: not all known)."""

    chosen: dict[str, Finding]
    vat_rows: tuple[VatRow, ...]
    agree: bool | None


def find_totals(context: Context, sums: frozenset[Decimal]) -> Totals:
    """The totals of the document; a term without a good enough amount is left out."""
    rows = tuple(vat_rows(context))
    candidates = {term: candidates_for(context, term) for term in TERMS}
    add_vat_rows(candidates, rows)
    stand_ins = [scaled(f, "total_with_vat", SCORES["stand_in"]) for f in candidates["amount_due"]]
    candidates["total_with_vat"] = distinct([*candidates["total_with_vat"], *stand_ins])
    add_implied(context, candidates)
    chosen = _choose(candidates, sums)
    chosen |= _settle(candidates, chosen)
    _after_discount(candidates, chosen)
    agree = _agree(chosen)
    if agree is None and _left_out(candidates, chosen):
        agree = False
    return Totals({t: _judged(f, chosen, candidates[t], agree) for t, f in chosen.items()}, rows, agree)


def _choose(candidates: dict[str, list[Finding]], sums: frozenset[Decimal]) -> dict[str, Finding]:
    """The net, VAT and total with the best sum of scores and agreement."""
    best: tuple[Finding | None, ...] = ()
    best_score = float("-inf")
    strongest = max((f.score for f in candidates["total_with_vat"]), default=0.0)
    largest = max((decimal_of(f) for f in candidates["total_with_vat"]), default=Decimal(0))
    nets: list[Finding | None] = [None, *candidates["total_without_vat"]]
    vats: list[Finding | None] = [None, *candidates["total_vat"]]
    totals: list[Finding | None] = [None, *candidates["total_with_vat"]]
    adjustments = {Decimal(0)} | {
        decimal_of(f) for f in (*candidates["rounding_amount"], *candidates["charge_total"])
    }
    less = {-abs(decimal_of(f)) for f in candidates["discount_total"]}
    adjustments |= less | {more + one for more in adjustments for one in less}
    for net in nets:
        for vat in vats:
            for total in totals:
                score = _score(net, vat, total, sums, adjustments)
                if total is not None:
                    # What the strongest label says is not given up lightly.
                    score -= 0.6 * max(0.0, strongest - total.score)
                    score += SCORES["largest"] * (decimal_of(total) >= largest)
                if score > best_score:
                    best, best_score = (net, vat, total), score
    names = ("total_without_vat", "total_vat", "total_with_vat")
    return {name: found for name, found in zip(names, best, strict=True) if found is not None}


def _score(
    net: Finding | None,
    vat: Finding | None,
    total: Finding | None,
    sums: frozenset[Decimal],
    adjustments: set[Decimal],
) -> float:
    score = sum(f.score - SCORES["least"] for f in (net, vat, total) if f is not None)
    if net is not None and vat is not None and total is not None:
        off = decimal_of(total) - decimal_of(net) - decimal_of(vat)
        if abs(off) <= CENT:
            one_row = len({f.spans[0].row.index for f in (net, vat, total)}) == 1
            full = SCORES["same_row"] if one_row else SCORES["agreement"]
            score += full if decimal_of(vat) else SCORES["equality"]
            if net.spans[0].row is vat.spans[0].row and total.score < 0.8:
                score += SCORES["partial"]
        elif off in adjustments:
            score += SCORES["adjusted"]
        else:
            score += SCORES["contradiction"]
        if _same_place(net, vat):
            score += SCORES["contradiction"]
    elif net is not None and total is not None:
        if decimal_of(net) == decimal_of(total):
            score += SCORES["equality"] / 2
        elif (
            abs(decimal_of(net)) > abs(decimal_of(total))
            and -(decimal_of(net) - decimal_of(total)) not in adjustments
        ):
            score += SCORES["contradiction"] / 2
    if vat is not None:
        whole = [abs(decimal_of(f)) for f in (net, total) if f is not None]
        if whole and abs(decimal_of(vat)) > HIGHEST_SHARE * max(whole):
            score += SCORES["contradiction"]
    if any(f is not None and decimal_of(f) in sums for f in (net, total)):
        score += SCORES["lines"]
    return score


def _same_place(one: Finding, other: Finding) -> bool:
    return one.spans[0] == other.spans[0]


def _agree(chosen: dict[str, Finding]) -> bool | None:
    if not {"total_without_vat", "total_vat", "total_with_vat"} <= chosen.keys():
        return None
    off = decimal_of(chosen["total_with_vat"]) - decimal_of(chosen["total_without_vat"])
    return abs(off - decimal_of(chosen["total_vat"])) <= CENT


def _settle(candidates: dict[str, list[Finding]], chosen: dict[str, Finding]) -> dict[str, Finding]:
    """The amount due and what was prepaid, given the total; and the lesser totals, by label alone."""
    settled: dict[str, Finding] = {}
    total = chosen.get("total_with_vat")
    best_score = SCORES["least"]
    for due in candidates["amount_due"]:
        for prepaid in (None, *candidates["prepaid_amount"]):
            score = due.score + (prepaid.score - SCORES["least"] if prepaid else 0.0)
            if total is not None:
                paid = abs(decimal_of(prepaid)) if prepaid else Decimal(0)
                rest = decimal_of(total) - paid - decimal_of(due)
                if abs(rest) <= CENT:
                    score += SCORES["due"] if prepaid and paid else SCORES["due_is_total"]
                elif prepaid:
                    score += SCORES["contradiction"]
            if score > best_score:
                best_score = score
                settled = {"amount_due": due} | ({"prepaid_amount": prepaid} if prepaid else {})
    for term in ("rounding_amount", "discount_total", "charge_total"):
        best = candidates[term][:1]
        if best and best[0].score > 0.8:
            settled[term] = best[0]
    return settled


def _after_discount(candidates: dict[str, list[Finding]], chosen: dict[str, Finding]) -> None:
    """The net total is meant after discounts and charges (BT-109): taken where printed instead of one before."""
    if _agree(chosen) is not False:
        return
    net = decimal_of(chosen["total_with_vat"]) - decimal_of(chosen["total_vat"])
    for finding in candidates["total_without_vat"]:
        if decimal_of(finding) == net:
            chosen["total_without_vat"] = finding


def _left_out(candidates: dict[str, list[Finding]], chosen: dict[str, Finding]) -> bool:
    """Whether net total and VAT are plainly named on the page but do not fit the total."""
    if "total_with_vat" not in chosen:
        return False
    return all(
        any(f.score >= SCORES["plain"] for f in candidates[t]) for t in ("total_without_vat", "total_vat")
    )


def _judged(
    finding: Finding, chosen: dict[str, Finding], rivals: Sequence[Finding], agree: bool | None
) -> Finding:
    """The finding with its margin over rivals and what the arithmetic says about it."""
    others = [f.score for f in rivals if f.value != finding.value]
    margin = finding.score - max(others) if others else 1.0
    arithmetic = 0.0
    if finding.term in ("total_without_vat", "total_vat", "total_with_vat"):
        vat = chosen.get("total_vat")
        full = vat is not None and decimal_of(vat) != 0
        arithmetic = 0.0 if agree is None else (1.0 if full else 0.5) if agree else -1.0
    elif finding.term == "amount_due" and (total := chosen.get("total_with_vat")) is not None:
        paid = abs(decimal_of(chosen["prepaid_amount"])) if "prepaid_amount" in chosen else Decimal(0)
        fits = abs(decimal_of(total) - paid - decimal_of(finding)) <= CENT
        arithmetic = (1.0 if agree or paid else 0.5) if fits else -0.5
    ambiguous = finding.features.ambiguous
    if finding.term == "total_vat" and not {"total_without_vat", "total_with_vat"} & chosen.keys():
        arithmetic = -0.5
    return finding.with_features(
        ambiguous=ambiguous,
        margin=max(-1.0, min(1.0, margin)) if arithmetic <= 0 else max(0.3, min(1.0, margin)),
        arithmetic=arithmetic,
    )
