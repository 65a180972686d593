"""The totals, solved together: of all amounts with a fitting label, those that agree with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, product

from inference.invoice import DocumentType
from inference.readers.layout.amounts import (
    SCORES,
    TERMS,
    add_implied,
    add_summed_taxes,
    add_vat_rows,
    candidates_for,
    decimal_of,
    distinct,
    scaled,
)
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.vat import CENT, HIGHEST_RATE, breakdown, printed_rate, vat_rows

HIGHEST_SHARE = HIGHEST_RATE / 100
"""No VAT is a larger share of the net total."""

BILLS = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)

NET_VAT_TOTAL = ("total_without_vat", "total_vat", "total_with_vat")

_CLOSE = 0.7
"""A choice that is worse by no more than this is a rival."""

_BETWEEN = 6
"""So many rows between net total and total can hold charges that no label explains."""

_UNSUPPORTED = -0.5
"""What the arithmetic says of a total that nothing proves."""

_OUTNAMED = 0.4
"""A total whose label is worse by so much than another's is doubted."""

_NAMED = 0.61
"""A total with less of a label than this is not named by one."""

_CONTESTED = -0.5
"""The margin of a value that another choice, which adds up too, has otherwise."""

Choice = tuple[Finding | None, Finding | None, Finding | None]
"""Net total, VAT and total."""


@dataclass(frozen=True)
class Totals:
    """The chosen findings by term, the VAT by rate, and whether net + VAT = total (None: not all known).

    `paid` says that a payment or an earlier balance is printed, so that what is due may differ from the total.
    """

    chosen: dict[str, Finding]
    breakdown: tuple[dict[str, Finding], ...]
    agree: bool | None
    paid: bool = False

    def with_due(self, kind: DocumentType | None) -> Totals:
        """The total is due where a bill prints no payment and no other amount due (BT-115 = BT-112 − BT-113)."""
        total = self.chosen.get("total_with_vat")
        if kind not in BILLS or self.paid or total is None or "amount_due" in self.chosen:
            return self
        if total.features.label < _NAMED:
            # It is proved by its VAT, but a rounding may follow it.
            return self
        due = replace(total, term="amount_due").with_features(relation=min(0.7, total.features.relation))
        return replace(self, chosen=self.chosen | {"amount_due": due})


def find_totals(context: Context, sums: frozenset[Decimal]) -> Totals:
    """The totals of the document; a term without a good enough amount is left out."""
    rows = tuple(vat_rows(context))
    candidates = {term: candidates_for(context, term) for term in TERMS}
    add_vat_rows(context, candidates, rows)
    stand_ins = [scaled(f, "total_with_vat", SCORES["stand_in"]) for f in candidates["amount_due"]]
    if not candidates["previous_balance"]:
        candidates["total_with_vat"] = distinct([*candidates["total_with_vat"], *stand_ins])
    add_implied(context, candidates)
    add_summed_taxes(candidates)
    chooser = Chooser(context, candidates, sums)
    chosen = chooser.best()
    chosen |= _before_tax(context, chosen, sums)
    chosen |= _settle(candidates, chosen)
    _after_discount(candidates, chosen)
    agree = chooser.agree(chosen)
    if agree and not _exact(chosen) and not _rounded_only(chosen) and "rounding_amount" not in chosen:
        # Charges stand between the two: the net total is meant after them (BT-109), and is not printed.
        del chosen["total_without_vat"]
    if agree is None and "total_with_vat" in chosen and (_left_out(candidates) or chooser.open(chosen)):
        agree = False
    judged = {term: _judged(f, chosen, candidates[term], agree) for term, f in chosen.items()}
    total = judged.get("total_with_vat")
    if total is not None and chooser.doubts(chosen, total):
        arithmetic = min(total.features.arithmetic, _UNSUPPORTED)
        judged["total_with_vat"] = total.with_features(arithmetic=arithmetic)
    if (vat := judged.get("total_vat")) is not None and _untaxed(context, vat):
        judged["total_vat"] = vat.with_features(arithmetic=-1.0)
    if (vat := judged.get("total_vat")) is not None and _passed_over(candidates["total_vat"], judged):
        judged["total_vat"] = vat.with_features(arithmetic=-1.0)
    judged = {
        t: f.with_features(margin=_CONTESTED) if chooser.contested(t, f) else f for t, f in judged.items()
    }
    paid = any(decimal_of(f) for f in candidates["previous_balance"]) or _payment_named(context, candidates)
    paid = paid or _reduced(context, candidates, chosen)
    return Totals(judged, breakdown(context, judged, rows), agree, paid)


