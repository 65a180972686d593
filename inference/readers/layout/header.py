"""Header values that a label names: numbers of documents, dates, payment terms, references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from inference.confidence import Features
from inference.readers.layout.candidates import (
    DateAt,
    Finding,
    Values,
    identifier_after,
    plausible_identifier,
)
from inference.readers.layout.deadlines import find_deadlines
from inference.readers.layout.labels import Label, find_phrases
from inference.readers.layout.lexicon import WEAK, fold, lexicon
from inference.readers.layout.rows import Row, Sheet, Span

RELATION = {"beside": 1.0, "far": 0.85, "below": 0.75, "above": 0.65, "loose": 0.55}
"""How well a value stands to its label: right of it, far right, below, above, right of it after other words."""

IDENTIFIER_TERMS = (
    "invoice_number", "purchase_order_reference", "order_number", "preceding_invoice_reference",
    "invoice_code", "payment_reference",
)  # fmt: skip
DATE_TERMS = ("issue_date", "due_date", "delivery_date", "order_date")

TITLED = 0.9
"""The weight of a weak label behind a title."""

WORDED = 0.9
"""The weight of a date in a sentence that asks to pay by then."""

UNDER_TITLE = 0.7
"""The weight of a weak label below a title that stands alone."""

TITLE_BONUS = 1.2
"""Factor for a value beside the document's title, among several labels of equal weight."""

UNLABELLED_DATE = 0.32
"""The score of a date that no label names."""

_LEAST = 0.3

Labels = Mapping[int, tuple[Label, ...]]


