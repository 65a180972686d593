"""A Proposal as it was kept, compared with the bill as people posted it: what was wrong, and what there is to learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from inference.invoice import Reading, Status, as_decimal
from mappings.assignment import assign
from mappings.case import field_at, number
from mappings.erp_data import Record, RecordLine, Scalar
from mappings.folding import reference_keys, text_similarity
from mappings.index import ErpIndex
from mappings.memory import DESCRIPTION, RATE, VENDOR_TERMS, Kind, Lesson, Memory, Subject, subject
from mappings.naming import named
from mappings.proposal import scalar_as_json

Node = Mapping[str, Any]

OWED = ("partner_id", "ref", "invoice_date", "invoice_date_due", "currency_id")
"""Header values that make a bill wrong: to whom, which one, when and in what is owed. Totals and taxes do so too."""

ADVISED = ("account_id", "product_id")
"""Line values that Vouch suggests: another choice is a lesson, no wrong bill."""

SURE_WORDS, SURE_VENDOR = 0.5, 0.9
ALIKE = 0.60
MOST_LINES = 120


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a Proposal. `wrong` and `changed` name values that people posted otherwise; `changed` are those
    that were only suggested; `proposed` names all that were compared. `vendor_id` is the posted bill's commercial partner. `standing` has, by Term, what people
    left standing of the values read, as JSON text."""

    vendor_id: int
    vendor: str
    wrong: tuple[str, ...]
    changed: tuple[str, ...]
    lessons: tuple[Lesson, ...]
    proposed: tuple[str, ...] = ()
    standing: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Posted:
    """Everything a comparison looks at; `body` is `Proposal.as_json()`."""

    body: Node
    reading: Reading
    record: Record
    index: ErpIndex
    document: str
    on: date

    @property
    def vendor_id(self) -> int:
        partner = self.record.values.get("partner_id")
        return self.index.commercial(partner) if isinstance(partner, int) else 0

    @property
    def vendor(self) -> str:
        return self.index.partner_name(self.vendor_id)


def compare(
    body: Node, reading: Reading, record: Record, index: ErpIndex, document: str, on: date, memory: Memory
) -> Compared:
    """What was wrong in a Proposal (`as_json`), and the Lessons of the differences.

    Where Memory had a say before, agreement is a Lesson as well. `document` tells documents apart, `on` is the day of
    learning. A record that is not this document's, by number and total, teaches nothing.
    """
    posted = _Posted(body, reading, record, index, document, on)
    pairs = _pairs(body["lines"], record.lines)
    differing = [pair for pair in pairs if _taxes(pair[0]) != pair[1].tax_ids]
    wrong = [*_wrong_values(posted), *_wrong_totals(posted), *(["tax_ids"] if differing else [])]
    changed = [name for name in ADVISED if any(_chosen(p, name) != _booked(line, name) for p, line in pairs)]
    lessons: list[Lesson] = []
    standing: dict[str, str] = {}
    if posted.vendor_id and _is_the_document(posted):
        lessons = _worth_keeping([*_of_vendor(posted), *_of_lines(posted, pairs)], memory)
        standing = dict(_standing(posted))
    return Compared(
        posted.vendor_id,
        posted.vendor,
        tuple(wrong),
        tuple(changed),
        tuple(lessons),
        tuple(_proposed(body, pairs)),
        standing,
    )


def _is_the_document(posted: _Posted) -> bool:
    printed = posted.reading.text("invoice_number") or ""
    if reference_keys(printed) & reference_keys(str(posted.record.values.get("ref") or "")):
        return True
    paper: Node = posted.body.get("paper") or {}
    total = paper.get("total")
    return total is not None and Decimal(total) == posted.record.amount_total != 0


def _wrong_values(posted: _Posted) -> Iterator[str]:
    for name in OWED:
        proposed = posted.body["values"].get(name)
        if proposed is None:
            continue
        value, present = proposed["value"], posted.record.values.get(name)
        if name == "partner_id":
            same = isinstance(value, int) and posted.index.commercial(value) == posted.vendor_id
        elif name == "ref":
            same = bool(reference_keys(str(value)) & reference_keys(str(present or "")))
        else:
            same = value == scalar_as_json(present)
        if not same:
            yield name


