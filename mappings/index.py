"""The ERP data with everything findable by key, so that a proposal stays fast with many thousand vendors.

An index is kept from round to round: `refresh` takes out and puts in the records that changed and leaves the rest.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

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
from mappings.lookup import Item, Lookup, changes
from mappings.name_search import NameSearch
from mappings.names import name_core

SHORTEST_ID = 5
MOST_NAMES = 1000
"""So many answers to `vendors_named` are kept until the next refresh."""


class ErpIndex:
    """Lookups over one `ErpData`. Vendors are found as commercial partners, never ourselves or our employees."""

    def __init__(self, data: ErpData) -> None:
        self.data = data
        self._by_tax_id: Lookup[str, Partner] = Lookup(_tax_id)
        self._by_bare_tax_id: Lookup[str, Partner] = Lookup(lambda p: map(bare_tax_id, _tax_id(p)))
        self._by_registry: Lookup[str, Partner] = Lookup(_registry_keys)
        self._by_domain: Lookup[str, Partner] = Lookup(_domains)
        self._by_core: Lookup[str, Partner] = Lookup(lambda p: (name_core(p.name),) if _is_head(p) else ())
        self._members: Lookup[int, Partner] = Lookup(lambda p: (p.commercial_partner_id,))
        self._names = NameSearch()
        self._by_account: Lookup[str, BankAccount] = Lookup(_account_key)
        self._accounts: Lookup[int, BankAccount] = Lookup(
            lambda a: (a.partner_id,) if _account_key(a) else ()
        )
        self._history: Lookup[tuple[int, int], PostedLine] = Lookup(
            lambda line: ((line.partner_id, line.company_id),)
        )
        self._orders_by_key: Lookup[tuple[str, int], PurchaseOrder] = Lookup(lambda o: order_keys(o.name))
        self._orders_by_number: Lookup[int, PurchaseOrder] = Lookup(
            lambda o: {number for _, number in order_keys(o.name)}
        )
        self._orders: Lookup[int, PurchaseOrder] = Lookup(lambda o: (o.partner_id,))
        self._bills: Lookup[int, Bill] = Lookup(lambda b: (b.id,))
        self._bills_by_vendor: Lookup[int, Bill] = Lookup(lambda b: (b.partner_id,) if b.partner_id else ())
        self._bills_by_ref: Lookup[str, Bill] = Lookup(lambda b: reference_keys(b.ref))
        self.company_taxes: Counter[tuple[int, int]] = Counter()
        self._tax_users: Counter[tuple[int, int, int]] = Counter()
        self._texts: dict[tuple[int, int], list[str]] = {}
        self._take(data, None)

    def refresh(self, data: ErpData) -> None:
        """Follow the ERP: only records that are other objects than before are looked at.

        Bills known from `with_bill` are forgotten, since `data` has them. Copies made by it must not be used after.
        """
        before, self.data = self.data, data
        self._take(data, before)

    def _take(self, data: ErpData, before: ErpData | None) -> None:
        self.precision = data.precision
        self.companies: Mapping[int, Company] = {c.id: c for c in data.companies}
        self.currencies: Mapping[int, Currency] = {c.id: c for c in data.currencies}
        self.currency_by_code: Mapping[str, Currency] = {c.name.upper(): c for c in data.currencies}
        self.taxes: Mapping[int, Tax] = {t.id: t for t in data.taxes}
        self.accounts: Mapping[int, Account] = {a.id: a for a in data.accounts}
        self.terms = {t.id: t for t in data.payment_terms}
        moved = self._take_partners(data, before.partners if before else ())
        gone, come = changes(before.bank_accounts if before else (), data.bank_accounts)
        _update((self._by_account, self._accounts), gone, come)
        self.own_accounts = self._own_accounts()
        self._take_products(data, before, moved)
        self._take_lines(data, before.posted_lines if before else (), moved)
        gone, come = changes(before.purchase_orders if before else (), data.purchase_orders)
        _update((self._orders_by_key, self._orders_by_number, self._orders), gone, come)
        if gone or come or before is None:
            self.orders: Mapping[int, PurchaseOrder] = {o.id: o for o in data.purchase_orders}
            self.order_letters = frozenset(letters for letters, _ in self._orders_by_key if letters)
        gone, come = changes(before.bills if before else (), data.bills)
        _update((self._bills, self._bills_by_vendor, self._bills_by_ref), gone, come)
        self._later: Mapping[int, Bill] = {}
        self._billed: Mapping[int, Decimal] = {}
        self._named: dict[tuple[str, float], list[tuple[Partner, float]]] = {}
        self._related = {(one.model, one.match): one for one in data.related}
        self.related = {key: _by_text(one) for key, one in self._related.items()}

    def related_name(self, model: str, match: tuple[str, ...], record_id: int) -> str:
        """What a record that a mapping leads to is called, or its number."""
        known = self._related.get((model, match))
        texts = dict(known.records).get(record_id, ()) if known else ()
        return " ".join(texts) or str(record_id)

    # -- partners ---------------------------------------------------------------------------------------------

    def _take_partners(self, data: ErpData, before: tuple[Partner, ...]) -> bool:
        """Whether any contact has come, gone or changed its company."""
        gone, come = changes(before, data.partners)
        partners = self._by_tax_id, self._by_bare_tax_id, self._by_registry, self._by_domain
        _update((*partners, self._by_core, self._members), gone, come)
        for partner in gone:
            self._names.remove(partner)
        for partner in come:
            if _is_head(partner):
                self._names.add(partner)
        if gone or come or not before:
            self.partners: Mapping[int, Partner] = {p.id: p for p in data.partners}
        companies = {company.partner_id for company in self.companies.values()}
        self.own = frozenset(
            p.id
            for p in data.partners
            if p.is_employee or p.id in companies or p.commercial_partner_id in companies
        )
        return {_place(p) for p in gone} != {_place(p) for p in come}

    def commercial(self, partner_id: int) -> int:
        """The id of the company that a contact belongs to; itself where it is one, or is not known."""
        partner = self.partners.get(partner_id)
        return partner.commercial_partner_id if partner else partner_id

    def _family(self, partner_id: int) -> list[int]:
        """The ids of a company and its contacts."""
        head = self.commercial(partner_id)
        return [head, *(p.id for p in self._members.get(head) if p.id != head)]

    def _all_of(self, found: Lookup[int, Item], partner_id: int) -> list[Item]:
        """What a lookup by partner has for a company and its contacts."""
        return [item for member in self._family(partner_id) for item in found.get(member)]

    def _is_vendor(self, partner: Partner) -> bool:
        return partner.id not in self.own and partner.commercial_partner_id not in self.own

    def _vendors(self, partners: Iterable[Partner]) -> list[Partner]:
        return [partner for partner in partners if self._is_vendor(partner)]

    def with_tax_id(self, folded: str) -> list[Partner]:
        """The vendors that have this tax id, folded."""
        return self._vendors(self._by_tax_id.get(folded))

    def with_bare_tax_id(self, bare: str) -> list[Partner]:
        """The vendors that have this tax id but for the country before it."""
        return self._vendors(self._by_bare_tax_id.get(bare))

    def registered(self, key: str) -> list[Partner]:
        """The vendors under a register number, folded by `registry_keys`."""
        return self._vendors(self._by_registry.get(key))

    def partner_name(self, partner_id: int) -> str:
        """The partner's name, or its number where the snapshot does not hold it."""
        partner = self.partners.get(partner_id)
        return partner.name if partner else f"partner {partner_id}"

    def domains_of(self, partner_id: int) -> frozenset[str]:
        """The domains of the e-mail addresses and websites of a vendor and its contacts."""
        members = (self.partners.get(member) for member in self._family(partner_id))
        return frozenset(domain for partner in members if partner for domain in _domains(partner))

    def currency_name(self, currency_id: int) -> str:
        """The currency's code, or its number where the snapshot does not hold it."""
        return self.currencies[currency_id].name if currency_id in self.currencies else str(currency_id)

    def is_vendor_named(self, core: str) -> bool:
        """Whether a vendor has just that name, legal forms aside."""
        return bool(self._vendors(self._by_core.get(core)))

    def vendors_named(self, name: str, limit: int = 5, cutoff: float = 0.75) -> list[tuple[Partner, float]]:
        """The vendors whose names are most alike (`name_similarity`), best first, ties by id."""
        key = (name, cutoff)
        if key not in self._named:
            if len(self._named) >= MOST_NAMES:
                self._named.clear()
            self._named[key] = [one for one in self._names.find(name, cutoff) if self._is_vendor(one[0])]
        return self._named[key][:limit]

    def vendors_at(self, domain: str) -> list[Partner]:
        """Who has e-mail or a website there, or at the nearest domain that this one lies in."""
        for one in domain_parents(domain):
            if found := self._vendors(self._by_domain.get(one)):
                return found
        return []

    # -- bank accounts ----------------------------------------------------------------------------------------

    def accounts_with(self, folded: str) -> list[BankAccount]:
        """The bank accounts of that number, whoever has them."""
        return self._by_account.get(folded)

    def accounts_of(self, partner_id: int) -> list[BankAccount]:
        """The bank accounts of a vendor and its contacts."""
        return self._all_of(self._accounts, partner_id)

    def _own_accounts(self) -> frozenset[str]:
        numbers = [number for company in self.companies.values() for number in company.accounts]
        for company in self.companies.values():
            numbers += [account.number for account in self._accounts.get(company.partner_id)]
        return frozenset(fold_account(number) for number in numbers)

    # -- products, history, orders ----------------------------------------------------------------------------

    def _take_products(self, data: ErpData, before: ErpData | None, moved: bool) -> None:
        """Products are few beside lines and bills: they are looked at anew where one changed."""
        if before is not None and before.products is data.products and not moved:
            return
        products = data.products
        self.products: Mapping[int, Product] = {p.id: p for p in products}
        self.by_barcode = Lookup(lambda p: (alnum(p.barcode),) if p.barcode else (), products)
        self.by_default_code = Lookup(lambda p: (alnum(p.default_code),) if p.default_code else (), products)
        self.by_product_name = Lookup(lambda p: (alnum(p.name),), products)
        self.by_vendor_code = Lookup(
            lambda p: [
                (self.commercial(c.partner_id), alnum(c.product_code))
                for c in p.vendor_codes
                if c.product_code
            ],
            products,
        )
        self.by_vendor_name = Lookup(
            lambda p: [
                (self.commercial(c.partner_id), alnum(c.product_name))
                for c in p.vendor_codes
                if c.product_name
            ],
            products,
        )

    def _take_lines(self, data: ErpData, before: tuple[PostedLine, ...], moved: bool) -> None:
        gone, come = changes(before, data.posted_lines)
        self._history.update(gone, come)
        for sign, lines in ((-1, gone), (1, come)):
            for line in lines:
                for tax in line.tax_ids:
                    self.company_taxes[line.company_id, tax] += sign
                    self._tax_users[line.company_id, tax, line.partner_id] += sign
        if moved:
            self._texts.clear()
        for line in (*gone, *come):
            # Odoo may hold a company that another one is the head of: its lines are found under both.
            for head in (line.partner_id, self.commercial(line.partner_id)):
                self._texts.pop((head, line.company_id), None)
        self._domestic: frozenset[tuple[int, int]] | None = None

    @property
    def domestic_taxes(self) -> frozenset[tuple[int, int]]:
        """Company and tax, where a vendor of the company's own country has billed with it."""
        if self._domestic is None:
            self._domestic = frozenset(
                (company, tax)
                for (company, tax, partner), count in self._tax_users.items()
                if count and self._is_domestic(partner, company)
            )
        return self._domestic

    def _is_domestic(self, partner_id: int, company_id: int) -> bool:
        vendor, company = self.partners.get(partner_id), self.companies.get(company_id)
        return bool(vendor and company and vendor.country and vendor.country == company.country)

    def history(self, partner_id: int, company_id: int) -> list[PostedLine]:
        """The posted lines of a vendor in one company, by id."""
        members = self._family(partner_id)
        lines = [line for member in members for line in self._history.get((member, company_id))]
        return lines if len(members) == 1 else sorted(lines, key=lambda line: line.id)

    def history_texts(self, partner_id: int, company_id: int) -> list[str]:
        """The descriptions of `history`, `plain` and in its order."""
        key = (self.commercial(partner_id), company_id)
        if key not in self._texts:
            self._texts[key] = [plain(line.name) for line in self.history(partner_id, company_id)]
        return self._texts[key]

    def orders_named(self, reference: str) -> list[PurchaseOrder]:
        """The orders whose number stands in a reference; the whole number first, else digits alone."""
        keys = order_keys(reference)
        exact = {o.id: o for key in keys if key[0] for o in self._orders_by_key.get(key)}
        if not exact:
            exact = {o.id: o for _, number in keys for o in self._orders_by_number.get(number)}
        return [exact[order_id] for order_id in sorted(exact)]

    def billed(self, line: OrderLine) -> Decimal:
        """What was billed of an order line, bills of this round among it."""
        return line.qty_invoiced + self._billed.get(line.id, Decimal(0))

    def orders_of(self, partner_id: int) -> list[PurchaseOrder]:
        """The open orders at a vendor."""
        return sorted(self._all_of(self._orders, partner_id), key=lambda order: order.id)

    # -- bills ------------------------------------------------------------------------------------------------

    def bill(self, bill_id: int) -> Bill | None:
        """The bill of that id, where it is there and not cancelled."""
        known = self._bills.get(bill_id)
        found = self._later.get(bill_id) or (known[0] if known else None)
        return found if found and found.state != "cancel" else None

    def bills_of(self, partner_id: int) -> list[Bill]:
        """The bills and refunds of a vendor that are not cancelled."""
        head = self.commercial(partner_id)
        later = [b for b in self._later.values() if b.partner_id and self.commercial(b.partner_id) == head]
        return self._current(self._all_of(self._bills_by_vendor, head), later)

    def bills_with_ref(self, reference: str) -> list[Bill]:
        """The bills of any vendor under that number, however it is spelt."""
        keys = reference_keys(reference)
        found = {b.id: b for key in keys for b in self._bills_by_ref.get(key)}
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


