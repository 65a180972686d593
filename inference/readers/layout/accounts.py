"""What identifies the parties: tax ids, register numbers, bank accounts, addresses on the net."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from inference.confidence import Features
from inference.identifiers import find_bics
from inference.readers import Recipient
from inference.readers.layout.blocks import Blocks
from inference.readers.layout.candidates import Finding
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.lexicon import fold
from inference.readers.layout.rows import Span
from inference.readers.layout.tax_ids import identifier_beside

_ACCOUNT = re.compile(r"(?<![\w-])\d(?:[ -]?\d){5,24}(?!\w)|(?<=[^\x00-\x7f])\d{8,28}")

_REGISTER = re.compile(
    r"\b(?:HR[AB]|RCS|R\.C\.S\.|FN|CUI)[\s.:]*(?:Nr\.?\s*)?(?:[A-Z][\w-]+\s+)?([A-Z]?\d[\d ]*\d\w?)"
)


@dataclass(frozen=True)
class Accounts:
    """Finds the ids and accounts of both parties; those of the recipient are never the seller's."""

    context: Context
    blocks: Blocks
    recipient: Recipient

    def findings(self) -> list[Finding]:
        """The findings, one per term."""
        return [*self._numbers(), *self._accounts(), *self._contacts()]

    def _numbers(self) -> Iterator[Finding]:
        yield from self._simple("seller_tax_id", least_digits=6)
        yield from self._simple("seller_registration", least_digits=3)

    def _simple(self, term: str, least_digits: int) -> Iterator[Finding]:
        """An identifier right of its label, outside of the buyer's block."""
        for label in self.context.all_labels(term):
            span = identifier_beside(self.context, label)
            span = _register(label) or span
            if (
                span
                and sum(c.isdigit() for c in span.text) >= least_digits
                and self.blocks.role_at(span) != "buyer"
            ):
                features = Features(
                    label=label.weight(term), relation=0.9, ocr=span.score, scanned=float(span.row.ocr)
                )
                yield Finding(term, span.text, (span,), 0.8, features, span.text)
                return

    def _accounts(self) -> Iterator[Finding]:
        own = {fold(account) for account in self.recipient.accounts}
        for at in self.context.values.ibans:
            if fold(at.identifier.value) in own or self.blocks.role_at(at.span) == "buyer":
                continue
            check = 1.0 if at.identifier.valid else -1.0
            features = Features(
                label=0.9, relation=0.9, check_digit=check, ocr=at.span.score, scanned=float(at.span.row.ocr)
            )
            yield Finding("payment_account", at.identifier.value, (at.span,), 1.0, features, at.span.text)
            break
        else:
            yield from self._local_account()
        for label in self.context.all_labels("payment_bic"):
            place = self.context.beside(label)
            if place is None and label.ends_segment:
                place = next(iter(islice(self.context.column_below(label), 1)), None)
            if place is None:
                continue
            for found in find_bics(place.text):
                span = Span(place.row, place.start + found.start, place.start + found.end)
                features = Features(label=1.0, relation=1.0, ocr=span.score, scanned=float(span.row.ocr))
                yield Finding("payment_bic", found.value, (span,), 1.0, features, span.text)
                return

    def _local_account(self) -> Iterator[Finding]:
        """An account number that is no IBAN, right of its label or below it."""
        for label in self.context.all_labels("payment_account"):
            place = self.context.beside(label)
            if place is None and label.ends_segment:
                place = next(iter(islice(self.context.column_below(label), 1)), None)
            if "iban" in label.key or (place and re.match(r"[A-Z]{2}\s?\d{2}\s", place.text)):
                # An IBAN that was misread is no local account.
                continue
            found = _ACCOUNT.search(place.text) if place else None
            if place is None or any(at.span.row is place.row for at in self.context.values.ibans):
                continue
            if found is None or self.blocks.role_at(label.span) == "buyer":
                continue
            span = Span(place.row, place.start + found.start(), place.start + found.end())
            features = Features(
                label=label.weight("payment_account"),
                relation=0.7,
                ocr=span.score,
                scanned=float(span.row.ocr),
            )
            value = re.sub(r"[ -]", "", found.group())
            yield Finding("payment_account", value, (span,), 0.7, features, span.text)
            return

    def _contacts(self) -> Iterator[Finding]:
        """The seller's e-mail address and website: the first ones outside of the buyer's block."""
        patterns = {
            "seller_email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            "seller_website": r"(?:https?://|www\.)[\w-]+(?:\.[\w-]+)+",
        }
        for term, pattern in patterns.items():
            for row in self.context.sheet.rows:
                match = re.search(pattern, row.text)
                span = Span(row, match.start(), match.end()) if match else None
                if span and self.blocks.role_at(span) not in ("buyer", "other"):
                    features = Features(label=0.6, relation=0.6, ocr=span.score, scanned=float(row.ocr))
                    yield Finding(term, span.text, (span,), 0.6, features, span.text)
                    break


def _register(label: Label) -> Span | None:
    """A register's number with the register's sign, which belongs to it ("HRB 12345")."""
    found = _REGISTER.search(label.row.text, label.span.start)
    return Span(label.row, *found.span()) if found else None
