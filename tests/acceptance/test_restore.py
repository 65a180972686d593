"""A ledger restored from a backup, with a real Odoo that went on: nothing is written twice, nothing is lost."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.installation import Installation
from tests.acceptance.command import settings_for, vouch
from tests.integration.odoo_server import cloned
from tests.samples.generate import Sample, samples

BILL = "account.move"
WRITTEN = ["write_date", "ref", "amount_total", "invoice_line_ids", "message_ids", "activity_ids"]


def chosen(expected: str, count: int) -> list[Sample]:
    fit = [
        one
        for one in samples()
        if (one.expected, one.target) == (expected, "mail") and one.quality == "digital"
    ]
    assert len(fit) >= count
    return fit[:count]


def arrive(odoo: Administrator, sample: Sample) -> int:
    return odoo.draft_bill(MailedFile(sample.filename, sample.mimetype, sample.data))


def test_what_was_done_after_the_backup_is_known_by_its_notes(
    development_odoo: Installation, tmp_path: Path
) -> None:
    name = f"test_{uuid.uuid4().hex[:12]}"
    database = cloned(development_odoo, name)
    odoo = Administrator(database.url, name)
    before, after = (settings_for(database, "json2", tmp_path / part) for part in ("before", "after"))
    sure, doubtful = chosen("fill", 3), chosen("review", 2)

    def ran(environment: dict[str, str], *words: str) -> dict[str, Any]:
        done = vouch(environment, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def states(environment: dict[str, str]) -> dict[str, int]:
        return ran(environment, "status")["documents"]

    bills = [arrive(odoo, sure[0]), arrive(odoo, doubtful[0])]
    ran(before, "sync", "--once")
    backup = str(tmp_path / "backup")
    ran(before, "backup", backup)
    bills += [arrive(odoo, sure[1]), arrive(odoo, doubtful[1])]
    ran(before, "sync", "--once")
    known = states(before)
    assert (known["filled"], known["in_review"]) == (2, 2)
    written = odoo.find(BILL, [["id", "in", bills]], WRITTEN)

    ran(after, "restore", backup)
    assert sum(states(after).values()) == 2
    found = ran(after, "sync", "--once")
    assert found["new"] == 2
    assert states(after) == known
    ran(after, "sync", "--once")
    assert odoo.find(BILL, [["id", "in", bills]], WRITTEN) == written
    assert ran(after, "audit", "verify")["whole"]

    late = arrive(odoo, sure[2])
    told = next(one for one in ran(after, "sync", "--once")["documents"] if one["record"] == late)
    assert told["state"] == "filled"
    # A person's new wish is carried out, with a question of its own.
    numbers = [one["document"] for one in found["documents"] if one["state"] == "in_review"]
    ran(after, "retry", str(numbers[0]))
    ran(after, "sync", "--once")
    asked = odoo.find(BILL, [["id", "=", bills[3]]], ["activity_ids"])[0]["activity_ids"]
    assert len(asked) == 2
    development_odoo.drop(name)
