"""VAT by rate: rows that prove themselves by arithmetic, a single rate that the totals prove, and why none is charged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference.confidence import Features, probability
from inference.readers.layout.candidates import Finding, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import lexicon
from inference.readers.layout.rows import Row, Span

CENT = Decimal("0.01")

HIGHEST_RATE = Decimal(30)
"""No VAT is higher: 27 % is the highest rate there is."""

STANDARD = "S"
"""The category of every rate above zero (UNTDID 5305)."""


@dataclass(frozen=True)
class VatRow:
    """A row that proves itself: base × rate = VAT; `gross` is base + VAT where the row has it."""

    rate: NumberAt
    base: NumberAt
    vat: NumberAt
    gross: NumberAt | None = None


def vat_rows(context: Context) -> Iterator[VatRow]:
    """Rows with a rate, its base and its VAT, proved by arithmetic."""
    for row in context.sheet.rows:
        numbers = context.values.numbers(row)
        if 3 <= len(numbers) <= 9 and (found := _vat_row(numbers)):
            yield found


def _vat_row(numbers: Sequence[NumberAt]) -> VatRow | None:
    amounts = [at for at in numbers if not at.number.percent and at.number.places == 2]
    rates = [at for at in numbers if 1 <= at.number.value <= HIGHEST_RATE and not at.number.currency]
    rates += [at for at in numbers if at.number.percent and at not in rates and at.number.value > 0]
    for rate in rates:
        for base in amounts:
            for vat in amounts:
                if base is vat or rate is vat or rate is base or not vat.number.value:
                    continue
                expected = base.number.value * rate.number.value / 100
                # Small amounts agree by chance: ask for more than a few cents, or a percent sign.
                sure = rate.number.percent or abs(expected) >= 1
                if sure and abs(expected - vat.number.value) <= CENT:
                    whole = base.number.value + vat.number.value
                    gross = (at for at in amounts if at not in (base, vat) and at.number.value == whole)
                    return VatRow(rate, base, vat, next(gross, None))
    return None


def distinct_rows(rows: Sequence[VatRow]) -> list[VatRow]:
    """The rows without those that say the same rate and base again."""
    return list({(row.rate.number.value, row.base.number.value): row for row in reversed(rows)}.values())[
        ::-1
    ]


def printed_rate(context: Context, row: Row) -> NumberAt | None:
    """The only percentage on a row, where it can be a VAT rate."""
    rates = [
        at for at in context.values.numbers(row) if at.number.percent and at.number.value <= HIGHEST_RATE
    ]
    return rates[0] if len(rates) == 1 else None


def breakdown(
    context: Context, chosen: Mapping[str, Finding], rows: Sequence[VatRow]
) -> tuple[dict[str, Finding], ...]:
    """The VAT by rate as findings by term: proved rows, else the single rate of the totals, else why there is none.

    No row where those found do not make the VAT total and so one is missing.
    """
    proved = distinct_rows(rows)
    by_rate = {row.rate.number.value: row for row in reversed(proved)}
    if by_rate and _complete(chosen, list(by_rate.values())):
        return tuple(_of_row(row) for row in reversed(by_rate.values()))
    if not by_rate and (single := _single(context, chosen)):
        return (single,)
    return tuple(_exempt(context, chosen))


def _complete(chosen: Mapping[str, Finding], rows: Sequence[VatRow]) -> bool:
    """Whether rows make the VAT total, or else the total, where one of them is known."""
    vat = sum((row.vat.number.value for row in rows), Decimal(0))
    gross = vat + sum((row.base.number.value for row in rows), Decimal(0))
    if (known := chosen.get("total_vat")) is not None:
        return known.value == vat
    known = chosen.get("total_with_vat")
    return known is None or known.value == gross


def _of_row(row: VatRow) -> dict[str, Finding]:
    return {
        "vat_category": _category(STANDARD, row.rate.span, 0.9),
        "vat_rate": _proved("vat_rate", row.rate),
        "taxable_amount": _proved("taxable_amount", row.base),
        "vat_amount": _proved("vat_amount", row.vat),
    }


def _single(context: Context, chosen: Mapping[str, Finding]) -> dict[str, Finding] | None:
    """The rate beside the VAT total, where the net total at that rate is the VAT."""
    net, vat = chosen.get("total_without_vat"), chosen.get("total_vat")
    if net is None or vat is None or not net.spans or not vat.spans:
        return None
    rate = printed_rate(context, vat.spans[0].row)
    if rate is None or not rate.number.value or not isinstance(net.value, Decimal):
        return None
    if not isinstance(vat.value, Decimal) or abs(net.value * rate.number.value / 100 - vat.value) > CENT:
        return None
    return {
        "vat_category": _category(STANDARD, rate.span, 0.9),
        "vat_rate": _proved("vat_rate", rate),
        "taxable_amount": _sure(Finding("taxable_amount", net.value, net.spans, 1.0, net.features, net.raw)),
        "vat_amount": _sure(Finding("vat_amount", vat.value, vat.spans, 1.0, vat.features, vat.raw)),
    }


def _exempt(context: Context, chosen: Mapping[str, Finding]) -> Iterator[dict[str, Finding]]:
    """Why no VAT is charged, in the page's words, where it charges none."""
    vat = chosen.get("total_vat")
    if vat is not None and vat.value:
        return
    for row in context.sheet.rows:
        for label in find_phrases(row, lexicon().exemptions):
            reason = _sentence(label)
            features = Features(label=0.8, relation=0.8, ocr=reason.score, scanned=float(row.ocr))
            found = {
                "vat_category": _category(label.meanings[0].term, label.span, 0.8),
                "exemption_reason": _sure(
                    Finding("exemption_reason", reason.text, (reason,), 0.8, features, reason.text)
                ),
            }
            base = chosen.get("total_without_vat") or chosen.get("total_with_vat")
            if base is not None:
                found["taxable_amount"] = _sure(
                    Finding("taxable_amount", base.value, base.spans, 0.8, base.features, base.raw)
                )
            yield found
            return


def _sentence(label: Label) -> Span:
    """The segment that a wording stands in."""
    return Span(label.row, label.span.start, label.span.start + 1).segment


def _category(code: str, span: Span, label: float) -> Finding:
    features = Features(label=label, relation=1.0, ocr=span.score, scanned=float(span.row.ocr))
    return _sure(Finding("vat_category", code, (span,), label, features, span.text))


def _proved(term: str, at: NumberAt) -> Finding:
    features = Features(
        label=0.8, relation=1.0, arithmetic=1.0, ocr=at.span.score, scanned=float(at.span.row.ocr)
    )
    return _sure(Finding(term, at.number.value, (at.span,), 1.0, features, at.span.text))


def _sure(finding: Finding) -> Finding:
    """The finding with the probability of a total: rows of VAT are totals, too."""
    return replace(finding, probability=probability("total_vat", finding.features))
