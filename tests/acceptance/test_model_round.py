"""A round with a model server on a real Odoo: what the model invents, garbles or is told by a page fills nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.ledger.migrate import open_ledger
from deploy.odoo.administrator import Administrator, MailedFile
from inference.document import open_document
from inference.invoice import Reading
from inference.vllm.profile import DEFAULT
from tests.acceptance.command import settings_for, vouch
from tests.acceptance.round import BILL, LINE, MONEY
from tests.integration.odoo_server import OdooDatabase
from tests.integration.recorded_model import KEY, RecordedModel, true_answer
from tests.integration.test_vision_decisions import ACCOUNT, HOSTILE
from tests.integration.vllm_server import KEY as REAL_KEY
from tests.integration.vllm_server import VllmServer
from tests.samples import collection
from tests.samples.bill import Bill
from tests.samples.designs import render
from tests.samples.generate import TODAY

pytestmark = pytest.mark.usefixtures("development_odoo")
PDF = "application/pdf"
BILLS = {
    "hostile": replace(collection.german(TODAY), notes=HOSTILE),
    "english": collection.english(TODAY),
    "french": collection.french(TODAY),
}


@dataclass(frozen=True)
class Delivered:
    """Sample bills as drafts in an Odoo, and how `vouch` reaches it."""

    odoo: Administrator
    environment: Mapping[str, str]
    drafts: Mapping[str, int]

    def round(self, url: str, key: str) -> dict[str, dict[str, Any]]:
        """What one round with a model server made of each bill."""
        model = {"URL": url, "API_KEY": key, "TIMEOUT_SECONDS": "240", "DOCUMENT_SECONDS": "600"}
        variables = {**self.environment, **{f"VOUCH_VLM__{name}": value for name, value in model.items()}}
        ran = vouch(variables, "sync", "--once", "--json")
        assert ran.returncode == 0, ran.stderr
        found = {document["record"]: document for document in json.loads(ran.stdout)["documents"]}
        return {name: found[number] for name, number in self.drafts.items()}

    def reading(self, document: int) -> Reading:
        """What the ledger keeps of a document's last Reading."""
        with closing(open_ledger(f"sqlite:///{self.environment['VOUCH_DATA_DIR']}/ledger.db")) as ledger:
            story = ledger.story(document)
        assert story
        return Reading.from_json(story.readings[-1].body)

    def bill(self, name: str) -> dict[str, Any]:
        return self.odoo.find("account.move", [["id", "=", self.drafts[name]]], BILL)[0]

    def lines(self, name: str) -> list[dict[str, Any]]:
        domain = [["move_id", "=", self.drafts[name]], ["display_type", "=", "product"]]
        return self.odoo.find("account.move.line", domain, LINE)

    def activities(self, name: str) -> list[str]:
        domain = [["res_model", "=", "account.move"], ["res_id", "=", self.drafts[name]]]
        return [str(found["note"]) for found in self.odoo.find("mail.activity", domain, ["note"])]

    def assert_unfilled(self, name: str) -> None:
        bill = self.bill(name)
        assert (bill["ref"], bill["invoice_date"], bill["partner_id"]) == (False, False, False)
        assert (bill["amount_total"], self.lines(name)) == (0, [])
        assert len(self.activities(name)) == 1


def delivered(database: OdooDatabase, data: Path, bills: Mapping[str, Bill]) -> Delivered:
    odoo = Administrator(database.url, database.database, database.admin_login, database.admin_password)
    drafts = {
        name: odoo.draft_bill(MailedFile(f"{name}.pdf", PDF, render(bill))) for name, bill in bills.items()
    }
    return Delivered(odoo, settings_for(database, "json2", data), drafts)


@pytest.mark.timeout(1500)
def test_garbage_in_review_out(
    odoo_database: OdooDatabase, tmp_path: Path, vllm_server: Callable[[str], VllmServer]
) -> None:
    """The real vLLM with random weights: every bill stays as it was, and goes to a person for reasons that are true."""
    here = delivered(odoo_database, tmp_path, BILLS)
    outcomes = here.round(vllm_server(DEFAULT).url, REAL_KEY)
    answers = "".join(file.read_text() for file in (tmp_path / "answers").glob("*/*.json"))
    for name, bill in BILLS.items():
        outcome, truth = outcomes[name], bill.truth()["fields"]
        assert outcome["state"] == "in_review", outcome["message"]
        here.assert_unfilled(name)
        reading = here.reading(outcome["document"])
        assert reading.reader == "vlm"
        assert reading.usage
        assert reading.usage.calls > 0
        sure = {name: found for name, found in reading.fields.items() if found.confidence >= 0.9}
        assert all(found.as_json()["value"] == truth[name] for name, found in sure.items() if name in truth)
        # Every reason that names what the model reads, and says that the page has it nowhere, is true of both.
        given = re.findall(r"The model reads “([^”]*)”(, which stands nowhere)?", outcome["message"])
        assert given, outcome["message"]
        words = {token.text for token in open_document(render(bill), "bill.pdf").pages[0].tokens}
        for said, nowhere in given:
            assert said in answers
            assert not (nowhere and said in words)


@pytest.mark.parametrize("obeys", [False, True])
def test_a_page_that_gives_orders_changes_nothing_that_fills(
    odoo_database: OdooDatabase, tmp_path: Path, obeys: bool
) -> None:
    """A model that reads right fills the bill whatever its page says; one that obeys the page fills nothing. An account
    that is printed goes to a person anyhow, so it is left out here."""
    bill = replace(BILLS["hostile"], notes=tuple(words.replace(ACCOUNT, "") for words in HOSTILE))
    here = delivered(odoo_database, tmp_path, {"hostile": bill})
    told = json.loads(true_answer(bill.truth()))
    told |= {"no": "HACKED-1", "total": "0.01", "pay": "0.01"} if obeys else {}
    with RecordedModel(lambda asked: json.dumps({key: told[key] for key in asked.keys})).serving() as model:
        outcome = here.round(model.url, KEY)["hostile"]
    if obeys:
        assert outcome["state"] == "in_review", outcome["message"]
        here.assert_unfilled("hostile")
        return
    assert outcome["state"] == "filled", outcome["message"]
    filled, truth = here.bill("hostile"), bill.truth()["fields"]
    paper = [Decimal(truth[term]) for term in ("total_without_vat", "total_vat", "total_with_vat")]
    assert [Decimal(str(filled[field])) for field in MONEY] == paper
    assert (filled["ref"], filled["invoice_date"]) == (bill.number, truth["issue_date"])