def _payment_named(context: Context, candidates: Mapping[str, Sequence[Finding]]) -> bool:
    """Whether a payment is printed: an amount of one, or only its label."""
    amounts = candidates["prepaid_amount"]
    if amounts:
        return any(decimal_of(f) for f in amounts)
    return any(lb.weight("prepaid_amount") >= SCORES["plain"] for lb in context.all_labels("prepaid_amount"))


def _reduced(
    context: Context, candidates: Mapping[str, Sequence[Finding]], chosen: Mapping[str, Finding]
) -> bool:
    """Whether a row has a discount and, beside it, the total less the discount: that much may be due."""
    total = chosen.get("total_with_vat")
    for discount in candidates["discount_total"] if total is not None else ():
        row, less = discount.spans[0].row, decimal_of(discount)
        rest = decimal_of(total) - less if total is not None else less
        if less > 0 and any(at.number.value == rest for at in context.values.numbers(row)):
            return True
    return False


class Chooser:
    """Scores every combination of net total, VAT and total by its labels and by how it adds up."""

    def __init__(
        self, context: Context, candidates: dict[str, list[Finding]], sums: frozenset[Decimal]
    ) -> None:
        self._context = context
        self._candidates = candidates
        self._sums = sums
        self._adjustments = _adjustments(candidates)
        self._strongest = {t: max((f.score for f in candidates[t]), default=0.0) for t in NET_VAT_TOTAL}
        self._largest = max((abs(decimal_of(f)) for f in candidates["total_with_vat"]), default=Decimal(0))
        money = (at for row in context.sheet.rows for at in context.values.numbers(row) if at.money)
        self._tax_rows = {_row_of(f) for f in candidates["total_vat"] if f.score >= SCORES["among"]}
        self._most = max((abs(at.number.value) for at in money), default=Decimal(0))
        self._rivals: list[Choice] = []
        self._between: dict[tuple[int, int, int], frozenset[Decimal]] = {}

    def best(self) -> dict[str, Finding]:
        """The combination with the best score, by term."""
        nets, vats, totals = ((None, *self._candidates[term]) for term in NET_VAT_TOTAL)
        choices = product(nets, vats, totals)
        scored = {choice: self._score(*choice) for choice in choices}
        best = max(scored, key=lambda choice: scored[choice])
        self._rivals = [
            choice
            for choice, score in scored.items()
            if score > scored[best] - _CLOSE and _adds_up(choice) and choice[2] is best[2]
        ]
        return {term: f for term, f in zip(NET_VAT_TOTAL, best, strict=True) if f is not None}

    def contested(self, term: str, finding: Finding) -> bool:
        """Whether another choice that also adds up, nearly as good, has another value for a term."""
        if term not in NET_VAT_TOTAL:
            return False
        place = NET_VAT_TOTAL.index(term)
        values = {decimal_of(f) for choice in self._rivals if (f := choice[place]) is not None}
        return len(values | {decimal_of(finding)}) > 1

    def agree(self, chosen: Mapping[str, Finding]) -> bool | None:
        """Whether net total and VAT make the total, charges printed between them allowed; None where one is not known."""
        net, vat, total = (chosen.get(term) for term in NET_VAT_TOTAL)
        if net is None or vat is None or total is None:
            return None
        return abs(_off(net, vat, total)) <= CENT or self._adjusted(net, vat, total)

    def doubts(self, chosen: Mapping[str, Finding], total: Finding) -> bool:
        """Whether only the lines could prove a total and do not, or another amount is far better named as one."""
        if self._strongest["total_with_vat"] - total.score > _OUTNAMED:
            return True
        known = [decimal_of(chosen[term]) for term in NET_VAT_TOTAL if term in chosen]
        proved = self.agree(chosen) is not None or any(map(self._of_lines, known))
        return bool(self._sums) and not proved

    def open(self, chosen: Mapping[str, Finding]) -> bool:
        """Whether the lines make the net total, no VAT is printed, and yet the total is another amount."""
        net, vat, total = (chosen.get(term) for term in NET_VAT_TOTAL)
        if net is None or vat is not None or total is None or not self._of_lines(decimal_of(net)):
            return False
        less = decimal_of(total) - decimal_of(net)
        return less != 0 and less not in self._adjustments

    def _score(self, net: Finding | None, vat: Finding | None, total: Finding | None) -> float:
        score = sum(f.score - SCORES["least"] for f in (net, vat, total) if f is not None)
        if net is not None and vat is not None and total is not None:
            score += self._sum_score(net, vat, total)
        elif net is not None and total is not None:
            score += self._pair_score(net, total)
        if vat is not None:
            score += self._vat_score(net, vat, total)
        if total is not None:
            score += SCORES["largest"] * (abs(decimal_of(total)) >= self._largest)
            score += SCORES["nothing"] * (not decimal_of(total) and self._largest > 0)
        score += SCORES["over"] * max(
            0.0, self._strongest["total_with_vat"] - (total.score if total else 0.0)
        )
        if net is not None:
            score += SCORES["over"] * max(0.0, self._strongest["total_without_vat"] - net.score)
        if any(f is not None and self._of_lines(decimal_of(f)) for f in (net, total)):
            score += SCORES["lines"]
        return score

    def _of_lines(self, amount: Decimal) -> bool:
        """Whether the lines add up to an amount, discounts and charges of the whole document allowed."""
        if any(amount - adjustment in self._sums for adjustment in self._adjustments):
            return True
        # A total in whole units may be rounded.
        whole = amount == amount.to_integral_value()
        return whole and any(
            abs(amount - made) < 1 and made != made.to_integral_value() for made in self._sums
        )

    def _sum_score(self, net: Finding, vat: Finding, total: Finding) -> float:
        score = SCORES["contradiction"] if _same_place(net, vat) else 0.0
        if _rounded(net, vat, total):
            return score + SCORES["rounded"]
        if abs(_off(net, vat, total)) > CENT:
            return score + SCORES["adjusted" if self._adjusted(net, vat, total) else "contradiction"]
        if not decimal_of(vat):
            return score + SCORES["equality"]
        one_row = len({_row_of(f) for f in (net, vat, total)}) == 1
        if one_row and abs(decimal_of(total)) >= self._largest:
            # The row below those of each rate adds them up.
            return score + SCORES["agreement"]
        if _row_of(net) == _row_of(vat) and total.score < 0.8:
            score += SCORES["partial"]
        return score + SCORES["same_row" if one_row else "agreement"]

    def _pair_score(self, net: Finding, total: Finding) -> float:
        less = decimal_of(total) - decimal_of(net)
        if not less:
            return SCORES["equality"] / 2
        if decimal_of(total) == -decimal_of(net):
            return SCORES["contradiction"] / 2
        shrinks = abs(decimal_of(net)) > abs(decimal_of(total)) and less not in self._adjustments
        return SCORES["contradiction"] / 2 if shrinks else 0.0

    def _vat_score(self, net: Finding | None, vat: Finding, total: Finding | None) -> float:
        whole = max((abs(decimal_of(f)) for f in (net, total) if f is not None), default=self._most)
        if abs(decimal_of(vat)) > HIGHEST_SHARE * whole:
            return SCORES["contradiction"]
        rate = printed_rate(self._context, vat.spans[0].row)
        if rate is None:
            return 0.0
        percent = rate.number.value
        if not decimal_of(vat):
            return SCORES["no_tax"] * bool(percent)
        expected: list[Decimal] = []
        if net is not None:
            expected.append(decimal_of(net) * percent / 100)
        if total is not None:
            expected.append(decimal_of(total) * percent / (100 + percent))
        return SCORES["rate"] * any(abs(value - decimal_of(vat)) <= CENT for value in expected)

    def _adjusted(self, net: Finding, vat: Finding, total: Finding) -> bool:
        """Whether a discount, charges or a rounding that are printed close the gap between net + VAT and the total."""
        if _rounded(net, vat, total):
            return True
        off = _off(net, vat, total)
        allowed = self._adjustments | self._printed_between(net, vat, total)
        return any(abs(off - amount) <= CENT for amount in allowed)

    def _printed_between(self, net: Finding, vat: Finding, total: Finding) -> frozenset[Decimal]:
        """What the amounts on the rows between net total and total can add up to, that of the VAT left out."""
        key = (_row_of(net), _row_of(vat), _row_of(total))
        if key not in self._between:
            amounts: list[Decimal] = []
            if 0 < key[2] - key[0] <= _BETWEEN:
                for row in self._context.sheet.rows[key[0] + 1 : key[2]]:
                    money = [at for at in self._context.values.numbers(row) if at.money]
                    if row.index != key[1] and row.index not in self._tax_rows and money:
                        amounts.append(money[-1].number.value)
            sums = (
                sum(some, Decimal(0))
                for size in range(1, len(amounts) + 1)
                for some in combinations(amounts, size)
            )
            self._between[key] = frozenset(sums)
        return self._between[key]


