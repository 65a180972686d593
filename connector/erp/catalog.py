"""The data for matching, read in pages of 2,000 by id. A field that this version lacks is left at its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.erp import values
from connector.erp.port import BILL, ORDER, Capabilities
from connector.erp.records import BILL_TYPES
from connector.erp.tax_catalog import read_fiscal_positions, read_taxes
from connector.erp.transport import Session
from connector.erp.wire import Row
from mappings.erp_data import (
    Account,
    BankAccount,
    Bill,
    Company,
    Currency,
    ErpData,
    Journal,
    OrderLine,
    Partner,
    PaymentTerm,
    PostedLine,
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
_OPEN_ORDERS = ["draft", "sent", "to approve", "purchase"]


@dataclass(slots=True)
class Catalog:
    """Reads the data of the chosen companies; company-dependent fields are those of the first of them."""

    session: Session
    capabilities: Capabilities
    _countries: dict[int, str] = field(default_factory=dict[int, str], repr=False)

    def read(self) -> ErpData:
        """Everything, as it is now."""
        countries = self.rows("res.country", [], "code")
        self._countries = {int(row["id"]): values.text(row["code"]) for row in countries}
        return ErpData(
            companies=tuple(self._companies()),
            currencies=tuple(self._currencies()),
            partners=tuple(self._partners()),
            bank_accounts=tuple(self._bank_accounts()),
            taxes=read_taxes(self.rows, self._country, self._shared("account.tax")),
            accounts=tuple(self._accounts()),
            journals=tuple(self._journals()),
            payment_terms=tuple(self._payment_terms()),
            products=tuple(self._products()),
            purchase_orders=tuple(self._purchase_orders()),
            bills=tuple(self._bills()),
            posted_lines=tuple(self._posted_lines()),
            precision=self._precision(),
            fiscal_positions=read_fiscal_positions(
                self.rows, self._country, self._shared("account.fiscal.position")
            ),
            analytic_accounts=tuple(self._analytic_accounts()),
        )

    def _companies(self) -> Iterable[Company]:
        accounts: dict[int, list[str]] = {}
        companies = list(self.capabilities.companies)
        rows = self.rows(
            "res.company",
            [("id", "in", companies)],
            "name partner_id currency_id country_id vat tax_calculation_rounding_method parent_id account_purchase_tax_id",
        )
        owners = [values.many2one(row["partner_id"]) for row in rows]
        for bank in self.rows(
            "res.partner.bank", [("partner_id", "in", owners)], "partner_id sanitized_acc_number"
        ):
            accounts.setdefault(values.many2one(bank["partner_id"]) or 0, []).append(
                values.text(bank.get("sanitized_acc_number"))
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

    def _partners(self) -> Iterable[Partner]:
        employees = {
            values.many2one(row["partner_id"])
            for row in self.rows("res.users", [("share", "=", False)], "partner_id")
        }
        own = self._any_of(
            ("is_company", "=", True),
            ("vat", "!=", False),
            ("company_registry", "!=", False),
            ("supplier_rank", ">", 0),
            ("bank_ids", "!=", False),
            ("user_ids", "!=", False),
            of="res.partner",
        )
        names = (
            "name commercial_partner_id vat company_registry country_id email website is_company active "
            "supplier_rank company_id property_supplier_payment_term_id property_account_position_id"
        )
        for row in self.rows("res.partner", [*own, *self._shared("res.partner")], names):
            yield Partner(
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
                is_employee=int(row["id"]) in employees,
                payment_term_id=values.many2one(row.get("property_supplier_payment_term_id")),
                fiscal_position_id=values.many2one(row.get("property_account_position_id")),
            )

    def _bank_accounts(self) -> Iterable[BankAccount]:
        for row in self.rows("res.partner.bank", [], "partner_id sanitized_acc_number active"):
            yield BankAccount(
                id=int(row["id"]),
                partner_id=values.many2one(row["partner_id"]) or 0,
                number=values.text(row["sanitized_acc_number"]),
                active=bool(row.get("active", True)),
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
            "account.payment.term.line", [], "payment_id nb_days days delay_type months end_month"
        ):
            parts.setdefault(values.many2one(row["payment_id"]) or 0, []).append(row)
        domain = [("active", "=", True), *self._shared("account.payment.term")]
        for row in self.rows("account.payment.term", domain, "name"):
            yield PaymentTerm(int(row["id"]), values.text(row["name"]), _days(parts.get(int(row["id"]), [])))

    def _products(self) -> Iterable[Product]:
        names = (
            "name default_code barcode uom_id uom_po_id product_tmpl_id categ_id "
            "property_account_expense_id supplier_taxes_id purchase_method type detailed_type"
        )
        domain = [("purchase_ok", "=", True), ("active", "=", True), *self._shared("product.product")]
        rows = self.rows("product.product", domain, names)
        accounts = {
            int(row["id"]): values.many2one(row.get("property_account_expense_categ_id"))
            for row in self.rows("product.category", [], "property_account_expense_categ_id")
        }
        codes: dict[tuple[str, int], list[VendorCode]] = {}
        supplier = "partner_id product_tmpl_id product_id product_code product_name price"
        for row in self.rows("product.supplierinfo", self._shared("product.supplierinfo"), supplier):
            variant = values.many2one(row["product_id"])
            key = (
                ("variant", variant)
                if variant
                else ("template", values.many2one(row["product_tmpl_id"]) or 0)
            )
            codes.setdefault(key, []).append(
                VendorCode(
                    partner_id=values.many2one(row["partner_id"]) or 0,
                    product_code=values.text(row["product_code"]),
                    product_name=values.text(row["product_name"]),
                    price=values.decimal(row["price"]),
                )
            )
        for row in rows:
            template = values.many2one(row["product_tmpl_id"]) or 0
            expense = values.many2one(row.get("property_account_expense_id"))
            yield Product(
                id=int(row["id"]),
                name=values.text(row["name"]),
                default_code=values.text(row["default_code"]),
                barcode=values.text(row["barcode"]),
                uom_id=values.many2one(row.get("uom_po_id")) or values.many2one(row["uom_id"]),
                expense_account_id=expense or accounts.get(values.many2one(row["categ_id"]) or 0),
                supplier_tax_ids=values.many(row.get("supplier_taxes_id")),
                kind=_kind(row),
                vendor_codes=(
                    *codes.get(("variant", int(row["id"])), ()),
                    *codes.get(("template", template), ()),
                ),
            )

    def _purchase_orders(self) -> Iterable[PurchaseOrder]:
        if ORDER not in self.capabilities.fields:
            return
        # A locked order ("done" before Odoo 19) can still be billed.
        wanted = self._any_of(("state", "in", _OPEN_ORDERS), ("invoice_status", "=", "to invoice"))
        domain = [*wanted, ("invoice_status", "!=", "invoiced"), *self._shared(ORDER)]
        orders = self.rows(ORDER, domain, "name partner_id company_id currency_id state partner_ref")
        lines: dict[int, list[OrderLine]] = {}
        for line in self._order_lines([int(row["id"]) for row in orders]):
            lines.setdefault(line.order_id, []).append(line)
        for row in orders:
            yield PurchaseOrder(
                id=int(row["id"]),
                name=values.text(row["name"]),
                partner_id=values.many2one(row["partner_id"]) or 0,
                company_id=values.many2one(row["company_id"]) or 0,
                currency_id=values.many2one(row["currency_id"]) or 0,
                state=values.text(row["state"]),
                partner_ref=values.text(row["partner_ref"]),
                lines=tuple(lines.get(int(row["id"]), ())),
            )

    def _order_lines(self, orders: Sequence[int]) -> Iterable[OrderLine]:
        names = (
            "order_id name product_id product_qty price_unit discount qty_received qty_invoiced "
            "tax_ids taxes_id date_planned"
        )
        for start in range(0, len(orders), PAGE):
            domain = [("order_id", "in", orders[start : start + PAGE]), ("display_type", "=", False)]
            for row in self.rows("purchase.order.line", domain, names):
                yield OrderLine(
                    id=int(row["id"]),
                    order_id=values.many2one(row["order_id"]) or 0,
                    name=values.text(row["name"]),
                    product_id=values.many2one(row["product_id"]),
                    product_qty=values.decimal(row["product_qty"]),
                    price_unit=values.decimal(row["price_unit"]),
                    discount=values.decimal(row.get("discount")),
                    qty_received=values.decimal(row["qty_received"]),
                    qty_invoiced=values.decimal(row["qty_invoiced"]),
                    tax_ids=values.many(row["tax_ids"] if "tax_ids" in row else row.get("taxes_id")),
                    date_planned=values.moment(row["date_planned"]),
                )

    def _bills(self) -> Iterable[Bill]:
        since = datetime.now(UTC) - BILLS_SINCE
        recent = self._any_of(("invoice_date", ">=", since.date().isoformat()), ("invoice_date", "=", False))
        domain = [
            ("move_type", "in", list(BILL_TYPES)),
            ("state", "!=", "cancel"),
            *recent,
            ("create_date", ">=", values.stamp(since)),
            *self._shared(BILL),
        ]
        names = "name ref partner_id company_id move_type state invoice_date amount_total currency_id"
        for row in self.rows(BILL, domain, names):
            yield Bill(
                id=int(row["id"]),
                partner_id=values.many2one(row["partner_id"]),
                company_id=values.many2one(row["company_id"]) or 0,
                move_type=values.text(row["move_type"]),
                state=values.text(row["state"]),
                ref=values.text(row["ref"]),
                invoice_date=values.day(row["invoice_date"]),
                amount_total=values.decimal(row["amount_total"]),
                currency_id=values.many2one(row["currency_id"]),
                name=values.text(row["name"]),
            )

    def _posted_lines(self) -> Iterable[PostedLine]:
        since = (datetime.now(UTC) - LINES_SINCE).date()
        domain = [
            ("parent_state", "=", "posted"),
            ("move_id.move_type", "in", list(BILL_TYPES)),
            ("display_type", "=", "product"),
            ("partner_id", "!=", False),
            ("date", ">=", since.isoformat()),
            *self._shared("account.move.line"),
        ]
        names = "partner_id company_id name account_id product_id tax_ids date move_id analytic_distribution"
        for row in self.rows("account.move.line", domain, names):
            yield PostedLine(
                partner_id=values.many2one(row["partner_id"]) or 0,
                company_id=values.many2one(row["company_id"]) or 0,
                name=values.text(row["name"]),
                account_id=values.many2one(row["account_id"]) or 0,
                product_id=values.many2one(row["product_id"]),
                tax_ids=values.many(row["tax_ids"]),
                date=values.day(row["date"]),
                bill_id=values.many2one(row["move_id"]) or 0,
                analytic=values.distribution(row.get("analytic_distribution")),
            )

    def _analytic_accounts(self) -> Iterable[tuple[int, str]]:
        domain = [("active", "=", True), *self._shared("account.analytic.account")]
        for row in self.rows("account.analytic.account", domain, "name"):
            yield int(row["id"]), values.text(row["name"])

    def _precision(self) -> Precision:
        names = ["quantity", "price_unit", "discount"]
        found = self.session.read("account.move.line", "fields_get", allfields=names, attributes=["digits"])
        quantity, price, discount = (_digits(found.get(name, {})) for name in names)
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
        context: Mapping[str, Any] = {"allowed_company_ids": list(self.capabilities.companies)}
        found: list[Row] = []
        while True:
            after = [("id", ">", int(found[-1]["id"]))] if found else []
            page = self.session.rows(model, [*domain, *after], present or ["id"], limit=PAGE, context=context)
            found += page
            if len(page) < PAGE:
                return found


def _days(parts: Sequence[Row]) -> int | None:
    """The days after the invoice date, where a term is one line that says no more than that."""
    if len(parts) != 1:
        return None
    [part] = parts
    if part.get("delay_type", "days_after") != "days_after" or part.get("months") or part.get("end_month"):
        return None
    days = part.get("nb_days", part.get("days"))
    return int(days) if days is not None else None


def _kind(row: Row) -> str:
    """`service`, or `consu` for goods; before Odoo 18 stored goods are `product`, a combination says nothing."""
    kind = values.text(row.get("detailed_type") or row.get("type"))
    return "consu" if kind == "product" else kind if kind in ("consu", "service") else ""


def _digits(description: Mapping[str, Any]) -> int | None:
    """The digits after the point that a float field keeps; None where it keeps all."""
    digits = description.get("digits")
    return int(digits[1]) if digits else None
