"""The layout Reader: pages with words and boxes, read on a CPU without a model.

Labels of a lexicon are related to typed values on the page, and a learned scorer chooses among them; amounts are
chosen together, so that they add up; lines come from the table under its heading. No rule knows a single vendor or
document.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from inference.checks import failed_lines, run_checks
from inference.confidence import doubt_amounts, doubt_failed, doubt_failed_lines, probability
from inference.invoice import DocumentType, Evidence, Field, Reading, Status
from inference.readers import Hint, Recipient
from inference.readers.layout.accounts import Accounts
from inference.readers.layout.adjustments import best_lines
from inference.readers.layout.amounts import decimal_of
from inference.readers.layout.blocks import Blocks
from inference.readers.layout.candidates import Finding, Values
from inference.readers.layout.choice import choose
from inference.readers.layout.currencies import find_currency
from inference.readers.layout.doctype import find_document_type
from inference.readers.layout.header import DATE_TERMS, IDENTIFIER_TERMS, Context, best_of, header_findings
from inference.readers.layout.headings import Heading, find_headings
from inference.readers.layout.hints import hinted
from inference.readers.layout.labels import find_labels
from inference.readers.layout.line_findings import line_findings
from inference.readers.layout.lines import Line
from inference.readers.layout.marks import LEARNED_DATES, LEARNED_IDENTIFIERS, Marks
from inference.readers.layout.parties import Parties
from inference.readers.layout.receipts import receipt_lines
from inference.readers.layout.rows import Sheet, Span, sheet_of
from inference.readers.layout.scorer import Scorer, shipped
from inference.readers.layout.table import list_choices, table_choices
from inference.readers.layout.tax_ids import TaxIds
from inference.readers.layout.terms import find_payment_terms
from inference.readers.layout.totals import Totals, find_totals

if TYPE_CHECKING:
    from inference.document import Document

_CLAIMS = (DocumentType.REMINDER, DocumentType.PAYMENT_ADVICE)
_ORDERS = (DocumentType.ORDER, DocumentType.ORDER_CONFIRMATION)


class LayoutReader:
    """Reads any Document that has pages; the embedded default, no model and no network."""

    name = "layout"

    def __init__(self, scorer: Scorer | None = None) -> None:
        """Reads with the scorer that is shipped, or with another one."""
        self._scorer = scorer

    def reads(self, document: Document) -> bool:
        """Whether the Document has pages."""
        return bool(document.pages)

    def read(self, document: Document, recipient: Recipient | None = None) -> Reading:
        """Read all pages. A page without words gives an empty Reading. Raises DocumentError from opening pages."""
        started = time.perf_counter()
        sheet = sheet_of(document)
        opened = time.perf_counter()
        findings, totals, lines = find_all(sheet, recipient or Recipient(), self._scorer)
        fields = {finding.term: to_field(finding) for finding in findings}
        fields |= _taught(sheet, fields, recipient.hints if recipient else ())
        reading = Reading(
            reader=self.name,
            fields=fields,
            lines=tuple({n: to_field(f) for n, f in line_findings(line).items()} for line in lines),
            vat_breakdown=tuple({n: to_field(f) for n, f in row.items()} for row in totals.breakdown),
            timing_ms={
                "words": (opened - started) * 1000,
                "layout": (time.perf_counter() - opened) * 1000,
            },
        )
        return _checked(reading)

    def candidates(self, document: Document, recipient: Recipient | None = None) -> dict[str, list[Finding]]:
        """What the scorer chooses among, by term, each with its marks: what training learns from.

        Tax ids are marked by the names that the reader's own scorer chooses.
        """
        context, _ = _context(sheet_of(document))
        recipient = recipient or Recipient()
        blocks = Blocks(context)
        scorer = self._scorer or shipped()
        parties = Parties(context, blocks, recipient, scorer)
        names = {f.term: f for f in parties.findings()} if "seller_name" in scorer else {}
        ids = TaxIds(context, blocks, recipient, names, scorer).candidates
        marks = Marks(context, _by_term(context, find_document_type(context)))
        return {
            **{term: marks.identifiers(term) for term in LEARNED_IDENTIFIERS},
            **{term: marks.dates(term) for term in LEARNED_DATES},
            "seller_name": parties.nominees,
            "buyer_name": parties.nominees,
            "seller_vat_id": ids,
            "buyer_vat_id": ids,
        }


def _context(sheet: Sheet) -> tuple[Context, list[Heading]]:
    values = Values.of(sheet)
    headings = find_headings(sheet, values)
    rows = frozenset(i for h in headings for i in h.rows)
    return Context(sheet, values, find_labels(sheet.rows), rows), headings


def find_all(
    sheet: Sheet, recipient: Recipient, scorer: Scorer | None = None
) -> tuple[list[Finding], Totals, Sequence[Line]]:
    """The header's findings, the totals and the lines of a sheet: what `LayoutReader.read` makes Fields of."""
    scorer = scorer or shipped()
    context, headings = _context(sheet)
    options = table_choices(context, headings) or list_choices(context, receipt_lines(context))
    totals = find_totals(context, frozenset(option.total for option in options) - {Decimal(0)})
    printed = (totals.chosen.get(name) for name in ("total_without_vat", "total_with_vat"))
    lines = best_lines(options, [decimal_of(finding) for finding in printed if finding is not None])
    kind = find_document_type(context)
    if kind and kind.value in _CLAIMS and not any(line.full for line in lines):
        # A list of open invoices is none of goods.
        lines = ()
    totals = totals.with_due(DocumentType(str(kind.value)) if kind else None)
    found = [kind, find_currency(context), find_payment_terms(context)]
    blocks = Blocks(context)
    of_lines = {line.anchor.index for line in lines}
    chosen = [_sign_doubted(f, kind) for f in totals.chosen.values() if not _is_line(f, of_lines)]
    parties = Parties(context, blocks, recipient, scorer).findings()
    header = [*_header(context, kind, scorer), *parties, *Accounts(context, blocks, recipient).findings()]
    header += TaxIds(context, blocks, recipient, {f.term: f for f in parties}, scorer).findings()
    findings = [f for f in found if f is not None] + header + chosen
    return findings, totals, lines


