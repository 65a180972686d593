"""A user's mapping on a real Odoo with fields of its own: checked at the start, filled, and told by the doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connector.erp.odoo import OdooErp, connect
from connector.erp.port import BILL, Effect, SyncCursor
from connector.erp.wire import Connection
from connector.errors import SettingsError
from mappings.field_map import user_map
from mappings.index import ErpIndex
from mappings.matching import propose
from tests.acceptance.command import settings_for, vouch
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.unit.mappings_builder import TODAY, paper_bill

pytestmark = pytest.mark.usefixtures("development_odoo")

CENTRE = '[bill]\nx_centre_id = {{ term = "buyer_accounting_reference"{more} }}\n'
LINES = '[bill_line]\nx_article = "item_seller_id"\n'


@pytest.fixture(scope="module")
def odoo(database: OdooDatabase) -> Odoo:
    """With a cost centre on bills (an account here: what leads to records is alike) and an article on lines."""
    odoo = Odoo(database)
    for model, values in (
        (BILL, {"name": "x_centre_id", "ttype": "many2one", "relation": "res.partner.category"}),
        (BILL, {"name": "x_secret_id", "ttype": "many2one", "relation": "ir.cron"}),
        (BILL, {"name": "x_flag", "ttype": "boolean"}),
        (BILL, {"name": "x_fixed", "ttype": "char", "readonly": True}),
        ("account.move.line", {"name": "x_article", "ttype": "char"}),
    ):
        [found] = odoo.find("ir.model", [["model", "=", model]], ["model"])
        labelled = {"field_description": "Cost centre", "model_id": found["id"], "state": "manual", **values}
        odoo.call("ir.model.fields", "create", labelled)
    for name in ("Workshop", "Office"):
        odoo.call("res.partner.category", "create", {"name": name})
    return odoo


def erp_with(database: OdooDatabase, text: str) -> OdooErp:
    settings = Connection("own", database.url, database.database, SecretStr(database.api_key.strip()))
    return connect(settings, user_map(text, "mapping.toml"))


def test_fields_of_one_s_own_are_filled_and_a_person_s_stay(database: OdooDatabase, odoo: Odoo) -> None:
    erp = erp_with(database, CENTRE.format(more="") + LINES)
    erp.discover(SyncCursor())
    index = ErpIndex(erp.erp_data())
    bill = odoo.draft_bill()
    record = erp.record(BILL, bill)
    read = paper_bill(buyer_accounting_reference="workshop")
    proposal = propose(read, record, index, TODAY, fields=erp.field_map())
    values: dict[str, Any] = {name: found.value for name, found in proposal.values.items()}
    lines = tuple({name: found.value for name, found in line.items()} for line in proposal.lines)
    after = erp.apply(Effect("own", BILL, bill, record.write_date, values, lines, note="Filled."))
    [row] = odoo.call(BILL, "read", [bill], ["x_centre_id", "invoice_line_ids"])
    assert row["x_centre_id"][1] == "Workshop"
    articles = odoo.call("account.move.line", "read", row["invoice_line_ids"], ["x_article"])
    assert [line["x_article"] for line in articles] == ["4711-A4", "5230-80"]
    assert after.values["x_centre_id"] == row["x_centre_id"][0]
    [other] = [
        c.message
        for c in propose(
            paper_bill(buyer_accounting_reference="Office"),
            erp.record(
                BILL,
                odoo.call(BILL, "create", {"move_type": "in_invoice", "x_centre_id": row["x_centre_id"][0]}),
            ),
            index,
            TODAY,
            fields=erp.field_map(),
        ).checks
        if c.id == "kept_x_centre_id"
    ]
    assert other == "The cost centre in Odoo is Workshop, the document says Office."
    erp.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[bill]\nx_centre = "buyer_reference"',
            "[bill] x_centre: account.move has no field x_centre; did you mean",
        ),
        ('[bill]\nx_fixed = "buyer_reference"', "[bill] x_fixed is read-only"),
        (
            '[bill]\nx_flag = "buyer_reference"',
            "[bill] x_flag is of type boolean, and buyer_reference is of kind",
        ),
        (
            '[bill]\nx_centre_id = "total_vat"',
            "[bill] x_centre_id is of type many2one, and total_vat is of kind amount",
        ),
        (
            '[bill]\nx_secret_id = "buyer_reference"',
            "[bill] x_secret_id leads to ir.cron, which cannot be read",
        ),
        (CENTRE.format(more=', match = "colour"'), "res.partner.category, which has no text field colour"),
    ],
)
def test_what_does_not_fit_is_said_at_the_start(
    database: OdooDatabase, odoo: Odoo, text: str, words: str
) -> None:
    erp = erp_with(database, text)
    with pytest.raises(SettingsError) as error:
        erp.field_map()
    assert words in str(error.value)
    assert str(error.value).startswith("mapping.toml: ")
    erp.close()


def test_the_doctor_shows_the_mapping_or_what_is_wrong_with_it(
    database: OdooDatabase, odoo: Odoo, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.toml"
    settings = settings_for(database, "json2", tmp_path / "data") | {
        "VOUCH_BACKENDS__MAIN__MAPPING": str(mapping)
    }
    mapping.write_text(CENTRE.format(more=""))
    said = findings(settings)
    assert "the mapping mapping.toml fits this Odoo: [bill] x_centre_id = buyer_accounting_reference" in said
    assert "many2one of res.partner.category, found by name" in said
    mapping.write_text('[bill]\nx_centre_id = "buyer_acounting_reference"')
    assert "did you mean 'buyer_accounting_reference'?" in findings(settings)


def findings(settings: dict[str, str]) -> str:
    done = vouch(settings, "doctor", "--json")
    return " ".join(one["message"] for one in json.loads(done.stdout)["findings"])