def _proposed(body: Node, pairs: Sequence[tuple[Node, RecordLine]]) -> Iterator[str]:
    """The names that can be in `wrong` and `changed`: what was proposed, and found again in the posted bill."""
    yield from (name for name in OWED if body["values"].get(name) is not None)
    predicted: Node = body.get("predicted") or {}
    yield from (f"amount_{name}" for name in ("untaxed", "tax", "total") if predicted.get(name) is not None)
    yield from (name for name in ("tax_ids", *ADVISED) if any(name in line for line, _ in pairs))


def _wrong_totals(posted: _Posted) -> Iterator[str]:
    predicted: Node = posted.body.get("predicted") or {}
    record = posted.record
    for name, amount in (
        ("untaxed", record.amount_untaxed), ("tax", record.amount_tax), ("total", record.amount_total)
    ):  # fmt: skip
        if predicted.get(name) is not None and Decimal(predicted[name]) != amount:
            yield f"amount_{name}"


def _standing(posted: _Posted) -> Iterator[tuple[str, str]]:
    """What the posted bill says of values that were read. A due date may be the payment term's: it tells nothing."""
    record, reading = posted.record, posted.reading
    number, present = reading.text("invoice_number"), str(record.values.get("ref") or "")
    if number:
        # Another spelling of the same number is no other number.
        yield "invoice_number", number if reference_keys(number) & reference_keys(present) else present
    if reading.get("issue_date") and (issued := record.values.get("invoice_date")):
        yield "issue_date", str(scalar_as_json(issued))
    currency = posted.index.currencies.get(_id(record.values.get("currency_id")))
    if reading.get("currency") and currency:
        yield "currency", currency.name
    for name, amount in (
        ("total_without_vat", record.amount_untaxed),
        ("total_vat", record.amount_tax),
        ("total_with_vat", record.amount_total),
    ):
        read = reading.amount(name)
        if read is not None:
            # Refunds are positive in Odoo, however the document prints them.
            yield name, format(-amount if read < 0 < amount else amount, "f")


def _id(value: Scalar) -> int:
    return value if isinstance(value, int) else 0


# -- lines ------------------------------------------------------------------------------------------------------------


def _pairs(proposed: Sequence[Node], posted: Sequence[RecordLine]) -> list[tuple[Node, RecordLine]]:
    """Proposed lines with the posted ones that they became: by amount and words; what does not fit is left out."""
    lines = [line for line in posted if line.subtotal or line.account_id]
    amounts = [_amount(line) for line in proposed]
    if len(lines) == len(proposed) and all(
        amount == line.subtotal and _similarity(one, line) >= ALIKE
        for one, amount, line in zip(proposed, amounts, lines, strict=True)
    ):
        return list(zip(proposed, lines, strict=True))
    if max(len(lines), len(proposed)) > MOST_LINES:
        return []
    scores = [
        [_similarity(one, line) + (1.0 if amount == line.subtotal else 0.0) for line in lines]
        for one, amount in zip(proposed, amounts, strict=True)
    ]
    unique = Counter(amounts), Counter(line.subtotal for line in lines)
    found: list[tuple[Node, RecordLine]] = []
    for row, column in enumerate(assign(scores)):
        if column is None:
            continue
        amount, line = amounts[row], lines[column]
        alone = amount == line.subtotal and unique[0][amount] == unique[1][line.subtotal] == 1
        if alone or (scores[row][column] >= 1 + ALIKE):
            found.append((proposed[row], line))
    return found


def _amount(line: Node) -> Decimal:
    def value(name: str) -> Decimal:
        return Decimal(line[name]["value"]) if name in line else Decimal(0)

    net = value("quantity") * value("price_unit") * (1 - value("discount") / 100)
    return net.quantize(Decimal("0.01"))


def _similarity(proposed: Node, line: RecordLine) -> float:
    return text_similarity(str(proposed["name"]["value"]), line.name)


