"""The account that a line is booked on: as the vendor's earlier lines were, else the product's, else a default."""

from __future__ import annotations

from collections import Counter

from mappings.case import Case
from mappings.erp_data import Partner, PostedLine
from mappings.fiscal import fiscal_position
from mappings.folding import most_similar
from mappings.learned import learned_account, prefer
from mappings.proposal import ProposedValue

SIMILAR = 0.80
DEFAULT_CONFIDENCE = 0.6


def choose_account(
    case: Case,
    description: str,
    product_id: int | None,
    vendor: Partner | None,
    tax_ids: tuple[int, ...] = (),
) -> ProposedValue | None:
    """None only where not even the journal has a default account.

    A vendor's lines of one tax go to one account more often than all its lines do (books and paper, say), so the
    most frequent account is that of the lines with `tax_ids` where there are any.
    """
    history = _usable_history(case, vendor)
    return prefer(
        learned_account(case, vendor, description),
        _by_description(case, description, vendor)
        or _of_product(case, product_id, vendor)
        or _most_frequent(case, [line for line in history if line.tax_ids == tax_ids] or history, vendor)
        or _journal_default(case, vendor),
    )


def _usable_history(case: Case, vendor: Partner | None) -> list[PostedLine]:
    lines = case.index.history(vendor.id, case.company.id) if vendor else []
    return [line for line in lines if case.usable_account(line.account_id)]


def _label(case: Case, account_id: int) -> str:
    account = case.index.accounts[account_id]
    return f"{account.code} {account.name}".strip()


def _by_description(case: Case, description: str, vendor: Partner | None) -> ProposedValue | None:
    if vendor is None:
        return None
    lines = case.index.history(vendor.id, case.company.id)
    texts = case.index.history_texts(vendor.id, case.company.id)
    alike = most_similar(description, texts, SIMILAR)
    near = [(alike[i], lines[i]) for i in sorted(alike) if case.usable_account(lines[i].account_id)]
    if not near:
        return None
    top = max(score for score, _ in near)
    votes = Counter(line.account_id for score, line in near if score >= top - 0.05)
    account, count = votes.most_common(1)[0]
    share = count / votes.total()
    example = next(line.name for score, line in near if score == top)
    reason = f"{_label(case, account)}, like the earlier line {example!r} of {vendor.name}."
    return ProposedValue(account, 0.97 * share, reason)


def _of_product(case: Case, product_id: int | None, vendor: Partner | None) -> ProposedValue | None:
    product = case.index.products.get(product_id or 0)
    account = _mapped(case, product.expense_account_id if product else None, vendor)
    if product is None or account is None or not case.usable_account(account):
        return None
    return ProposedValue(account, 0.95, f"{_label(case, account)}, the expense account of {product.name}.")


def _most_frequent(case: Case, history: list[PostedLine], vendor: Partner | None) -> ProposedValue | None:
    votes = Counter(line.account_id for line in history)
    if not votes or vendor is None:
        return None
    account, count = votes.most_common(1)[0]
    share = count / votes.total()
    reason = f"{_label(case, account)}, where {count} of {votes.total()} earlier lines of {vendor.name} like it went."
    return ProposedValue(account, min(0.94 if votes.total() > 1 else 0.90, share), reason)


def _journal_default(case: Case, vendor: Partner | None) -> ProposedValue | None:
    journals = [j for j in case.index.data.journals if j.company_id == case.company.id]
    journal = next((j for j in journals if j.id == case.record.journal_id), next(iter(journals), None))
    account = _mapped(case, journal.default_account_id if journal else None, vendor)
    if account is None or not case.usable_account(account):
        return None
    reason = f"{_label(case, account)}, the journal's default: nothing earlier tells the account."
    return ProposedValue(account, DEFAULT_CONFIDENCE, reason)


def _mapped(case: Case, account_id: int | None, vendor: Partner | None) -> int | None:
    """The account that the vendor's fiscal position books on instead, as Odoo does with defaults."""
    position = fiscal_position(case, vendor)
    return dict(position.accounts).get(account_id or 0, account_id) if position else account_id
