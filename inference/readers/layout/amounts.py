"""Amounts that could be a total: named by a label, proved by a VAT row, or asked for by the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

from inference.confidence import Features
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.rows import Row, Span
from inference.readers.layout.vat import CENT, HIGHEST_RATE, VatRow, distinct_rows

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
    "over": -0.6,  # factor of what is lost by not taking the best label
    "largest": 0.15,  # the largest of the totals
    "next": 0.55,  # alone on the row after the label's, or before it
    "above": 0.6,  # right above the label, one of a row of captions
    "shifted": 0.45,  # at the end of the row before or after: the rows of a crooked photo
    "same_row": 0.3,  # the agreement of figures on one row, as VAT by rate has it
    "rounded": 0.85,  # agreement but for a rounding to whole units that is not printed
    "adjusted": 0.35,  # agreement but for a discount, a charge or a rounding that is printed
    "again": 0.12,  # for each other label of the same value
    "nothing": -0.7,  # a total of zero among others
    "summed": 0.8,  # factor: several taxes together
    "no_tax": -0.5,  # no VAT beside the rate of one
    "implied": 0.4,  # an amount without a fitting label that the others ask for
    "lines": 0.5,  # the lines add up to it
    "stand_in": 0.75,  # factor: an amount due as the total, where none is named
}
"""All weights of the choice, in one table."""

TERMS = (
    "total_without_vat", "total_vat", "total_with_vat", "amount_due", "prepaid_amount",
    "rounding_amount", "discount_total", "charge_total", "previous_balance",
)  # fmt: skip

_KEPT = 7

_FEW_LETTERS = 6
"""So many letters behind a label are a currency or a mark."""

_NAMED = 0.7
"""The least score of a total that a label names."""

_TAX, _TAXES = 0.5, 4
"""The least score of one of several taxes, and how many there can be."""

_ROW_GAP = 2.8
"""Amounts further apart, in heights of the rows, are not of one column."""

_CAPTIONS = 2
"""A row of so many labels can be one of captions below their values."""

_FORM = 3
"""A row of so many labels is one of a form."""


_WHOLE = 10
"""Amounts without decimals are at least that, where they are taken for a net total or VAT without a label."""

_MOST_BESIDE = 6
"""So many amounts of a row are tried as net total and VAT."""

_HIGHEST_SHARE = Decimal("0.35")
"""VAT is no larger a share of the net total, taxes of several kinds together included."""


_INSURANCE_TAX = re.compile(
    r"versicherung\w*steuer|insurance (?:premium )?tax|\bIPT\b|taxe sur les (?:conventions d.)?assurances"
    r"|assurantiebelasting|impuesto sobre (?:las )?primas|imposta sulle assicurazioni",
    re.IGNORECASE,
)
"""A tax on premiums, which is part of the price: insurance bears no VAT (Directive 2006/112/EC, article 135)."""


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
    if term == "total_vat" and _INSURANCE_TAX.search(row.text):
        return
    stop = context.stop_after(label)
    right = [at for at in context.values.numbers(row) if label.span.end <= at.span.start < stop]
    right = [at for at in right if not at.number.percent and at.span.x0 >= label.span.x1 - 1]
    right = _amounts_first(right)
    for position, at in enumerate(right):
        name = "beside" if len(right) == 1 else "among"
        if len(right) > 1 and position in (0, len(right) - 1):
            name = "last" if position else "first"
        yield _amount(context, term, label, SCORES[name], at)
    if not right and (label.ends_segment or label.colon):
        below = max(list(_in_cell(context, term, label)), list(_below(context, term, label)), key=len)
        below = below or list(_next_row(context, term, label))
        yield from below or _above(context, term, label)
    if row.ocr:
        yield from _shifted(context, term, label)


def _next_row(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """An amount alone on a neighbouring row, right of a label: a photo's rows do not always meet."""
    for other in _neighbours(context, label):
        amounts = [at for at in context.values.numbers(other) if at.money]
        named = any(lb.means(name) for lb in context.of(other) for name in TERMS)
        alone = [at for at in amounts if not any(c.isalpha() for c in at.span.segment.text)]
        if len(amounts) == 1 and not named and alone and alone[0].span.x0 > label.span.x1:
            yield _amount(context, term, label, SCORES["next"], alone[0])