def _taxes(proposed: Node) -> tuple[int, ...]:
    return tuple(proposed["tax_ids"]["value"]) if "tax_ids" in proposed else ()


def _chosen(proposed: Node, name: str) -> int | None:
    return proposed[name]["value"] if name in proposed else None


def _booked(line: RecordLine, name: str) -> int | None:
    return line.account_id if name == "account_id" else line.product_id


# -- lessons ----------------------------------------------------------------------------------------------------------


def _of_vendor(posted: _Posted) -> Iterator[tuple[Lesson, bool]]:
    """Every printed word that names the vendor, with whether it was not, or not surely, known to be that one."""
    if posted.vendor_id in posted.index.own:
        return
    differs = not _knew_the_vendor(posted)
    for name in VENDOR_TERMS:
        found, printed = posted.reading.get(name), posted.reading.text(name)
        about = subject(Kind.VENDOR, name, printed) if printed else None
        if found and printed and about and found.confidence >= SURE_WORDS:
            yield _lesson(posted, about, printed, (posted.vendor_id,), posted.vendor), differs


def _knew_the_vendor(posted: _Posted) -> bool:
    """Whether the posted bill's vendor was proposed, surely and with no Check against it."""
    if any(c["id"].startswith("vendor_") and c["status"] == Status.FAIL for c in posted.body["checks"]):
        return False
    proposed, matches = posted.body["values"].get("partner_id"), posted.body["matches"].get("partner_id", ())
    if proposed is None:
        # The record had a vendor already, so none was proposed: the first candidate is who was found.
        return bool(matches) and posted.index.commercial(matches[0]["id"]) == posted.vendor_id
    same = posted.index.commercial(proposed["value"]) == posted.vendor_id
    return same and proposed["confidence"] >= SURE_VENDOR


def _of_lines(posted: _Posted, pairs: Sequence[tuple[Node, RecordLine]]) -> Iterator[tuple[Lesson, bool]]:
    scope = (posted.vendor_id, posted.record.company_id)
    for proposed, line in pairs:
        printed = str(proposed["name"]["value"])
        for kind, name in ((Kind.ACCOUNT, "account_id"), (Kind.PRODUCT, "product_id")):
            booked, about = _booked(line, name), subject(kind, DESCRIPTION, printed, *scope)
            if about:
                value = (booked,) if booked else ()
                label = named(posted.index, name, booked) if booked else "none"
                yield _lesson(posted, about, printed, value, label), booked != _chosen(proposed, name)
        rate = _rate(posted, proposed)
        about = subject(Kind.TAX, RATE, number(rate), *scope) if rate is not None else None
        if about and rate is not None and line.tax_ids:
            label = named(posted.index, "tax_ids", line.tax_ids)
            differs = line.tax_ids != _taxes(proposed)
            yield _lesson(posted, about, number(rate), line.tax_ids, label), differs


def _rate(posted: _Posted, proposed: Node) -> Decimal | None:
    """The rate that the line's tax was chosen for: printed, or none at all where the document bears no VAT."""
    for path in proposed.get("tax_ids", {}).get("terms", ()):
        if path.endswith(RATE):
            return as_decimal(field_at(posted.reading, path))
    paper: Node = posted.body.get("paper") or {}
    return Decimal(0) if paper.get("tax") is not None and Decimal(paper["tax"]) == 0 else None


def _lesson(posted: _Posted, about: Subject, printed: str, value: tuple[int, ...], label: str) -> Lesson:
    return Lesson(about, printed, value, label, posted.document, posted.on, posted.vendor)


def _worth_keeping(found: Sequence[tuple[Lesson, bool]], memory: Memory) -> list[Lesson]:
    """One Lesson a Subject, where something differs or Memory had a say; none where lines of one document disagree."""
    said: dict[Subject, set[tuple[int, ...]]] = {}
    for lesson, _ in found:
        said.setdefault(lesson.subject, set()).add(lesson.value)
    worth = {
        lesson.subject: lesson
        for lesson, differs in found
        if (differs or memory.knows(lesson.subject)) and len(said[lesson.subject]) == 1
    }
    return list(worth.values())
