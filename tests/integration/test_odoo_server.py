"""The development Odoo is what company.toml says, and takes documents in as a real one does."""

import io
import tomllib
import uuid
from decimal import Decimal
from typing import Any

import httpx
import pytest
from PIL import Image

from deploy.odoo.failure import ExitCode, OdooSetupError
from deploy.odoo.installation import Installation
from deploy.odoo.places import COMPANY_FILE, TEMPLATE
from tests.integration.odoo_server import MailedFile, Odoo, OdooDatabase, cloned

pytestmark = pytest.mark.usefixtures("development_odoo")

COMPANY = tomllib.loads(COMPANY_FILE.read_text(), parse_float=Decimal)
VENDOR_EMAIL = "faktura@papierhaus-brunnhuber.example"


@pytest.fixture(scope="module")
def admin(database: OdooDatabase) -> Odoo:
    return Odoo(database)


def pdf(text: str) -> MailedFile:
    return MailedFile(f"{text}.pdf", "application/pdf", f"%PDF-1.4 {text}".encode())


def photo() -> MailedFile:
    file = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(file, "JPEG")
    return MailedFile("photo.jpg", "image/jpeg", file.getvalue())


def json2(database: OdooDatabase, model: str, method: str, **arguments: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {database.api_key}", "X-Odoo-Database": database.database}
    return httpx.post(f"{database.url}/json/2/{model}/{method}", headers=headers, json=arguments, timeout=60)


def test_vendors_have_their_tax_ids_accounts_and_terms(admin: Odoo):
    for row in COMPANY["vendors"]:
        [vendor] = admin.find(
            "res.partner",
            [["vat", "=", row["vat"]]],
            [
                "name",
                "country_code",
                "bank_ids",
                "property_purchase_currency_id",
                "property_supplier_payment_term_id",
            ],
        )
        [bank] = admin.call("res.partner.bank", "read", vendor["bank_ids"], fields=["sanitized_acc_number"])
        assert vendor["name"] == row["name"]
        assert vendor["country_code"] == row["country"]
        assert bank["sanitized_acc_number"] == row["bank_account"]
        assert vendor["property_purchase_currency_id"][1] == row["currency"]
        assert vendor["property_supplier_payment_term_id"][1] == f"{row['payment_days']} days net"


def test_every_purchase_tax_rate_is_there_once_and_excluded_from_prices(admin: Odoo):
    fields = ["amount", "price_include", "has_negative_factor"]
    taxes = admin.find("account.tax", [["type_tax_use", "=", "purchase"]], fields)
    assert sorted((tax["amount"], tax["has_negative_factor"]) for tax in taxes) == sorted(
        (float(row["rate"]), row.get("reverse_charge", False)) for row in COMPANY["taxes"]
    )
    assert not any(tax["price_include"] for tax in taxes)


def test_purchase_orders_have_the_printed_numbers_states_and_receipts(admin: Odoo):
    states = {row["name"]: row["state"] for row in admin.find("purchase.order", [], ["name", "state"])}
    assert states == {row["name"]: row["state"] for row in COMPANY["purchase_orders"]}
    for row in COMPANY["purchase_orders"]:
        lines = admin.find(
            "purchase.order.line",
            [["order_id.name", "=", row["name"]]],
            ["product_qty", "qty_received", "qty_invoiced", "price_unit"],
        )
        assert [(line["product_qty"], line["qty_received"], line["price_unit"]) for line in lines] == [
            (line["quantity"], line.get("received", 0), float(line["price"])) for line in row["lines"]
        ]
        assert not any(line["qty_invoiced"] for line in lines)


def test_older_bills_are_posted_with_the_amounts_their_lines_give(admin: Odoo):
    for row in COMPANY["bills"]:
        [bill] = admin.find(
            "account.move",
            [["ref", "=", row["number"]]],
            ["state", "amount_untaxed", "amount_total", "currency_id"],
        )
        net = sum(line["quantity"] * line["price"] for line in row["lines"])
        by_rate: dict[Decimal, Decimal] = {}
        for line in row["lines"]:
            by_rate[line["tax"]] = by_rate.get(line["tax"], Decimal()) + line["quantity"] * line["price"]
        vat = sum(round(base * rate / 100, 2) for rate, base in by_rate.items())
        assert bill["state"] == "posted"
        assert bill["currency_id"][1] == row["currency"]
        assert Decimal(str(bill["amount_untaxed"])) == net
        assert Decimal(str(bill["amount_total"])) == net + vat


def test_the_connector_user_works_on_both_protocols_and_is_no_administrator(database: OdooDatabase):
    answer = json2(database, "purchase.order", "search_count", domain=[])
    assert (answer.status_code, answer.json()) == (200, len(COMPANY["purchase_orders"]))
    by_password = Odoo(database, database.login, database.password)
    by_key = Odoo(database, database.login, database.api_key)
    assert by_password.uid == by_key.uid
    assert by_password.call("purchase.order", "search_count", []) == len(COMPANY["purchase_orders"])
    assert not by_password.call("res.users", "has_group", [by_password.uid], "base.group_system")
    assert json2(database, "ir.config_parameter", "search_count", domain=[]).status_code == 403


def test_a_copy_is_independent_and_the_template_stays_as_it_is(odoo_server: Installation, admin: Odoo):
    name = f"test_{uuid.uuid4().hex[:12]}"
    for _ in range(2):  # the second time the server has known an older database of this name
        copy = Odoo(cloned(odoo_server, name))
        try:
            assert copy.call("res.partner", "search_count", [["name", "=", "Only In The Copy"]]) == 0
            copy.call("res.partner", "create", {"name": "Only In The Copy"})
        finally:
            odoo_server.drop(name)
    assert admin.call("res.partner", "search_count", [["name", "=", "Only In The Copy"]]) == 0
    assert TEMPLATE in odoo_server.state().databases


def test_two_pdfs_in_a_mail_become_two_draft_bills_of_the_sender(admin: Odoo):
    bills = admin.mail_bill(VENDOR_EMAIL, "Rechnungen", pdf("first"), pdf("second"))
    rows = admin.find(
        "account.move",
        [["id", "in", bills]],
        ["state", "move_type", "partner_id", "message_main_attachment_id"],
    )
    assert [(row["state"], row["move_type"]) for row in rows] == [("draft", "in_invoice")] * 2
    assert [row["message_main_attachment_id"][1] for row in rows] == ["first.pdf", "second.pdf"]
    assert {row["partner_id"][1] for row in rows} == {"Papierhaus Brunnhuber GmbH & Co. KG"}


def test_a_mailed_image_stays_detached_and_only_its_token_opens_it_to_the_connector_user(
    database: OdooDatabase, admin: Odoo
):
    """Odoo 19: `ir.attachment` without a record belongs to its creator and administrators; the web client reads it
    by the access token that the bill's messages carry."""
    picture = photo()
    [bill] = admin.mail_bill(VENDOR_EMAIL, "Foto", picture)
    connector = Odoo(database, database.login, database.password)
    [row] = connector.find(
        "account.move", [["id", "=", bill]], ["message_main_attachment_id", "attachment_ids"]
    )
    number, name = row["message_main_attachment_id"]
    assert (name, row["attachment_ids"]) == ("photo.jpg", [])
    [seen] = admin.find("ir.attachment", [["id", "=", number]], ["res_model", "res_id"])
    assert (seen["res_model"], seen["res_id"]) == (False, 0)
    assert connector.find("ir.attachment", [["id", "=", number]], ["name"]) == []
    [message] = connector.find(
        "mail.message", [["model", "=", "account.move"], ["res_id", "=", bill]], ["attachment_ids"]
    )
    assert message["attachment_ids"] == []
    with httpx.Client(base_url=database.url, timeout=60) as session:
        login = {"db": database.database, "login": database.login, "password": database.password}
        session.post("/web/session/authenticate", json={"params": login}).raise_for_status()
        thread = {"thread_model": "account.move", "thread_id": bill}
        answer = session.post("/mail/thread/messages", json={"params": thread}).raise_for_status().json()
        [attachment] = answer["result"]["data"]["ir.attachment"]
    content = httpx.get(
        f"{database.url}/web/content/{attachment['id']}",
        params={"access_token": attachment["raw_access_token"]},
        headers={"X-Odoo-Database": database.database},
    )
    assert content.content == picture.content


def test_a_person_s_draft_bill_and_order_carry_their_documents(database: OdooDatabase, admin: Odoo):
    connector = Odoo(database, database.login, database.password)
    [vendor] = admin.find("res.partner", [["vat", "=", COMPANY["vendors"][0]["vat"]]], ["name"])
    made = {
        "account.move": admin.draft_bill(pdf("bill")),
        "purchase.order": admin.draft_order(vendor["id"], pdf("confirmation")),
    }
    for model, record_id in made.items():
        [file] = connector.find(
            "ir.attachment", [["res_model", "=", model], ["res_id", "=", record_id]], ["raw"]
        )
        assert file["raw"].startswith("%PDF-1.4 ")


@pytest.mark.parametrize("name", ["Robert'); DROP TABLE", "", "../key", TEMPLATE])
def test_an_unfit_database_name_is_refused_with_its_code(odoo_server: Installation, name: str):
    for act in (odoo_server.clone, odoo_server.drop):
        with pytest.raises(OdooSetupError) as refused:
            act(name)
        assert refused.value.code == ExitCode.DATABASE
