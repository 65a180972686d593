"""What earlier bills were booked on is read from a real Odoo, and a new bill is booked the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import SecretStr

from connector.erp.odoo import connect
from connector.erp.port import BILL, Effect
from connector.erp.wire import Connection
from mappings.erp_data import Distribution
from mappings.index import ErpIndex
from mappings.matching import propose
from tests.integration.odoo_server import Odoo, OdooDatabase
from tests.unit.mappings_builder import TODAY, paper_bill

pytestmark = pytest.mark.usefixtures("development_odoo")


def test_an_analytic_distribution_is_read_and_written(odoo_database: OdooDatabase) -> None:
    odoo = Odoo(odoo_database)
    group = odoo.call("ir.model.data", "check_object_reference", "analytic", "group_analytic_accounting")[1]
    users = odoo.call("res.users", "search", [["login", "=", "admin"]])
    odoo.call("res.users", "write", users, {"group_ids": [[4, group]]})
    plan = odoo.call("account.analytic.plan", "create", {"name": "Departments"})
    centre = odoo.call("account.analytic.account", "create", {"name": "Workshop", "plan_id": plan})
    [vendor] = odoo.find("res.partner", [["vat", "=", "DE371628131"]], ["name"])
    old = odoo.find("account.move", [["partner_id", "=", vendor["id"]]], ["invoice_line_ids"])
    lines = [line for bill in old for line in bill["invoice_line_ids"]]
    odoo.call("account.move.line", "write", lines, {"analytic_distribution": {str(centre): 100}})
    erp = connect(
        Connection(
            "books", odoo_database.url, odoo_database.database, SecretStr(odoo_database.api_key.strip())
        )
    )
    data = erp.erp_data()
    mine = [line for line in data.posted_lines if line.partner_id == vendor["id"]]
    assert len(mine) >= 2
    assert {line.analytic for line in mine} == {Distribution(((str(centre), Decimal(100)),))}
    assert all(line.bill_id for line in mine)
    bill = odoo.draft_bill()
    record = erp.record(BILL, bill)
    proposal = propose(paper_bill(), record, ErpIndex(data), TODAY)
    values = {name: found.value for name, found in proposal.values.items()}
    written = tuple({name: found.value for name, found in line.items()} for line in proposal.lines)
    erp.apply(Effect("booked", BILL, bill, record.write_date, values, written, note="Filled."))
    rows = odoo.find(
        "account.move.line",
        [["move_id", "=", bill], ["display_type", "=", "product"]],
        ["analytic_distribution"],
    )
    assert [row["analytic_distribution"] for row in rows] == [{str(centre): 100.0}] * 2
    erp.close()