def _adjustments(candidates: Mapping[str, Sequence[Finding]]) -> frozenset[Decimal]:
    """What a discount, a charge and a rounding that labels name can add; a discount makes a credit smaller, too."""
    credit = any(decimal_of(f) < 0 for f in candidates["total_with_vat"][:1])
    sign = 1 if credit else -1
    charges = {decimal_of(f) for f in candidates["charge_total"]} | {Decimal(0)}
    # A rounding's sign is often left to the reader.
    roundings = {s * decimal_of(f) for f in candidates["rounding_amount"] for s in (1, -1)} | {Decimal(0)}
    discounts = {sign * abs(decimal_of(f)) for f in candidates["discount_total"]} | {Decimal(0)}
    return frozenset(c + r + d for c in charges for r in roundings for d in discounts)


def _adds_up(choice: Choice) -> bool:
    net, vat, total = choice
    return net is not None and vat is not None and total is not None and abs(_off(net, vat, total)) <= CENT


def _off(net: Finding, vat: Finding, total: Finding) -> Decimal:
    return decimal_of(total) - decimal_of(net) - decimal_of(vat)


def _rounded(net: Finding, vat: Finding, total: Finding) -> bool:
    """Whether a label names the total and it is net total and VAT in whole units, as cash and Indian bills have it."""
    whole = decimal_of(total) == decimal_of(total).to_integral_value()
    named = min(f.score for f in (net, vat, total)) >= SCORES["first"]
    return bool(decimal_of(vat)) and whole and named and CENT < abs(_off(net, vat, total)) < 1


