"""What speaks for a number or date of the header as the value of a term: figures for the scorer.

Every identifier that a label names and every token shaped like one, and every date of the page, is a candidate for
each term; its marks say how well the term's labels and the other terms' labels stand to it, where it stands, and how
it is written. Nothing here names a vendor or a form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from inference.confidence import Features
from inference.readers.layout.candidates import (
    DateAt,
    Finding,
    identifier_after,
    plausible_identifier,
)
from inference.readers.layout.header import (
    DATE_TERMS,
    IDENTIFIER_TERMS,
    Context,
    as_date,
    key_of,
)
from inference.readers.layout.labels import find_phrases
from inference.readers.layout.lexicon import lexicon
from inference.readers.layout.rows import Row, Span

LEARNED_IDENTIFIERS = ("invoice_number", "purchase_order_reference", "order_number")
"""The identifiers that the scorer chooses; the others are too rare in labelled documents."""

LEARNED_DATES = ("issue_date", "due_date")
"""The dates that the scorer chooses; the others are too rare in labelled documents."""

MOST = 60
"""Candidates of one kind on one document."""

_HYPHENS = re.compile(r"[-/._ ]")
_YEAR = re.compile(r"(?<!\d)20[0-3]\d(?!\d)")
_TIMED = re.compile(r"\d{1,2}:\d{2}")

_Marker = Callable[[Finding], dict[str, float]]


@dataclass(frozen=True)
class Marks:
    """Marks the header candidates of one document; `by_term` are the findings of its labels."""

    context: Context
    by_term: Mapping[str, Sequence[Finding]]

    def identifiers(self, term: str) -> list[Finding]:
        """The candidates for an identifier, one per value, marked."""
        found = self._per_value(
            (*self._labelled(term), *self._labelled_else(term, IDENTIFIER_TERMS), *self._tokens)
        )
        return self._marked(term, found[:MOST], IDENTIFIER_TERMS, self._identifier)

    def dates(self, term: str) -> list[Finding]:
        """The candidates for a date, one per day, marked."""
        found = self._per_value((*self._labelled(term), *self._labelled_else(term, DATE_TERMS), *self._days))
        return self._marked(term, found[:MOST], DATE_TERMS, self._date)

    def _marked(
        self, term: str, found: Sequence[Finding], terms: Iterable[str], more: _Marker
    ) -> list[Finding]:
        best = {t: self._best(t) for t in terms}
        marked: list[Finding] = []
        for place, finding in enumerate(found):
            key = key_of(finding)
            own = best[term].get(key, 0.0)
            earlier = (best[term].get(key_of(f), 0.0) for f in found[:place])
            marks = {
                "label": own,
                "lead": own - max((s for k, s in best[term].items() if k != key), default=0.0),
                "tied": float(min(3, sum(score >= own - 0.02 for score in earlier))) if own else 0.0,
                "weight": finding.features.label if finding.term == term else 0.0,
                "relation": finding.features.relation if finding.term == term else 0.0,
                "rival": max((best[t].get(key, 0.0) for t in terms if t != term), default=0.0),
                "named": float(any(best[term].values())),
                "times": float(min(4, sum(key_of(f) == key for f in self.by_term.get(term, ())))),
                "order": float(self._is_order),
                **{t: float(t == term) for t in terms},
                **self._place(finding.spans[0]),
                **more(finding),
            }
            marked.append(replace(finding, term=term, marks=marks))
        return marked

    def _labelled(self, term: str) -> list[Finding]:
        return sorted(self.by_term.get(term, ()), key=lambda f: -f.score)

    def _labelled_else(self, term: str, terms: Iterable[str]) -> Iterator[Finding]:
        for other in terms:
            if other != term:
                yield from self._labelled(other)

    def _best(self, term: str) -> dict[object, float]:
        """The best score of each value by labels, a little more where several say the same."""
        best: dict[object, float] = {}
        counts = Counter(map(key_of, self.by_term.get(term, ())))
        for finding in self.by_term.get(term, ()):
            key = key_of(finding)
            score = finding.score + 0.05 * min(3, counts[key] - 1)
            best[key] = max(best.get(key, 0.0), score)
        return best

    @staticmethod
    def _per_value(findings: Iterable[Finding]) -> list[Finding]:
        first: dict[object, Finding] = {}
        for finding in findings:
            first.setdefault(key_of(finding), finding)
        return list(first.values())

    def _place(self, span: Span) -> dict[str, float]:
        row = span.row
        before = row.text[span.segment.start : span.start]
        labels = [lb for lb in self.context.of(row) if lb.span.end <= span.start]
        nearest = labels[-1] if labels else None
        return {
            "page": float(min(3, row.page)),
            "last_page": float(row.page == self.context.sheet.pages),
            "top": row.middle / row.page_height,
            "left": span.x0 / row.width,
            "narrow": float(row.width < 0.62 * row.page_height),
            "in_table": float(self._in_table(row)),
            "title": min(12.0, min((abs(row.index - index) for index in self._titles), default=12.0)),
            "words_before": float(min(30, sum(c.isalpha() for c in before))),
            "other_label": float(nearest is not None and nearest.means("other")),
            "alone": float(span.start == span.segment.start and span.end == span.segment.end),
            "ocr": span.score,
            "scanned": float(row.ocr),
        }

    def _identifier(self, finding: Finding) -> dict[str, float]:
        text = str(finding.value)
        digits = sum(c.isdigit() for c in text)
        letters = sum(c.isalpha() for c in text)
        folded = re.sub(r"\W", "", text).casefold()
        return {
            "length": float(min(30, len(text))),
            "digits": float(min(20, digits)),
            "letters": float(min(12, letters)),
            "capitals": float(text.upper() == text),
            "parts": float(min(4, len(_HYPHENS.findall(text)))),
            "year": float(bool(_YEAR.search(text))),
            "marked": float(finding.spans[0].row.text[max(0, finding.spans[0].start - 1)] in "#№"),
            "repeated": float(min(4, sum(folded in words for words in self._folded) - 1))
            if len(folded) > 3
            else 0.0,
            "tax_id": float(self._in_other_id(finding.spans[0])),
            "postcode": float(digits == len(text) == 5 or (digits == len(text) == 4)),
        }

    def _date(self, finding: Finding) -> dict[str, float]:
        day = finding.value if isinstance(finding.value, date) else date.min
        days = self._all_days
        issued = max(self._best("issue_date").items(), key=lambda item: item[1], default=(None, 0.0))[0]
        after = (day - issued).days if isinstance(issued, date) else 0
        return {
            "earlier": float(min(6, sum(other < day for other in days))),
            "later": float(min(6, sum(other > day for other in days))),
            "since_first": float(min(400, (day - min(days)).days)) if days else 0.0,
            "until_last": float(min(400, (max(days) - day).days)) if days else 0.0,
            "after_issue": float(max(-90, min(120, after))),
            "days": float(min(8, len(days))),
            "repeated": float(min(4, sum(f.value == day for f in self._days) - 1)),
            "timed": float(bool(_TIMED.search(finding.spans[0].row.text))),
            "ambiguous": float(finding.other is not None),
            "odd_year": float(abs(day.year - self._usual_year) > 2),
        }

    @cached_property
    def _tokens(self) -> list[Finding]:
        """Texts shaped like an identifier, with or without a label."""
        found: list[Finding] = []
        for row in self._rows():
            for segment in row.segments:
                span = identifier_after(row, segment.start, segment.end)
                if span is None or not plausible_identifier(span.text) or self._is_money(span):
                    continue
                if sum(c.isdigit() for c in span.text) < 2 or len(span.text) < 3:
                    continue
                found.append(_plain("", span.text, span))
        return found

    @cached_property
    def _days(self) -> list[Finding]:
        """Every date."""
        rows = list(self._rows())
        return [_day(at) for row in rows for at in self.context.values.dates(row)]

    @cached_property
    def _all_days(self) -> frozenset[date]:
        return frozenset(f.value for f in self._days if isinstance(f.value, date))

    @cached_property
    def _usual_year(self) -> int:
        years = sorted(f.value.year for f in self._days if isinstance(f.value, date))
        return years[len(years) // 2] if years else 0

    def _rows(self) -> Iterator[Row]:
        sheet = self.context.sheet
        for page in sorted({1, 2, sheet.pages}):
            yield from sheet.on_page(page)

    @cached_property
    def _folded(self) -> list[str]:
        return [re.sub(r"\W", "", row.text).casefold() for row in self.context.sheet.rows]

    @cached_property
    def _titles(self) -> frozenset[int]:
        """The rows with a title that leads its segment."""
        titles = lexicon().titles
        return frozenset(
            row.index
            for row in self.context.sheet.on_page(1)
            if any(lb.leads and len(lb.key) > 3 for lb in find_phrases(row, titles))
        )

    @cached_property
    def _is_order(self) -> bool:
        return not self.by_term.get("invoice_number") and bool(self.by_term.get("order_number"))

    @cached_property
    def _table(self) -> dict[int, int]:
        first: dict[int, int] = {}
        for index in sorted(self.context.headings):
            first.setdefault(self.context.sheet.rows[index].page, index)
        return first

    def _in_table(self, row: Row) -> bool:
        return row.index >= self._table.get(row.page, 1_000_000)

    def _is_money(self, span: Span) -> bool:
        return any(
            at.money and at.span.start <= span.start < at.span.end
            for at in self.context.values.numbers(span.row)
        )

    def _in_other_id(self, span: Span) -> bool:
        values = self.context.values
        return any(
            at.span.row is span.row and at.span.start < span.end and span.start < at.span.end
            for at in (*values.vat_ids, *values.ibans)
        )


def _plain(term: str, text: str, span: Span) -> Finding:
    features = Features(label=0.2, relation=0.5, ocr=span.score, scanned=float(span.row.ocr))
    return Finding(term, text, (span,), 0.0, features, text)


def _day(at: DateAt) -> Finding:
    finding = _plain("", at.span.text, at.span)
    ambiguous = float(at.found.other is not None)
    return as_date(finding.with_features(ambiguous=ambiguous), at)
