"""Amounts that could be a total: named by a label, proved by a VAT row, or asked for by the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from inference.confidence import Features
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.rows import Span

CENT = Decimal("0.01")

SCORES = {
    "beside": 1.0,  # the only number right of the label
    "last": 0.85,  # the last of several
    "first": 0.7,  # the first of several
    "among": 0.5,  # between others
    "below": 0.75,  # below the label
    "not_money": 0.7,  # factor: no decimals and no currency sign
    "plain": 0.95,  # a strong label right beside its only amount
    "least": 0.25,  # a candidate must be better
    "agreement": 0.9,  # net + VAT = total, with VAT
    "equality": 0.35,  # net = total, no VAT
    "contradiction": -1.7,  # net + VAT is not the total
    "partial": -0.7,  # net and VAT of one row, and no total that a label of its own names
    "rate": 0.3,  # a rate printed beside the VAT confirms it
    "due": 0.5,  # total − prepaid = amount due
    "due_is_total": 0.25,
    "largest": 0.15,  # the largest of the totals
    "next": 0.55,  # alone on the row after the label's, or before it
    "same_row": 0.3,  # the agreement of figures on one row, as VAT by rate has it
    "adjusted": 0.35,  # agreement but for a discount, a charge or a rounding that is printed
    "again": 0.12,  # for each other label of the same value
    "implied": 0.4,  # an amount without a fitting label that the others ask for
    "lines": 0.5,  # the lines add up to it
    "stand_in": 0.75,  # factor: an amount due as the total, where none is named
}
"""All weights of the choice, in one table."""

TERMS = (
    "total_without_vat", "total_vat", "total_with_vat", "amount_due", "prepaid_amount",
    "rounding_amount", "discount_total", "charge_total",
)  # fmt: skip

_KEPT = 7


@dataclass(frozen=True)
class VatRow:
    """A row that proves itself: base × rate = VAT."""

    rate: NumberAt
    base: NumberAt
    vat: NumberAt


def candidates_for(context: Context, term: str) -> list[Finding]:
    found: list[Finding] = []
    for label in context.all_labels(term):
        found += _for_label(context, term, label)
    return distinct(found)


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The best finding of each value, best first, a little better for each other row that names the value."""
    best: dict[object, Finding] = {}
    rows: dict[object, set[int]] = {}
    for finding in findings:
        known = best.get(finding.value)
        if known is None or finding.score > known.score:
            best[finding.value] = finding
        rows.setdefault(finding.value, set()).add(finding.spans[0].row.index)
    found = [
        replace(f, score=f.score + SCORES["again"] * min(3, len(rows[value]) - 1)).with_features(
            repeated=float(len(rows[value]) > 1)
        )
        for value, f in best.items()
    ]
    return sorted(found, key=lambda f: -f.score)[:_KEPT]


def _for_label(context: Context, term: str, label: Label) -> Iterator[Finding]:
    row = label.row
    stop = context.stop_after(label)
    right = [at for at in context.values.numbers(row) if label.span.end <= at.span.start < stop]
    right = [at for at in right if not at.number.percent and at.span.x0 >= label.span.x1 - 1]
    right = _amounts_first(right)
    if right:
        for position, at in enumerate(right):
            name = "beside" if len(right) == 1 else "among"
            if len(right) > 1 and position in (0, len(right) - 1):
                name = "last" if position else "first"
            yield _amount(context, term, label, SCORES[name], at)
        return
    if not label.ends_segment and not label.colon:
        return
    below = list(_below(context, term, label))
    yield from below or _next_row(context, term, label)


