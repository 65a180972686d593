"""`make demo`: sample bills arrive in a real Odoo, Vouch fills or queues them, and shows what it did and why."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import Service, open_service
from connector.commands.output import OUT
from connector.commands.prepare import prepare_odoo
from connector.commands.read import read_files
from connector.commands.work import poll, work_off
from connector.erp import mailed_images
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
from tests.samples.generate import Sample, samples

DATABASE = "vouch_demo"
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
        bills = samples(datetime.now().astimezone().date())
    except FontUnavailable as error:
        OUT.print(f"The sample bills cannot be made: {error}", markup=False)
        OUT.print(
            "Without them: `vouch read FILE` reads a bill of yours; README.md says how to connect an Odoo."
        )
        return 3
    try:
        return _with_odoo(bills, once)
    except OdooSetupError as error:
        OUT.print(f"\nNo local Odoo can be had: {error}\n", markup=False)
        return _files_only(bills)


def _with_odoo(bills: Iterable[Sample], once: bool) -> int:
    odoo = Installation()
    OUT.print("[bold]1.[/] A real Odoo 19 with a sample company")
    odoo.start()
    if DATABASE in odoo.state().databases:
        odoo.drop(DATABASE)
    key_file = odoo.clone(DATABASE)
    OUT.print(f"   {odoo.places.url}/web?db={DATABASE}  (log in as accountant / accountant)")
    OUT.print("[bold]2.[/] The sample bills arrive, by mail and as attachments")
    administrator = Administrator(odoo.places.url, DATABASE)
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
            _tell(service)
            OUT.print(
                f"\nOdoo          {odoo.places.url}/odoo/vendor-bills?db={DATABASE}   accountant / accountant"
            )
            OUT.print(f"Review queue  {settings.web_url}/reviews{' (not running: --once)' if once else ''}")
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
    _, errors = poll(service)
    work_off(service, errors)
    for error in errors:
        raise error


def _tell(service: Service) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for heading in ("document", "outcome", "what was read, and why"):
        table.add_column(heading, overflow="fold")
    counts = dict.fromkeys(COLOURS, 0)
    for job in sorted(service.ledger.jobs(limit=1000), key=lambda job: job.id):
        state = JobState(job.state)
        counts[state] = counts.get(state, 0) + 1
        colour = COLOURS.get(state, "")
        table.add_row(escape(job.attachment.name), f"[{colour}]{state}[/]", escape(_sentence(service, job)))
    OUT.print(table)
    OUT.print("   ".join(f"{count} {state}" for state, count in counts.items()))


def _sentence(service: Service, job: Job) -> str:
    story = service.ledger.story(job.id)
    if job.state != JobState.FILLED or story is None or not story.readings:
        return job.message
    fields = story.readings[-1].body["fields"]
    parts = [
        fields[name]["value"] for name in ("seller_name", "invoice_number", "order_number") if name in fields
    ]
    total = fields.get("total_with_vat", {}).get("value", "")
    return ", ".join([*parts[:2], f"{total} {fields.get('currency', {}).get('value', '')}".strip()])


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
