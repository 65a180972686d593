"""Rows of a table that are no lines: discounts on the line above, sums of lines, and discounts and charges of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference.readers.layout.header import Context
from inference.readers.layout.headings import AMOUNTS
from inference.readers.layout.lines import CENT, Line, changed, stand, total_of
from inference.readers.layout.rows import Row

HUNDRED = Decimal(100)


def is_adjustment(
    context: Context, row: Row, terms: Sequence[str] = ("discount_total", "charge_total")
) -> bool:
    """Whether a row names a discount or a charge."""
    return any(label.leads and label.weight(term) >= 0.9 for label in context.of(row) for term in terms)


def with_discounts(context: Context, lines: Sequence[Line]) -> list[Line]:
    """The lines with discount rows taken into the line above, where the arithmetic says that they are its own."""
    kept: list[Line] = []
    for place, line in enumerate(lines):
        later = any(other.full for other in lines[place + 1 :])
        if kept and not line.full and _discounts(context, kept[-1], line, later):
            continue
        kept.append(line)
    return kept


def _discounts(context: Context, line: Line, row: Line, later: bool) -> bool:
    """Whether a row's amount is a discount on a line; if so the line has it now."""
    amount, less = line.amount(), row.amount()
    if amount is None or less is None or not amount or not less or "discount" in line.proofs:
        return False
    named = is_adjustment(context, row.anchor, ("discount_total",))
    if abs(less) >= abs(amount) or not (named or less * amount < 0):
        return False
    percents = [at for at in context.values.numbers(row.anchor) if at.number.percent]
    percent = next((at for at in percents if _is_share(at.number.value, amount, less)), None)
    role = next(role for role in AMOUNTS if role in line.values)
    taken = next(row.values[r] for r in AMOUNTS if r in row.values)
    before = (line.value("quantity") or Decimal(0)) * (line.value("net_price") or Decimal(0))
    if before and abs(before - abs(less) - amount) <= CENT and line.consistent is False:
        # The amount above is printed after the discount.
        line.values["discount"] = percent or taken
        line.proofs["discount"] = ()
        line.consistent = True
        return True
    if percent is None and not (named and later and less < 0 < amount):
        return False
    if percents and percent is None:
        return False
    line.values["discount"] = percent or taken
    line.proofs["discount"] = ()
    line.proofs[role] = (taken.span,)
    sign = -1 if amount > 0 else 1
    line.values[role] = changed(line.values[role], amount + sign * abs(less))
    return True


def _is_share(percent: Decimal, amount: Decimal, less: Decimal) -> bool:
    # Half a unit of the percentage's last decimal is what rounding it leaves open.
    share = abs(percent) * abs(amount) / HUNDRED
    places = -int(percent.as_tuple().exponent)
    slack = max(CENT, abs(amount) * Decimal(5).scaleb(-places - 3)) if places else CENT
    return abs(share - abs(less)) <= slack


@dataclass(frozen=True)
class Choice:
    """Lines that the document may have, and what rows that are no lines add to their sum."""

    lines: tuple[Line, ...]
    rest: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """What the lines and the rest add up to."""
        return total_of(self.lines) + self.rest


def choices(lines: Sequence[Line], subtotals: Sequence[tuple[int, Decimal]] = ()) -> Iterator[Choice]:
    """The lines without sums, then with fewer and fewer of the rows that may belong to the whole document.

    `subtotals` are printed sums by the index of their row: what follows the sum of all lines before it is a
    discount or a charge of the document, unless it has a quantity or a price.
    """
    kept = without_sums(lines)
    sums = [(line.anchor.index, amount) for line in lines if line not in kept and (amount := line.amount())]
    for index, printed in sorted({*subtotals, *sums}):
        before = tuple(line for line in kept if line.anchor.index < index)
        after = [line for line in kept if line.anchor.index > index]
        whole = any(line.full for line in before) and not any(line.full for line in after)
        if whole and after and total_of(before) == printed:
            yield Choice(before, total_of(after))
    end = len(kept)
    while end and kept[end - 1].charge and not kept[end - 1].full and (kept[end - 1].amount() or 0) < 0:
        end -= 1
    if 0 < end < len(kept):
        # Discounts below the lines are the document's.
        yield Choice(tuple(kept[:end]), total_of(kept[end:]))
    yield Choice(tuple(kept))
    yield Choice(tuple(line for line in kept if line.full or not line.charge))
    yield Choice(tuple(line for line in kept if line.full))
    for index, printed in sums:
        # What follows their sum is none of the lines, whatever it is called.
        before = tuple(line for line in kept if line.anchor.index < index)
        if len(before) > 1 and total_of(before) == printed:
            yield Choice(before)
    if len(kept) == 2 and not kept[1].full and kept[0].amount() == kept[1].amount():
        yield Choice(tuple(kept[:1]))


def best_lines(options: Sequence[Choice], totals: Sequence[Decimal]) -> Sequence[Line]:
    """The first choice that adds up to one of the totals, or whose first lines do; else one without bare charges."""
    some = [option for option in options if option.lines]
    for option in some:
        if option.total in totals:
            stand(option.lines, summed=True)
            return option.lines
    for option in some:
        # What stands below the lines in their columns ends the table unseen: terms, a second list.
        for end in range(len(option.lines) - 1, 0, -1):
            head, tail = option.lines[:end], option.lines[end:]
            proved = total_of(head) in totals and any(line.full for line in head)
            if proved and not any(line.consistent for line in tail):
                stand(head, summed=True)
                return head
    plain = (option.lines for option in some if all(line.full or not line.charge for line in option.lines))
    lines = next(plain, some[0].lines if some else ())
    stand(lines, summed=False if totals else None)
    return lines


def without_sums(lines: Sequence[Line]) -> list[Line]:
    """The lines without rows that only print the sum of the lines before, and without charges of nothing."""
    kept: list[Line] = []
    group = 0
    for line in lines:
        amount = line.amount()
        if not line.full and amount is not None:
            whole, part = kept, kept[group:]
            sums = (len(whole) > 1 and total_of(whole) == amount) or (
                len(part) > 1 and total_of(part) == amount
            )
            if (sums and amount) or (line.charge and not amount):
                group = len(kept)
                continue
        kept.append(line)
    return kept
