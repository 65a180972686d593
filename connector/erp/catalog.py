"""The data for matching, read in pages of 2,000 by id. A field that this version lacks is left at its default.

What is large (partners, bank accounts, products, orders, bills and their lines) is read whole once and then followed by
its changes; what is small is read each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.erp import catalog_rows as of_row
from connector.erp import effects, values
from connector.erp.answers import as_number, as_row
from connector.erp.port import BILL, ORDER, Capabilities
from connector.erp.records import BILL_TYPES
from connector.erp.table import Table
from connector.erp.tax_catalog import read_fiscal_positions, read_taxes
from connector.erp.transport import Session
from connector.erp.wire import Row
from mappings.erp_data import (
    Account,
    Company,
    Currency,
    ErpData,
    Journal,
    OrderLine,
    Partner,
    PaymentTerm,
    Precision,
    Product,
    PurchaseOrder,
    VendorCode,
)

PAGE = 2000
BILLS_SINCE = timedelta(days=731)
LINES_SINCE = timedelta(days=366)

_SPENDING = ["expense", "expense_direct_cost", "expense_depreciation", "expense_other"]
_ASSETS = ["asset_current", "asset_non_current", "asset_prepayments", "asset_fixed"]
_PARTNER = (
    "name commercial_partner_id vat company_registry country_id email website is_company active "
    "supplier_rank company_id property_supplier_payment_term_id property_account_position_id "
    "property_purchase_currency_id"
)
_BANK_ACCOUNT = "partner_id sanitized_acc_number active"
_PRODUCT = (
    "name default_code barcode uom_id uom_po_id product_tmpl_id categ_id "
    "property_account_expense_id supplier_taxes_id purchase_method type detailed_type"
)
_VENDOR_CODE = "partner_id product_tmpl_id product_id product_code product_name price"
_ORDER = "name partner_id company_id currency_id state partner_ref"
_ORDER_LINE = (
    "order_id name product_id product_qty price_unit discount qty_received qty_invoiced "
    "tax_ids taxes_id date_planned sequence"
)
_BILL = "name ref partner_id company_id move_type state invoice_date amount_total currency_id"
_POSTED_LINE = "partner_id company_id name account_id product_id tax_ids date move_id analytic_distribution"
_OPEN_ORDERS = ["draft", "sent", "to approve", "purchase"]


class Catalog:
    """Reads the data of the chosen companies; company-dependent fields are those of the first of them."""

    def __init__(self, session: Session, capabilities: Capabilities) -> None:
        self.session, self.capabilities = session, capabilities
        self._countries: dict[int, str] = {}
        self._employees: set[int] = set()
        self._partners = Table(self, "res.partner", _PARTNER, self._partner)
        self._bank_accounts = Table(self, "res.partner.bank", _BANK_ACCOUNT, of_row.bank_account)
        self._bills = Table(self, BILL, _BILL, of_row.bill)
        self._posted_lines = Table(self, "account.move.line", _POSTED_LINE, of_row.posted_line)
        self._orders = Table(self, ORDER, _ORDER, of_row.order)
        self._order_lines = Table(self, "purchase.order.line", _ORDER_LINE, of_row.order_line)
        self._items = Table(self, "product.product", _PRODUCT, of_row.item)
        self._codes = Table(self, "product.supplierinfo", _VENDOR_CODE, of_row.vendor_code)
        self._expenses: dict[int, int | None] = {}
        self._products: tuple[Product, ...] = ()
        self._purchase_orders: dict[int, PurchaseOrder] = {}
        self._discount_mode = ""

    def read(self) -> ErpData:
        """Everything, as it is now. Records that say the same as before are the same objects."""
        now = self.session.wire.server_time()
        if not self._countries:
            countries = self.rows("res.country", [], "code")
            self._countries = {int(row["id"]): values.text(row["code"]) for row in countries}
        self._read_partners(now)
        self._bank_accounts.refresh([], now)
        self._bills.refresh(self._bill_domain(), now)
        self._posted_lines.refresh(self._posted_line_domain(), now)
        return ErpData(
            companies=tuple(self._companies()),
            currencies=tuple(self._currencies()),
            partners=self._partners.records,
            bank_accounts=self._bank_accounts.records,
            taxes=read_taxes(self.rows, self._country, self._shared("account.tax")),
            accounts=tuple(self._accounts()),
            journals=tuple(self._journals()),
            payment_terms=tuple(self._payment_terms()),
            products=self._read_products(now),
            purchase_orders=self._read_orders(now),
            bills=self._bills.records,
            posted_lines=self._posted_lines.records,
            precision=self._precision(),
            fiscal_positions=read_fiscal_positions(
                self.rows, self._country, self._shared("account.fiscal.position")
            ),
            analytic_accounts=tuple(self._analytic_accounts()),
            corrects_vat=effects.corrects_vat(self.capabilities),
        )

    def _companies(self) -> Iterable[Company]:
        accounts: dict[int, list[str]] = {}
        companies = list(self.capabilities.companies)
        rows = self.rows(
            "res.company",
            [("id", "in", companies)],
            "name partner_id currency_id country_id vat tax_calculation_rounding_method parent_id account_purchase_tax_id "
            "early_pay_discount_computation",
        )
        owners = [values.many2one(row["partner_id"]) for row in rows]
        for bank in self.rows(
            "res.partner.bank", [("partner_id", "in", owners)], "partner_id sanitized_acc_number"
        ):
            accounts.setdefault(values.many2one(bank["partner_id"]) or 0, []).append(
                values.text(bank.get("sanitized_acc_number"))
            )
        self._discount_mode = next(
            (values.text(row.get("early_pay_discount_computation")) for row in rows), ""
        )
        for row in rows:
            owner = values.many2one(row["partner_id"]) or 0
            yield Company(
                id=int(row["id"]),
                name=values.text(row["name"]),
                partner_id=owner,
                currency_id=values.many2one(row["currency_id"]) or 0,
                country=self._country(row.get("country_id")),
                vat=values.text(row.get("vat")),
                tax_rounding=values.text(row.get("tax_calculation_rounding_method")) or "round_per_line",
                accounts=tuple(filter(None, accounts.get(owner, []))),
                parent_id=values.many2one(row.get("parent_id")),
                purchase_tax_id=values.many2one(row.get("account_purchase_tax_id")),
            )

    def _currencies(self) -> Iterable[Currency]:
        for row in self.rows("res.currency", [], "name rounding active"):
            yield Currency(
                int(row["id"]), values.text(row["name"]), values.decimal(row["rounding"]), bool(row["active"])
            )

    def _read_partners(self, now: datetime) -> None:
        users = self.rows("res.users", [("share", "=", False)], "partner_id")
        employees = {values.many2one(row["partner_id"]) or 0 for row in users}
        if employees != self._employees:
            # Who works here is not written on the partner.
            self._employees = employees
            self._partners.forget()
        domain = self._any_of(
            ("is_company", "=", True),
            ("vat", "!=", False),
            ("company_registry", "!=", False),
            ("supplier_rank", ">", 0),
            ("bank_ids", "!=", False),
            ("user_ids", "!=", False),
            of="res.partner",
        )
        self._partners.refresh([*domain, *self._shared("res.partner")], now)

    def _partner(self, row: Row) -> Partner:
        return Partner(
            id=int(row["id"]),
            name=values.text(row["name"]),
            commercial_partner_id=values.many2one(row["commercial_partner_id"]) or int(row["id"]),
            vat=values.text(row["vat"]),
            company_registry=values.text(row.get("company_registry")),
            country=self._country(row["country_id"]),
            email=values.text(row["email"]),
            website=values.text(row["website"]),
            is_company=bool(row["is_company"]),
            active=bool(row["active"]),
            supplier_rank=int(row.get("supplier_rank") or 0),
            company_id=values.many2one(row["company_id"]),
            is_employee=int(row["id"]) in self._employees,
            payment_term_id=values.many2one(row.get("property_supplier_payment_term_id")),
            fiscal_position_id=values.many2one(row.get("property_account_position_id")),
            purchase_currency_id=values.many2one(row.get("property_purchase_currency_id")),
        )

    def _accounts(self) -> Iterable[Account]:
        names = "code name account_type active deprecated company_id company_ids"
        domain = [("account_type", "in", [*_SPENDING, *_ASSETS]), *self._shared("account.account")]
        for row in self.rows("account.account", domain, names):
            companies = values.many(row["company_ids"]) if "company_ids" in row else ()
            single = values.many2one(row.get("company_id"))
            yield Account(
                id=int(row["id"]),
                code=values.text(row["code"]),
                name=values.text(row["name"]),
                account_type=values.text(row["account_type"]),
                active=bool(row.get("active", not row.get("deprecated", False))),
                company_ids=companies or ((single,) if single else ()),
            )

    def _journals(self) -> Iterable[Journal]:
        domain = [("type", "=", "purchase"), ("active", "=", True), *self._shared("account.journal")]
        for row in self.rows("account.journal", domain, "company_id default_account_id currency_id"):
            yield Journal(
                id=int(row["id"]),
                company_id=values.many2one(row["company_id"]) or 0,
                default_account_id=values.many2one(row["default_account_id"]),
                currency_id=values.many2one(row["currency_id"]),
            )

    def _payment_terms(self) -> Iterable[PaymentTerm]:
        parts: dict[int, list[Row]] = {}
        for row in self.rows(
            "account.payment.term.line",
            [],
            "payment_id nb_days days delay_type months end_month discount_percentage discount_days",
        ):
            parts.setdefault(values.many2one(row["payment_id"]) or 0, []).append(row)
        domain = [("active", "=", True), *self._shared("account.payment.term")]
        names = "name early_discount discount_percentage discount_days early_pay_discount_computation"
        for row in self.rows("account.payment.term", domain, names):
            yield of_row.payment_term(row, parts.get(int(row["id"]), []), self._discount_mode)

    def _read_products(self, now: datetime) -> tuple[Product, ...]:
        """The products with their vendors' codes and their category's account, the same tuple while nothing changed."""
        domain = [("purchase_ok", "=", True), ("active", "=", True), *self._shared("product.product")]
        expenses = {
            int(row["id"]): values.many2one(row.get("property_account_expense_categ_id"))
            for row in self.rows("product.category", [], "property_account_expense_categ_id")
        }
        changed = expenses != self._expenses
        changed |= self._items.refresh(domain, now)
        changed |= self._codes.refresh(self._shared("product.supplierinfo"), now)
        if changed:
            self._expenses = expenses
            codes: dict[tuple[str, int], list[VendorCode]] = {}
            for place, code in self._codes.records:
                codes.setdefault(place, []).append(code)
            self._products = tuple(
                replace(
                    item.product,
                    expense_account_id=item.product.expense_account_id or expenses.get(item.category),
                    vendor_codes=(
                        *codes.get(("variant", item.product.id), ()),
                        *codes.get(("template", item.template), ()),
                    ),
                )
                for item in self._items.records
            )
        return self._products

    def _read_orders(self, now: datetime) -> tuple[PurchaseOrder, ...]:
        """The open orders with their lines; an order of which nothing changed is the same object."""
        if ORDER not in self.capabilities.fields:
            return ()
        # A locked order ("done" before Odoo 19) can still be billed.
        wanted = self._any_of(("state", "in", _OPEN_ORDERS), ("invoice_status", "=", "to invoice"))
        domain = [*wanted, ("invoice_status", "!=", "invoiced"), *self._shared(ORDER)]
        changed = self._orders.refresh(domain, now)
        of_order = [leaf if isinstance(leaf, str) else (f"order_id.{leaf[0]}", *leaf[1:]) for leaf in domain]
        changed |= self._order_lines.refresh([*of_order, ("display_type", "=", False)], now)
        if changed:
            lines: dict[int, list[OrderLine]] = {}
            for line in sorted(self._order_lines.records, key=lambda line: (line.sequence, line.id)):
                lines.setdefault(line.order_id, []).append(line)
            whole = (replace(order, lines=tuple(lines.get(order.id, ()))) for order in self._orders.records)
            known = self._purchase_orders
            self._purchase_orders = {
                order.id: known[order.id] if known.get(order.id) == order else order for order in whole
            }
        return tuple(self._purchase_orders.values())

    def _bill_domain(self) -> list[Any]:
        since = datetime.now(UTC) - BILLS_SINCE
        recent = self._any_of(("invoice_date", ">=", since.date().isoformat()), ("invoice_date", "=", False))
        return [
            ("move_type", "in", list(BILL_TYPES)),
            ("state", "!=", "cancel"),
            *recent,
            ("create_date", ">=", values.stamp(since)),
            *self._shared(BILL),
        ]

    def _posted_line_domain(self) -> list[Any]:
        since = (datetime.now(UTC) - LINES_SINCE).date()
        return [
            ("parent_state", "=", "posted"),
            ("move_id.move_type", "in", list(BILL_TYPES)),
            ("display_type", "=", "product"),
            ("partner_id", "!=", False),
            ("date", ">=", since.isoformat()),
            *self._shared("account.move.line"),
        ]

    def _analytic_accounts(self) -> Iterable[tuple[int, str]]:
        domain = [("active", "=", True), *self._shared("account.analytic.account")]
        for row in self.rows("account.analytic.account", domain, "name"):
            yield int(row["id"]), values.text(row["name"])

    def _precision(self) -> Precision:
        names = ["quantity", "price_unit", "discount"]
        answer = self.session.read("account.move.line", "fields_get", allfields=names, attributes=["digits"])
        found = as_row(answer, "account.move.line.fields_get")
        quantity, price, discount = (of_row.digits(found.get(name, {})) for name in names)
        return Precision(
            quantity=2 if quantity is None else quantity,
            price=price,
            discount=2 if discount is None else discount,
        )

    def _country(self, value: Any) -> str:
        return self._countries.get(values.many2one(value) or 0, "")

    def _any_of(self, *conditions: tuple[str, str, Any], of: str = "") -> list[Any]:
        """One of the conditions, leaving out those on fields that the model `of` lacks."""
        kept = [one for one in conditions if not of or self.capabilities.has(of, one[0])]
        return [*["|"] * (len(kept) - 1), *kept]

    def _shared(self, model: str) -> list[Any]:
        """Records of the chosen companies, and those that belong to none."""
        companies = list(self.capabilities.companies)
        if self.capabilities.has(model, "company_ids"):
            return [("company_ids", "in", companies)]
        if self.capabilities.has(model, "company_id"):
            return [("company_id", "in", [*companies, False])]
        return []

    def rows(self, model: str, domain: Sequence[Any], names: str) -> list[Row]:
        """Every row with those of the named fields that this version has; none where it lacks the model."""
        if model not in self.capabilities.fields:
            return []
        present = [name for name in names.split() if self.capabilities.has(model, name)]
        found: list[Row] = []
        while True:
            after = [("id", ">", int(found[-1]["id"]))] if found else []
            page = self.session.rows(
                model, [*domain, *after], present or ["id"], limit=PAGE, context=self._context
            )
            found += page
            if len(page) < PAGE:
                return found

    def count(self, model: str, domain: Sequence[Any]) -> int:
        """How many rows a search has; none where this version lacks the model."""
        if model not in self.capabilities.fields:
            return 0
        context = {"active_test": False, **self._context}
        answer = self.session.read(model, "search_count", domain=list(domain), context=context)
        return as_number(answer, f"{model}.search_count")

    @property
    def _context(self) -> Mapping[str, Any]:
        return {"allowed_company_ids": list(self.capabilities.companies)}
