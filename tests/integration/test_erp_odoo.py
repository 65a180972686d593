"""The adapter against a real Odoo, over both protocols: what it finds, reads, writes and refuses."""

import base64
import io
import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from connector.erp import mailed_images
from connector.erp.odoo import OdooErp, connect
from connector.erp.port import BILL, ORDER, Activity, Attachment, Effect, Poll, SyncCursor, Upload
from connector.erp.wire import Connection
from connector.errors import AccessError, ConflictError, RetriableError, SettingsError, SkippableError
from deploy.odoo.installation import Installation
from deploy.odoo.postgres import Cluster
from mappings.erp_data import ErpData
from tests.integration.odoo_server import MailedFile, Odoo, OdooDatabase

SENDER = "Rechnung <rechnung@nordlicht-elektro.example>"


@pytest.fixture(scope="module")
def admin(database: OdooDatabase) -> Odoo:
    return Odoo(database)


def settings(database: OdooDatabase, protocol: str = "auto", **changes: Any) -> Connection:
    secret = database.api_key.strip() if protocol == "json2" else database.password
    given: dict[str, Any] = {"login": database.login, "protocol": protocol, "secret": SecretStr(secret)}
    return Connection(name="books", url=database.url, database=database.database, **(given | changes))


@pytest.fixture(scope="module", params=["json2", "jsonrpc"])
def erp(request: pytest.FixtureRequest, database: OdooDatabase) -> Iterator[OdooErp]:
    found = connect(settings(database, request.param))
    yield found
    found.close()


def pdf(name: str = "bill.pdf") -> MailedFile:
    return MailedFile(name, "application/pdf", b"%PDF-1.4\n" + uuid.uuid4().bytes)


def photo(name: str = "photo.png") -> MailedFile:
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(stream, "PNG")
    return MailedFile(name, "image/png", stream.getvalue())


@pytest.fixture(scope="module")
def known(erp: OdooErp) -> ErpData:
    return erp.erp_data()


def start(erp: OdooErp) -> SyncCursor:
    """The cursor after what is there already."""
    found = erp.discover(SyncCursor())
    return found.cursor


def on(poll: Poll, model: str, record_id: int) -> list[Attachment]:
    return [one for one in poll.attachments if (one.model, one.record_id) == (model, record_id)]


def vendor(known: ErpData) -> int:
    return next(partner.id for partner in known.partners if partner.supplier_rank and partner.vat)


def tax(known: ErpData, rate: str) -> int:
    """The tax that a bill with VAT of this rate has."""
    return next(tax.id for tax in known.taxes if tax.amount == Decimal(rate) and not tax.reverse_charge)


def bill_effect(erp: OdooErp, known: ErpData, bill: int) -> Effect:
    return Effect(
        key=uuid.uuid4().hex,
        model=BILL,
        record_id=bill,
        expected_write_date=erp.record(BILL, bill).write_date,
        values={
            "partner_id": vendor(known),
            "ref": "RE-2026/0815",
            "invoice_date": date(2026, 7, 1),
            "invoice_date_due": date(2026, 7, 15),
            "currency_id": known.companies[0].currency_id,
        },
        lines=(
            {
                "name": "Relais <24 V> & Sockel",
                "quantity": Decimal("3"),
                "price_unit": Decimal("12.34"),
                "discount": Decimal("10"),
                "tax_ids": (tax(known, "19"),),
            },
            {"name": "Porto", "quantity": Decimal("1"), "price_unit": Decimal("4.95"), "tax_ids": ()},
        ),
        note='Read from page 1 <script>alert("x")</script>\nSecond paragraph & more',
        activity=Activity("Check the bill", "The total is <b>doubtful</b>"),
    )


def test_the_probe_tells_what_this_user_can_do(erp: OdooErp, database: OdooDatabase) -> None:
    found = erp.capabilities()
    assert (found.major, found.login, found.missing_rights) == (19, database.login, ())
    assert {"account", "purchase"} <= found.modules
    assert found.companies
    assert found.has(BILL, "invoice_line_ids")
    assert not found.has(BILL, "no_such_field")
    asked = erp.calls
    assert erp.capabilities() is found
    assert erp.calls == asked


def test_auto_takes_json2_with_a_key_and_json_rpc_with_a_password(database: OdooDatabase) -> None:
    chosen = {
        secret: connect(settings(database, secret=SecretStr(secret))).session.protocol
        for secret in (database.api_key.strip(), database.password)
    }
    assert list(chosen.values()) == ["json2", "jsonrpc"]