def _next_row(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """An amount alone on a neighbouring row, right of a label: a photo's rows do not always meet."""
    row = label.row
    if label.segment.end < len(row.text):
        return
    for index in (row.index + 1, row.index - 1):
        other = context.sheet.rows[index] if 0 <= index < len(context.sheet.rows) else None
        if other is None or other.page != row.page or abs(other.middle - row.middle) > 1.6 * row.height:
            continue
        amounts = [at for at in context.values.numbers(other) if at.money]
        letters = sum(c.isalpha() for c in other.text)
        if len(amounts) == 1 and letters <= 3 and amounts[0].span.x0 > label.span.x1:
            yield _amount(context, term, label, SCORES["next"], amounts[0])


def _below(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """The amounts in the column below a label, row after row, until another thing stands there."""
    last = label.row
    for segment in context.column_below(label, 9):
        if segment.row.middle - last.middle > 2.8 * label.row.height:
            return
        amounts = [
            at
            for at in context.values.numbers(segment.row)
            if segment.start <= at.span.start < segment.end and at.money and _overlaps(label.span, at.span)
        ]
        if not amounts:
            return
        yield _amount(context, term, label, SCORES["below"], amounts[0])
        last = segment.row


def _overlaps(label: Span, value: Span) -> bool:
    slack = 1.5 * label.row.height
    return value.x0 < label.x1 + slack and value.x1 > label.x0 - slack


def _amounts_first(numbers: Sequence[NumberAt]) -> list[NumberAt]:
    """Those that look like money, or all where none does."""
    money = [at for at in numbers if at.money]
    return money or [at for at in numbers if at.number.places <= 1 or at.number.unsure]


def _amount(context: Context, term: str, label: Label, relation: float, at: NumberAt) -> Finding:
    weight = label.weight(term)
    score = weight * relation * (1.0 if at.money else SCORES["not_money"])
    # Totals stand at the end: of two equal labels the later one is meant.
    score += 0.04 * at.span.row.index / max(1, len(context.sheet.rows))
    features = Features(
        label=weight,
        relation=relation,
        ocr=at.span.score,
        scanned=float(at.span.row.ocr),
        ambiguous=float(at.number.unsure and not at.number.currency),
    )
    # An allowance is an amount of its own, whatever sign it is printed with.
    value = abs(at.number.value) if term == "discount_total" else at.number.value
    return Finding(term, value, (at.span,), score, features, at.span.text)


def scaled(finding: Finding, term: str, factor: float) -> Finding:
    features = finding.with_features(label=finding.features.label * factor).features
    return Finding(term, finding.value, finding.spans, finding.score * factor, features, finding.raw)


def vat_rows(context: Context) -> Iterator[VatRow]:
    """Rows with a rate, its base and its VAT, proved by arithmetic."""
    for row in context.sheet.rows:
        numbers = context.values.numbers(row)
        if len(numbers) < 3 or len(numbers) > 9:
            continue
        if found := _vat_row(numbers):
            yield found


def _vat_row(numbers: Sequence[NumberAt]) -> VatRow | None:
    amounts = [at for at in numbers if not at.number.percent and at.number.places == 2]
    rates = [at for at in numbers if Decimal(1) <= at.number.value <= 30 and not at.number.currency]
    for rate in rates:
        for base in amounts:
            for vat in amounts:
                if base is vat or rate is vat or rate is base or vat.number.value <= 0:
                    continue
                expected = base.number.value * rate.number.value / 100
                # Small amounts agree by chance: ask for more than a few cents, or a percent sign.
                sure = rate.number.percent or expected >= 1
                if sure and abs(expected - vat.number.value) <= CENT:
                    return VatRow(rate, base, vat)
    return None


def add_vat_rows(candidates: dict[str, list[Finding]], rows: Sequence[VatRow]) -> None:
    """The proved VAT rows as candidates for the net and the VAT total, where their sum is printed."""
    if not rows:
        return
    distinct = {(r.rate.number.value, r.base.number.value): r for r in rows}
    base = sum((r.base.number.value for r in distinct.values()), Decimal(0))
    vat = sum((r.vat.number.value for r in distinct.values()), Decimal(0))
    single = len(distinct) == 1
    for term, total, at in (("total_without_vat", base, rows[0].base), ("total_vat", vat, rows[0].vat)):
        for position, finding in enumerate(candidates[term]):
            if finding.value == total:
                candidates[term][position] = Finding(
                    term,
                    finding.value,
                    finding.spans,
                    finding.score + SCORES["rate"],
                    finding.with_features(repeated=1.0).features,
                    finding.raw,
                )
                break
        else:
            if single:
                features = Features(
                    label=0.6, relation=0.8, repeated=1.0, ocr=at.span.score, scanned=float(at.span.row.ocr)
                )
                candidates[term].append(
                    Finding(term, at.number.value, (at.span,), 0.55, features, at.span.text)
                )


def add_implied(context: Context, candidates: dict[str, list[Finding]]) -> None:
    """Printed amounts that no label names but that the named ones ask for: net or VAT of a likely total."""
    printed: dict[Decimal, list[NumberAt]] = {}
    for row in context.sheet.rows:
        for at in context.values.numbers(row):
            if not at.number.percent:
                printed.setdefault(abs(at.number.value), []).append(at)
    totals = [f for f in candidates["total_with_vat"] if f.score > 0.6][:3]
    for total in totals:
        for known, wanted in (("total_vat", "total_without_vat"), ("total_without_vat", "total_vat")):
            for other in candidates[known][:4]:
                rest = abs(decimal_of(total)) - abs(decimal_of(other))
                _add_printed(candidates, wanted, rest, printed, bool(decimal_of(other)))
        for row in context.sheet.rows:
            money = [at for at in context.values.numbers(row) if at.money]
            for net, vat in pairwise(money):
                fits = net.number.value + vat.number.value == decimal_of(total)
                if fits and 0 < vat.number.value < net.number.value * Decimal("0.35"):
                    for term, at in (("total_without_vat", net), ("total_vat", vat)):
                        _add_printed(candidates, term, at.number.value, {at.number.value: [at]}, sure=True)


def _add_printed(
    candidates: dict[str, list[Finding]],
    term: str,
    value: Decimal,
    printed: dict[Decimal, list[NumberAt]],
    sure: bool,
) -> None:
    if value <= 0 or not sure or any(abs(decimal_of(f)) == value for f in candidates[term]):
        return
    for at in printed.get(value, [])[-1:]:
        features = Features(label=0.4, relation=0.5, ocr=at.span.score, scanned=float(at.span.row.ocr))
        candidates[term].append(
            Finding(term, at.number.value, (at.span,), SCORES["implied"], features, at.span.text)
        )


def decimal_of(finding: Finding) -> Decimal:
    return finding.value if isinstance(finding.value, Decimal) else Decimal(0)
