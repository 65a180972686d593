"""Proposal -> Decision: fill what is sure, send what is not to a person, leave alone what is not ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from inference.invoice import Check, DocumentType, Reading, Status
from mappings.case import BILL, ORDER, Tolerance, a_kind, field_at
from mappings.erp_data import Record
from mappings.field_map import FieldMap, default_map
from mappings.folding import alnum
from mappings.line_styles import LineStyles
from mappings.proposal import Proposal, ProposedValue

SURE_TYPE = 0.90

SUGGESTED = frozenset({"name", "account_id", "product_id", "analytic_distribution"})
SUGGESTION = 0.60
"""Descriptions, accounts, products and analytic distributions change nothing that is owed, and whoever posts the bill
sees them: they are filled when at least this sure."""

PROVED = frozenset({"quantity", "product_qty", "price_unit", "discount", "tax_ids"})
PROOF = 0.70
"""Where the lines give the document's net, VAT and total to the cent, the sums vouch for the values they come from:
those are filled when at least this sure by themselves."""

MOST_REASONS = 6

TABLES: Mapping[str, tuple[str, ...]] = {BILL: ("bill",), ORDER: ("order",)}
LINE_TABLES: Mapping[str, tuple[str, ...]] = {BILL: ("bill_line",), ORDER: ("order_line",)}
"""The record types of the mapping, by Odoo's model of the header."""

WITH_PRICE = frozenset({"quantity", "product_qty", "discount"})
"""Line values that come from the same figures as the price: one sentence for all."""

SAID_BY: Mapping[str, tuple[str, ...]] = {
    "line_amount": ("price_unit", "quantity", "product_qty", "discount"),
    "tax_known": ("tax_ids",),
}
"""Line values that a failed Check speaks of already."""

CONSEQUENCES: Mapping[str, tuple[str, ...]] = {
    "tax_known": ("totals",),
    "line_amount": ("reading.line_arithmetic",),
    "due_date_plausible": ("reading.due_date",),
    "totals": ("reading.lines_sum", "reading.vat_by_rate"),
}
"""Failed Checks that only repeat or follow from another one: one cause, one sentence. `reading.` are the reader's."""

# What a person should hear first; Checks not named here come after these.
FIRST = (
    "one_bill",
    "line_count",
    "page_shows",
    "document_type",
    "vendor_is_not_us",
    "buyer_is_company",
    "duplicate",
    "fapiao_number",
    "number_look_alike",
    "vendor_look_alike",
    "bank_account_known",
    "vendor_agrees",
    "vendor_tax_id",
    "vendor_known",
    "vendor_unique",
    "vendor_usable",
    "order_vendor",
    "filled_amount_total",
    "currency_active",
    "line_amount",
    "tax_known",
    "totals",
    "order_line",
    "total_habit",
    "currency_habit",
)


class Outcome(StrEnum):
    """What happens to a record."""

    FILL = "fill"
    REVIEW = "review"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's dial. A value below `fill_confidence` is not sure.

    With `fill_sure_header` a record that goes to review still gets the header values that are sure; its lines,
    and everything a failed Check names, wait for the person. `tolerance` says how far a bill may be from its order.
    `held_back` is the sentence why even a sure record goes to a person: the error budget is not proven, or the vendor is
    in shadow mode. `fields` names the fields and says what is required, `line_styles`
    how vendors' bills are booked.
    """

    fill_confidence: float = 0.90
    fill_sure_header: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    held_back: str = ""
    fields: FieldMap = field(default_factory=default_map)
    line_styles: LineStyles = field(default_factory=LineStyles)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the reasons in plain sentences, and the names of the header values to write now.

    `score` is the highest dial at which the record would still be filled, 0 where more than confidence stands against
    it. `held` says that it would have been filled but for `Policy.held_back`. `topics` name what a review is about, for
    grouping, most important first: ids of failed Checks (`reading.` those of the reader), `missing:` or
    `low_confidence:` with a Term or with Odoo's name of a field (`lines.` before those of lines), `held_back`.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    write: tuple[str, ...] = ()
    score: float = 0.0
    held: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Doubt:
    """One reason against filling: what it is about, and the sentence."""

    topic: str
    sentence: str


def decide(proposal: Proposal, reading: Reading, record: Record, policy: Policy) -> Decision:
    """Fill only where nothing speaks against it; the first reason of a review is the most important one.

    `write` names the header values to write, for a fill and, with `fill_sure_header`, for a review.
    """
    if skip := _not_ours(reading, record):
        return Decision(Outcome.SKIP, (skip,))
    failures = _failures(proposal, reading)
    if proposal.verify_only:
        return _verified(failures)
    reasons = [*failures, *_doubts(proposal, reading, record, policy)]
    score = 0.0 if failures else _score(proposal, reading, record, policy)
    if reasons:
        write = _sure_header(proposal, reading, policy)
        return Decision(Outcome.REVIEW, _few(reasons), write, score, topics=_topics(reasons))
    if not proposal.values and not proposal.lines:
        return Decision(Outcome.SKIP, ("The record agrees with the document; there is nothing to fill.",))
    if policy.held_back:
        return Decision(Outcome.REVIEW, (policy.held_back,), (), score, held=True, topics=("held_back",))
    return Decision(Outcome.FILL, (_summary(proposal),), tuple(proposal.values), score)


def _score(proposal: Proposal, reading: Reading, record: Record, policy: Policy) -> float:
    """The least confidence of what the dial rules, where nothing else is doubted at it."""
    proved = _sums_agree(proposal)
    kind = reading.get("document_type")
    ruled = [kind.confidence if kind else 0.0, *(value.confidence for value in proposal.values.values())]
    own = SUGGESTED | PROVED if proved else SUGGESTED
    ruled += [value.confidence for line in proposal.lines for name, value in line.items() if name not in own]
    at_most = replace(policy, fill_confidence=min(ruled))
    return 0.0 if _doubts(proposal, reading, record, at_most) else min(ruled)


def _not_ours(reading: Reading, record: Record) -> str | None:
    if not record.is_draft:
        return f"{record.called} {record.stands} in Odoo and stays as it is."
    if record.model != BILL and _is_own_order(reading, record):
        return f"The document is our own order {record.display_name}, not the vendor's answer to it."
    found, kind = reading.get("document_type"), reading.document_type
    if found is None or kind is None or found.confidence < SURE_TYPE:
        return None
    orders = (DocumentType.ORDER, DocumentType.ORDER_CONFIRMATION, DocumentType.QUOTATION)
    bills = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.RECEIPT)
    fitting = bills if record.model == BILL else (*orders, *bills)
    if kind in fitting:
        return None
    if kind is DocumentType.OTHER:
        return "The document is neither a bill nor an order: a letter or the like."
    name = a_kind(kind)
    return f"The document is {name}, not a bill." if record.model == BILL else f"The document is {name}."


def _is_own_order(reading: Reading, record: Record) -> bool:
    """Whether the document bears the order's own number as its number: Odoo attaches what it sends to vendors."""
    own = alnum(record.display_name.partition(" ")[0])
    return any(alnum(reading.text(name) or "") == own for name in ("order_number", "invoice_number"))


