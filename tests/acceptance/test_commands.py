"""The commands on a real Odoo: what a wrong setting says, what a crash leaves behind, what the service serves."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, start, vouch, wait_for
from tests.integration.odoo_server import OdooDatabase, cloned
from tests.samples.generate import samples

SAMPLES = {sample.name: sample for sample in samples()}


@pytest.fixture
def environment(
    development_odoo: Installation, odoo_database: OdooDatabase, tmp_path: Path
) -> dict[str, str]:
    return settings_for(odoo_database, "json2", tmp_path / "data")


@pytest.fixture(scope="module")
def shared_environment(
    odoo_server: Installation | OdooDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """For tests that write nothing."""
    if isinstance(odoo_server, OdooDatabase):
        yield settings_for(odoo_server, "json2", tmp_path_factory.mktemp("data"))
        return
    database = cloned(odoo_server, f"test_{uuid.uuid4().hex[:12]}")
    yield settings_for(database, "json2", tmp_path_factory.mktemp("data"))
    odoo_server.drop(database.database)


@pytest.fixture
def odoo(odoo_database: OdooDatabase) -> Administrator:
    return Administrator(
        odoo_database.url, odoo_database.database, odoo_database.admin_login, odoo_database.admin_password
    )


def draft(odoo: Administrator, name: str) -> int:
    sample = SAMPLES[name]
    return odoo.draft_bill(MailedFile(sample.filename, sample.mimetype, sample.data))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_the_doctor_finds_all_well(shared_environment: dict[str, str]) -> None:
    ran = vouch(shared_environment, "doctor", "--json")
    assert ran.returncode == 0, ran.stdout
    findings = json.loads(ran.stdout)["findings"]
    assert {finding["status"] for finding in findings} == {"good"}
    assert any("Odoo 19.0" in finding["message"] for finding in findings)


def test_the_doctor_warns_of_weak_settings(shared_environment: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("admin")
    key.chmod(0o644)
    environment = {name: value for name, value in shared_environment.items() if not name.endswith("API_KEY")}
    environment |= {
        "VOUCH_DATA_DIR": str(tmp_path / "data"),
        "VOUCH_BACKENDS__MAIN__PROTOCOL": "jsonrpc",
        "VOUCH_BACKENDS__MAIN__LOGIN": "admin",
        "VOUCH_BACKENDS__MAIN__PASSWORD_FILE": str(key),
        "VOUCH_WEB__HOST": "0.0.0.0",
        "VOUCH_WEB__URL": "http://vouch.example:8170",
    }
    made = vouch(environment, "token", "create", "till", "--scope", "documents:write", "--days", "3")
    assert made.returncode == 0, made.stderr
    ran = vouch(environment, "doctor", "--json")
    warnings = [one["message"] for one in json.loads(ran.stdout)["findings"] if one["status"] == "warning"]
    for said in (
        "Vouch logs in as admin, an administrator",
        f"everyone on this machine can read {key}",
        "people sign in over plain http",
        "the API token till ends on",
    ):
        assert any(warning.startswith(said) for warning in warnings), (said, warnings)
    quiet = vouch({**shared_environment, "VOUCH_WEB__SIGN_IN": "false"}, "doctor", "--json")
    assert "web.sign_in is off" in quiet.stdout


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        ({"VOUCH_BACKENDS__MAIN__URL": "http://127.0.0.1:9"}, "127.0.0.1:9", 5),
        ({"VOUCH_BACKENDS__MAIN__DATABASE": "nowhere"}, "nowhere", 2),
        ({"VOUCH_BACKENDS__MAIN__API_KEY": "f" * 40}, "key", 4),
        ({"VOUCH_BACKENDS__MAIN__URL": "odoo"}, "backends.MAIN.url", 2),
        ({"VOUCH_POLICY__FILL_CONFIDENCE": "7"}, "policy.fill_confidence", 2),
        ({"VOUCH_POLICY__FIL_CONFIDENCE": "0.9"}, "fil_confidence", 2),
        ({"VOUCH_CONFIG": "/nowhere/vouch.toml"}, "/nowhere/vouch.toml", 2),
    ],
)
@pytest.mark.parametrize("command", [["doctor"], ["sync", "--once"]])
def test_a_wrong_setting_is_named_with_its_code(
    shared_environment: dict[str, str], command: list[str], change: dict[str, str], words: str, code: int
) -> None:
    ran = vouch(shared_environment | change, *command)
    said = ran.stdout + ran.stderr
    assert (ran.returncode, "Traceback" in said) == (code, False), said
    assert words.lower() in said.lower()
    assert shared_environment["VOUCH_BACKENDS__MAIN__API_KEY"] not in said


def test_a_missing_right_is_named(
    environment: dict[str, str], odoo: Administrator, odoo_database: OdooDatabase
) -> None:
    [user] = odoo.find("res.users", [["login", "=", odoo_database.login]], ["id", "group_ids"])
    groups = odoo.find(
        "res.groups", [["id", "in", user["group_ids"]], ["full_name", "ilike", "purchase"]], ["id"]
    )
    odoo.call("res.users", "write", [user["id"]], {"group_ids": [(3, group["id"]) for group in groups]})
    ran = vouch(environment, "doctor")
    assert ran.returncode == 4, ran.stdout
    assert "urchase" in ran.stdout


def test_push_makes_a_draft_that_the_next_round_fills(
    environment: dict[str, str], odoo: Administrator, tmp_path: Path
) -> None:
    sample = SAMPLES["look_alike"]
    file = tmp_path / sample.filename
    file.write_bytes(sample.data)
    pushed = vouch(environment, "push", str(file), "--json")
    assert pushed.returncode == 0, pushed.stderr
    [made] = json.loads(pushed.stdout)["drafts"]
    again = vouch(environment, "push", str(file), "--json")
    assert json.loads(again.stdout)["drafts"] == [made]
    odoo.call("account.move", "unlink", [made["record"]])
    anew = vouch(environment, "push", str(file), "--json")
    [other] = json.loads(anew.stdout)["drafts"]
    assert other["record"] != made["record"]
    made = other
    assert json.loads(vouch(environment, "sync", "--once", "--json").stdout)["new"] == 1
    [bill] = odoo.find("account.move", [["id", "=", made["record"]]], ["ref", "amount_total"])
    assert bill["ref"] == sample.truth["fields"]["invoice_number"]
    status = json.loads(vouch(environment, "status", "--json").stdout)
    assert status["documents"]["filled"] == 1
    refused = vouch(environment, "retry", "1")
    assert (refused.returncode, "filled ones stay" in refused.stderr) == (2, True)


def test_what_cannot_be_read_is_not_pushed(
    environment: dict[str, str], odoo: Administrator, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(SAMPLES["english"].data)
    bad.write_bytes(b"")
    before = odoo.call("account.move", "search_count", [])
    ran = vouch(environment, "push", str(good), str(bad))
    assert ran.returncode == 6
    assert "bad.pdf" in ran.stderr
    assert odoo.call("account.move", "search_count", []) == before


def test_a_failed_document_can_be_tried_again(environment: dict[str, str], odoo: Administrator) -> None:
    odoo.draft_bill(MailedFile("scan.pdf", "application/pdf", b"%PDF-1.7 cut off"))
    vouch(environment, "sync", "--once")
    status = json.loads(vouch(environment, "status", "--json").stdout)
    assert status["documents"]["failed"] == 1
    assert json.loads(vouch(environment, "retry", "--json").stdout) == {"retried": 1}
    again = json.loads(vouch(environment, "sync", "--once", "--json").stdout)
    assert [document["state"] for document in again["documents"]] == ["failed"]


def test_a_posted_bill_is_never_touched(environment: dict[str, str], odoo: Administrator) -> None:
    [posted] = odoo.find("account.move", [["ref", "=", "INV-10877"]], ["id"])
    sample = SAMPLES["english"]
    odoo.attach("account.move", posted["id"], MailedFile(sample.filename, sample.mimetype, sample.data))
    before = odoo.find("account.move", [["id", "=", posted["id"]]], ["write_date", "message_ids"])
    answer = json.loads(vouch(environment, "sync", "--once", "--json").stdout)
    assert (answer["new"], answer["documents"]) == (0, [])
    assert odoo.find("account.move", [["id", "=", posted["id"]]], ["write_date", "message_ids"]) == before


def test_what_a_person_typed_stands(environment: dict[str, str], odoo: Administrator) -> None:
    [vendor] = odoo.find("res.partner", [["name", "=", "Alpenrand Spedition GmbH"]], ["id"])
    bill = draft(odoo, "look_alike")
    odoo.call("account.move", "write", [bill], {"partner_id": vendor["id"], "ref": "by hand"})
    [document] = json.loads(vouch(environment, "sync", "--once", "--json").stdout)["documents"]
    assert document["state"] == "in_review"
    assert "Alpenrand" in document["message"]
    [after] = odoo.find("account.move", [["id", "=", bill]], ["partner_id", "ref", "invoice_line_ids"])
    assert (after["partner_id"][0], after["ref"], after["invoice_line_ids"]) == (vendor["id"], "by hand", [])


def test_sure_header_values_are_written_where_the_owner_wants_it(
    environment: dict[str, str], odoo: Administrator
) -> None:
    sample, bill = SAMPLES["order_dearer"], draft(odoo, "order_dearer")
    wanted = environment | {"VOUCH_POLICY__FILL_SURE_HEADER": "true"}
    [document] = json.loads(vouch(wanted, "sync", "--once", "--json").stdout)["documents"]
    assert document["state"] == "in_review"
    fields = ["ref", "invoice_date", "partner_id", "invoice_line_ids", "activity_ids"]
    [found] = odoo.find("account.move", [["id", "=", bill]], fields)
    truth = sample.truth["fields"]
    assert (found["ref"], found["invoice_date"]) == (truth["invoice_number"], truth["issue_date"])
    assert found["partner_id"][1] == sample.truth["vendor"]
    assert (found["invoice_line_ids"], len(found["activity_ids"])) == ([], 1)


def test_killed_in_the_middle_and_taken_up_again(environment: dict[str, str], odoo: Administrator) -> None:
    bills = [draft(odoo, "look_alike"), draft(odoo, "order_billed"), draft(odoo, "german_scan")]
    for pause in (1.5, 2.2, 3.0):
        process = start(environment, "sync", "--once")
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def settled() -> dict[str, int] | None:
        vouch(environment, "retry")
        ran = vouch(environment, "sync", "--once")
        # 5 while a write that was interrupted may still be under way.
        assert ran.returncode in (0, 5), ran.stderr
        found: dict[str, int] = json.loads(vouch(environment, "status", "--json").stdout)["documents"]
        return found if found["queued"] == 0 else None

    status = wait_for(settled)
    assert sum(status.values()) == len(bills)
    assert status["queued"] == status["running"] == status["applying"] == 0
    for bill in bills:
        notes = odoo.find(
            "mail.message",
            [["model", "=", "account.move"], ["res_id", "=", bill], ["body", "ilike", "Vouch"]],
            ["id"],
        )
        assert len(notes) == 1


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    process = start(
        environment | {"VOUCH_WEB__PORT": str(port), "VOUCH_BACKENDS__MAIN__SCHEDULE__INTERVAL_SECONDS": "1"},
        "run",
    )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            return httpx.get(f"{url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(ready)
    yield url
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def test_the_service_reads_what_arrives_and_shows_it(service: str, odoo: Administrator) -> None:
    assert httpx.get(f"{service}/healthz").status_code == 200
    bill = draft(odoo, "changed_account")
    wait_for(
        lambda: odoo.find(
            "mail.activity", [["res_model", "=", "account.move"], ["res_id", "=", bill]], ["note"]
        )
    )
    assert httpx.get(f"{service}/reviews").has_redirect_location
    with httpx.Client(base_url=service, headers={"Origin": service}, follow_redirects=True) as person:
        _sign_in(person)
        wait_for(lambda: "Fuhrwerk" in person.get("/reviews").text)


def _sign_in(person: httpx.Client) -> None:
    token = re.search(r'name="token" value="([^"]+)"', person.get("/sign-in").text)
    assert token
    form = {"token": token[1], "backend": "main", "login": "accountant", "secret": "accountant"}
    assert person.post("/sign-in", data=form).url.path == "/reviews"


def test_what_odoo_filled_from_an_e_invoice_is_checked_and_never_refilled(
    environment: dict[str, str], odoo: Administrator
) -> None:
    sample = SAMPLES["facturx"]
    [bill] = odoo.mail_bill(
        "post@elsewhere.example", "Facture", MailedFile(sample.filename, sample.mimetype, sample.data)
    )
    [imported] = odoo.find(
        "account.move", [["id", "=", bill]], ["amount_total", "invoice_line_ids", "write_date"]
    )
    assert str(imported["amount_total"]) == sample.truth["fields"]["total_with_vat"]
    [document] = json.loads(vouch(environment, "sync", "--once", "--json").stdout)["documents"]
    assert (document["state"], "agrees with the document" in document["message"]) == ("skipped", True)
    assert (
        odoo.find("account.move", [["id", "=", bill]], ["write_date"])[0]["write_date"]
        == imported["write_date"]
    )

    # As Odoo does with a tax it cannot match: the line is there, its tax is not.
    untaxed = {"invoice_line_ids": [(1, imported["invoice_line_ids"][0], {"tax_ids": [(5,)]})]}
    odoo.call("account.move", "write", [bill], untaxed)
    [less] = odoo.find("account.move", [["id", "=", bill]], ["amount_total"])
    vouch(environment, "retry", "--skipped")
    [document] = json.loads(vouch(environment, "sync", "--once", "--json").stdout)["documents"]
    assert document["state"] == "in_review"
    assert f"{less['amount_total']:.2f}" in document["message"]
    assert sample.truth["fields"]["total_with_vat"] in document["message"]
    assert odoo.find("account.move", [["id", "=", bill]], ["amount_total"])[0] == less


def test_status_says_what_the_error_budget_has_proven(environment: dict[str, str]) -> None:
    asked = environment | {"VOUCH_POLICY__ERROR_BUDGET": "0.01"}
    [proof] = json.loads(vouch(asked, "status", "--json").stdout)["error_budget"]
    assert (proof["backend"], proof["proven"], proof["bills"], proof["needed"]) == ("main", False, 0, 299)
    assert "at least 299 are needed" in vouch(asked, "status").stdout
    assert json.loads(vouch(environment, "status", "--json").stdout)["error_budget"] == []


def sample_file(folder: Path, name: str) -> str:
    file = folder / SAMPLES[name].filename
    file.write_bytes(SAMPLES[name].data)
    return str(file)


def test_propose_explains_every_value_and_writes_nothing(
    environment: dict[str, str], odoo: Administrator, tmp_path: Path
) -> None:
    bill = draft(odoo, "german_discounts")

    def everything() -> list[Any]:
        return [odoo.find(model, [], ["write_date"]) for model in ("account.move", "mail.message")]

    before, truth = everything(), SAMPLES["german_discounts"].truth
    file = sample_file(tmp_path, "german_discounts")
    alone = vouch(environment, "propose", file, "--json", "--backend", "main")
    held = vouch(environment, "propose", file, "--json", "--record", f"account.move/{bill}")
    assert [alone.returncode, held.returncode] == [0, 0], alone.stderr + held.stderr
    for said, number in ((json.loads(alone.stdout), None), (json.loads(held.stdout), bill)):
        assert (said["record"]["model"], said["record"]["id"]) == ("account.move", number)
        assert said["decision"]["outcome"] == "fill"
        assert said["values"]["partner_id"]["shown"] == truth["vendor"]
        assert said["values"]["ref"]["value"] == truth["fields"]["invoice_number"]
        assert said["values"]["ref"]["evidence"][0]["page"] == 1
        assert [line["name"]["value"] for line in said["lines"]] == [
            line["item_name"] for line in truth["lines"]
        ]
        assert all(value["reason"] for line in said["lines"] for value in line.values())
        assert said["totals"]["total"] == {
            "paper": truth["fields"]["total_with_vat"],
            "predicted": truth["fields"]["total_with_vat"],
            "difference": "0.00",
        }
    assert everything() == before
    status = json.loads(vouch(environment, "status", "--json").stdout)
    assert set(status["documents"].values()) == {0}


def test_propose_shows_people_the_reason_the_candidates_and_the_checks(
    shared_environment: dict[str, str], tmp_path: Path
) -> None:
    ran = vouch(shared_environment, "propose", sample_file(tmp_path, "order_dearer"))
    assert ran.returncode == 0, ran.stderr
    for words in (
        "review",
        "the price is 36.20, the order says 34.50",
        "Candidates for the vendor",
        "P00102",
    ):
        assert words in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("{english}", "--record", "res.partner/3"), "account.move/NUMBER", 2),
        (("{english}", "--backend", "other"), "--backend", 2),
        (("{english}", "--record", "account.move/999999"), "gone", 6),
        (("/nowhere/bill.pdf",), "cannot be opened", 6),
    ],
)
def test_propose_says_what_is_wrong(
    shared_environment: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], words: str, code: int
) -> None:
    english = sample_file(tmp_path, "english")
    ran = vouch(shared_environment, "propose", *(word.format(english=english) for word in arguments))
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