def _update(lookups: Iterable[Lookup[Any, Item]], gone: Iterable[Item], come: Iterable[Item]) -> None:
    for lookup in lookups:
        lookup.update(gone, come)


def _is_head(partner: Partner) -> bool:
    return partner.commercial_partner_id == partner.id


def _place(partner: Partner) -> tuple[int, int]:
    return partner.id, partner.commercial_partner_id


def _tax_id(partner: Partner) -> tuple[str, ...]:
    """Odoo writes "/" for a partner that has no tax id: what is too short is none."""
    folded = fold_tax_id(partner.vat)
    return (folded,) if len(folded) >= SHORTEST_ID else ()


def _domains(partner: Partner) -> set[str]:
    return {domain_of(partner.email), domain_of(partner.website)} - {""}


def _account_key(account: BankAccount) -> tuple[str, ...]:
    folded = fold_account(account.number)
    return (folded,) if len(folded) >= SHORTEST_ID else ()


def _registry_keys(partner: Partner) -> frozenset[str]:
    number = fold_tax_id(partner.vat)
    within = {registry_of_tax_id(number)} if len(number) >= SHORTEST_ID else set[str]()
    return registry_keys(partner.company_registry) | within


def _by_text(related: Related) -> Mapping[str, tuple[int, ...]]:
    """The records under each of their texts, folded."""
    found: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for record_id, texts in related.records:
        for text in texts:
            found[alnum(text)][record_id] = None
    return {text: tuple(ids) for text, ids in found.items() if text}