def _failures(proposal: Proposal, reading: Reading) -> list[_Doubt]:
    """The failed Checks, most important first."""
    ours = {check.id for check in proposal.checks if check.status is Status.FAIL}
    said = {name for cause in ours for name in CONSEQUENCES.get(cause, ())}
    failed = [(check.id, check) for check in proposal.checks if check.status is Status.FAIL]
    # A Check of the reader's may have the name of one of ours and another meaning.
    failed += [(f"reading.{check.id}", check) for check in reading.checks if check.status is Status.FAIL]
    failed.sort(key=lambda one: _rank(one[1]))
    return _unique(_Doubt(topic, check.message) for topic, check in failed if topic not in said)


def _rank(check: Check) -> int:
    return FIRST.index(check.id) if check.id in FIRST else len(FIRST)


def _verified(failures: list[_Doubt]) -> Decision:
    if failures:
        return Decision(Outcome.REVIEW, _few(failures), topics=_topics(failures))
    return Decision(Outcome.SKIP, ("Already filled, and it agrees with the document.",))


def _doubts(proposal: Proposal, reading: Reading, record: Record, policy: Policy) -> list[_Doubt]:
    """What is missing, not proven or not sure enough."""
    found = list(_missing(proposal, reading, record, policy))
    proved = _sums_agree(proposal)
    kind = reading.get("document_type")
    if kind is None:
        found.append(_Doubt("missing:document_type", "What kind of document this is could not be read."))
    elif kind.confidence < policy.fill_confidence:
        text = f"It is not sure that the document is {a_kind(DocumentType(str(kind.value)))}."
        found.append(_Doubt("low_confidence:document_type", text))
    for name, value in proposal.values.items():
        if not _is_sure(value, reading, policy.fill_confidence):
            label = policy.fields.label(name, *TABLES[proposal.model])
            text = _doubt(label, value, reading, policy.fill_confidence)
            found.append(_Doubt(f"low_confidence:{name}", text))
    found += _line_doubts(proposal, reading, policy, proved=proved)
    needed = _needed("tax_ids", policy, proved=proved)
    vat = (value for value in proposal.vat.values() if not _is_sure(value, reading, needed))
    found += [_Doubt("low_confidence:vat", _doubt("VAT", value, reading, needed)) for value in vat]
    return _unique(found)


def _missing(proposal: Proposal, reading: Reading, record: Record, policy: Policy) -> Iterable[_Doubt]:
    if record.model != BILL:
        return
    vendor_said = any(check.id.startswith("vendor_") for check in proposal.checks)
    for name in policy.fields.required("bill"):
        there = name in proposal.values or record.values.get(name) not in (None, "", False)
        if not there and not (name == "partner_id" and vendor_said):
            yield _Doubt(f"missing:{name}", f"The {policy.fields.label(name, 'bill')} could not be read.")
    if reading.get("total_with_vat") is None:
        yield _Doubt("missing:total_with_vat", "The document's total could not be read.")
    if not proposal.lines and not any(check.id == "line_count" for check in proposal.checks):
        yield _Doubt("missing:lines", "The document's lines could not be read.")