def _rounded_only(chosen: Mapping[str, Finding]) -> bool:
    net, vat, total = (chosen[term] for term in NET_VAT_TOTAL)
    return _rounded(net, vat, total)


def _row_of(finding: Finding) -> int:
    return finding.spans[0].row.index


def _same_place(one: Finding, other: Finding) -> bool:
    return one.spans[0] == other.spans[0]


def _exact(chosen: Mapping[str, Finding]) -> bool:
    net, vat, total = (chosen[term] for term in NET_VAT_TOTAL)
    return abs(_off(net, vat, total)) <= CENT


def _before_tax(
    context: Context, chosen: Mapping[str, Finding], sums: frozenset[Decimal]
) -> dict[str, Finding]:
    """Net total and total where what was named a total is what the lines add up to, and below it stands that and the
    VAT together: "Sub" and "Total" on two rows."""
    named, vat = chosen.get("total_with_vat"), chosen.get("total_vat")
    if named is None or vat is None or "total_without_vat" in chosen or decimal_of(named) not in sums:
        return {}
    both = decimal_of(named) + decimal_of(vat)
    if decimal_of(vat) <= 0:
        return {}
    for row in context.sheet.rows[_row_of(named) + 1 :]:
        for at in context.values.numbers(row):
            if at.money and at.number.value == both:
                features = replace(named.features, label=0.4, relation=0.5, ocr=at.span.score)
                total = replace(
                    named,
                    value=both,
                    spans=(at.span,),
                    score=SCORES["implied"],
                    features=features,
                    raw=at.span.text,
                )
                return {
                    "total_without_vat": replace(named, term="total_without_vat"),
                    "total_with_vat": total,
                }
    return {}