@dataclass(frozen=True)
class Context:
    """What all extractors look at."""

    sheet: Sheet
    values: Values
    labels: Labels
    headings: frozenset[int]

    def of(self, row: Row) -> tuple[Label, ...]:
        """The labels of a row."""
        return self.labels.get(row.index, ())

    def all_labels(self, term: str) -> Iterator[Label]:
        """The labels that can stand for a term, headings of the table of lines left out."""
        for row in self.sheet.rows:
            captions = self._captions(row)
            for label in self.of(row):
                if label.means(term) and (row.index not in self.headings or label in captions):
                    yield label

    def _captions(self, row: Row) -> tuple[Label, ...]:
        """The labels of a heading that is one of the document's own data: two terms that no line has, or more."""
        own = tuple(
            label
            for label in self.of(row)
            if label.key not in lexicon().columns
            and any(m.weight == 1 and m.term in (*IDENTIFIER_TERMS, *DATE_TERMS) for m in label.meanings)
        )
        return own if len({label.key for label in own}) > 1 else ()

    def ends(self, label: Label) -> bool:
        """Whether nothing follows a label in its segment but other labels, as in a row of captions."""
        if label.ends_segment:
            return True
        if label.colon:
            return False
        sure = (lb for lb in self.of(label.row) if lb.exact and any(m.weight == 1 for m in lb.meanings))
        following = next((lb for lb in sure if lb.span.start >= label.span.end), None)
        if following is None or following.span.start >= label.segment.end:
            return False
        return not label.row.text[label.span.end : following.span.start].strip(" .")

    def beside(self, label: Label) -> Span | None:
        """The text right of a label: the rest of its segment, or else the next one, up to the next label."""
        row, segment = label.row, label.segment
        stop = self.stop_after(label)
        start, end = label.span.end, min(stop, segment.end)
        if label.ends_segment:
            following = [s for s in row.segments if label.span.end < s.start < stop]
            if not following:
                return None
            start, end = following[0].start, min(following[0].end, stop)
        text = row.text[start:end]
        lead = len(text) - len(text.lstrip(" :：.)-/"))
        trimmed = text.rstrip(" ,;")
        return Span(row, start + lead, start + len(trimmed)) if len(trimmed) > lead else None

    def weight(self, label: Label, term: str) -> float:
        """How surely a label means a term; a weak one right after a title ("Rechnung Nr.") is a strong one."""
        weight = label.weight(term)
        if not 0 < weight < TITLED or term not in ("invoice_number", "issue_date"):
            return weight
        if term == "invoice_number" and label.leads and (self._under_title(label) or self._by_date(label)):
            return UNDER_TITLE
        before = label.row.text[label.segment.start : label.span.start]
        start, end = label.segment.start, label.span.start
        titles = (
            lb
            for lb in find_phrases(label.row, lexicon().titles)
            if start <= lb.span.start and lb.span.end <= end
        )
        invoice = any(meaning.term in ("invoice", "credit_note") for lb in titles for meaning in lb.meanings)
        return TITLED if (invoice and len(before) < 60) or _compound(before) else weight

    def _by_date(self, label: Label) -> bool:
        """Whether a label and one of the date of issue are captions side by side ("Date | No.")."""
        if label.segment.text.strip(" .:") != label.span.text.strip(" .:"):
            return False
        near = (lb for lb in self.of(label.row) if lb.segment.text.strip(" .:") == lb.span.text.strip(" .:"))
        gap = 25 * label.row.height
        return any(
            lb.weight("issue_date") == 1
            and min(abs(lb.span.x0 - label.span.x1), abs(label.span.x0 - lb.span.x1)) < gap
            for lb in near
        )

    def _under_title(self, label: Label) -> bool:
        """Whether a label begins its segment below a segment that is nothing but an invoice's title."""
        if label.segment.start != label.span.start or label.row.index in self._invoice_titles:
            return False
        near = self.sheet.rows[max(0, label.row.index - 2) : label.row.index]
        return any(
            title.x0 < label.segment.x1 and title.x1 > label.span.x0
            for row in near
            if row.page == label.row.page
            and label.row.middle - row.middle < 4 * max(row.height, label.row.height)
            for title in self._invoice_titles.get(row.index, ())
        )

    @cached_property
    def _invoice_titles(self) -> dict[int, list[Span]]:
        """The segments that say "invoice" or "credit note" and nothing else, by row."""
        titles = lexicon().titles
        found: dict[int, list[Span]] = {}
        for row in self.sheet.rows:
            for segment in row.segments:
                if any(m.term in ("invoice", "credit_note") for m in titles.get(fold(segment.text), ())):
                    found.setdefault(row.index, []).append(segment)
        return found

    def heading_between(self, above: Row, below: Row) -> bool:
        """Whether the heading of a table stands between two rows."""
        return any(above.index < index <= below.index for index in self.headings)

    def stop_after(self, label: Label) -> int:
        """Where the next label of the row begins that could claim the values after it."""
        sure = any(meaning.weight == 1 for meaning in label.meanings)
        for other in self.of(label.row):
            if other.span.start < label.span.end or not (other.leads or other.colon):
                continue
            if sure and not other.colon and _is_value(other) and other.segment.start != other.span.start:
                # "Bill To: 123 Bill St": a weak word inside a value.
                continue
            return other.span.start
        return len(label.row.text)

    def column_below(self, label: Label, rows: float = 3.2, slack: float = 2.0) -> Iterator[Span]:
        """The segments below a label that overlap its column widened by `slack` points, nearest first."""
        left, right = label.span.x0, label.span.x1 + slack
        for row in self.sheet.below(label.row, rows * label.row.height):
            for segment in row.segments:
                if segment.x0 < right and segment.x1 > left - 2:
                    yield segment

    def above(self, label: Label) -> Span | None:
        """The segment right above a label that is its caption: smaller, alone and aligned with it."""
        row, segment = label.row, label.segment
        if label.colon or not self.ends(label) or segment.start != label.span.start or not row.index:
            return None
        over = self.sheet.rows[row.index - 1]
        close = over.page == row.page and row.middle - over.middle < 1.8 * over.height
        if not close or over.height < 1.1 * row.height or self.of(over):
            return None
        near = 0.5 * row.height
        aligned = (
            s
            for s in over.segments
            if abs(s.x0 - segment.x0) < near or abs(s.x0 + s.x1 - segment.x0 - segment.x1) < near
        )
        return next(aligned, None)


def _compound(before: str) -> bool:
    """Whether the last word before a label is a title put together: "Handelsrechnung Nr."."""
    word = fold(before.rstrip(" .:").rpartition(" ")[2])
    return word.endswith(lexicon().compound_titles) and not word.endswith(lexicon().not_compound)


def header_findings(context: Context) -> list[Finding]:
    """All findings for the identifiers and dates of the header, several per term."""
    found = labelled_findings(context)
    for at in find_deadlines(context.sheet, context.values):
        features = Features(label=WORDED, relation=1.0, ocr=at.span.score, scanned=float(at.span.row.ocr))
        found.append(as_date(Finding("due_date", at.span.text, (at.span,), WORDED, features), at))
    found += _unlabelled_dates(context, found)
    return found


def labelled_findings(context: Context) -> list[Finding]:
    """Those that stand beside or below a label of theirs."""
    found: list[Finding] = []
    for term in IDENTIFIER_TERMS:
        for label in context.all_labels(term):
            found += _identifiers(context, term, label)
    for term in DATE_TERMS:
        for label in context.all_labels(term):
            found += _dates(context, term, label)
    return found