def _is_line(finding: Finding, rows: set[int]) -> bool:
    """Whether a discount or charge of the whole document is one of its lines, so that it would count twice."""
    adjusts = finding.term in ("discount_total", "charge_total")
    return adjusts and any(span.row.index in rows for span in finding.spans)


def _sign_doubted(finding: Finding, kind: Finding | None) -> Finding:
    """A negative total doubted where the document is no credit note: a dash before an amount is easily misread."""
    credit = kind is not None and kind.value == DocumentType.CREDIT_NOTE
    totals = ("total_without_vat", "total_with_vat", "amount_due")
    if finding.term in totals and isinstance(finding.value, Decimal) and finding.value < 0 and not credit:
        return finding.with_features(negative=1.0)
    return finding


def _header(context: Context, kind: Finding | None, scorer: Scorer) -> list[Finding]:
    """Identifiers and dates, by what the document is."""
    by_term = _by_term(context, kind)
    marks = Marks(context, by_term)
    best: list[Finding | None] = []
    for term, findings in by_term.items():
        if term in LEARNED_IDENTIFIERS:
            # A document of an order has no invoice's number.
            order = term == "invoice_number" and kind is not None and kind.value in _ORDERS
            best.append(None if order else choose(marks.identifiers(term), scorer["identifier"], term))
        elif term in LEARNED_DATES:
            best.append(choose(marks.dates(term), scorer["date"], term))
        else:
            best.append(best_of(findings))
    return _in_time([finding for finding in best if finding is not None])


def _by_term(context: Context, kind: Finding | None) -> dict[str, list[Finding]]:
    """What labels say of identifiers and dates, by what the document is."""
    found = header_findings(context)
    by_term = {t: [f for f in found if f.term == t] for t in (*IDENTIFIER_TERMS, *DATE_TERMS)}
    return _order_terms(by_term, kind) if kind and kind.value in _ORDERS else by_term