def _settle(candidates: dict[str, list[Finding]], chosen: dict[str, Finding]) -> dict[str, Finding]:
    """The amount due and what was prepaid, given the total; and the lesser totals, by label alone."""
    settled: dict[str, Finding] = {}
    total = chosen.get("total_with_vat")
    best_score = SCORES["least"]
    for due in candidates["amount_due"]:
        for prepaid in (None, *candidates["prepaid_amount"]):
            score = due.score + (prepaid.score - SCORES["least"] if prepaid else 0.0)
            if total is not None:
                paid = abs(decimal_of(prepaid)) if prepaid else Decimal(0)
                rest = decimal_of(total) - paid - decimal_of(due)
                if abs(rest) <= CENT:
                    score += SCORES["due"] if prepaid and paid else SCORES["due_is_total"]
                elif prepaid:
                    score += SCORES["contradiction"]
            if score > best_score:
                best_score = score
                settled = {"amount_due": due} | ({"prepaid_amount": prepaid} if prepaid else {})
    for term in ("rounding_amount", "discount_total", "charge_total"):
        best = candidates[term][:1]
        if best and best[0].score > 0.8:
            settled[term] = best[0]
    return settled


def _after_discount(candidates: dict[str, list[Finding]], chosen: dict[str, Finding]) -> None:
    """The net total is meant after discounts and charges (BT-109): taken where printed instead of one before."""
    if not all(term in chosen for term in NET_VAT_TOTAL) or _exact(chosen):
        return
    net = decimal_of(chosen["total_with_vat"]) - decimal_of(chosen["total_vat"])
    for finding in candidates["total_without_vat"]:
        if decimal_of(finding) == net:
            chosen["total_without_vat"] = finding


def _untaxed(context: Context, vat: Finding) -> bool:
    """Whether no VAT is said to be charged beside a rate above zero."""
    rate = printed_rate(context, vat.spans[0].row)
    return not decimal_of(vat) and rate is not None and rate.number.value > 0


def _passed_over(vats: Sequence[Finding], chosen: Mapping[str, Finding]) -> bool:
    """Whether the VAT is an amount that only net total and total ask for, and another stands by its label between them:
    the bill does not add up."""
    if not all(term in chosen for term in NET_VAT_TOTAL) or chosen["total_vat"].score > SCORES["implied"]:
        return False
    net, vat, total = (_row_of(chosen[term]) for term in NET_VAT_TOTAL)
    named = (_row_of(f) for f in vats if f.score >= SCORES["plain"])
    return not net <= vat <= total and any(net < row < total for row in named)


def _left_out(candidates: dict[str, list[Finding]]) -> bool:
    """Whether net total and VAT are plainly named on the page."""
    terms = ("total_without_vat", "total_vat")
    return all(any(f.score >= SCORES["plain"] for f in candidates[term]) for term in terms)


def _judged(
    finding: Finding, chosen: dict[str, Finding], rivals: Sequence[Finding], agree: bool | None
) -> Finding:
    """The finding with its margin over rivals and what the arithmetic says about it."""
    others = [f.score for f in rivals if f.value != finding.value]
    margin = finding.score - max(others) if others else 1.0
    arithmetic = 0.0
    if finding.term in NET_VAT_TOTAL:
        vat = chosen.get("total_vat")
        full = vat is not None and decimal_of(vat) != 0
        arithmetic = 0.0 if agree is None else (1.0 if full else 0.5) if agree else -1.0
    elif finding.term == "amount_due" and (total := chosen.get("total_with_vat")) is not None:
        paid = abs(decimal_of(chosen["prepaid_amount"])) if "prepaid_amount" in chosen else Decimal(0)
        fits = abs(decimal_of(total) - paid - decimal_of(finding)) <= CENT
        arithmetic = (1.0 if agree or paid else 0.5) if fits else -0.5
    if finding.term == "total_vat" and not {"total_without_vat", "total_with_vat"} & chosen.keys():
        arithmetic = -0.5
    return finding.with_features(
        margin=max(-1.0, min(1.0, margin)) if arithmetic <= 0 else max(0.3, min(1.0, margin)),
        arithmetic=arithmetic,
    )
