"""`make demo`: sample bills arrive in a real Odoo, Vouch fills or queues them, and shows what it did and why."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import Service, open_service
from connector.commands.output import OUT
from connector.commands.prepare import prepare_odoo
from connector.commands.read import read_files
from connector.commands.work import poll, work_off
from connector.erp import mailed_images
from connector.erp.port import ORDER
from connector.errors import VouchError
from connector.ledger.records import Job
from connector.ledger.states import JobState
from connector.logs import configure_logs
from connector.service import run
from connector.settings import load_settings
from deploy.odoo.administrator import Administrator, MailedFile
from deploy.odoo.failure import OdooSetupError
from deploy.odoo.installation import Installation
from deploy.odoo.places import ADMIN_LOGIN, ADMIN_PASSWORD
from tests.samples.fonts import FontUnavailable
from tests.samples.generate import Sample, samples, taught

DATABASE = "vouch_demo"
LEARNED_ACCOUNT = "635100"
COLOURS = {
    JobState.FILLED: "green",
    JobState.IN_REVIEW: "yellow",
    JobState.SKIPPED: "dim",
    JobState.FAILED: "red",
}


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the round")
    once = parser.parse_args().once
    try:
        today = datetime.now().astimezone().date()
        bills, lessons = samples(today), taught(today)
    except FontUnavailable as error:
        OUT.print(f"The sample bills cannot be made: {error}", markup=False)
        OUT.print(
            "Without them: `vouch read FILE` reads a bill of yours; README.md says how to connect an Odoo."
        )
        return 3
    try:
        return _with_odoo(bills, lessons, once)
    except OdooSetupError as error:
        OUT.print(f"\nNo local Odoo can be had: {error}\n", markup=False)
        return _files_only(bills)


def _with_odoo(bills: Iterable[Sample], lessons: Iterable[Sample], once: bool) -> int:
    odoo = Installation()
    OUT.print("[bold]1.[/] A real Odoo 19 with a sample company")
    odoo.start()
    if DATABASE in odoo.state().databases:
        odoo.drop(DATABASE)
    key_file = odoo.clone(DATABASE)
    OUT.print(f"   {odoo.places.url}/web?db={DATABASE}  (log in as accountant / accountant)")
    OUT.print("[bold]2.[/] The sample bills arrive, by mail and as attachments")
    administrator = Administrator(odoo.places.url, DATABASE)
    administrator.grant("vouch", "base.group_partner_manager")
    deliver(administrator, bills, lambda name: OUT.print(f"   {name}", markup=False))
    folder = odoo.places.cache.parent / "demo"
    config = _settings_file(folder, odoo.places.url, key_file)
    prepare_odoo(ADMIN_LOGIN, ADMIN_PASSWORD, None, config)
    administrator.run_scheduled(mailed_images.NAME)
    OUT.print("[bold]3.[/] Vouch reads them")
    settings = load_settings(config)
    configure_logs(settings)
    try:
        with open_service(settings) as service:
            _round(service)
            _tell(service, set())
            OUT.print(
                "[bold]4.[/] A vendor writes under a name that Odoo does not have: Vouch learns who it is"
            )
            _teach(service, administrator, lessons)
            OUT.print(
                f"\nOdoo          {odoo.places.url}/odoo/vendor-bills?db={DATABASE}   accountant / accountant"
            )
            OUT.print(
                f"Review queue  {settings.web_url}/reviews   "
                + ("(not running: --once)" if once else "accountant / accountant")
            )
            OUT.print(f"Settings      {folder / 'vouch.toml'}   (vouch status -c …)")
            if not once:
                OUT.print("\nMail or attach more bills in Odoo and watch. Ctrl-C ends.")
                run(service)
    except VouchError as error:
        OUT.print(f"vouch: {error}", markup=False)
        return error.exit_code
    return 0


def deliver(
    odoo: Administrator, bills: Iterable[Sample], tell: Callable[[str], None]
) -> dict[str, tuple[str, int]]:
    """Put each sample where it belongs: mailed to the bills alias, or attached to a draft. Name → model and id."""
    places: dict[str, tuple[str, int]] = {}
    for sample in bills:
        file = MailedFile(sample.filename, sample.mimetype, sample.data)
        if sample.target == "order":
            [order] = odoo.find("purchase.order", [["name", "=", sample.order]], ["id"])
            odoo.attach("purchase.order", order["id"], file)
            places[sample.name] = ("purchase.order", order["id"])
        elif sample.target == "mail":
            [bill] = odoo.mail_bill("post@forwarding.example", sample.filename, file)
            places[sample.name] = ("account.move", bill)
        else:
            move_type = "in_refund" if sample.target == "refund" else "in_invoice"
            places[sample.name] = ("account.move", odoo.draft_bill(file, move_type=move_type))
        tell(sample.filename)
    return places


def enter_and_post(odoo: Administrator, bill: int, sample: Sample, account: str) -> None:
    """What an accountant does with a bill that was left to them: type it in as its truth says, and post it."""

    def one(model: str, *domain: list[object]) -> int:
        return int(odoo.find(model, domain, ["id"])[0]["id"])

    fields, purchase = sample.truth["fields"], ["type_tax_use", "=", "purchase"]
    lines = [
        {
            "name": line["item_name"],
            "quantity": float(line["quantity"]),
            "price_unit": float(line["net_price"]),
            "account_id": one("account.account", ["code", "=", account]),
            "tax_ids": [(6, 0, [one("account.tax", ["name", "=", f"{line['vat_rate']} %"], purchase)])],
        }
        for line in sample.truth["lines"]
    ]
    values = {
        "partner_id": one("res.partner", ["name", "=", sample.truth["vendor"]]),
        "ref": fields["invoice_number"],
        "invoice_date": fields["issue_date"],
        "invoice_line_ids": [(0, 0, line) for line in lines],
    }
    odoo.call("account.move", "write", [bill], values)
    odoo.call("account.move", "action_post", [bill])


def _teach(service: Service, odoo: Administrator, lessons: Iterable[Sample]) -> None:
    """Bills under a trade name, one after the other; a person enters and posts those that are left to them."""
    shown = {job.id for job in service.ledger.jobs(limit=1000)}
    for sample in lessons:
        [(_, bill)] = deliver(odoo, [sample], lambda _: None).values()
        _round(service)
        _tell(service, shown)
        new = {job.id: job for job in service.ledger.jobs(limit=1000) if job.id not in shown}
        shown |= new.keys()
        if any(job.state == JobState.IN_REVIEW for job in new.values()):
            enter_and_post(odoo, bill, sample, LEARNED_ACCOUNT)
            OUT.print(
                f"   The accountant enters it as {sample.truth['vendor']} and posts it.\n", markup=False
            )


def _settings_file(folder: Path, url: str, key_file: Path) -> Path:
    """A fresh data folder and its vouch.toml: the demo begins anew each time, like its database."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    file = folder / "vouch.toml"
    port = os.environ.get("VOUCH_WEB__PORT", "8170")
    file.write_text(
        f'data_dir = "{data}"\nlog_level = "warning"\n\n[web]\nport = {port}\n\n[backends.demo]\nurl = "{url}"\n'
        f'database = "{DATABASE}"\nlogin = "vouch"\napi_key_file = "{key_file}"\n'
        'reviewer = "accountant"\n\n[backends.demo.schedule]\n'
        "interval_seconds = 10\njitter_seconds = 1\n",
        "utf-8",
    )
    return file


