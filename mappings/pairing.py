"""Document lines and the order lines that they stand for: scores, the best assignment, and where it is a toss-up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from inference.invoice import DocumentType, Reading, as_text
from mappings.assignment import assign
from mappings.case import Case, shortened
from mappings.erp_data import OrderLine
from mappings.folding import alnum, plain, plain_similarity
from mappings.totals import HUNDRED, PricedLine

GOOD_LINE = 0.60
SURE_LINE = 0.75
SURE_NAME = 0.80
"""Price and quantity may agree by chance: the names must be so alike, or product or code the same."""

PLACE = 0.08
"""What a printed line number of our order adds: it tells like lines apart, and makes no pair alone."""

NAME_MARGIN = 0.05
"""A line that is so much more alike by product, code or name makes a pair with another one a guess."""

TOSS_UP = 0.06
"""Where another assignment is worth nearly as much, by less than this, a pair is a guess."""

SHARED = 0.05
"""What a document line gives up that shares its order line with another: one of its own goes first."""

OTHER_NUMBERS = 0.6
"""How much of the likeness is left of two names with other numbers in them: other sizes are other goods."""

CODE, PRODUCT = 1.0, 1.0
NAME_WEIGHT, PRICE_WEIGHT, QUANTITY_WEIGHT = 0.65, 0.20, 0.15
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PLACE = re.compile(r"0*[1-9]\d{0,3}")
ORDER_ANSWERS = frozenset({DocumentType.ORDER_CONFIRMATION, DocumentType.QUOTATION})
_BRACKETED = re.compile(r"^\s*\[([^\]]{1,40})\]\s*")


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """A document line as far as comparing needs it. `code` is the seller's article number, `order_place` the place in
    our order that the document says the line has, from 1, 0 where it says none."""

    position: int
    name: str
    product_id: int | None
    figures: PricedLine
    code: str = ""
    order_place: int = 0


class Pair(NamedTuple):
    """A document line, its order line, the score (0–1), whether no other assignment is nearly as good, and how far
    product, code or name alone say that they are the same (0–1)."""

    bought: BoughtLine
    line: OrderLine
    score: float
    clear: bool
    same: float

    @property
    def is_sure(self) -> bool:
        """Whether the order line may be linked without asking."""
        return self.clear and self.score >= SURE_LINE and self.same >= SURE_NAME


def pair_lines(case: Case, bought: Sequence[BoughtLine], lines: Sequence[OrderLine]) -> list[Pair]:
    """The pairs of the best assignment; those that do not fit are left out.

    An order line goes to one document line, or to several of the same goods that no line of their own fits better.
    """
    same = [[_same(case, one, line) for line in lines] for one in bought]
    scores = [
        [
            _score(case, one, line, alike) + _placed(case, one, line, alike)
            for line, alike in zip(lines, row, strict=True)
        ]
        for one, row in zip(bought, same, strict=True)
    ]
    chosen = _shared(bought, scores, assign(scores))
    rows_of: dict[int, list[int]] = {}
    for row, column in enumerate(chosen):
        if column is not None:
            rows_of.setdefault(column, []).append(row)
    found: list[Pair] = []
    for row, column in enumerate(chosen):
        if column is None or scores[row][column] < GOOD_LINE:
            continue
        others = (
            other
            for other in range(len(lines))
            if other != column
            and not _alike(case, lines[column], lines[other])
            and not any(_same_figures(bought[row], bought[rival]) for rival in rows_of.get(other, ()))
        )
        lost = min(
            (_loss(bought, scores, row, column, other, rows_of.get(other, ())) for other in others),
            default=1.0,
        )
        clear = lost >= TOSS_UP and not _named_by_another(same, row, column, rows_of)
        score = min(1.0, scores[row][column])
        found.append(Pair(bought[row], lines[column], score, clear, same[row][column]))
    return found


def order_places(reading: Reading) -> dict[int, int]:
    """The place in our order that each document line names (BT-132), by position.

    None where the document names no order, and none where the numbers only count the document's own lines.
    """
    rows = reading.lines
    named = reading.text("purchase_order_reference") or any("line_order_reference" in row for row in rows)
    if not named and reading.document_type not in ORDER_ANSWERS:
        return {}
    texts = {position: as_text(row.get("purchase_order_line")) or "" for position, row in enumerate(rows)}
    places = {position: int(text) for position, text in texts.items() if _PLACE.fullmatch(text)}
    counted = all(place == position + 1 for position, place in places.items())
    return {} if counted else places


def _shared(
    bought: Sequence[BoughtLine], scores: list[list[float]], chosen: list[int | None]
) -> list[int | None]:
    """The assignment with rows moved to the column of another row of the same goods, where that is worth more."""
    found = list(chosen)
    for row, column in enumerate(chosen):
        worth = 0.0 if column is None else scores[row][column]
        for mate, other in enumerate(chosen):
            if mate == row or other is None or other == column or found[mate] != other:
                continue
            if scores[row][other] - SHARED > worth and is_same_goods(bought[row], bought[mate]):
                found[row], worth = other, scores[row][other] - SHARED
    return found


def _named_by_another(
    same: list[list[float]], row: int, column: int, rows_of: Mapping[int, Sequence[int]]
) -> bool:
    """Whether the row's words are rather those of another column, which no row is as like: a price agrees by chance."""
    own = same[row][column] + NAME_MARGIN
    return any(
        alike > own and all(same[rival][other] < alike for rival in rows_of.get(other, ()))
        for other, alike in enumerate(same[row])
        if other != column
    )


