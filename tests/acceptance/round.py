"""One round of Vouch over all sample documents in a real Odoo, over each protocol, shared by the tests that look at it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from connector.erp import mailed_images
from deploy.demo import deliver
from deploy.odoo.administrator import Administrator
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, vouch
from tests.integration.odoo_server import cloned
from tests.samples.generate import Sample, bad_inputs, samples

SAMPLES = {sample.name: sample for sample in samples()}
MONEY = ["amount_untaxed", "amount_tax", "amount_total"]
BILL = ["move_type", "state", "partner_id", "ref", "invoice_date", "currency_id", "write_date", *MONEY]
LINE = [
    "name",
    "quantity",
    "price_unit",
    "discount",
    "price_subtotal",
    "tax_ids",
    "account_id",
    "purchase_line_id",
]


@dataclass(frozen=True)
class Round:
    """A database after one round, and what the command said."""

    odoo: Administrator
    places: Mapping[str, tuple[str, int]]
    answer: dict[str, Any]
    environment: Mapping[str, str]

    def outcome(self, name: str) -> dict[str, Any]:
        return next(d for d in self.answer["documents"] if (d["model"], d["record"]) == self.places[name])

    def bill(self, name: str) -> dict[str, Any]:
        model, number = self.places[name]
        assert model == "account.move"
        return self.odoo.find(model, [["id", "=", number]], BILL)[0]

    def lines(self, name: str) -> list[dict[str, Any]]:
        _, number = self.places[name]
        domain = [["move_id", "=", number], ["display_type", "=", "product"]]
        return self.odoo.find("account.move.line", domain, LINE)

    def activities(self, name: str) -> list[dict[str, Any]]:
        model, number = self.places[name]
        return self.odoo.find(
            "mail.activity",
            [["res_model", "=", model], ["res_id", "=", number]],
            ["summary", "note", "user_id"],
        )

    def notes(self, name: str) -> list[str]:
        model, number = self.places[name]
        domain = [["model", "=", model], ["res_id", "=", number], ["body", "ilike", "vouch"]]
        return [message["body"] for message in self.odoo.find("mail.message", domain, ["body"])]


@pytest.fixture(scope="session", params=["json2", "jsonrpc"])
def done(
    request: pytest.FixtureRequest,
    development_odoo: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Round]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    database = cloned(development_odoo, name)
    odoo = Administrator(database.url, database.database)
    places = deliver(odoo, [*SAMPLES.values(), *_drafts(bad_inputs())], lambda _: None)
    environment = settings_for(database, request.param, tmp_path_factory.mktemp("data"))
    prepared = vouch(
        environment, "prepare", "--login", database.admin_login, "--password", database.admin_password
    )
    assert prepared.returncode == 0, prepared.stderr
    odoo.run_scheduled(mailed_images.NAME)
    ran = vouch(environment, "sync", "--once", "--json")
    assert ran.returncode == 0, ran.stderr
    yield Round(odoo, places, json.loads(ran.stdout), environment)
    development_odoo.drop(name)


def _drafts(bad: tuple[Sample, ...]) -> Iterator[Sample]:
    for sample in bad:
        yield Sample(
            sample.name,
            sample.filename,
            sample.mimetype,
            sample.data,
            {},
            "skip",
            sample.reason,
            target="bill",
        )
