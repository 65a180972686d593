"""Checks of a Reading against itself: arithmetic, dates, check digits, currency. Every Reader runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from inference.identifiers import iban_valid, uscc_valid, vat_valid
from inference.invoice import Check, Field, Reading, Row, Status, as_decimal, as_text

CENT = Decimal("0.01")

PAGE_SHOWS = "page_shows"
"""The Check of `inference.shown`; what bears it was looked at."""

HIGHEST_RATE = 30
"""In percent. The highest VAT is that of Hungary, 27 %; India's GST on some goods is 28 %."""


def run_checks(reading: Reading) -> tuple[Check, ...]:
    """All checks of a Reading, those that do not apply included."""
    return (
        _line_arithmetic(reading),
        _lines_sum(reading),
        _vat_by_rate(reading),
        _vat_plausible(reading),
        _totals(reading),
        _amount_due(reading),
        _due_date(reading),
        _tax_id(reading, "seller_vat_id", "seller's tax id"),
        _tax_id(reading, "buyer_vat_id", "buyer's tax id"),
        _account(reading),
        _currency(reading),
    )


def page_agrees(contradicted: Mapping[str, str]) -> Check:
    """Whether the pages of an e-invoice say what its data says, from a sentence for each field where they do not."""
    if not contradicted:
        return _passed("page_agrees", "The page says nothing else than the embedded data.")
    return _failed("page_agrees", " ".join(contradicted.values()))


def code_agrees(source: str, contradicted: Sequence[str]) -> Check:
    """Whether a code on the page says what was read, from a sentence for each value where it does not."""
    if not contradicted:
        return _passed("code_agrees", f"The {source} says nothing else than the page.")
    return _failed("code_agrees", " ".join(contradicted))


def page_shows(contradicted: Sequence[str], *, asked: bool) -> Check:
    """Whether the pages show what the text of the file says, from sentences on values that they do not show."""
    if not asked:
        return _absent(PAGE_SHOWS, "No value comes from the text of a PDF.")
    if not contradicted:
        return _passed(PAGE_SHOWS, "The page shows what the text of the file says.")
    return _failed(PAGE_SHOWS, " ".join(contradicted))


def line_agrees(line: Row) -> bool | None:
    """Whether quantity × price − discount is the line's amount; None where one of them is not printed.

    The price may stand for several units on the page, so a cent per unit of rounding is allowed for.
    """
    quantity, price = as_decimal(line.get("quantity")), as_decimal(line.get("net_price"))
    amount = _line_amount(line)
    if quantity is None or price is None or amount is None:
        return None
    product = quantity * price
    expected = {product, abs(product)}
    if percent := as_decimal(line.get("discount_percent")):
        expected.add(product * (1 - percent / 100))
    if discount := as_decimal(line.get("discount_amount")):
        expected |= {product - abs(discount), quantity * (price - abs(discount))}
    slack = max(CENT, abs(quantity) * CENT / 2)
    return any(abs(value - amount) <= slack for value in expected)


def _line_amount(line: Row) -> Decimal | None:
    net = as_decimal(line.get("line_net_amount"))
    return net if net is not None else as_decimal(line.get("line_total_with_vat"))


def failed_lines(reading: Reading) -> tuple[int, ...]:
    """The positions (from 0) of the lines whose own arithmetic fails."""
    return tuple(i for i, line in enumerate(reading.lines) if line_agrees(line) is False)


def _line_arithmetic(reading: Reading) -> Check:
    known = [agrees for line in reading.lines if (agrees := line_agrees(line)) is not None]
    if not known:
        return _absent("line_arithmetic", "No line shows quantity, price and amount together.")
    failed = failed_lines(reading)
    if not failed:
        return _passed(
            "line_arithmetic", f"Quantity × price is the amount on all {len(known)} lines that show them."
        )
    line = reading.lines[failed[0]]
    quantity, price, amount = (_plain(line.get(n)) for n in ("quantity", "net_price", "line_net_amount"))
    return _failed(
        "line_arithmetic",
        f"On line {failed[0] + 1}, {quantity} × {price} is not {amount}"
        + (f"; {len(failed) - 1} more lines do not add up either." if len(failed) > 1 else "."),
    )


def _lines_sum(reading: Reading) -> Check:
    amounts = [_line_amount(line) for _, line in reading.counted_lines]
    known = [amount for amount in amounts if amount is not None]
    net, total = reading.amount("total_without_vat"), reading.amount("total_with_vat")
    if not known or len(known) < len(amounts) or (net is None and total is None):
        return _absent("lines_sum", "The lines or the totals are not all known.")
    lines = sum(known, Decimal(0))
    less = abs(reading.amount("discount_total") or Decimal(0))
    more = reading.amount("charge_total") or Decimal(0)
    slack = CENT * max(1, len(known))
    for name, printed in (("net total", net), ("total", total)):
        for expected in (lines, lines - less, lines + more, lines - less + more):
            if printed is not None and abs(expected - printed) <= slack:
                return _passed("lines_sum", f"The lines add up to the {name} of {_money(printed)}.")
    name, printed = ("net total", net) if net is not None else ("total", total)
    return _failed("lines_sum", f"The lines add up to {_money(lines)}, but the {name} is {_money(printed)}.")


