"""What identifies the parties: tax ids, register numbers, bank accounts, addresses on the net."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from inference.confidence import Features
from inference.identifiers import Identifier, Scheme, find_bics
from inference.readers import Recipient
from inference.readers.layout.blocks import Blocks
from inference.readers.layout.candidates import Finding, IdentifierAt, identifier_after
from inference.readers.layout.header import Context
from inference.readers.layout.labels import Label
from inference.readers.layout.lexicon import fold, lexicon, pieces
from inference.readers.layout.rows import Span

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
        return [*self._tax_ids(), *self._accounts(), *self._contacts()]

    def _tax_ids(self) -> Iterator[Finding]:
        sellers: list[Finding] = []
        buyers: list[Finding] = []
        places: dict[str, list[IdentifierAt]] = {}
        for at in (*self.context.values.vat_ids, *self._labelled_ids()):
            places.setdefault(at.identifier.value, []).append(at)
        for value, same in places.items():
            owners = [(owner, at) for at in same if (owner := self._owner(at))]
            role, at = owners[0] if owners else ("", same[0])
            check = 0.0 if at.identifier.valid is None else 1.0 if at.identifier.valid else -1.0
            labelled = self._label_before(at.span)
            score = 0.5 + 0.3 * (labelled != "") + 0.1 * check + 0.25 * (role != "")
            # A person's tax number is seldom a seller's.
            score -= 0.2 * (at.identifier.country == "BR" and len(value) == 11)
            features = Features(
                label=0.9 if labelled else 0.4,
                relation=0.9 if role else 0.5,
                check_digit=check,
                ocr=at.span.score,
                scanned=float(at.span.row.ocr),
            )
            term = "buyer_vat_id" if role == "buyer" else "seller_vat_id"
            finding = Finding(term, value, (at.span,), score, features, at.span.text)
            if role != "other":
                (buyers if role == "buyer" else sellers).append(finding)
        if sellers:
            ranked = sorted(sellers, key=lambda f: -f.score)
            margin = ranked[0].score - ranked[1].score if len(ranked) > 1 else 1.0
            yield ranked[0].with_features(margin=max(0.0, min(1.0, 2 * margin)))
        if buyers:
            yield max(buyers, key=lambda f: f.score)
        yield from self._simple("seller_tax_id", least_digits=6)
        yield from self._simple("seller_registration", least_digits=3)

    def _simple(self, term: str, least_digits: int) -> Iterator[Finding]:
        """An identifier right of its label, outside of the buyer's block."""
        for label in self.context.all_labels(term):
            span = self._identifier_beside(label)
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

    def _labelled_ids(self) -> Iterator[IdentifierAt]:
        """Tax ids of countries whose form is not known, right of a label."""
        known = {(at.span.row.index, at.span.start) for at in self.context.values.vat_ids}
        for term in ("seller_vat_id", "buyer_vat_id"):
            for label in self.context.all_labels(term):
                span = self._identifier_beside(label)
                if (
                    span is None
                    or (span.row.index, span.start) in known
                    or (label.means("total_vat") and not label.colon)
                ):
                    continue
                compact = re.sub(r"[^A-Za-z0-9]", "", span.text).upper()
                if not 8 <= len(compact) <= 20 or sum(c.isdigit() for c in compact) < 7 or "/" in span.text:
                    continue
                if any(
                    at.span.row is span.row and at.span.start < span.end and span.start < at.span.end
                    for at in self.context.values.vat_ids
                ):
                    continue
                yield IdentifierAt(
                    span, Identifier(Scheme.LOCAL_TAX, compact, span.start, span.end, "", None)
                )

    def _identifier_beside(self, label: Label) -> Span | None:
        """The identifier right of a label."""
        span = self.context.beside(label)
        if span is None and label.ends_segment:
            span = next(iter(islice(self.context.column_below(label), 1)), None)
        return identifier_after(span.row, span.start, span.end) if span else None

    def _owner(self, at: IdentifierAt) -> str:
        own = {fold(tax_id) for tax_id in self.recipient.tax_ids}
        if fold(at.identifier.value) in own:
            return "buyer"
        if self._label_before(at.span) == "buyer_vat_id":
            return "buyer"
        before = [lb for lb in self.context.of(at.span.row) if lb.span.end <= at.span.start and lb.leads]
        if before and (role := self.blocks.role_at(before[-1].span)):
            return role
        return self.blocks.role_at(at.span) or self.blocks.role_at(at.span, wide=True)

    def _label_before(self, span: Span) -> str:
        """The tax id label that stands before a place in its row, or above it."""
        terms = ("buyer_vat_id", "seller_vat_id", "seller_tax_id")
        before = [lb for lb in self.context.of(span.row) if lb.span.end <= span.start]
        for label in reversed(before):
            for term in terms:
                if label.means(term):
                    return self._qualified(label, term)
        if before:
            return ""
        for row in reversed(self.context.sheet.rows[max(0, span.row.index - 3) : span.row.index]):
            if span.row.middle - row.middle > 2.2 * span.row.height or row.page != span.row.page:
                break
            for label in self.context.of(row):
                over = min(label.span.x1, span.x1) - max(label.span.x0, span.x0)
                if over > 0 and (term := next((t for t in terms if label.means(t)), "")):
                    return term
        return ""

    def _qualified(self, label: Label, term: str) -> str:
        """A tax id label with the word before it taken in: "Buyer VAT ID", "Käufer USt-ID"."""
        before = pieces(label.row.text[: label.span.start])[-2:]
        words = {piece.folded for piece in before}
        meanings = [m.term for word in words for m in lexicon().labels.get(word, ())]
        if "party_buyer" in meanings or words & {"req", "requisitionner", "client", "kunden"}:
            return "buyer_vat_id"
        return term

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