def _sums_agree(proposal: Proposal) -> bool:
    paper, predicted = proposal.paper, proposal.predicted
    return paper is not None and None not in (paper.untaxed, paper.tax) and paper == predicted


def _needed(name: str, policy: Policy, *, proved: bool) -> float:
    if name in SUGGESTED:
        return min(SUGGESTION, policy.fill_confidence)
    return min(PROOF, policy.fill_confidence) if proved and name in PROVED else policy.fill_confidence


def _line_doubts(proposal: Proposal, reading: Reading, policy: Policy, *, proved: bool) -> Iterable[_Doubt]:
    """Per kind of value one sentence, not one per line: twenty lines have one cause."""
    failed = {check.id for check in proposal.checks if check.status is Status.FAIL}
    said = {name for check, names in SAID_BY.items() if check in failed for name in names}
    unsure: dict[str, list[int]] = {}
    for position, line in enumerate(proposal.lines):
        for name, value in line.items():
            if name not in said and not _is_sure(value, reading, _needed(name, policy, proved=proved)):
                unsure.setdefault(name, []).append(position)
        if "account_id" not in line and proposal.model == BILL:
            yield _Doubt("missing:lines.account_id", f"No account was found for line {position + 1}.")
    for name, positions in unsure.items():
        if name in WITH_PRICE and unsure.get("price_unit") == positions:
            continue
        value = proposal.lines[positions[0]][name]
        where = f"line {positions[0] + 1}"
        if len(positions) > 1:
            where = f"{len(positions)} of {len(proposal.lines)} lines, such as {where}"
        needed = _needed(name, policy, proved=proved)
        label = f"{policy.fields.label(name, *LINE_TABLES[proposal.model])} of {where}"
        yield _Doubt(f"low_confidence:lines.{name}", _doubt(label, value, reading, needed))


def _doubt(label: str, value: ProposedValue, reading: Reading, needed: float) -> str:
    if value.confidence >= needed:
        return f"The {label} has no proof on the document."
    notes = [field.note for path in value.terms if (field := field_at(reading, path)) and field.note]
    why = notes[0] if notes else value.reason if value.reason != "As printed." else ""
    percent = f"{100 * value.confidence:.0f} %"
    return f"The {label} is not sure ({percent})" + (f": {why.rstrip('.')}." if why else ".")


def _is_sure(value: ProposedValue, reading: Reading, needed: float) -> bool:
    """Sure enough, and everything it came from has its place on the document."""
    if value.confidence < needed:
        return False
    fields = [field_at(reading, path) for path in value.terms]
    return all(field is not None and field.evidence for field in fields)


def _sure_header(proposal: Proposal, reading: Reading, policy: Policy) -> tuple[str, ...]:
    """The header values to write although the record goes to review; none that a failed Check speaks of."""
    if not policy.fill_sure_header or reading.split:
        return ()
    barred = {name for check in proposal.checks if check.status is Status.FAIL for name in spoken_of(check)}
    if "*" in barred:
        return ()
    sure = [
        name for name, value in proposal.values.items() if _is_sure(value, reading, policy.fill_confidence)
    ]
    return tuple(name for name in sure if name not in barred)


def spoken_of(check: Check) -> Iterable[str]:
    """The header values that a failed Check puts in doubt; `*` for all of them."""
    match check.id:
        case "document_type" | "buyer_is_company" | "vendor_is_not_us" | "duplicate":
            return ("*",)
        case "date_plausible":
            return ("invoice_date", "invoice_date_due", "invoice_payment_term_id")
        case "due_date_plausible":
            return ("invoice_date_due", "invoice_payment_term_id")
        case "currency_active" | "currency_habit" | "order_currency":
            return ("currency_id",)
        case "fapiao_number" | "number_look_alike":
            return ("ref",)
        case "bank_account_known" | "order_vendor":
            return ("partner_id", "payment_reference")
        case name if name.startswith("vendor_"):
            return ("partner_id", "invoice_payment_term_id")
        case name if name.startswith("kept_"):
            return (name.removeprefix("kept_"),)
        case _:
            return ()


def _summary(proposal: Proposal) -> str:
    def counted(count: int, what: str) -> str:
        return f"{count} {what}{'s' if count != 1 else ''}"

    lines = f", {counted(len(proposal.lines), 'line')}" if proposal.lines else ""
    return f"All is sure and proven on the document: {counted(len(proposal.values), 'value')}{lines}."


def _unique(doubts: Iterable[_Doubt]) -> list[_Doubt]:
    """One a sentence, the first with it."""
    found: dict[str, _Doubt] = {}
    for doubt in doubts:
        found.setdefault(doubt.sentence, doubt)
    return list(found.values())


def _topics(reasons: list[_Doubt]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt.topic for doubt in reasons))


def _few(reasons: list[_Doubt]) -> tuple[str, ...]:
    sentences = tuple(doubt.sentence for doubt in reasons)
    if len(sentences) <= MOST_REASONS:
        return sentences
    rest = len(sentences) - MOST_REASONS + 1
    return (*sentences[: MOST_REASONS - 1], f"And {rest} more.")
