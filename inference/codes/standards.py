"""Which standard a code follows."""

from __future__ import annotations

from inference.codes import fiscal, payment
from inference.codes.claims import Claims


def claims_in(text: str) -> Claims | None:
    """What the text of a code says; None where it follows no standard known here. Never raises, whatever the text."""
    for read in (
        payment.swiss,
        payment.epc,
        payment.slovenian,
        fiscal.fapiao,
        fiscal.portuguese,
        fiscal.turkish,
        fiscal.indian,
        fiscal.saudi,
    ):
        if found := read(text):
            return found
    return None