def _finding(
    context: Context, term: str, label: Label, relation: float, value: Span, **features: float
) -> Finding:
    weight = context.weight(label, term)
    # The number beside the title is the document's own.
    score = weight * relation * (TITLE_BONUS if label.key in lexicon().titles else 1.0)
    return Finding(
        term,
        value.text,
        (value,),
        score,
        Features(label=weight, relation=relation, ocr=value.score, scanned=float(value.row.ocr), **features),
        value.text,
    )


def _identifiers(context: Context, term: str, label: Label) -> Iterator[Finding]:
    row = label.row
    weight = context.weight(label, term)
    if weight < WEAK and not label.leads and label.key not in lexicon().titles:
        return  # "Meter no. 4711": the words before a bare word for "number" say whose it is
    strong = weight > 0.5
    stop = context.stop_after(label)
    for relation, span in _right_and_below(context, label, stop, _identifier_in):
        text = span.text
        dated = (
            strong and term == "invoice_number" and _MONTHLY.fullmatch(text) and not _of_date(context, span)
        )
        titled = label.key in lexicon().titles and label.leads and span.end == span.segment.end
        if not (plausible_identifier(text) or dated) or (not strong and not _telling(text, titled)):
            continue
        if relation == RELATION["below"] and not strong and not label.colon:
            marked = span.row.text[max(0, span.start - 1) : span.start] == "#"
            alone = (
                label.segment.text.strip(" .:") == label.span.text.strip(" .:")
                and label.key in lexicon().titles
            )
            if not marked and not (alone and span.text == span.segment.text.strip(" .")):
                continue
            relation = relation if marked else RELATION["loose"]
        score = relation * (1.0 if len(text) >= 3 or strong else 0.5)
        yield _finding(context, term, label, score, span)
        if row.index != span.row.index:
            return


_MONTHLY = re.compile(r"\d{1,3}/\d{1,2}/\d{4}")
"""A number counted by month ("2/11/2023"), which looks like a date."""


def _of_date(context: Context, span: Span) -> bool:
    """Whether a label of a date stands left of a place or over it."""
    row = span.row
    above = context.sheet.rows[max(0, row.index - 2) : row.index]
    left = [lb for lb in context.of(row) if lb.span.end <= span.start]
    over = [lb for r in above for lb in context.of(r) if lb.span.x0 < span.x1 and lb.span.x1 > span.x0]
    return any(lb.means(term) for lb in (*left, *over) for term in DATE_TERMS)


def _telling(text: str, titled: bool) -> bool:
    """Whether a text alone looks like a document's number, where only a weak label names it.

    All that stands beside a title ("Invoice UZ-A-5") may be short of digits.
    """
    if text.endswith("."):
        return False
    digits = sum(c.isdigit() for c in text)
    parts = titled and digits and any(c.isalpha() for c in text) and any(c in "-/_" for c in text)
    return len(text) >= 4 and (digits >= 2 or bool(parts))


def _identifier_in(row: Row, start: int, stop: int) -> Span | None:
    return identifier_after(row, start, stop)


def _right_and_below(
    context: Context, label: Label, stop: int, pick: Callable[[Row, int, int], Span | None]
) -> Iterator[tuple[float, Span]]:
    """Values right of a label, in its segment and in the next one, else the first thing below it."""
    row = label.row
    segment = label.segment
    if not context.ends(label):
        if span := pick(row, label.span.end, min(stop, segment.end)):
            yield RELATION["beside"], span
        return
    following = [s for s in row.segments if label.span.end < s.start < stop]
    if following:
        gap = following[0].x0 - label.span.x1
        if span := pick(row, following[0].start, min(stop, following[0].end)):
            near = gap < 12 * row.height
            below = _first_below(context, label, pick)
            if below and gap > 4 * row.height and not label.colon:
                yield RELATION["below"], below
            yield RELATION["beside" if near else "far"], span
            return
        if label.colon and gap < 12 * row.height:
            return
    if below := _first_below(context, label, pick):
        yield RELATION["below"], below
    elif (over := context.above(label)) and (value := pick(over.row, over.start, over.end)):
        yield RELATION["above"], value


def _first_below(context: Context, label: Label, pick: Callable[[Row, int, int], Span | None]) -> Span | None:
    """The value that the first segment below a label begins with; None where another thing stands there."""
    for segment in islice(context.column_below(label), 1):
        if any(
            other.leads and segment.start <= other.span.start < segment.end and not _is_value(other)
            for other in context.of(segment.row)
        ):
            return None
        return pick(segment.row, segment.start, segment.end)
    return None


