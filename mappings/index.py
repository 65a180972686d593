"""The ERP data with everything findable by key, so that a proposal stays fast with many thousand vendors."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from rapidfuzz import fuzz, process

from mappings.erp_data import (
    Account,
    BankAccount,
    Bill,
    Company,
    Currency,
    ErpData,
    OrderLine,
    Partner,
    PostedLine,
    Product,
    PurchaseOrder,
    Related,
    Tax,
)
from mappings.folding import (
    alnum,
    bare_tax_id,
    domain_of,
    domain_parents,
    fold_account,
    fold_tax_id,
    order_keys,
    plain,
    reference_keys,
    registry_keys,
    registry_of_tax_id,
)
from mappings.names import Variant, name_core, name_variants

SHORTEST_ID = 5
Key = TypeVar("Key")
Item = TypeVar("Item")


class ErpIndex:
    """Lookups over one `ErpData`. Vendors are found as commercial partners, never ourselves or our employees."""

    def __init__(self, data: ErpData) -> None:
        self.data = data
        self.precision = data.precision
        self.companies: Mapping[int, Company] = {c.id: c for c in data.companies}
        self.currencies: Mapping[int, Currency] = {c.id: c for c in data.currencies}
        self.currency_by_code: Mapping[str, Currency] = {c.name.upper(): c for c in data.currencies}
        self.partners: Mapping[int, Partner] = {p.id: p for p in data.partners}
        self.taxes: Mapping[int, Tax] = {t.id: t for t in data.taxes}
        self.accounts: Mapping[int, Account] = {a.id: a for a in data.accounts}
        self.products: Mapping[int, Product] = {p.id: p for p in data.products}
        self.terms = {t.id: t for t in data.payment_terms}
        self.orders: Mapping[int, PurchaseOrder] = {o.id: o for o in data.purchase_orders}
        self._index_partners(data.partners)
        self._index_accounts(data.bank_accounts)
        self._index_products(data.products)
        self._index_history(data.posted_lines)
        self._orders_by_key = group((key, o) for o in data.purchase_orders for key in order_keys(o.name))
        self._order_letters = frozenset(
            letters for o in data.purchase_orders for letters, _ in order_keys(o.name) if letters
        )
        self._orders_by_vendor = group((self.commercial(o.partner_id), o) for o in data.purchase_orders)
        self._index_bills(data.bills)
        self._related = {(one.model, one.match): one for one in data.related}
        self.related = {key: _by_text(one) for key, one in self._related.items()}

    def related_name(self, model: str, match: tuple[str, ...], record_id: int) -> str:
        """What a record that a mapping leads to is called, or its number."""
        known = self._related.get((model, match))
        texts = dict(known.records).get(record_id, ()) if known else ()
        return " ".join(texts) or str(record_id)

    # -- partners ---------------------------------------------------------------------------------------------

    def _index_partners(self, partners: Iterable[Partner]) -> None:
        own = {company.partner_id for company in self.companies.values()}
        self.own = frozenset(
            p.id for p in partners if p.id in own or p.commercial_partner_id in own or p.is_employee
        )
        vendors = [p for p in partners if self.commercial(p.id) not in self.own and p.id not in self.own]
        # Odoo writes "/" for a partner that has no tax id: what is too short is none.
        tax_ids = [(fold_tax_id(p.vat), p) for p in vendors if len(fold_tax_id(p.vat)) >= SHORTEST_ID]
        self.by_tax_id = group(tax_ids)
        self.by_bare_tax_id = group((bare_tax_id(tax_id), p) for tax_id, p in tax_ids)
        self.by_registry = group((key, p) for p in vendors for key in _registry_keys(p))
        self.by_domain = group(
            (domain, p) for p in vendors for domain in {domain_of(p.email), domain_of(p.website)} - {""}
        )
        domains = group(
            (self.commercial(p.id), domain) for domain, found in self.by_domain.items() for p in found
        )
        self._domains = {head: frozenset(found) for head, found in domains.items()}
        heads = [p for p in vendors if self.commercial(p.id) == p.id]
        self._heads = heads
        forms = [(form, p) for p in heads for form in _forms(p.name)]
        self._forms = [form for (form, _), _ in forms]
        self._owners = [(p, weight) for (_, weight), p in forms]
        self._cores = frozenset(name_core(p.name) for p in heads)

    def commercial(self, partner_id: int) -> int:
        """The id of the company that a contact belongs to; itself where it is one, or is not known."""
        partner = self.partners.get(partner_id)
        return partner.commercial_partner_id if partner else partner_id

    def partner_name(self, partner_id: int) -> str:
        """The partner's name, or its number where the snapshot does not hold it."""
        partner = self.partners.get(partner_id)
        return partner.name if partner else f"partner {partner_id}"

    def domains_of(self, partner_id: int) -> frozenset[str]:
        """The domains of the e-mail addresses and websites of a vendor and its contacts."""
        return self._domains.get(self.commercial(partner_id), frozenset())

    def currency_name(self, currency_id: int) -> str:
        """The currency's code, or its number where the snapshot does not hold it."""
        return self.currencies[currency_id].name if currency_id in self.currencies else str(currency_id)

    def is_vendor_named(self, core: str) -> bool:
        """Whether a vendor has just that name, legal forms aside."""
        return core in self._cores

    def vendors_named(self, name: str, limit: int = 5, cutoff: float = 0.75) -> list[tuple[Partner, float]]:
        """The vendors whose names are most alike (`name_similarity`), best first, ties by id."""
        found: dict[int, tuple[Partner, float]] = {}
        for query, weight in _forms(name):
            if len(query) < 2:
                continue
            hits = process.extract(
                query, self._forms, scorer=fuzz.ratio, limit=None, score_cutoff=cutoff * 100 / weight
            )
            for _, score, position in hits:
                partner, counts = self._owners[position]
                alike = score / 100 * weight * counts
                if alike >= max(cutoff, found.get(partner.id, (partner, 0.0))[1]):
                    found[partner.id] = partner, alike
        return sorted(found.values(), key=lambda item: (-item[1], item[0].id))[:limit]

    def vendors_at(self, domain: str) -> list[Partner]:
        """Who has e-mail or a website there, or at the nearest domain that this one lies in."""
        for one in domain_parents(domain):
            if found := self.by_domain.get(one):
                return found
        return []

    # -- bank accounts ----------------------------------------------------------------------------------------

    def _index_accounts(self, accounts: Iterable[BankAccount]) -> None:
        accounts = [account for account in accounts if len(fold_account(account.number)) >= SHORTEST_ID]
        self.by_account = group((fold_account(a.number), a) for a in accounts)
        self._accounts_of = group((self.commercial(a.partner_id), a) for a in accounts)
        companies = {company.partner_id for company in self.companies.values()}
        self.own_accounts = frozenset(
            [fold_account(number) for c in self.companies.values() for number in c.accounts]
            + [fold_account(a.number) for a in accounts if a.partner_id in companies]
        )

    def accounts_of(self, partner_id: int) -> list[BankAccount]:
        """The bank accounts of a vendor and its contacts."""
        return self._accounts_of.get(self.commercial(partner_id), [])

    # -- products, history, orders ----------------------------------------------------------------------------

    def _index_products(self, products: Iterable[Product]) -> None:
        self.by_barcode = group((alnum(p.barcode), p) for p in products if p.barcode)
        self.by_default_code = group((alnum(p.default_code), p) for p in products if p.default_code)
        self.by_product_name = group((alnum(p.name), p) for p in products)
        self.by_vendor_code = group(
            ((self.commercial(c.partner_id), alnum(c.product_code)), p)
            for p in products
            for c in p.vendor_codes
            if c.product_code
        )
        self.by_vendor_name = group(
            ((self.commercial(c.partner_id), alnum(c.product_name)), p)
            for p in products
            for c in p.vendor_codes
            if c.product_name
        )

    def _index_history(self, lines: Iterable[PostedLine]) -> None:
        self._history = group((self.commercial(line.partner_id), line) for line in lines)
        self._texts: dict[tuple[int, int], list[str]] = {}
        self.company_taxes = Counter((line.company_id, tax) for line in lines for tax in line.tax_ids)
        self.domestic_taxes = frozenset(
            (line.company_id, tax) for line in lines if self._is_domestic(line) for tax in line.tax_ids
        )

    def _is_domestic(self, line: PostedLine) -> bool:
        vendor, company = self.partners.get(line.partner_id), self.companies.get(line.company_id)
        return bool(vendor and company and vendor.country and vendor.country == company.country)

    def history(self, partner_id: int, company_id: int) -> list[PostedLine]:
        """The posted lines of a vendor in one company."""
        lines = self._history.get(self.commercial(partner_id), [])
        return [line for line in lines if line.company_id == company_id]

    def history_texts(self, partner_id: int, company_id: int) -> list[str]:
        """The descriptions of `history`, `plain` and in its order."""
        key = (self.commercial(partner_id), company_id)
        if key not in self._texts:
            self._texts[key] = [plain(line.name) for line in self.history(partner_id, company_id)]
        return self._texts[key]

    def orders_named(self, reference: str) -> list[PurchaseOrder]:
        """The orders whose number stands in a reference; the whole number first, else digits alone."""
        keys = order_keys(reference)
        exact = {o.id: o for key in keys if key[0] for o in self._orders_by_key.get(key, [])}
        if not exact:
            numbers = {number for _, number in keys}
            exact = {
                o.id: o for key, found in self._orders_by_key.items() if key[1] in numbers for o in found
            }
        return [exact[order_id] for order_id in sorted(exact)]

    @property
    def order_letters(self) -> frozenset[str]:
        """The letters that our order numbers begin with."""
        return self._order_letters

    def billed(self, line: OrderLine) -> Decimal:
        """What was billed of an order line, bills of this round among it."""
        return line.qty_invoiced + self._billed.get(line.id, Decimal(0))

    def orders_of(self, partner_id: int) -> list[PurchaseOrder]:
        """The open orders at a vendor."""
        return self._orders_by_vendor.get(self.commercial(partner_id), [])

    # -- bills ------------------------------------------------------------------------------------------------

    def _index_bills(self, bills: Iterable[Bill]) -> None:
        self._bills = {bill.id: bill for bill in bills}
        self._bills_of = group((self.commercial(b.partner_id), b) for b in bills if b.partner_id)
        self._bills_by_ref = group((key, b) for b in bills for key in reference_keys(b.ref))
        self._later: Mapping[int, Bill] = {}
        self._billed: Mapping[int, Decimal] = {}

    def bill(self, bill_id: int) -> Bill | None:
        """The bill of that id, where it is there and not cancelled."""
        found = self._later.get(bill_id) or self._bills.get(bill_id)
        return found if found and found.state != "cancel" else None

    def bills_of(self, partner_id: int) -> list[Bill]:
        """The bills and refunds of a vendor that are not cancelled."""
        head = self.commercial(partner_id)
        later = [b for b in self._later.values() if b.partner_id and self.commercial(b.partner_id) == head]
        return self._current(self._bills_of.get(head, []), later)

    def bills_with_ref(self, reference: str) -> list[Bill]:
        """The bills of any vendor under that number, however it is spelt."""
        keys = reference_keys(reference)
        found = {b.id: b for key in keys for b in self._bills_by_ref.get(key, [])}
        return self._current(
            found.values(), [b for b in self._later.values() if reference_keys(b.ref) & keys]
        )

    def _current(self, known: Iterable[Bill], later: Iterable[Bill]) -> list[Bill]:
        bills = [*(bill for bill in known if bill.id not in self._later), *later]
        return sorted((bill for bill in bills if bill.state != "cancel"), key=lambda bill: bill.id)

    def with_bill(self, bill: Bill, billed: Mapping[int, Decimal] | None = None) -> ErpIndex:
        """The same index, knowing one bill more (or anew): what was filled in this round is known to the next.

        `billed` are the quantities that it adds to order lines, by id.
        """
        other = copy.copy(self)
        other._later = {**self._later, bill.id: bill}
        more = {
            line: self._billed.get(line, Decimal(0)) + quantity for line, quantity in (billed or {}).items()
        }
        other._billed = {**self._billed, **more}
        return other


def _registry_keys(partner: Partner) -> frozenset[str]:
    number = fold_tax_id(partner.vat)
    within = {registry_of_tax_id(number)} if len(number) >= SHORTEST_ID else set[str]()
    return registry_keys(partner.company_registry) | within


def _forms(name: str) -> list[Variant]:
    """The variants of a name, each also with its words sorted."""
    found: dict[str, float] = {}
    for text, weight in name_variants(name):
        for form in (text, " ".join(sorted(text.split()))):
            found[form] = max(weight, found.get(form, 0.0))
    return [Variant(form, weight) for form, weight in found.items()]


def _by_text(related: Related) -> Mapping[str, tuple[int, ...]]:
    """The records under each of their texts, folded."""
    found: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for record_id, texts in related.records:
        for text in texts:
            found[alnum(text)][record_id] = None
    return {text: tuple(ids) for text, ids in found.items() if text}


def group(pairs: Iterable[tuple[Key, Item]]) -> dict[Key, list[Item]]:
    """The items under each key, in the order they come."""
    found: defaultdict[Key, list[Item]] = defaultdict(list)
    for key, item in pairs:
        found[key].append(item)
    return dict(found)