def _shifted(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """The last amount of each neighbouring row: where the photo is crooked, it may be the label's."""
    for other in _neighbours(context, label):
        amounts = [at for at in context.values.numbers(other) if at.money and at.span.x0 > label.span.x1]
        if amounts:
            yield _amount(context, term, label, SCORES["shifted"], amounts[-1])


def _neighbours(context: Context, label: Label) -> list[Row]:
    """The rows next to that of a label that ends its segment or has only an amount after it, nearest first."""
    row, rows = label.row, context.sheet.rows
    if sum(c.isalpha() for c in row.text[label.span.end : label.segment.end]) > _FEW_LETTERS:
        return []
    near = rows[max(0, row.index - 3) : row.index] + rows[row.index + 1 : row.index + 4]
    reach = 1.6 * row.height
    beside = [r for r in near if r.page == row.page and abs(r.middle - row.middle) <= reach]
    return sorted(beside, key=lambda r: abs(r.middle - row.middle))


def _in_cell(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """An amount below a label and right of it, within its cell: forms print labels left and values right."""
    row = label.row
    following = [segment.x0 for segment in row.segments if segment.start >= label.span.end]
    if len(row.segments) < _FORM or any(at.money for at in context.values.numbers(row)):
        return
    right = min(following, default=row.width)
    last = row
    for segment in context.column_below(label, 9, right - label.span.x1 - 2):
        if segment.row.middle - last.middle > _ROW_GAP * (row.height + segment.row.height) / 2:
            return
        for at in context.values.numbers(segment.row):
            inside = label.span.x0 - 2 < at.span.x0 and at.span.x1 < right + 1
            if at.money and inside and segment.start <= at.span.start < segment.end:
                yield _amount(context, term, label, SCORES["below"], at)
                last = segment.row
                break


def _above(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """An amount right above a label that is one of a row of captions."""
    row, index = label.row, label.row.index - 1
    if len(row.segments) < _CAPTIONS or index < 0 or any(at.money for at in context.values.numbers(row)):
        return
    other = context.sheet.rows[index]
    if other.page != row.page or row.middle - other.middle > _ROW_GAP * row.height:
        return
    for at in context.values.numbers(other):
        if at.money and at.span.x0 < label.span.x1 and at.span.x1 > label.span.x0:
            yield _amount(context, term, label, SCORES["above"], at)
            return


def _below(context: Context, term: str, label: Label) -> Iterator[Finding]:
    """The amounts in the column below a label, row after row, until another thing stands there."""
    last = label.row
    for segment in context.column_below(label, 9):
        if segment.row.middle - last.middle > _ROW_GAP * (label.row.height + segment.row.height) / 2:
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


def add_summed_taxes(candidates: dict[str, list[Finding]]) -> None:
    """Several taxes as one candidate for the VAT total: one for each rate, or of state and city."""
    by_row: dict[int, Finding] = {}
    for finding in sorted(candidates["total_vat"], key=lambda f: -f.score):
        if finding.score >= _TAX and decimal_of(finding):
            by_row.setdefault(finding.spans[0].row.index, finding)
    taxes = [by_row[index] for index in sorted(by_row)]
    total = sum(map(decimal_of, taxes), Decimal(0))
    if 2 <= len(taxes) <= _TAXES and all(decimal_of(f) != total for f in candidates["total_vat"]):
        worst = min(taxes, key=lambda f: f.score)
        spans = tuple(span for f in taxes for span in f.spans)
        raw = " + ".join(f.raw for f in taxes)
        summed = replace(worst, value=total, spans=spans, raw=raw, score=SCORES["summed"] * worst.score)
        candidates["total_vat"].append(summed)


def add_vat_rows(context: Context, candidates: dict[str, list[Finding]], rows: Sequence[VatRow]) -> None:
    """The proved VAT rows as candidates for the totals: better where their sum is printed, else a single row itself."""
    proved = distinct_rows(rows)
    gross = sum((row.base.number.value + row.vat.number.value for row in proved), Decimal(0))
    named = [f for term in ("total_with_vat", "amount_due") for f in candidates[term] if f.score >= _NAMED]
    if not proved or any(abs(decimal_of(f)) > abs(gross) + CENT for f in named):
        # Some rate is not among the rows, as one of zero never is.
        return
    printed = [at for row in context.sheet.rows for at in context.values.numbers(row) if at.money]
    columns: list[tuple[str, list[NumberAt | None]]] = [
        ("total_without_vat", [row.base for row in proved]),
        ("total_vat", [row.vat for row in proved]),
        ("total_with_vat", [row.gross for row in proved]),
    ]
    for term, column in columns:
        known = [at for at in column if at is not None]
        if len(known) == len(column):
            _add_sum(candidates, term, known)
    if not named and gross:
        # No word for a total is known, as in a language without a lexicon.
        for at in [at for at in printed if at.number.value == gross][-1:]:
            _add_sum(candidates, "total_with_vat", [at])


def _add_sum(candidates: dict[str, list[Finding]], term: str, column: Sequence[NumberAt]) -> None:
    total = sum((at.number.value for at in column), Decimal(0))
    for position, finding in enumerate(candidates[term]):
        if finding.value == total:
            better = finding.with_features(repeated=1.0)
            candidates[term][position] = replace(better, score=finding.score + SCORES["rate"])
            return
    if len(column) == 1:
        at = column[0]
        features = Features(
            label=0.6, relation=0.8, repeated=1.0, ocr=at.span.score, scanned=float(at.span.row.ocr)
        )
        candidates[term].append(Finding(term, total, (at.span,), 0.55, features, at.span.text))


def add_implied(context: Context, candidates: dict[str, list[Finding]]) -> None:
    """Printed amounts that no label names but that the named ones ask for: net or VAT of a likely total."""
    printed: dict[Decimal, list[NumberAt]] = {}
    for row in context.sheet.rows:
        for at in context.values.numbers(row):
            if not at.number.percent:
                printed.setdefault(abs(at.number.value), []).append(at)
    for due in candidates["amount_due"][:2]:
        for earlier in candidates["previous_balance"][:2]:
            rest = decimal_of(due) - decimal_of(earlier)
            _add_printed(candidates, "total_with_vat", rest, printed, bool(decimal_of(earlier)))
    totals = [f for f in candidates["total_with_vat"] if f.score > 0.6][:3]
    rates = _printed_rates(context)
    for total in totals:
        for known, wanted in (("total_vat", "total_without_vat"), ("total_without_vat", "total_vat")):
            for other in candidates[known][:4]:
                rest = abs(decimal_of(total)) - abs(decimal_of(other))
                _add_printed(candidates, wanted, rest, printed, bool(decimal_of(other)))
        for net, vat in (*_pairs(context, total), *_at_rate(printed, rates, decimal_of(total))):
            for term, at in (("total_without_vat", net), ("total_vat", vat)):
                _add_printed(candidates, term, at.number.value, {at.number.value: [at]}, sure=True)


def _pairs(context: Context, total: Finding) -> Iterator[tuple[NumberAt, NumberAt]]:
    """Net total and VAT that make a total, side by side or one above the other."""
    whole = decimal_of(total) == decimal_of(total).to_integral_value() and decimal_of(total) >= _WHOLE
    above: list[NumberAt] = []
    for row in context.sheet.rows:
        numbers = [at for at in context.values.numbers(row) if not at.number.percent]
        money = [at for at in numbers if at.money or (whole and at.number.value >= _WHOLE)]
        stacked = ((a, b) for a in above for b in money if a.span.row.page == row.page and _in_column(a, b))
        for net, vat in (*combinations(money[:_MOST_BESIDE], 2), *stacked):
            if _taxed(net.number.value, vat.number.value, decimal_of(total)):
                yield net, vat
        above = money


def _in_column(one: NumberAt, other: NumberAt) -> bool:
    return abs(one.span.x1 - other.span.x1) < one.span.row.height


def _taxed(net: Decimal, vat: Decimal, total: Decimal) -> bool:
    return net + vat == total and 0 < vat < net * _HIGHEST_SHARE


def _printed_rates(context: Context) -> set[Decimal]:
    """The percentages on the page that can be VAT, each also twice: India halves its rate between state and union."""
    rows = [row for row in context.sheet.rows if not _INSURANCE_TAX.search(row.text)]
    numbers = (at.number for row in rows for at in context.values.numbers(row))
    rates = {n.value for n in numbers if n.percent and 1 <= n.value <= HIGHEST_RATE}
    return rates | {2 * rate for rate in rates if 2 * rate <= HIGHEST_RATE}


def _at_rate(
    printed: Mapping[Decimal, Sequence[NumberAt]], rates: Iterable[Decimal], total: Decimal
) -> Iterator[tuple[NumberAt, NumberAt]]:
    """Printed amounts that are the net total and the VAT of a total at a printed rate."""
    for rate in sorted(rates):
        net = (total * 100 / (100 + rate)).quantize(CENT)
        for value in (net - CENT, net, net + CENT):
            if value > 0 and value in printed and total - value in printed:
                yield printed[value][-1], printed[total - value][-1]


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
