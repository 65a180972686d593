"""A line of the table in the making: its values by role, its texts, its arithmetic, and its findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product

from inference.readers.layout.candidates import DateAt, NumberAt
from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS
from inference.readers.layout.lexicon import fold, lexicon, pieces
from inference.readers.layout.rows import Row, Span

CENT = Decimal("0.01")

BASES = (Decimal(10), Decimal(100), Decimal(1000))
"""For how many units a price may stand (BT-149) where the page does not say."""

AMOUNT_TERMS = (
    "total_without_vat",
    "total_vat",
    "total_with_vat",
    "amount_due",
    "discount_total",
    "charge_total",
)

TOTAL_TERMS = ("total_without_vat", "total_vat", "total_with_vat", "amount_due", "lines_total")

CHECKED = frozenset({"quantity", "net_price", "discount", *AMOUNTS})
"""The roles that the arithmetic of a line is about."""

_MOST_OPTIONS = 4


@dataclass(frozen=True)
class Standing:
    """How a line stands in its table: the share of lines that have each role, the share whose arithmetic holds,
    and whether all add up to a total (None: none is known)."""

    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    proved: float = 0.0
    summed: bool | None = None


@dataclass(eq=False)
class Line:
    """A line in the making: its anchor row, the values by role, the spans of its description.

    `options` holds further numbers of a column, from other rows of the line. `proofs` are places that a value
    rests on beside its own, `basis` the units that the price stands for. `heading` says how surely the columns
    are known (0–1).
    """

    anchor: Row
    values: dict[str, NumberAt] = field(default_factory=dict[str, NumberAt])
    texts: dict[str, list[Span]] = field(default_factory=dict[str, "list[Span]"])
    options: dict[str, list[NumberAt]] = field(default_factory=dict[str, "list[NumberAt]"])
    dates: dict[str, DateAt] = field(default_factory=dict[str, DateAt])
    proofs: dict[str, tuple[Span, ...]] = field(default_factory=dict[str, tuple[Span, ...]])
    consistent: bool | None = None
    charge: bool = False
    basis: Decimal = Decimal(1)
    heading: float = 0.0
    standing: Standing = Standing()
    summed: bool = False

    @property
    def full(self) -> bool:
        """Whether it has a quantity or a price beside its amount."""
        return "quantity" in self.values or "net_price" in self.values

    def amount(self) -> Decimal | None:
        """The line's amount, net or gross."""
        for role in AMOUNTS:
            if role in self.values:
                return self.values[role].number.value
        return None

    def value(self, role: str) -> Decimal | None:
        """The number of a role."""
        return self.values[role].number.value if role in self.values else None


def total_of(lines: Sequence[Line]) -> Decimal:
    """The sum of the lines' amounts; lines without one count nothing."""
    return sum((amount for line in lines if (amount := line.amount()) is not None), Decimal(0))


def is_total(context: Context, row: Row) -> bool:
    """Whether a row names a total and bears nothing of a line before it."""
    if _heads_totals(context, row):
        return True
    for label in context.of(row):
        if not label.leads or not any(label.weight(term) >= 0.9 for term in TOTAL_TERMS):
            continue
        before = row.text[label.segment.start : label.span.start]
        figures = [
            s for s in row.segments if s.end <= label.segment.start and not any(c.isalpha() for c in s.text)
        ]
        named = [s for s in row.segments if s.end <= label.segment.start and any(c.isalpha() for c in s.text)]
        # "19 % VAT" is a label; a figure in a column before it makes a line, unless that one has a label too.
        other = bool(named) and all(_is_caption(s) for s in named)
        if (figures and not other) or not re.fullmatch(r"[\d\s.,%()+]*|\D*", before):
            continue
        after = [at for at in context.values.numbers(row) if at.span.start >= label.span.end]
        # "Consulting …   + Tax" says how a line is taxed.
        if after or (label.ends_segment and "+" not in before):
            return True
    return False


def _is_caption(segment: Span) -> bool:
    """Whether a segment is nothing but words that name an amount."""
    words = {piece.folded for piece in pieces(segment.text) if piece.folded.isalpha()}
    return words <= frozenset[str]().union(*lexicon().amount_words.values())


