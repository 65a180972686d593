"""Learning on a real Odoo: bills that a person corrects and posts teach Vouch, each once, and the next one is known."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.demo import enter_and_post
from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, vouch
from tests.integration.odoo_server import cloned
from tests.samples import company
from tests.samples.bill import Line
from tests.samples.collection import TRADE_NAME, under_trade_name
from tests.samples.designs import render
from tests.samples.generate import TODAY, Sample, taught


@pytest.fixture(scope="module")
def desk(
    development_odoo: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Administrator, dict[str, str]]]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    database = cloned(development_odoo, name)
    yield (
        Administrator(database.url, name),
        settings_for(database, "json2", tmp_path_factory.mktemp("data")),
    )
    development_odoo.drop(name)


def arrive(odoo: Administrator, sample: Sample) -> int:
    return odoo.draft_bill(MailedFile(sample.filename, sample.mimetype, sample.data))


def written(folder: Path, number: str, days: int) -> str:
    """One more bill under the trade name, as a file."""
    lines = (Line("Dieselzuschlag 8 %", Decimal(1), "C62", Decimal("24.96"), Decimal(19)),)
    file = folder / f"{number}.pdf"
    file.write_bytes(render(under_trade_name(TODAY, number, days, lines)))
    return str(file)


def sync(environment: dict[str, str], bill: int) -> dict[str, Any]:
    ran = vouch(environment, "sync", "--once", "--json")
    assert ran.returncode == 0, ran.stderr
    return next(one for one in json.loads(ran.stdout)["documents"] if one["record"] == bill)


def ask(environment: dict[str, str], *arguments: str) -> Any:
    ran = vouch(environment, *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_vendor_under_a_new_name_is_suggested_after_one_bill_and_filled_after_two(
    desk: tuple[Administrator, dict[str, str]], tmp_path: Path
) -> None:
    odoo, environment = desk
    bills = taught()
    first = arrive(odoo, bills[0])
    assert "vendor" in sync(environment, first)["message"]
    enter_and_post(odoo, first, bills[0], "645200")

    second = arrive(odoo, bills[1])
    told = sync(environment, second)
    assert told["state"] == "in_review"
    assert f"you chose it for the name “{TRADE_NAME}” once" in told["message"]
    known = ask(environment, "memory", "list", "--kind", "vendor")["memory"]
    assert {entry["printed"] for entry in known} == {TRADE_NAME, "buero@fll-transporte.example"}
    states = {s["name"]: s["state"] for s in ask(environment, "status")["failed"]}
    assert states == {}
    assert ask(environment, "status")["open_reviews"] == 1  # the first left the queue when it was posted
    enter_and_post(odoo, second, bills[1], "645200")

    third = arrive(odoo, bills[2])
    told = sync(environment, third)
    assert told["state"] == "filled", told["message"]
    [bill] = odoo.find("account.move", [["id", "=", third]], ["partner_id", "invoice_line_ids"])
    assert bill["partner_id"][1] == company.vendor("fuhrwerk").name
    lines = odoo.find("account.move.line", [["id", "in", bill["invoice_line_ids"]]], ["account_id"])
    [booked] = odoo.find("account.account", [["code", "=", "645200"]], ["id"])
    assert {line["account_id"][0] for line in lines} == {booked["id"]}

    # What was learned is seen in an explanation, and gone when it is forgotten.
    file = written(tmp_path, "FLT-950", 35)
    value = ask(environment, "propose", file)["values"]["partner_id"]
    assert "twice, last on" in value["reason"]
    shadow = ask(environment, "shadow", "list")["vendors"]
    assert [(one["bills"], one["would_fill"]) for one in shadow] == [(2, 0)]
    # The posted bills are read again: the same reader passes, one that finds less does not.
    again = ask(environment, "replay")
    assert (again["bills"], again["worse"], again["faults"], again["accepted"]) == (2, [], [], True)
    assert again["right_now"] == again["right_then"] >= 8
    worse = vouch(environment, "replay", "--reader", "einvoice", "--json")
    assert worse.returncode == 7
    assert not json.loads(worse.stdout)["accepted"]
    assert len(json.loads(worse.stdout)["worse"]) == again["right_then"]

    ask(environment, "memory", "forget", "--vendor", "Fuhrwerk")
    assert ask(environment, "memory", "list")["memory"] == []
    assert "partner_id" not in ask(environment, "propose", file)["values"]
    # The same posted bills do not teach again.
    assert vouch(environment, "sync", "--once").returncode == 0
    assert ask(environment, "memory", "list")["memory"] == []


def test_memory_is_set_by_hand_and_shadow_mode_switched(
    desk: tuple[Administrator, dict[str, str]], tmp_path: Path
) -> None:
    _, environment = desk
    name = company.vendor("fuhrwerk").name
    entry = ask(environment, "memory", "set", "vendor", TRADE_NAME, name)["set"]
    assert (entry["label"], entry["confidence"]) == (name, 0.97)
    ask(environment, "memory", "set", "account", "Dieselzuschlag 8 %", "645200", "--vendor", name)
    file = written(tmp_path, "FLT-951", 45)
    found = ask(environment, "propose", file)
    assert found["decision"]["outcome"] == "fill", found["decision"]
    assert "You set account 645200" in found["lines"][0]["account_id"]["reason"]
    assert ask(environment, "shadow", "on", "Fuhrwerk")["vendor"]["shadow"]
    found = ask(environment, "propose", file)
    assert found["decision"]["outcome"] == "review"
    assert "shadow mode" in found["decision"]["reasons"][0]
    assert not ask(environment, "shadow", "off", name)["vendor"]["shadow"]
    assert ask(environment, "propose", file)["decision"]["outcome"] == "fill"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("memory", "forget"), "Say what to forget"),
        (("memory", "forget", "ffffffff"), "Nothing is remembered under ffffffff"),
        (("memory", "set", "colour", "red", "1"), "choose one of vendor"),
        (("memory", "set", "account", "Papier", "625100"), "--vendor"),
        (("memory", "set", "account", "Papier", "999999", "--vendor", "Fuhrwerk"), "Odoo has no account"),
        (("shadow", "on", "Nordlicht"), "could be several: Nordlicht Elektr"),
        (("memory", "set", "vendor", "x" * 9, "Kestrel Works GmbH"), "Odoo has no vendor"),
    ],
)
def test_what_cannot_be_is_said(
    desk: tuple[Administrator, dict[str, str]], arguments: tuple[str, ...], words: str
) -> None:
    ran = vouch(desk[1], *arguments)
    assert (ran.returncode, words in ran.stderr) == (2, True), ran.stderr