def _loss(
    bought: Sequence[BoughtLine],
    scores: list[list[float]],
    row: int,
    column: int,
    other: int,
    rivals: Sequence[int],
) -> float:
    """What it costs when the row takes another column: alone, beside rows of its goods, or in exchange with a row."""
    if not rivals:
        return scores[row][column] - scores[row][other]
    exchanged = (
        scores[row][column] + scores[rival][other] - scores[row][other] - scores[rival][column]
        for rival in rivals
    )
    if all(is_same_goods(bought[row], bought[rival]) for rival in rivals):
        return min(*exchanged, scores[row][column] - (scores[row][other] - SHARED))
    return min(exchanged)


def is_same_goods(one: BoughtLine, other: BoughtLine) -> bool:
    """Whether two document lines are for the same goods: by product, article number or description."""
    if one.product_id and other.product_id:
        return one.product_id == other.product_id
    if one.code and other.code:
        return one.code == other.code
    return plain(one.name) == plain(other.name)


def by_order_line(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """The pairs of each order line, in the document's order."""
    found: dict[int, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.line.id, []).append(pair)
    return list(found.values())


def billed_together(pairs: Sequence[Pair]) -> Decimal:
    """What the document lines of one order line ask for together."""
    return sum((pair.bought.figures.quantity for pair in pairs), Decimal(0))


def where(pairs: Sequence[Pair]) -> str:
    """The place of document lines for the beginning of a sentence: `Line 1, Carton`, `Lines 1 and 3, Carton`."""
    numbers = [str(pair.bought.position + 1) for pair in pairs]
    label = (
        f"Line {numbers[0]}" if len(numbers) == 1 else f"Lines {', '.join(numbers[:-1])} and {numbers[-1]}"
    )
    return f"{label}, {shortened(pairs[0].bought.name)}"


def _alike(case: Case, one: OrderLine, other: OrderLine) -> bool:
    """Lines of one order for the same goods at the same price with as much left to bill: either will do."""
    return (
        one.order_id == other.order_id
        and one.product_id == other.product_id
        and one.name == other.name
        and net_price(one) == net_price(other)
        and open_quantity(case, one) == open_quantity(case, other)
    )


def _same_figures(one: BoughtLine, other: BoughtLine) -> bool:
    return (one.name, one.code, net(one.figures), one.figures.quantity) == (
        other.name,
        other.code,
        net(other.figures),
        other.figures.quantity,
    )


def open_quantity(case: Case, line: OrderLine) -> Decimal:
    """What may still be billed: received or ordered, by the product's control policy, less billed."""
    product = case.index.products.get(line.product_id or 0)
    by_order = product is not None and product.purchase_method == "purchase"
    return (line.product_qty if by_order else line.qty_received) - case.index.billed(line)


def net(figures: PricedLine) -> Decimal:
    """The price of one after the line's discount."""
    return figures.price_unit * (1 - figures.discount / HUNDRED)


def net_price(line: OrderLine) -> Decimal:
    """The ordered price of one after the line's discount."""
    return line.price_unit * (1 - line.discount / HUNDRED)


def _score(case: Case, bought: BoughtLine, line: OrderLine, same: float) -> float:
    """0–1: product, code or name tell most, price and quantity tell lines of one product apart."""
    price = 1.0 if case.tolerance.same_price(net(bought.figures), net_price(line)) else 0.0
    quantity = 1.0 if bought.figures.quantity in (line.product_qty, open_quantity(case, line)) else 0.5
    return NAME_WEIGHT * same + PRICE_WEIGHT * price + QUANTITY_WEIGHT * quantity


def _placed(case: Case, bought: BoughtLine, line: OrderLine, same: float) -> float:
    """What it adds that the document gives a line just this place in our order; Odoo numbers an order's lines from 1
    where it sends it as UBL (`purchase_edi_ubl_bis3`)."""
    order = case.index.orders.get(line.order_id)
    if not bought.order_place or order is None or same < GOOD_LINE:
        return 0.0
    here = order.lines[bought.order_place - 1 : bought.order_place]
    return PLACE if here and here[0].id == line.id else 0.0


def _same(case: Case, bought: BoughtLine, line: OrderLine) -> float:
    if bought.product_id and line.product_id:
        return PRODUCT if bought.product_id == line.product_id else 0.0
    product = case.index.products.get(line.product_id or 0)
    names = [line.name]
    if product:
        names += [product.name, *(code.product_name for code in product.vendor_codes if code.product_name)]
    if bought.code and bought.code in _codes(line.name):
        return CODE
    return max(_likeness(bought.name, name) for name in names)


def _codes(name: str) -> frozenset[str]:
    """The article number that Odoo writes before a name: `[DV-D432] Vouwdoos`."""
    found = _BRACKETED.match(name)
    return frozenset({alnum(found[1])}) if found else frozenset()


@lru_cache(maxsize=65536)
def _likeness(one: str, other: str) -> float:
    a, b = _Name.of(one), _Name.of(_BRACKETED.sub("", other) or other)
    alike = plain_similarity(a.text, b.text)
    one_more, other_more = a.numbers - b.numbers, b.numbers - a.numbers
    return alike * OTHER_NUMBERS if one_more and other_more else alike


class _Name(NamedTuple):
    text: str
    numbers: Counter[str]

    @classmethod
    @lru_cache(maxsize=16384)
    def of(cls, text: str) -> _Name:
        folded = plain(text)
        return cls(folded, Counter(number.replace(",", ".") for number in _NUMBER.findall(folded)))
