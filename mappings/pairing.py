"""Document lines and the order lines that they stand for: scores, the best assignment, and where it is a toss-up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from mappings.assignment import assign
from mappings.case import Case
from mappings.erp_data import OrderLine
from mappings.folding import alnum, plain, plain_similarity
from mappings.totals import HUNDRED, PricedLine

GOOD_LINE = 0.60
SURE_LINE = 0.75
SURE_NAME = 0.80
"""Price and quantity may agree by chance: the names must be so alike, or product or code the same."""

TOSS_UP = 0.06
"""Where another assignment is worth nearly as much, by less than this, a pair is a guess."""

OTHER_NUMBERS = 0.6
"""How much of the likeness is left of two names with other numbers in them: other sizes are other goods."""

CODE, PRODUCT = 1.0, 1.0
NAME_WEIGHT, PRICE_WEIGHT, QUANTITY_WEIGHT = 0.65, 0.20, 0.15
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_BRACKETED = re.compile(r"^\s*\[([^\]]{1,40})\]\s*")


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """A document line as far as comparing needs it. `code` is the seller's article number."""

    position: int
    name: str
    product_id: int | None
    figures: PricedLine
    code: str = ""


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
    """The pairs of the best assignment; those that do not fit are left out."""
    scores = [[_score(case, one, line) for line in lines] for one in bought]
    chosen = assign(scores)
    row_of = {column: row for row, column in enumerate(chosen) if column is not None}
    found: list[Pair] = []
    for row, column in enumerate(chosen):
        if column is None or scores[row][column] < GOOD_LINE:
            continue
        others = (
            other
            for other in range(len(lines))
            if other != column
            and not _alike(case, lines[column], lines[other])
            and not (other in row_of and _same_goods(bought[row], bought[row_of[other]]))
        )
        lost = min((_loss(scores, row, column, other, row_of.get(other)) for other in others), default=1.0)
        same = _same(case, bought[row], lines[column])
        found.append(Pair(bought[row], lines[column], scores[row][column], lost >= TOSS_UP, same))
    return found


def _loss(scores: list[list[float]], row: int, column: int, other: int, rival: int | None) -> float:
    """What it costs when the row takes another column, and the row that has it takes this one."""
    if rival is None:
        return scores[row][column] - scores[row][other]
    return scores[row][column] + scores[rival][other] - scores[row][other] - scores[rival][column]


def _alike(case: Case, one: OrderLine, other: OrderLine) -> bool:
    """Lines of one order for the same goods at the same price with as much left to bill: either will do."""
    return (
        one.order_id == other.order_id
        and one.product_id == other.product_id
        and one.name == other.name
        and net_price(one) == net_price(other)
        and open_quantity(case, one) == open_quantity(case, other)
    )


def _same_goods(one: BoughtLine, other: BoughtLine) -> bool:
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


def _score(case: Case, bought: BoughtLine, line: OrderLine) -> float:
    """0–1: product, code or name tell most, price and quantity tell lines of one product apart."""
    price = 1.0 if case.tolerance.same_price(net(bought.figures), net_price(line)) else 0.0
    quantity = 1.0 if bought.figures.quantity in (line.product_qty, open_quantity(case, line)) else 0.5
    return NAME_WEIGHT * _same(case, bought, line) + PRICE_WEIGHT * price + QUANTITY_WEIGHT * quantity


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
