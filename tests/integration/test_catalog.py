"""The data for matching, followed in a real Odoo change by change, is what a fresh reading of it would be."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import fields

import pytest
from pydantic import SecretStr

from connector.erp.catalog import Catalog
from connector.erp.odoo import OdooErp, connect
from connector.erp.wire import Connection
from mappings.erp_data import ErpData
from mappings.index import ErpIndex
from tests.integration.odoo_server import Odoo, OdooDatabase

pytestmark = pytest.mark.usefixtures("development_odoo")

BILL = {"move_type": "in_invoice", "invoice_date": "2026-11-02"}


def opened(database: OdooDatabase) -> OdooErp:
    return connect(Connection("books", database.url, database.database, SecretStr(database.api_key.strip())))


def same(one: ErpData, other: ErpData) -> list[str]:
    """The tables that differ."""
    return [field.name for field in fields(ErpData) if getattr(one, field.name) != getattr(other, field.name)]


class Books:
    """What people do in Odoo between two rounds."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo
        vendor = odoo.find("res.partner", [["vat", "=", "DE371628131"]], ["id"])[0]
        self.vendor = int(vendor["id"])
        order = odoo.find("purchase.order", [["name", "=", "P00103"]], ["order_line"])[0]
        self.order, self.lines = int(order["id"]), order["order_line"]

    def new_vendor(self) -> None:
        partner = {"name": f"Neu {uuid.uuid4().hex[:6]}", "is_company": True, "vat": "DE811569869"}
        self.added = self.odoo.call("res.partner", "create", partner)
        self.odoo.call(
            "res.partner.bank", "create", {"partner_id": self.added, "acc_number": "DE89370400440532013000"}
        )

    def renamed_vendor(self) -> None:
        self.odoo.call(
            "res.partner", "write", [self.added], {"name": "Umbenannt AG", "website": "https://u.example"}
        )

    def archived_vendor(self) -> None:
        self.odoo.call("res.partner", "write", [self.added], {"active": False})

    def deleted_account(self) -> None:
        accounts = self.odoo.find("res.partner.bank", [["partner_id", "=", self.added]], ["id"])
        self.odoo.call("res.partner.bank", "unlink", [one["id"] for one in accounts])

    def draft_bill(self) -> None:
        line = [0, 0, {"name": "Papier", "quantity": 1, "price_unit": 10, "tax_ids": [[6, 0, []]]}]
        values = {**BILL, "partner_id": self.vendor, "ref": "N-1", "invoice_line_ids": [line]}
        self.bill = self.odoo.call("account.move", "create", values)

    def posted_bill(self) -> None:
        self.odoo.call("account.move", "action_post", [self.bill])

    def reset_bill(self) -> None:
        self.odoo.call("account.move", "button_draft", [self.bill])

    def deleted_bill(self) -> None:
        self.odoo.call("account.move", "unlink", [self.bill])

    def billed_order(self) -> None:
        line = {"name": "Film", "quantity": 5, "price_unit": 6.75, "purchase_line_id": self.lines[1]}
        [order] = self.odoo.find("purchase.order", [["id", "=", self.order]], ["partner_id"])
        values = {
            **BILL,
            "partner_id": order["partner_id"][0],
            "ref": "N-2",
            "invoice_line_ids": [[0, 0, line]],
        }
        bill = self.odoo.call("account.move", "create", values)
        self.odoo.call("account.move", "action_post", [bill])

    def changed_order_line(self) -> None:
        self.odoo.call("purchase.order.line", "write", [self.lines[0]], {"price_unit": 0.99})

    def confirmed_reference(self) -> None:
        self.odoo.call("purchase.order", "write", [self.order], {"partner_ref": "OC-1"})

    def cancelled_order(self) -> None:
        [order] = self.odoo.find("purchase.order", [["name", "=", "P00104"]], ["id"])
        self.odoo.call("purchase.order", "button_cancel", [order["id"]])

    def vendor_code(self) -> None:
        [code, *_] = self.odoo.find("product.supplierinfo", [["product_code", "!=", False]], ["id"])
        self.odoo.call("product.supplierinfo", "write", [code["id"]], {"product_code": "NEW-1"})

    def renamed_product(self) -> None:
        [product, *_] = self.odoo.find("product.product", [["default_code", "=", "KW-3001"]], ["id"])
        self.odoo.call(
            "product.product", "write", [product["id"]], {"name": "Karton", "barcode": "4006381333931"}
        )

    def nothing(self) -> None:
        """A quiet minute."""


@pytest.mark.timeout(300)
def test_what_is_followed_is_what_a_fresh_reading_finds(odoo_database: OdooDatabase) -> None:
    followed = opened(odoo_database)
    index = ErpIndex(followed.erp_data())
    books = Books(Odoo(odoo_database))
    steps: list[Callable[[], None]] = [
        books.new_vendor,
        books.renamed_vendor,
        books.archived_vendor,
        books.deleted_account,
        books.draft_bill,
        books.posted_bill,
        books.billed_order,
        books.reset_bill,
        books.deleted_bill,
        books.changed_order_line,
        books.confirmed_reference,
        books.cancelled_order,
        books.vendor_code,
        books.renamed_product,
        books.nothing,
    ]
    for step in steps:
        step()
        data = followed.erp_data()
        fresh = Catalog(followed.session, followed.capabilities()).read()
        assert same(data, fresh) == [], step.__name__
        index.refresh(data)
        assert index.data is data
    unchanged = followed.erp_data()
    for name in ("partners", "bank_accounts", "bills", "posted_lines", "products"):
        assert getattr(unchanged, name) is getattr(index.data, name), "nothing was built again"
    assert all(
        one is other for one, other in zip(unchanged.purchase_orders, index.data.purchase_orders, strict=True)
    )
    followed.close()
