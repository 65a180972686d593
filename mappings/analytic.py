"""The analytic distribution of a line: only where the vendor's earlier lines all had the same."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.case import Case
from mappings.erp_data import Distribution, Partner, PostedLine
from mappings.folding import most_similar
from mappings.index import ErpIndex
from mappings.proposal import ProposedValue

SIMILAR = 0.80
FEWEST = 2
SURE, FEW = 0.95, 0.85
MANY = 5


def choose_analytic(
    case: Case, description: str, account_id: int | None, vendor: Partner | None
) -> ProposedValue | None:
    """That of the lines called alike, else of those on the same account, else of all; None where they differ.

    A single earlier line is no habit, and a distribution over accounts that are archived is none to go on with.
    """
    if vendor is None:
        return None
    lines = case.index.history(vendor.id, case.company.id)
    alike = most_similar(description, case.index.history_texts(vendor.id, case.company.id), SIMILAR)
    groups = (
        ([lines[i] for i in sorted(alike)], f"lines like {description!r}"),
        ([line for line in lines if line.account_id == account_id], "lines on this account"),
        (lines, "lines"),
    )
    chosen, what = next(((group, what) for group, what in groups if len(group) >= FEWEST), ((), ""))
    distribution = _uniform(chosen)
    if distribution is None or not _is_usable(case, distribution):
        return None
    reason = f"{described(case.index, distribution)}, as all {len(chosen)} earlier {what} of {vendor.name}."
    return ProposedValue(distribution, SURE if len(chosen) >= MANY else FEW, reason)


def _uniform(lines: Sequence[PostedLine]) -> Distribution | None:
    found = {line.analytic for line in lines}
    return found.pop() if len(found) == 1 else None


def _accounts(distribution: Distribution) -> list[int]:
    keys = [one for key, _ in distribution.parts for one in key.split(",")]
    return [int(one) if one.isdecimal() else 0 for one in keys]


def _is_usable(case: Case, distribution: Distribution) -> bool:
    known = dict(case.index.data.analytic_accounts)
    return all(number in known for number in _accounts(distribution))


def described(index: ErpIndex, distribution: Distribution) -> str:
    """The distribution in the names of its analytic accounts."""
    known = dict(index.data.analytic_accounts)
    parts: list[str] = []
    for key, percent in distribution.parts:
        names = [known.get(int(one), one) if one.isdecimal() else one for one in key.split(",")]
        parts.append(f"{' + '.join(names)} {percent:f} %")
    return ", ".join(parts)