def _heads_totals(context: Context, row: Row) -> bool:
    """Whether a row is the heading over totals: it begins with one, names another, and has no figures."""
    labels = [lb for lb in context.of(row) if any(lb.weight(term) >= 0.9 for term in TOTAL_TERMS)]
    return (
        len(labels) > 1
        and labels[0].leads
        and row.index not in context.headings
        and not context.values.numbers(row)
    )


def carried(row: Row) -> bool:
    """Whether a row repeats a sum from the page before or for the next one."""
    first = fold(row.segments[0].text)
    return any(first.startswith(word) or first.endswith(word) for word in lexicon().carried if len(word) > 2)


def free_parts(segment: Span, taken: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """The parts of a segment outside of the numbers taken, without blanks around."""
    cuts = sorted((s, e) for s, e in taken if segment.start <= s < segment.end)
    edges = [segment.start, *(edge for cut in cuts for edge in cut), segment.end]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        text = segment.row.text[start:end]
        if text.strip(" |*:"):
            lead = len(text) - len(text.lstrip())
            yield Span(segment.row, start + lead, start + len(text.rstrip()))


def agrees(quantity: Decimal, price: Decimal, amount: Decimal, discount: Decimal | None = None) -> bool:
    """Whether quantity × price − discount is the amount, but for what rounding the price and the amount leaves open.

    The discount may be a percentage, an amount, or an amount per unit; signs may differ on a credit.
    """
    whole = quantity * price
    options = [whole, -whole]
    if discount:
        less = abs(discount)
        options += [
            whole * (1 - less / 100),
            -whole * (1 - less / 100),
            whole - less,
            (price - less) * quantity,
        ]
    places = max(2, -int(price.as_tuple().exponent))
    slack = max(CENT, abs(quantity) * Decimal(5).scaleb(-places - 1))
    return any(abs(option - amount) <= slack for option in options)


def check(line: Line) -> None:
    """Whether the line's figures agree; the combination of its columns' numbers that does is taken."""
    amount, quantity, price = line.amount(), line.value("quantity"), line.value("net_price")
    if amount is None or quantity is None or price is None:
        return
    line.consistent = agrees(quantity, price, amount, line.value("discount"))
    if line.consistent:
        return
    roles = [role for role in ("quantity", "net_price", "discount") if role in line.values]
    if "discount" in line.options and "discount" not in roles:
        roles.append("discount")
    choices = [
        [line.values[r], *line.options.get(r, [])] if r in line.values else line.options[r] for r in roles
    ]
    for combination in product(*(choice[:_MOST_OPTIONS] for choice in choices)):
        chosen = dict(zip(roles, combination, strict=True))
        less = chosen["discount"].number.value if "discount" in chosen else None
        if agrees(chosen["quantity"].number.value, chosen["net_price"].number.value, amount, less):
            line.values |= chosen
            line.consistent = True
            return
    for basis in BASES:
        # A price for 100 or 1000 units is divided where only that explains the amount to the cent.
        if amount and abs(quantity * price / basis - amount) <= CENT and abs(amount) >= 1:
            line.basis, line.consistent = basis, True
            return


def settle(line: Line) -> None:
    """The signs of a line that agrees: a negative amount of a positive price takes back a negative quantity."""
    amount, quantity, price = line.amount(), line.value("quantity"), line.value("net_price")
    if not line.consistent or amount is None or quantity is None or price is None:
        return
    if amount < 0 < quantity and price > 0:
        line.values["quantity"] = changed(line.values["quantity"], -quantity)
    if line.basis != 1:
        line.values["net_price"] = changed(line.values["net_price"], price / line.basis)


def stand(lines: Sequence[Line], summed: bool | None) -> None:
    """Tell the lines how they stand together."""
    count = max(1, len(lines))
    roles = [line.values.keys() | {role for role, spans in line.texts.items() if spans} for line in lines]
    shares = {role: sum(role in own for own in roles) / count for role in set[str]().union(*roles)}
    proved = sum(line.consistent is True for line in lines) / count
    for line in lines:
        line.standing = Standing(shares, proved, summed)


def changed(at: NumberAt, value: Decimal) -> NumberAt:
    """A number with another value, at its place."""
    return NumberAt(at.span, at.number._replace(value=value))
