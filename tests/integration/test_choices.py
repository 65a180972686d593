"""Records to choose from and new vendors, in a real Odoo over both protocols."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp
from connector.erp.search import SEARCHABLE
from connector.erp.wire import Connection
from connector.errors import AccessError, SkippableError
from deploy.odoo.installation import Installation
from tests.integration.odoo_server import Odoo, OdooDatabase, cloned


@pytest.fixture(scope="module")
def database(development_odoo: Installation) -> Iterator[OdooDatabase]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cloned(development_odoo, name)
    development_odoo.drop(name)


@pytest.fixture(scope="module", params=["json2", "jsonrpc"])
def erp(request: pytest.FixtureRequest, database: OdooDatabase) -> Iterator[OdooErp]:
    erp = OdooErp(
        Connection(
            name="main",
            url=database.url,
            database=database.database,
            secret=SecretStr(database.api_key),
            login=database.login,
            protocol=request.param,
        )
    )
    yield erp
    erp.close()


@pytest.fixture(scope="module")
def odoo(database: OdooDatabase) -> Odoo:
    return Odoo(database)


def test_every_model_is_searched_by_what_is_typed(erp: OdooErp, odoo: Odoo) -> None:
    [company] = erp.capabilities().companies[:1]
    unasked = [one.id for one in erp.search("account.account", "", [company])]
    types = odoo.find("account.account", [["id", "in", unasked]], ["account_type"])
    assert all(row["account_type"].startswith("expense") for row in types)
    assert erp.search("account.account", "1", [company])[0].name.startswith("1")
    for model in sorted(SEARCHABLE - {"res.partner.bank"}):
        everything = erp.search(model, "", [company])
        assert everything, model
        first = everything[0]
        word = first.name.split(" · ")[0].split()[0]
        assert first.id in {one.id for one in erp.search(model, word, [company])}, model
        assert erp.search(model, "no such thing 4711xyz", [company]) == ()
        assert len(erp.search(model, "", [company], limit=1)) == 1


def test_vendors_come_first_and_are_found_by_their_vat_id(erp: OdooErp, odoo: Odoo) -> None:
    [vendor] = odoo.find("res.partner", [["supplier_rank", ">", 0], ["vat", "!=", False]], ["name", "vat"])[
        :1
    ]
    assert [one.id for one in erp.search("res.partner", vendor["vat"])] == [vendor["id"]]
    found = erp.search("res.partner", vendor["vat"])[0]
    assert found.name == vendor["name"]
    assert vendor["vat"] in found.detail
    ranks = odoo.find(
        "res.partner", [["id", "in", [one.id for one in erp.search("res.partner", "")]]], ["supplier_rank"]
    )
    by_id = {row["id"]: row["supplier_rank"] for row in ranks}
    shown = [by_id[one.id] for one in erp.search("res.partner", "")]
    assert shown == sorted(shown, reverse=True)


def test_bank_accounts_and_order_lines_are_the_vendors(erp: OdooErp, odoo: Odoo) -> None:
    account = odoo.find(
        "res.partner.bank", [["partner_id.supplier_rank", ">", 0]], ["partner_id", "acc_number"]
    )[0]
    vendor = account["partner_id"][0]
    numbers = {
        row["acc_number"]
        for row in odoo.find("res.partner.bank", [["partner_id", "=", vendor]], ["acc_number"])
    }
    assert erp.search("res.partner.bank", "") == ()
    assert {one.name for one in erp.search("res.partner.bank", "", vendor=vendor)} == numbers
    order = odoo.find("purchase.order", [["state", "=", "purchase"]], ["partner_id"])[0]
    lines = erp.search("purchase.order.line", "", vendor=order["partner_id"][0])
    partners = odoo.find("purchase.order.line", [["id", "in", [one.id for one in lines]]], ["partner_id"])
    assert {row["partner_id"][0] for row in partners} == {order["partner_id"][0]}


def test_other_models_and_companies_are_refused(erp: OdooErp) -> None:
    with pytest.raises(SkippableError, match="not a model"):
        erp.search("res.users", "")
    with pytest.raises(SkippableError, match="company"):
        erp.search("res.partner", "", [4711])


def test_a_vendor_is_made_once_and_never_with_bank_details(erp: OdooErp, odoo: Odoo) -> None:
    name = f"Yamato {uuid.uuid4().hex[:6]} K.K."
    if erp.settings.protocol == "json2":
        # Its own roles are not enough, and the refusal says which is.
        with pytest.raises(AccessError, match="Contact: Creation"):
            erp.create_vendor({"name": "Nobody"})
    odoo.grant("vouch", "base.group_partner_manager")
    details = {
        "name": name,
        "city": "Osaka",
        "country_code": "jp",
        "is_company": True,
        "email": "ar@yamato.example",
    }
    made = erp.create_vendor(details)
    assert erp.create_vendor(details) == made
    rows = odoo.find(
        "res.partner",
        [["name", "=", name]],
        ["city", "country_id", "is_company", "supplier_rank", "bank_ids"],
    )
    [row] = rows
    assert (row["id"], row["city"], row["is_company"], row["bank_ids"]) == (made.id, "Osaka", True, [])
    assert row["country_id"][1] == "Japan"
    assert row["supplier_rank"] > 0
    for refused in ({"name": name, "bank_ids": "DE89"}, {"name": " "}, {"name": "X", "country_code": "QQ"}):
        with pytest.raises(SkippableError):
            erp.create_vendor(refused)
    assert odoo.find("res.partner", [["name", "=", "X"]], ["id"]) == []