def _round(service: Service) -> None:
    """Learn from what was posted, poll, and work until nothing is due."""
    _, errors = poll(service)
    work_off(service, errors)
    for error in errors:
        raise error


def _tell(service: Service, shown: Container[int]) -> None:
    """A table of the documents not shown yet: what became of them and why."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for heading in ("document", "outcome", "what was read, and why"):
        table.add_column(heading, overflow="fold")
    counts = dict.fromkeys(COLOURS, 0)
    new = [job for job in service.ledger.jobs(limit=1000) if job.id not in shown]
    for job in sorted(new, key=lambda job: job.id):
        state = JobState(job.state)
        counts[state] = counts.get(state, 0) + 1
        colour = COLOURS.get(state, "")
        table.add_row(escape(job.attachment.name), f"[{colour}]{state}[/]", escape(_sentence(service, job)))
    OUT.print(table)
    if len(new) > 1:
        OUT.print("   ".join(f"{count} {state}" for state, count in counts.items()))


def _sentence(service: Service, job: Job) -> str:
    story = service.ledger.story(job.id)
    if job.state != JobState.FILLED or story is None or not story.readings:
        return job.message
    fields = story.readings[-1].body["fields"]
    number = "order_number" if job.model == ORDER else "invoice_number"
    parts = [fields[name]["value"] for name in ("seller_name", number) if name in fields]
    total = fields.get("total_with_vat", {}).get("value", "")
    said = ", ".join([*parts, f"{total} {fields.get('currency', {}).get('value', '')}".strip()])
    return " — ".join([said, *_remarks(story.proposals[-1].body)])


def _remarks(proposal: Mapping[str, Any]) -> list[str]:
    """What is worth telling of a bill that was filled: a vendor learned, an order found, VAT that we owe."""
    vendor = proposal["values"].get("partner_id", {}).get("reason", "")
    found = [vendor] if "you chose" in vendor else []
    orders = [match["name"] for match in proposal["matches"].get("purchase_order", ())]
    found += [f"lines linked to order {', '.join(orders)}"] if orders else []
    taxes = {line["tax_ids"]["reason"] for line in proposal["lines"] if "tax_ids" in line}
    return [*found, *sorted(reason for reason in taxes if reason.startswith("We owe"))]


def _files_only(bills: Iterable[Sample]) -> int:
    OUT.print("So here is the reading half alone, on the sample bills:\n")
    with tempfile.TemporaryDirectory(prefix="vouch-demo-") as folder:
        files: list[Path] = []
        for sample in bills:
            files.append(Path(folder) / sample.filename)
            files[-1].write_bytes(sample.data)
        read_files(files, "auto", as_json=False, config=None)
    OUT.print(
        "To fill bills, point Vouch at an Odoo of your own: see “Connect your own Odoo” in README.md.",
        markup=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