def _vat_by_rate(reading: Reading) -> Check:
    rows = [row for row in reading.vat_breakdown if "vat_rate" in row or "vat_amount" in row]
    known = [
        (rate, base, vat)
        for row in rows
        if (rate := as_decimal(row.get("vat_rate"))) is not None
        and (base := as_decimal(row.get("taxable_amount"))) is not None
        and (vat := as_decimal(row.get("vat_amount"))) is not None
    ]
    if not known:
        return _absent("vat_by_rate", "No VAT by rate is known.")
    for rate, base, vat in known:
        expected = base * rate / 100
        # Rounding line by line may differ from rounding the sum.
        if abs(expected - vat) > CENT * max(1, len(reading.lines)):
            return _failed(
                "vat_by_rate",
                f"{_plain_number(rate)} % of {_money(base)} is {_money(expected)}, but the VAT is {_money(vat)}.",
            )
    total = reading.amount("total_vat")
    summed = sum((vat for _, _, vat in known), Decimal(0))
    # A rate whose figures are not all printed may make up the rest.
    if total is not None and len(known) == len(rows) and abs(summed - total) > CENT * len(known):
        return _failed(
            "vat_by_rate",
            f"The VAT by rate adds up to {_money(summed)}, but the total VAT is {_money(total)}.",
        )
    return _passed("vat_by_rate", "The VAT of each rate is its rate times its base.")


def _vat_plausible(reading: Reading) -> Check:
    net, vat, total = (reading.amount(n) for n in ("total_without_vat", "total_vat", "total_with_vat"))
    base = net if net is not None else total - vat if total is not None and vat is not None else None
    if vat is None or base is None:
        return _absent("vat_plausible", "Net total and VAT are not both known.")
    if vat * base < 0:
        return _failed(
            "vat_plausible", f"The VAT of {_money(vat)} and the net total of {_money(base)} differ in sign."
        )
    if abs(vat) > abs(base) * HIGHEST_RATE / 100 + CENT:
        return _failed(
            "vat_plausible",
            f"{_money(vat)} VAT on {_money(base)} is more than {HIGHEST_RATE} %, which no country charges.",
        )
    return _passed("vat_plausible", f"{_money(vat)} VAT on {_money(base)} can be right.")


def _totals(reading: Reading) -> Check:
    net, vat, total = (reading.amount(n) for n in ("total_without_vat", "total_vat", "total_with_vat"))
    if net is None or vat is None or total is None:
        return _absent("totals", "Net total, VAT and total are not all known.")
    rounding = reading.amount("rounding_amount") or Decimal(0)
    if min(abs(net + vat - total), abs(net + vat + rounding - total)) <= CENT:
        return _passed("totals", f"{_money(net)} and {_money(vat)} VAT are {_money(total)}.")
    return _failed(
        "totals",
        f"{_money(net)} and {_money(vat)} VAT are {_money(net + vat)}, but the total is {_money(total)}.",
    )


def _amount_due(reading: Reading) -> Check:
    total, due = reading.amount("total_with_vat"), reading.amount("amount_due")
    if total is None or due is None:
        return _absent("amount_due", "Total and amount due are not both known.")
    paid = abs(reading.amount("prepaid_amount") or Decimal(0))
    rounding = reading.amount("rounding_amount") or Decimal(0)
    if min(abs(total - paid - due), abs(total - paid + rounding - due)) <= CENT:
        return _passed("amount_due", f"The total less {_money(paid)} paid is {_money(due)}.")
    return _failed(
        "amount_due",
        f"{_money(total)} less {_money(paid)} paid is {_money(total - paid)}, but {_money(due)} is due.",
    )


def _due_date(reading: Reading) -> Check:
    issued, due = reading.day("issue_date"), reading.day("due_date")
    if issued is None or due is None:
        return _absent("due_date", "Date of issue and due date are not both known.")
    if due >= issued:
        return _passed("due_date", f"Due on {due.isoformat()}, issued on {issued.isoformat()}.")
    return _failed(
        "due_date", f"It is due on {due.isoformat()}, before it was issued on {issued.isoformat()}."
    )


def _tax_id(reading: Reading, name: str, called: str) -> Check:
    value = reading.text(name)
    if value is None:
        return _absent(name, f"The {called} is not known.")
    valid = (
        uscc_valid(value) if len(value) == 18 and value[:2].isalnum() and not value[:2].isalpha() else None
    )
    if value[:2].isalpha():
        valid = vat_valid(value)
    if valid is None:
        return _absent(name, f"The form of the {called} {value} has no check digits that are known here.")
    if valid:
        return _passed(name, f"The check digits of the {called} {value} are right.")
    return _failed(name, f"The check digits of the {called} {value} are wrong.")


def _account(reading: Reading) -> Check:
    value = reading.text("payment_account")
    if value is None or not value[:2].isalpha():
        return _absent("payment_account", "No IBAN is known.")
    if iban_valid(value):
        return _passed("payment_account", f"The check digits of the IBAN {value} are right.")
    return _failed("payment_account", f"The check digits of the IBAN {value} are wrong.")


def _currency(reading: Reading) -> Check:
    from inference.numbers import NUMBER, currency_of

    code = reading.text("currency")
    if code is None:
        return _absent("currency", "No currency is known.")
    for name in ("total_without_vat", "total_vat", "total_with_vat", "amount_due"):
        found = reading.get(name)
        for evidence in found.evidence if found else ():
            match = NUMBER.search(evidence.text or "")
            printed = currency_of(match["cur1"] or match["cur2"] or "") if match else ""
            if printed and printed != code:
                return _failed("currency", f"The currency is {code}, but an amount is printed in {printed}.")
    return _passed("currency", f"No amount is printed in another currency than {code}.")


def _passed(name: str, message: str) -> Check:
    return Check(name, Status.PASS, message)


def _failed(name: str, message: str) -> Check:
    return Check(name, Status.FAIL, message)


def _absent(name: str, message: str) -> Check:
    return Check(name, Status.NOT_APPLICABLE, message)


def _money(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:.2f}"


def _plain(found: Field | None) -> str:
    number = as_decimal(found)
    return _plain_number(number) if number is not None else as_text(found) or "?"


def _plain_number(number: Decimal) -> str:
    return format(number.normalize(), "f") if number else "0"
