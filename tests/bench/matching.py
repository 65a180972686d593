"""How well vendors and order lines are matched, and how fast with many of them, on generated books."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from statistics import median, quantiles

from inference.invoice import Reading, Status
from mappings.case import Case
from mappings.erp_data import ErpData, Partner
from mappings.index import ErpIndex
from mappings.lines import draft_lines
from mappings.matching import propose
from mappings.partners import find_vendor
from mappings.policy import Policy
from mappings.purchases import Purchase, match_orders
from tests.samples import books
from tests.samples.books import Delivery, Vendor
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, reading

SURE = Policy().fill_confidence


@dataclass
class VendorScore:
    """Documents by spelling: how many, how many ranked the right vendor first, and who was wrongly sure."""

    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    sure: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def top_1(self) -> float:
        """The share with the right vendor ranked first."""
        return self.right.total() / max(1, self.asked.total())


@dataclass
class LineScore:
    """Document lines that are for an order line: right pairs, links above the threshold, and wrong ones among those.

    `open` are lines of bills that name no order and are for one that was made twice: nothing tells for which, and no
    pair is suggested. `lots` are lines that share their order line with another.
    """

    lines: int = 0
    right: int = 0
    sure: int = 0
    wrong: list[str] = field(default_factory=list)
    suggested: int = 0
    right_suggested: int = 0
    open: int = 0
    lots: int = 0
    right_lots: int = 0

    @property
    def share(self) -> float:
        """The share of the lines, but for open ones, that are paired with the right one, surely or as a suggestion."""
        return self.right / max(1, self.lines - self.open)


def books_of(vendors: list[Vendor], **tables: object) -> ErpData:
    """The demo company with these vendors."""
    data = demo_data()
    return replace(
        data,
        partners=(*data.partners[:2], *(vendor.partner for vendor in vendors)),
        bank_accounts=tuple(vendor.account for vendor in vendors),
        **{"purchase_orders": (), "bills": (), "posted_lines": (), **tables},  # type: ignore[arg-type]
    )


def score_vendors(count: int, documents: int, *, name_only: bool, seed: int = 7) -> VendorScore:
    """Documents of known vendors, each with a spelling of the name; without `name_only` with ids as documents have."""
    rng = Random(seed)
    vendors = books.vendors(count)
    index = ErpIndex(books_of(vendors))
    found = VendorScore()
    for number in range(documents):
        spelling = list(books.SPELLINGS)[number % len(books.SPELLINGS)]
        vendor = rng.choice(vendors)
        seller = {"seller_name": books.SPELLINGS[spelling](rng, vendor.partner.name)}
        if not name_only:
            seller |= _printed_ids(rng, vendor)
        result = find_vendor(Case(reading(**seller), draft_bill(), index, TODAY))
        found.asked[spelling] += 1
        first = result.matches[0].id if result.matches else 0
        found.right[spelling] += first == vendor.partner.id
        clean = result.partner and not any(check.status is Status.FAIL for check in result.checks)
        if result.partner and result.value and clean and result.value.confidence >= SURE:
            found.sure += 1
            if result.partner.id != vendor.partner.id:
                found.wrong.append(f"{seller} is not {result.partner.name}")
    return found


def _printed_ids(rng: Random, vendor: Vendor) -> dict[str, str]:
    partner, found = vendor.partner, dict[str, str]()
    if partner.vat and rng.random() < 0.7:
        bare = partner.vat[2:] if partner.vat[:2].isalpha() else partner.vat
        found["seller_vat_id"] = rng.choice((partner.vat, bare, ".".join((bare[:3], bare[3:6], bare[6:]))))
    if rng.random() < 0.6:
        found["payment_account"] = vendor.account.number
    if partner.email and rng.random() < 0.5:
        found["seller_email"] = partner.email
    return found


def score_strangers(count: int, documents: int, seed: int = 8) -> list[str]:
    """Documents of vendors that Odoo does not have, of which one is taken for sure for one that it has."""
    everyone = books.vendors(count + documents, seed=3)
    index = ErpIndex(books_of(everyone[:count]))
    rng, wrong = Random(seed), list[str]()
    for stranger in everyone[count:]:
        seller = {"seller_name": stranger.partner.name} | _printed_ids(rng, stranger)
        result = find_vendor(Case(reading(**seller), draft_bill(), index, TODAY))
        clean = not any(check.status is Status.FAIL for check in result.checks)
        if result.partner and result.value and clean and result.value.confidence >= SURE:
            wrong.append(f"{seller} is not {result.partner.name}")
    return wrong


def score_lines(count: int, seed: int = 11) -> LineScore:
    """Bills for generated orders, against all orders of their vendors."""
    rng = Random(seed)
    vendors = books.vendors(max(5, count // 4), seed=2)
    by_id = {vendor.partner.id: vendor for vendor in vendors}
    orders = books.orders(rng, vendors, count)
    index = ErpIndex(books_of(vendors, purchase_orders=tuple(orders)))
    found = LineScore()
    goods = Counter((order.partner_id, str(books.goods_of(order))) for order in orders)
    for order in orders:
        made = books.delivery(rng, by_id[order.partner_id], order)
        case = Case(_bill(made), draft_bill(), index, TODAY)
        bought = draft_lines(case, made.vendor.partner).bought(case)
        purchase = match_orders(case, made.vendor.partner, bought)
        repeated = goods[order.partner_id, str(books.goods_of(order))] > 1
        _count(found, made, purchase, may_be_open=repeated and not made.reference)
    return found


def _count(found: LineScore, made: Delivery, purchase: Purchase, *, may_be_open: bool) -> None:
    for position, truth in enumerate(made.truth):
        link = purchase.links.get(position)
        right = link is not None and truth is not None and link.value == truth.id
        if truth is not None:
            is_open = may_be_open and not purchase.links
            is_lot = made.truth.count(truth) > 1 and not is_open
            found.lines += 1
            found.open += is_open
            found.lots += is_lot
            found.right_lots += is_lot and right
        found.right += right
        if link and link.confidence >= SURE:
            found.sure += 1
            if not right:
                found.wrong.append(f"{made.rows[position]} is not line {link.value}: {link.reason}")
        elif link:
            found.suggested += 1
            found.right_suggested += right


def _bill(made: Delivery) -> Reading:
    header = {"document_type": "invoice", "currency": "EUR", "seller_name": made.vendor.partner.name}
    if made.reference:
        header["purchase_order_reference"] = made.reference
    return reading(made.rows, **header)


# -- speed ------------------------------------------------------------------------------------------------------------


def busy_books(vendors: int, lines: int, orders: int) -> tuple[ErpData, list[Vendor]]:
    """Books of that size."""
    rng, people = Random(5), books.vendors(vendors)
    posted, bills = books.history(rng, people, lines)
    opened = books.orders(rng, people, orders)
    data = books_of(people, purchase_orders=tuple(opened), bills=tuple(bills), posted_lines=tuple(posted))
    return data, people


def proposals(data: ErpData, index: ErpIndex, vendors: list[Vendor], documents: int = 40) -> list[float]:
    """CPU seconds of each proposal for bills of orders, with a name, a tax id and an account on them."""
    rng, by_id = Random(9), {vendor.partner.id: vendor for vendor in vendors}
    spent: list[float] = []
    for order in rng.sample(data.purchase_orders, documents):
        vendor = by_id[order.partner_id]
        made = books.delivery(rng, vendor, order)
        read = _bill(made)
        read = replace(read, fields={**read.fields, **reading(**_printed_ids(rng, vendor)).fields})
        started = time.process_time()
        propose(read, draft_bill(), index, TODAY)
        spent.append(time.process_time() - started)
    return spent


def refreshed(data: ErpData, changed: int) -> ErpData:
    """The data after so many vendors were renamed."""
    partners = list(data.partners)
    for place in range(10, 10 + changed):
        partner: Partner = partners[place]
        partners[place] = replace(partner, name=f"{partner.name} Neu")
    return replace(data, partners=tuple(partners))


def _speed(vendors: int, lines: int, orders: int) -> tuple[float, float, float, float]:
    """CPU seconds to build, to refresh after ten changes, of a proposal (median, and the slowest twentieth)."""
    data, people = busy_books(vendors, lines, orders)
    gc.collect()
    started = time.process_time()
    index = ErpIndex(data)
    built = time.process_time() - started
    started = time.process_time()
    index.refresh(refreshed(data, 10))
    again = time.process_time() - started
    proposals(data, index, people, 5)
    spent = proposals(data, index, people)
    return built, again, median(spent), quantiles(spent, n=20)[-1]


def _memory(vendors: int, lines: int, orders: int) -> float:
    """Megabytes of data and index, counted by Python."""
    tracemalloc.start()
    data, people = busy_books(vendors, lines, orders)
    index = ErpIndex(data)
    proposals(data, index, people, 20)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    return used


def main() -> None:
    """Print accuracy, speed and memory."""
    for name_only, what in ((True, "by the name alone"), (False, "with ids as documents print them")):
        found = score_vendors(10_000, 2_600, name_only=name_only)
        print(f"  vendor {what}, of 10,000: top-1 {found.top_1:.1%} of {found.asked.total()} documents")
        print(f"    sure {found.sure / found.asked.total():.1%}, wrong among those {len(found.wrong)}")
        for spelling, asked in found.asked.items():
            print(f"    {spelling}: {found.right[spelling] / asked:.1%}")
    print(f"  strangers taken for a known vendor: {len(score_strangers(10_000, 1_000))} of 1,000")
    lines = score_lines(2_000)
    print(
        f"  order lines: {lines.right} of {lines.lines} right, {lines.share:.2%} of those that anything tells; "
        f"sure {lines.sure}, wrong among those {len(lines.wrong)}"
    )
    print(f"    left to a person with a suggestion {lines.suggested}, right {lines.right_suggested}")
    print(f"    left to a person without one, no order named and the same ordered twice: {lines.open}")
    print(f"    several document lines for one order line: {lines.right_lots} of {lines.lots} right")
    print(
        f"  memory of 10,000 vendors, 100,000 posted lines, 5,000 orders: {_memory(10_000, 100_000, 5_000):.0f} MB"
    )
    base = None
    for vendors, history, orders in (
        (1_000, 10_000, 500),
        (10_000, 100_000, 5_000),
        (100_000, 1_000_000, 50_000),
    ):
        built, again, middle, slow = _speed(vendors, history, orders)
        base = base or middle
        print(
            f"  {vendors:>7,} vendors, {history:,} posted lines: index {built:.1f} s, refresh after 10 changes "
            f"{again * 1000:.0f} ms, proposal {middle * 1000:.1f} ms (slowest twentieth {slow * 1000:.1f} ms), "
            f"{middle / base:.1f} × that of 1,000 vendors"
        )


if __name__ == "__main__":
    main()
