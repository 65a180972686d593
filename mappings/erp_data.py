"""The ERP data that matching needs, as Odoo has it, read once per round. Names are Odoo's own.

Nothing here talks to Odoo: `connector/erp` fills these records, `mappings` only looks at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Distribution:
    """An `analytic_distribution`: percent by analytic account, by several joined with commas where plans cross."""

    parts: tuple[tuple[str, Decimal], ...]

    def __str__(self) -> str:
        return ", ".join(f"{key}: {percent:f} %" for key, percent in self.parts)


Scalar = str | int | bool | date | Decimal | tuple[int, ...] | Distribution | None


@dataclass(frozen=True, slots=True)
class Company:
    """`res.company`. `tax_rounding` is `tax_calculation_rounding_method`: `round_per_line` or `round_globally`."""

    id: int
    name: str
    partner_id: int
    currency_id: int
    country: str = ""
    vat: str = ""
    tax_rounding: str = "round_per_line"
    accounts: tuple[str, ...] = ()
    parent_id: int | None = None
    purchase_tax_id: int | None = None


@dataclass(frozen=True, slots=True)
class Currency:
    """`res.currency`; `rounding` is its smallest amount, 0.01 for most, 1 for the yen."""

    id: int
    name: str
    rounding: Decimal = Decimal("0.01")
    active: bool = True


@dataclass(frozen=True, slots=True)
class Partner:
    """`res.partner`. `commercial_partner_id` is itself for a company; `company_id` None means shared by all."""

    id: int
    name: str
    commercial_partner_id: int
    vat: str = ""
    company_registry: str = ""
    country: str = ""
    email: str = ""
    website: str = ""
    is_company: bool = True
    active: bool = True
    supplier_rank: int = 0
    company_id: int | None = None
    is_employee: bool = False
    payment_term_id: int | None = None
    fiscal_position_id: int | None = None
    purchase_currency_id: int | None = None


@dataclass(frozen=True, slots=True)
class BankAccount:
    """`res.partner.bank`; `number` is `sanitized_acc_number`."""

    id: int
    partner_id: int
    number: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Tax:
    """`account.tax` of purchases. `amount` is the rate in percent where `amount_type` is `percent`.

    `reverse_charge` is `has_negative_factor`: a repartition of +100 and -100, which adds nothing to the total.
    `include_base_amount` says that later taxes are charged on this one too, those that are `is_base_affected`.
    `children` are the taxes of a `group`. `scope` is `tax_scope`: `consu` for goods, `service`, empty for both.
    `fiscal_position_ids` are the fiscal positions that lead to this tax; none: any. `group_id` is its tax group, under
    which Odoo shows its amount.
    """

    id: int
    name: str
    amount: Decimal
    amount_type: str = "percent"
    price_include: bool = False
    company_id: int | None = None
    country: str = ""
    active: bool = True
    sequence: int = 0
    reverse_charge: bool = False
    include_base_amount: bool = False
    is_base_affected: bool = True
    children: tuple[Tax, ...] = ()
    scope: str = ""
    fiscal_position_ids: tuple[int, ...] = ()
    label: str = ""
    group_id: int = 0


@dataclass(frozen=True, slots=True)
class FiscalPosition:
    """`account.fiscal.position`: which vendors it is for. `countries` empty means all; a `regional` one is for
    states or postcodes only, which Vouch does not follow. `accounts` are pairs: instead of the first the second."""

    id: int
    name: str
    company_id: int | None = None
    sequence: int = 0
    auto_apply: bool = False
    vat_required: bool = False
    countries: frozenset[str] = frozenset()
    regional: bool = False
    accounts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """`account.account`; `account_type` as Odoo has it (`expense`, `asset_current`, `liability_payable` …)."""

    id: int
    code: str
    name: str
    account_type: str
    active: bool = True
    company_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """`account.journal` of type purchase."""

    id: int
    company_id: int
    default_account_id: int | None = None
    currency_id: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """`account.payment.term` of one line: due `days` after the invoice date (None where it is more than that).

    `discount` percent are granted for payment within `discount_days`; `discount_mode` is
    `early_pay_discount_computation`: VAT is less with it (`included`), stays (`excluded`), or is less at once (`mixed`).
    """

    id: int
    name: str
    days: int | None = None
    discount: Decimal = Decimal(0)
    discount_days: int = 0
    discount_mode: str = ""


@dataclass(frozen=True, slots=True)
class VendorCode:
    """`product.supplierinfo`: what a vendor calls a product and asks for it."""

    partner_id: int
    product_code: str = ""
    product_name: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """`product.product` that can be bought. `purchase_method` is `receive` (bill what came) or `purchase` (what was ordered).

    `kind` is `consu` for goods, `service`, or empty.
    """

    id: int
    name: str
    default_code: str = ""
    barcode: str = ""
    uom_id: int | None = None
    expense_account_id: int | None = None
    supplier_tax_ids: tuple[int, ...] = ()
    vendor_codes: tuple[VendorCode, ...] = ()
    purchase_method: str = "receive"
    kind: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """`purchase.order.line`; quantities in the line's own unit."""

    id: int
    order_id: int
    name: str
    product_id: int | None
    product_qty: Decimal
    price_unit: Decimal
    discount: Decimal = Decimal(0)
    qty_received: Decimal = Decimal(0)
    qty_invoiced: Decimal = Decimal(0)
    tax_ids: tuple[int, ...] = ()
    date_planned: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """`purchase.order` that is not done or cancelled; its goods lines in the order in which it prints them."""

    id: int
    name: str
    partner_id: int
    company_id: int
    currency_id: int
    state: str
    partner_ref: str = ""
    lines: tuple[OrderLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Bill:
    """`account.move` of a vendor that exists already, draft or posted: for duplicates and habits."""

    id: int
    partner_id: int | None
    company_id: int
    move_type: str
    state: str
    ref: str = ""
    invoice_date: date | None = None
    amount_total: Decimal = Decimal(0)
    currency_id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class PostedLine:
    """`account.move.line` of a posted vendor bill: which account, product and taxes a vendor's lines went to."""

    partner_id: int
    company_id: int
    name: str
    account_id: int
    product_id: int | None = None
    tax_ids: tuple[int, ...] = ()
    date: date | None = None
    bill_id: int = 0
    analytic: Distribution | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Precision:
    """`decimal.precision`: the digits Odoo keeps. `price` is None where it keeps a price as it was sent (19 on)."""

    quantity: int = 2
    price: int | None = 2
    discount: int = 2


@dataclass(frozen=True, slots=True)
class Related:
    """The records of a model that a mapping's many2one leads to: id and texts by which one is found (code, name)."""

    model: str
    match: tuple[str, ...]
    records: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ErpData:
    """Everything matching looks at, of one Backend, at one moment.

    `corrects_vat` says that a bill's VAT can be set to what is printed in the same write as its lines.
    """

    companies: tuple[Company, ...]
    currencies: tuple[Currency, ...]
    partners: tuple[Partner, ...]
    bank_accounts: tuple[BankAccount, ...]
    taxes: tuple[Tax, ...]
    accounts: tuple[Account, ...]
    journals: tuple[Journal, ...]
    payment_terms: tuple[PaymentTerm, ...]
    products: tuple[Product, ...]
    purchase_orders: tuple[PurchaseOrder, ...]
    bills: tuple[Bill, ...]
    posted_lines: tuple[PostedLine, ...]
    precision: Precision = Precision()
    fiscal_positions: tuple[FiscalPosition, ...] = ()
    related: tuple[Related, ...] = ()
    analytic_accounts: tuple[tuple[int, str], ...] = ()
    corrects_vat: bool = False


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A line that a record has already: product and text lines of a bill or an order."""

    id: int
    name: str
    quantity: Decimal
    price_unit: Decimal
    subtotal: Decimal
    tax_ids: tuple[int, ...] = ()
    purchase_line_id: int | None = None
    account_id: int | None = None
    product_id: int | None = None
    discount: Decimal = Decimal(0)


CLOSED: Mapping[str, Mapping[str, str]] = {
    "account.move": {"posted": "is posted", "cancel": "is cancelled"},
    # A confirmed order can still be changed, and its confirmation still be compared with it.
    "purchase.order": {"cancel": "is cancelled", "done": "is locked"},
}
"""The states in which people are done with a record, by model, in words."""


def called(model: str, display_name: str) -> str:
    """What a record is called in a sentence."""
    return display_name.strip() or ("The bill" if model == "account.move" else "The order")


@dataclass(frozen=True, slots=True)
class Record:
    """The ERP record that a document is attached to, as it was when it was read.

    `model` is `account.move` or `purchase.order`; `kind` is the `move_type` of a bill, `order` for an order;
    `values` holds the fields that Vouch may write, by Odoo's name, None where empty. Many2one values are ids.
    `write_date` is an opaque stamp: another one means that the header or a line was changed. `responsible_id` is
    the user whom Odoo names responsible for it, `activity_ids` are its to-dos.
    """

    model: str
    id: int
    display_name: str
    kind: str
    state: str
    company_id: int
    write_date: str
    values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    lines: tuple[RecordLine, ...] = ()
    amount_untaxed: Decimal = Decimal(0)
    amount_tax: Decimal = Decimal(0)
    amount_total: Decimal = Decimal(0)
    journal_id: int | None = None
    responsible_id: int | None = None
    activity_ids: tuple[int, ...] = ()

    @property
    def called(self) -> str:
        """Its name; a bill that was cancelled as a draft may have none."""
        return called(self.model, self.display_name)

    @property
    def stands(self) -> str:
        """Its state in words, such as “is posted”."""
        return CLOSED[self.model].get(self.state, f"is “{self.state}”")

    @property
    def is_draft(self) -> bool:
        """Whether Odoo lets a person change it freely: bills in draft, orders not done or cancelled."""
        return (
            self.state == "draft"
            if self.model == "account.move"
            else self.state in ("draft", "sent", "to approve", "purchase")
        )