def _is_value(label: Label) -> bool:
    """Whether a label is so weak that it may be the start of a value ("Rechnung 4711")."""
    return all(meaning.weight < 1 for meaning in label.meanings)


def _dates(context: Context, term: str, label: Label) -> Iterator[Finding]:
    stop = context.stop_after(label)
    row = label.row
    beside = [at for at in context.values.dates(row) if label.span.end <= at.span.start < stop]
    if beside:
        at = beside[0]
        between = row.text[label.span.end : at.span.start]
        words = sum(c.isalnum() for c in between)
        far = at.span.x0 - label.span.x1 > 20 * row.height
        name = "loose" if words > 3 else "far" if far else "beside"
        if words <= 30:
            yield _dated(context, term, label, RELATION[name], at)
        return
    if not context.ends(label):
        return
    for segment in islice(context.column_below(label), 1):
        for at in context.values.dates(segment.row):
            if segment.start <= at.span.start < segment.end:
                yield _dated(context, term, label, RELATION["below"], at)
                return
    if over := context.above(label):
        for at in context.values.dates(over.row):
            if over.start <= at.span.start < over.end:
                yield _dated(context, term, label, RELATION["above"], at)


def _dated(context: Context, term: str, label: Label, relation: float, at: DateAt) -> Finding:
    finding = _finding(context, term, label, relation, at.span, ambiguous=float(at.found.other is not None))
    return as_date(finding, at)


def as_date(finding: Finding, at: DateAt) -> Finding:
    """The finding with a date as its value, and its other reading."""
    other = at.found.other
    note = f"“{at.span.text}” can also be read as {other.isoformat()}." if other else ""
    return replace(finding, value=at.found.value, raw=at.span.text, note=note, other=other)


def _unlabelled_dates(context: Context, labelled: Sequence[Finding]) -> Iterator[Finding]:
    """Dates that stand alone: on a receipt the date of issue has often no label."""
    claimed = {f.spans[0].row.index for f in labelled if f.term in DATE_TERMS and f.term != "issue_date"}
    dates = [at for row in context.sheet.rows for at in context.values.dates(row) if row.index not in claimed]
    distinct = {at.found.value for at in dates}
    for at in dates[:12]:
        timed = bool(re.search(r"\d{1,2}:\d{2}", at.span.row.text))
        score = UNLABELLED_DATE + 0.12 * timed + (0.2 if len(distinct) == 1 else 0.0)
        score -= 0.05 * min(2, at.span.row.page - 1)
        before = at.span.row.text[at.span.segment.start : at.span.start]
        if sum(c.isalpha() for c in before) >= 4:
            # Words before it name it as something else.
            score -= 0.15
        if any(lb.means("other") and lb.span.end <= at.span.start for lb in context.of(at.span.row)):
            # The day on which a card expires, or the form was printed.
            score -= 0.1
        features = Features(
            label=0.2 + 0.2 * timed,
            relation=0.5,
            ocr=at.span.score,
            scanned=float(at.span.row.ocr),
            ambiguous=float(at.found.other is not None),
        )
        yield as_date(Finding("issue_date", at.span.text, (at.span,), score, features), at)


def best_of(findings: Sequence[Finding], least: float = _LEAST) -> Finding | None:
    """The best finding of one term: the values' scores, a little more where a value stands several times.

    Its margin is the distance to the best other value.
    """
    totals: dict[object, float] = {}
    best: dict[object, Finding] = {}
    counts: dict[object, int] = {}
    for finding in sorted(findings, key=lambda f: -f.score):
        key = key_of(finding)
        best.setdefault(key, finding)
        counts[key] = counts.get(key, 0) + 1
        totals[key] = best[key].score + 0.05 * min(3, counts[key] - 1)
    ranked = sorted(totals, key=lambda k: -totals[k])
    if not ranked or totals[ranked[0]] < least:
        return None
    first = ranked[0]
    margin = totals[first] - totals[ranked[1]] if len(ranked) > 1 else 1.0
    return best[first].with_features(margin=max(0.0, min(1.0, 2 * margin)), repeated=float(counts[first] > 1))


def key_of(finding: Finding) -> object:
    """What makes two findings of the same value: letters and digits, or the day."""
    value = finding.value
    return re.sub(r"\W", "", value).casefold() if isinstance(value, str) else value