def test_documents_on_drafts_are_found_and_only_those(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    cursor = start(erp)
    partner = vendor(known)
    wanted = [
        (BILL, admin.draft_bill(pdf(), move_type=kind)) for kind in ("in_invoice", "in_refund", "in_receipt")
    ]
    wanted.append((ORDER, admin.draft_order(partner, pdf())))
    [mailed] = admin.mail_bill(SENDER, "Invoice", pdf("mailed.pdf"))
    sold = admin.draft_bill(pdf(), move_type="out_invoice")
    cancelled = admin.draft_order(partner, pdf())
    admin.call(ORDER, "button_cancel", [cancelled])
    posted = admin.draft_bill(
        pdf(),
        partner_id=partner,
        invoice_date="2026-07-01",
        invoice_line_ids=[[0, 0, {"name": "Paper", "price_unit": 10}]],
    )
    admin.call(BILL, "action_post", [posted])

    found = erp.discover(cursor)
    assert all(len(on(found, model, record_id)) == 1 for model, record_id in wanted)
    assert not on(found, BILL, sold) + on(found, ORDER, cancelled) + on(found, BILL, posted)
    [document] = on(found, BILL, mailed)
    assert document.is_main
    assert (document.name, document.mimetype, document.backend) == ("mailed.pdf", "application/pdf", "books")
    assert abs(document.created - datetime.now(UTC)) < timedelta(minutes=5)
    now = erp.clock()
    assert now
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    parts: list[str] = []
    everything = erp.discover(SyncCursor(), lambda: parts.append("one"))
    assert len(parts) >= 4  # bills, orders, and the attachments of each
    assert {one.id for one in found.attachments} <= {one.id for one in everything.attachments}


def test_an_idle_poll_is_one_call(erp: OdooErp, admin: Odoo) -> None:
    admin.draft_bill(pdf())
    poll = erp.discover(erp.discover(start(erp)).cursor)
    asked = erp.calls
    again = erp.discover(poll.cursor)
    assert erp.calls - asked == 1
    assert again.cursor == poll.cursor


def test_a_file_uploaded_before_the_cursor_and_attached_after_it_is_found(
    erp: OdooErp, admin: Odoo, known: ErpData
) -> None:
    bill = admin.draft_bill()
    early = admin.attach("res.partner", vendor(known), pdf())
    admin.draft_bill(pdf())
    cursor = erp.discover(start(erp)).cursor
    assert cursor.last_id > early
    admin.call("ir.attachment", "write", [early], {"res_model": BILL, "res_id": bill})
    [found] = on(erp.discover(cursor), BILL, bill)
    assert found.id == early


def test_a_file_that_changes_within_the_second_of_its_upload_is_found(
    erp: OdooErp, admin: Odoo, odoo_server: Installation | OdooDatabase, database: OdooDatabase
) -> None:
    """Odoo's times have seconds: on a form not yet saved a file is uploaded first and gets its record at once."""
    if isinstance(odoo_server, OdooDatabase):
        pytest.skip("needs the database of the development Odoo")
    bill, cursor = admin.draft_bill(), start(erp)
    early = admin.attach(BILL, 0, pdf())
    assert not on(erp.discover(cursor), BILL, bill)
    [uploaded] = admin.find("ir.attachment", [["id", "=", early]], ["write_date"])
    for change in ({"res_id": bill}, {"datas": base64.b64encode(b"%PDF-1.4 other").decode()}):
        admin.call("ir.attachment", "write", [early], change)
        same = f"UPDATE ir_attachment SET write_date = '{uploaded['write_date']}' WHERE id = {early}"
        Cluster(odoo_server.places).ask(same, database.database)
        [found] = on(erp.discover(cursor), BILL, bill)
        [stored] = admin.find("ir.attachment", [["id", "=", early]], ["checksum"])
        assert found.checksum == stored["checksum"]


def test_a_document_on_an_order_that_waits_for_approval_is_found(
    erp: OdooErp, admin: Odoo, known: ErpData
) -> None:
    order = admin.draft_order(vendor(known), pdf())
    admin.call("purchase.order", "write", [order], {"state": "to approve"})
    assert on(erp.discover(SyncCursor()), ORDER, order)
    assert erp.record(ORDER, order).is_draft


def test_a_mailed_image_is_reported_and_readable_for_those_whom_odoo_shows_it(
    erp: OdooErp, admin: Odoo, database: OdooDatabase
) -> None:
    file = photo()
    [bill] = admin.mail_bill(SENDER, "Photo", file)
    attached = admin.find("ir.attachment", [["res_model", "=", BILL], ["res_id", "=", bill]], ["id"])
    assert attached == []  # Odoo detaches it: what this test is about
    fresh = connect(erp.settings)
    [hidden] = on(fresh.discover(start(erp)), BILL, bill)
    assert (hidden.name, hidden.checksum, hidden.is_main) == ("photo.png", "", True)
    with pytest.raises(SkippableError, match="administrators") as refused:
        erp.download(hidden)
    assert refused.value.reason == "unreachable"

    login = {"login": database.admin_login, "secret": SecretStr(database.admin_password)}
    powerful = connect(settings(database, "jsonrpc", **login))
    [seen] = on(powerful.discover(SyncCursor()), BILL, bill)
    assert seen.id == hidden.id
    assert powerful.download(seen) == file.content

    # The scheduled action makes it an ordinary document for everyone.
    cursor = start(erp)
    mailed_images.install(powerful.session)
    assert not mailed_images.install(powerful.session)
    [action] = admin.find("ir.cron", [["name", "=", mailed_images.NAME]], ["id"])
    admin.call("ir.cron", "method_direct_trigger", [action["id"]])
    [ordinary] = on(erp.discover(cursor), BILL, bill)
    assert erp.download(ordinary) == file.content
    powerful.close()
    fresh.close()


def test_download_gives_the_bytes_or_says_why_not(erp: OdooErp, admin: Odoo, database: OdooDatabase) -> None:
    file = pdf()
    bill = admin.draft_bill(file)
    [document] = on(erp.discover(start(erp)), BILL, bill)
    assert erp.download(document) == file.content
    with pytest.raises(SkippableError, match="limit is 50 MB") as large:
        erp.download(replace(document, size=51 << 20))
    assert large.value.reason == "size"
    admin.call("ir.attachment", "unlink", [document.id])
    with pytest.raises(SkippableError) as gone:
        erp.download(document)
    assert gone.value.reason == "gone"


def test_a_bill_is_filled_exactly_in_one_write(
    erp: OdooErp, admin: Odoo, database: OdooDatabase, known: ErpData
) -> None:
    bill = admin.draft_bill(pdf())
    effect = bill_effect(erp, known, bill)
    assert not erp.happened(effect)
    after = erp.apply(effect)
    assert {name: after.values[name] for name in effect.values} == effect.values
    assert [(line.name, line.quantity, line.price_unit, line.tax_ids) for line in after.lines] == [
        (line["name"], line["quantity"], line["price_unit"], line["tax_ids"]) for line in effect.lines
    ]
    # 3 × 12.34 less 10 % is 33.32, with 19 % 6.33 of tax; and 4.95 without.
    assert (after.amount_untaxed, after.amount_tax, after.amount_total) == (
        Decimal("38.27"),
        Decimal("6.33"),
        Decimal("44.60"),
    )
    assert erp.record(BILL, bill) == after
    assert erp.happened(effect)
    assert not erp.happened(replace(effect, key=effect.key[:-1]))

    [note] = admin.find(
        "mail.message",
        [["model", "=", BILL], ["res_id", "=", bill], ["body", "ilike", effect.key]],
        ["body", "subtype_id", "author_id"],
    )
    assert "<script" not in note["body"]
    assert "Second paragraph &amp; more" in note["body"]
    assert note["subtype_id"][1] == "Note"
    [to_do] = admin.find(
        "mail.activity", [["res_model", "=", BILL], ["res_id", "=", bill]], ["summary", "note", "user_id"]
    )
    assert to_do["summary"] == "Check the bill"
    assert "&lt;b&gt;doubtful" in to_do["note"]
    [header] = admin.find(BILL, [["id", "=", bill]], ["is_manually_modified", "write_uid"])
    assert not header["is_manually_modified"]


def test_an_effect_costs_two_calls(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    erp.apply(bill_effect(erp, known, admin.draft_bill()))
    effect = bill_effect(erp, known, admin.draft_bill())
    asked = erp.calls
    erp.apply(effect)
    assert erp.calls - asked == 2


def test_an_effect_that_odoo_refuses_leaves_nothing(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    bill = admin.draft_bill()
    before = erp.record(BILL, bill)
    wrong = {"name": "?", "quantity": Decimal(1), "price_unit": Decimal(1), "account_id": 10**6}
    effect = bill_effect(erp, known, bill)
    effect = replace(effect, lines=(*effect.lines, wrong))
    with pytest.raises(SkippableError):
        erp.apply(effect)
    assert erp.record(BILL, bill) == before
    assert not erp.happened(effect)


@pytest.mark.parametrize("edit", ["header", "line", "added"])
def test_what_a_person_changed_meanwhile_is_a_conflict(
    erp: OdooErp, admin: Odoo, edit: str, known: ErpData
) -> None:
    bill = admin.draft_bill(invoice_line_ids=[[0, 0, {"name": "Paper", "price_unit": 10}]])
    effect = bill_effect(erp, known, bill)
    # Within the same second: Odoo's write_date alone would not tell.
    line = erp.record(BILL, bill).lines[0].id
    if edit == "header":
        admin.call(BILL, "write", [bill], {"ref": "typed by hand"})
    elif edit == "line":
        admin.call("account.move.line", "write", [line], {"name": "Paper, A4"})
    else:
        admin.call(BILL, "write", [bill], {"invoice_line_ids": [[0, 0, {"name": "More", "price_unit": 0}]]})
    mine = erp.record(BILL, bill)
    with pytest.raises(ConflictError):
        erp.apply(effect)
    assert erp.record(BILL, bill) == mine


def test_a_posted_bill_is_never_touched(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    bill = admin.draft_bill(
        partner_id=vendor(known),
        invoice_date="2026-07-01",
        invoice_line_ids=[[0, 0, {"name": "Paper", "price_unit": 10}]],
    )
    admin.call(BILL, "action_post", [bill])
    before = erp.record(BILL, bill)
    effect = bill_effect(erp, known, bill)
    with pytest.raises(ConflictError, match="no longer a draft"):
        erp.apply(effect)
    # And where it is posted between the check and the write, Odoo itself refuses.
    with pytest.raises(ConflictError, match="posted"):
        erp.session.write(
            BILL, "write", [bill], {"vals": {"invoice_line_ids": [[0, 0, {"name": "x", "price_unit": 1}]]}}
        )
    assert erp.record(BILL, bill) == before


def test_an_order_is_filled(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    order = admin.draft_order(vendor(known), pdf())
    planned = datetime(2026, 9, 3, 9, 0, tzinfo=UTC)
    before = erp.record(ORDER, order)
    assert (before.kind, before.is_draft, before.lines) == ("order", True, ())
    effect = Effect(
        key=uuid.uuid4().hex,
        model=ORDER,
        record_id=order,
        expected_write_date=before.write_date,
        values={"partner_ref": "AB 4711"},
        lines=(
            {
                "product_id": known.products[0].id,
                "name": "Confirmed",
                "product_qty": Decimal("4"),
                "price_unit": Decimal("2.5"),
                "date_planned": planned,
                "tax_ids": (tax(known, "19"),),
            },
        ),
    )
    after = erp.apply(effect)
    assert after.values["partner_ref"] == "AB 4711"
    assert after.values["date_planned"] == planned
    [line] = after.lines
    assert (line.name, line.quantity, line.price_unit, line.tax_ids) == (
        "Confirmed",
        Decimal(4),
        Decimal("2.5"),
        (tax(known, "19"),),
    )
    assert (after.amount_untaxed, after.amount_total) == (Decimal(10), Decimal("11.90"))
    assert erp.happened(effect)


def test_records_of_another_company_are_written_in_that_company(
    erp: OdooErp, admin: Odoo, database: OdooDatabase, known: ErpData
) -> None:
    # A country whose own chart is not installed would make Odoo install it.
    [country] = admin.find("res.country", [["code", "=", "US"]], ["currency_id"])
    branch = {"country_id": country["id"], "currency_id": country["currency_id"][0]}
    other = admin.call("res.company", "create", {"name": f"Branch {uuid.uuid4().hex[:6]}", **branch})
    admin.call("res.users", "write", [admin.uid], {"company_ids": [[4, other]]})
    there = {"allowed_company_ids": [other]}
    admin.call("account.chart.template", "try_loading", "generic_coa", other, False, context=there)
    [user] = admin.find("res.users", [["login", "=", database.login]], ["company_ids"])
    admin.call("res.users", "write", [user["id"]], {"company_ids": [[4, other]]})
    bill = admin.call(BILL, "create", {"move_type": "in_invoice"}, context=there)
    document = admin.attach(BILL, bill, pdf())

    only_ours = connect(replace(erp.settings, companies=(known.companies[0].id,)))
    assert not on(only_ours.discover(SyncCursor()), BILL, bill)
    assert {one.id for one in only_ours.erp_data().companies} == {known.companies[0].id}
    both = connect(erp.settings)
    assert [one.id for one in on(both.discover(SyncCursor()), BILL, bill)] == [document]
    branch_tax = next(one for one in both.erp_data().taxes if one.company_id == other)
    line = {"name": "x", "quantity": Decimal(1), "price_unit": Decimal(100), "tax_ids": (branch_tax.id,)}
    before = both.record(BILL, bill)
    after = both.apply(Effect(uuid.uuid4().hex, BILL, bill, before.write_date, {"ref": "B-1"}, (line,)))
    assert (after.company_id, after.lines[0].tax_ids) == (other, (branch_tax.id,))
    assert after.amount_tax == branch_tax.amount
    only_ours.close()
    both.close()


def test_the_way_before_odoo_17_reads_and_writes_the_same(erp: OdooErp, admin: Odoo, known: ErpData) -> None:
    bill = admin.draft_bill()
    effect = bill_effect(erp, known, bill)
    erp.nested = False
    after = erp.apply(effect)
    assert len(after.lines) == 2
    erp.nested = None
    assert erp.record(BILL, bill) == after


def test_a_record_that_is_gone_is_skipped(erp: OdooErp, admin: Odoo) -> None:
    bill = admin.draft_bill()
    admin.call(BILL, "unlink", [bill])
    for nested in (True, False):
        erp.nested = nested
        with pytest.raises(SkippableError) as gone:
            erp.record(BILL, bill)
        assert gone.value.reason == "gone"


def test_the_data_for_matching(erp: OdooErp, admin: Odoo) -> None:
    data = erp.erp_data()
    [company] = [one for one in data.companies if one.vat == "DE214513568"]
    assert company.accounts == ("DE28200505507086093483",)
    assert company.country == "DE"
    assert {tax.amount for tax in data.taxes if tax.active} >= {Decimal("19"), Decimal("7"), Decimal("5.5")}
    assert {partner.name for partner in data.partners if partner.is_employee} >= {"Vouch", "Accountant"}
    names = {partner.id: partner.name for partner in data.partners}
    assert all(account.partner_id in names and account.number for account in data.bank_accounts)
    assert {currency.name for currency in data.currencies if currency.active} >= {"EUR", "USD", "GBP", "CNY"}
    assert any(not currency.active for currency in data.currencies)
    terms = {term.name: term.days for term in data.payment_terms}
    assert terms["30 Days"] == 30
    assert all(days is None for name, days in terms.items() if "following" in name.lower())
    assert any(code.product_code for product in data.products for code in product.vendor_codes)
    assert all(product.expense_account_id for product in data.products)
    orders = {order.name: order for order in data.purchase_orders}
    counted = admin.call(
        ORDER, "search_count", [["invoice_status", "!=", "invoiced"], ["state", "!=", "cancel"]]
    )
    assert len(orders) == counted
    assert all(order.lines for order in data.purchase_orders if order.state == "purchase")
    assert {bill.state for bill in data.bills} >= {"posted"}
    accounts = {account.id for account in data.accounts}
    assert data.posted_lines
    assert {line.account_id for line in data.posted_lines} <= accounts
    assert all(line.partner_id in names for line in data.posted_lines)


@pytest.mark.parametrize("together", [True, False], ids=["one call", "before Odoo 17"])
def test_upload_makes_a_draft_bill_with_its_document(erp: OdooErp, together: bool) -> None:
    files = [pdf("first.pdf"), photo("second.png")]
    here = erp.capabilities()
    bill_fields = here.fields[BILL] if together else here.fields[BILL] - {"attachment_ids"}
    older = replace(here, fields={**here.fields, BILL: bill_fields})
    numbers = OdooErp(erp.settings, _session=erp.session, _capabilities=older).upload(
        [Upload(file.name, file.content) for file in files]
    )
    for number, file in zip(numbers, files, strict=True):
        record = erp.record(BILL, number)
        assert (record.kind, record.state, record.lines) == ("in_invoice", "draft", ())
        [document] = on(erp.discover(SyncCursor()), BILL, number)
        assert (document.name, document.is_main) == (file.name, True)
        assert erp.download(document) == file.content


def test_the_record_opens_in_the_web_client(erp: OdooErp, admin: Odoo, database: OdooDatabase) -> None:
    login = {"db": database.database, "login": database.login, "password": database.password}
    address = erp.record_url(BILL, admin.draft_bill())
    with httpx.Client(follow_redirects=True) as browser:
        browser.post(f"{database.url}/web/session/authenticate", json={"params": login}).raise_for_status()
        page = browser.get(address)
    assert (page.status_code, str(page.url)) == (200, address)
    assert "o_web_client" in page.text


def test_each_wrong_setting_has_its_own_error(database: OdooDatabase) -> None:
    key, password = settings(database, "json2"), settings(database, "jsonrpc")
    wrong: list[tuple[Connection, type[Exception], str]] = [
        (replace(key, secret=SecretStr("a" * 40)), AccessError, "does not accept the API key"),
        (replace(password, secret=SecretStr("wrong")), AccessError, "login and password"),
        (replace(password, login="nobody"), AccessError, "login and password"),
        (replace(key, database="no_such_db"), SettingsError, "no database no_such_db"),
        (replace(password, database="no_such_db"), SettingsError, "no database no_such_db"),
        (replace(key, url=database.url + "/shop"), SettingsError, "not an Odoo"),
        (replace(key, url=database.url.replace("http:", "https:")), SettingsError, "TLS"),
        (replace(key, url="http://127.0.0.1:1"), RetriableError, "cannot be reached"),
        (replace(key, url="http://no-such-host.invalid"), SettingsError, "host"),
        (replace(password, login=""), SettingsError, "needs a login"),
        (replace(key, companies=(999,)), AccessError, r"companies \[999\]"),
    ]
    for given, kind, words in wrong:
        with pytest.raises(kind, match=words):
            connect(given).capabilities()


def test_a_missing_right_is_named_with_its_remedy(admin: Odoo, database: OdooDatabase) -> None:
    name = f"clerk_{uuid.uuid4().hex[:8]}"
    admin.call("res.users", "create", {"login": name, "name": name, "password": name})
    erp = connect(settings(database, "jsonrpc", login=name, secret=SecretStr(name)))
    missing = " ".join(erp.capabilities().missing_rights)
    assert "read or write or create account.move:" in missing
    assert "role Accounting / Invoicing" in missing
    assert "role Purchase / User" in missing
    with pytest.raises(AccessError, match=r"account\.move.*Give the user the role Accounting"):
        erp.record(BILL, 1)


def test_bills_go_on_without_the_right_to_fill_orders(admin: Odoo, database: OdooDatabase) -> None:
    name = f"biller_{uuid.uuid4().hex[:8]}"
    groups = [
        admin.call("ir.model.data", "check_object_reference", *group.split("."))[1]
        for group in ("base.group_user", "account.group_account_invoice")
    ]
    user = {"login": name, "name": name, "password": name, "group_ids": [[6, 0, groups]]}
    admin.call("res.users", "create", user)
    erp = connect(settings(database, "jsonrpc", login=name, secret=SecretStr(name)))
    assert all("purchase.order" in sentence for sentence in erp.capabilities().missing_rights)
    known = erp.erp_data()
    bill, order = admin.draft_bill(pdf()), admin.draft_order(vendor(known), pdf())
    found = erp.discover(SyncCursor())
    assert on(found, BILL, bill)
    assert not on(found, ORDER, order)
    assert erp.apply(bill_effect(erp, known, bill)).amount_total == Decimal("44.60")
    erp.close()


def test_no_secret_is_shown(erp: OdooErp, database: OdooDatabase, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "never-to-be-seen"
    with pytest.raises(AccessError) as denied:
        connect(settings(database, "jsonrpc", secret=SecretStr(secret)))
    real = erp.settings.secret.get_secret_value()
    connect(erp.settings).erp_data()
    shown = caplog.text + repr(erp) + repr(erp.settings) + str(denied.value) + repr(denied.value)
    assert secret not in shown
    if real != database.login:  # the demo user's password is also its name
        assert real not in shown