def _in_time(findings: list[Finding]) -> list[Finding]:
    """The dates with day and month swapped where only that puts the due date after the issue; still doubted."""
    by_term = {finding.term: finding for finding in findings}
    issued, due = by_term.get("issue_date"), by_term.get("due_date")
    if issued is None or due is None or issued.other is None or due.other is None:
        return findings
    first, last = issued.value, due.value
    if not isinstance(first, date) or not isinstance(last, date):
        return findings
    if last >= first or due.other < issued.other:
        return findings
    swapped = {
        f.term: replace(f, value=f.other, other=f.value, note=f"“{f.raw}” can also be read as {f.value}.")
        for f in (issued, due)
    }
    return [swapped.get(finding.term, finding) for finding in findings]


def _order_terms(by_term: dict[str, list[Finding]], kind: Finding) -> dict[str, list[Finding]]:
    """On an order, its own number and date are the order's; a confirmation has the seller's number too."""
    terms = dict(by_term)
    if kind.value == DocumentType.ORDER:
        buyers, own = by_term["purchase_order_reference"], by_term["order_number"]
        terms["order_number"] = [replace(f, term="order_number") for f in (*buyers, *map(_lowered, own))]
        terms["purchase_order_reference"] = buyers or [
            replace(f, term="purchase_order_reference") for f in own
        ]
    terms["invoice_number"] = []
    terms["order_date"] = [
        *by_term["order_date"],
        *(replace(f, term="order_date", score=f.score * 0.9) for f in by_term["issue_date"]),
    ]
    return terms


def _lowered(finding: Finding) -> Finding:
    return replace(finding, score=finding.score * 0.9)


def _taught(sheet: Sheet, fields: Mapping[str, Field], hints: Sequence[Hint]) -> dict[str, Field]:
    """The Fields that people taught to be other ones on this seller's papers; no surer than they were taught."""
    taught: dict[str, Field] = {}
    if not hints:
        return taught
    for term, (finding, worth, why) in hinted(_context(sheet)[0], hints).items():
        other, found = fields.get(term), to_field(finding)
        sure = min(found.confidence, worth)
        if other is None or other.value != found.value or other.confidence < sure:
            taught[term] = replace(found, confidence=sure, note=why)
    return taught


def to_field(finding: Finding) -> Field:
    """The Field of a finding: its value, its probability, its places on the page."""
    note = finding.note
    if not note and finding.features.negative:
        note = "It is negative, but the document does not say that it is a credit note."
    elif not note and finding.features.margin < 0.15:
        note = "Another value on the page could be meant."
    elif not note and finding.features.arithmetic <= -1:
        note = "The figures on the page do not add up."
    elif not note and finding.features.ambiguous:
        note = f"“{finding.raw}” can be read in two ways."
    return Field(
        finding.value,
        finding.probability
        if finding.probability is not None
        else probability(finding.term, finding.features),
        _evidence(finding.spans),
        finding.raw,
        note,
    )


def _evidence(spans: Sequence[Span]) -> tuple[Evidence, ...]:
    """One Evidence per row; spans of one row are joined."""
    joined: dict[int, Span] = {}
    for span in spans:
        known = joined.get(span.row.index)
        joined[span.row.index] = (
            Span(span.row, min(known.start, span.start), max(known.end, span.end)) if known else span
        )
    return tuple(span.evidence() for span in joined.values())


def _checked(reading: Reading) -> Reading:
    """The Reading with its checks, and what failed doubted."""
    checks = run_checks(reading)
    failed = {check.id: check.message for check in checks if check.status is Status.FAIL}
    lines = reading.lines
    if "line_arithmetic" in failed:
        lines = doubt_failed_lines(lines, failed_lines(reading), failed["line_arithmetic"])
    if "lines_sum" in failed:
        lines = doubt_amounts(lines, failed["lines_sum"])
    return replace(reading, checks=checks, fields=doubt_failed(reading.fields, checks), lines=lines)
