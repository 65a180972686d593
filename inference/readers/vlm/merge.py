"""What the model says of each page, made one: covers and terms are passed over, sums carried forward are no lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference.readers.layout.lexicon import lexicon
from inference.readers.vlm.placing import PageSaid, Said, SaidRow
from inference.readers.vlm.schema import DOCUMENT_TYPE
from inference.textrow import fold

TOTALS = ("total_without_vat", "total_vat", "total_with_vat", "prepaid_amount", "amount_due")
_FIGURES = frozenset({"quantity", "net_price", "line_net_amount", "line_total_with_vat"})
_AMOUNTS = ("line_net_amount", "line_total_with_vat")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Merged:
    """All that the model says of a document. `cut_pages` have more lines than it told."""

    header: Mapping[str, Said]
    taxes: tuple[SaidRow, ...]
    lines: tuple[SaidRow, ...]
    cut_pages: tuple[int, ...] = ()


def merged(pages: Sequence[PageSaid]) -> Merged:
    """One header from the page that proves most of it, the totals from the page whose totals add up, else the last
    page with any; the lines of all pages in order."""
    told = [page for page in pages if _tells(page)] or list(pages)
    header = _header(told)
    lines = _without_sums([line for page in told for line in page.lines])
    taxes = next((page.taxes for page in reversed(told) if page.taxes), ())
    return Merged(header, taxes, tuple(lines), tuple(page.page for page in told if not page.complete))


def _tells(page: PageSaid) -> bool:
    """Whether a page is part of the bill: it has lines or totals that stand there. A cover or terms page has none."""
    figures = any(said.evidence for line in page.lines for name, said in line.items() if name in _FIGURES)
    return figures or any(name in page.header and page.header[name].evidence for name in TOTALS)


def _header(pages: Sequence[PageSaid]) -> dict[str, Said]:
    ranked = sorted(pages, key=lambda page: (-_proved(page), page.page))
    found: dict[str, Said] = {}
    for page in ranked:
        for name, said in page.header.items():
            known = found.get(name)
            if known is None or (
                known.evidence is None and said.evidence is not None and name != DOCUMENT_TYPE
            ):
                found[name] = said
    return found | _totals(pages)


def _proved(page: PageSaid) -> int:
    return sum(said.evidence is not None for said in page.header.values())


def _totals(pages: Sequence[PageSaid]) -> dict[str, Said]:
    """The totals of one page, not of several: a page may end with the sum so far."""
    with_any = [page for page in pages if any(_proven(page, name) for name in TOTALS)]
    chosen = next((page for page in reversed(with_any) if _adds_up(page)), with_any[-1] if with_any else None)
    if chosen is None:
        return {}
    return {name: chosen.header[name] for name in TOTALS if name in chosen.header}


def _proven(page: PageSaid, name: str) -> bool:
    return name in page.header and page.header[name].evidence is not None


def _adds_up(page: PageSaid) -> bool:
    net, vat, total = (_number(page.header.get(name)) for name in TOTALS[:3])
    return net is not None and vat is not None and total is not None and abs(net + vat - total) <= _CENT


def _without_sums(lines: Sequence[SaidRow]) -> list[SaidRow]:
    """The lines without rows that have no figures and rows that only repeat the sum of those before."""
    kept: list[SaidRow] = []
    for line in lines:
        if not line.keys() & _FIGURES or _is_carried(line) or _is_sum(line, kept):
            continue
        kept.append(line)
    return kept


def _is_carried(line: SaidRow) -> bool:
    if _number(line.get("quantity")) is not None or _number(line.get("net_price")) is not None:
        return False
    name = line.get("item_name")
    folded = fold(str(name.value)) if name else ""
    return any(
        folded.startswith(word) or folded.endswith(word) for word in lexicon().carried if len(word) > 2
    )


def _is_sum(line: SaidRow, before: Sequence[SaidRow]) -> bool:
    if len(before) < 2 or "quantity" in line or "net_price" in line or "item_seller_id" in line:
        return False
    for name in _AMOUNTS:
        amount = _number(line.get(name))
        others = [number for row in before if (number := _number(row.get(name))) is not None]
        if amount and len(others) == len(before) and abs(sum(others, Decimal(0)) - amount) <= _CENT:
            return True
    return False


def _number(said: Said | None) -> Decimal | None:
    return said.value if said and isinstance(said.value, Decimal) else None
