"""`vouch propose`: what would be written for a document, value by value, and why. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import connection, opened_ledger, owner_of
from connector.commands.output import OUT, print_json
from connector.commands.read import file_bytes
from connector.erp.odoo import OdooErp
from connector.errors import SettingsError, SkippableError
from connector.judgement import Judge
from connector.ledger.learning import Learning
from connector.logs import configure_logs
from connector.model import opened_desk
from connector.pipeline import local_today
from connector.recipient import recipient
from connector.settings import chosen_backend, load_settings
from inference.errors import DocumentError
from inference.invoice import DocumentType, Reading
from mappings.case import BILL, ORDER, REFUND, field_at, money
from mappings.erp_data import Record
from mappings.field_map import FieldMap
from mappings.index import ErpIndex
from mappings.memory import Memory
from mappings.naming import named
from mappings.policy import Decision
from mappings.proposal import Proposal, ProposedValue, scalar_as_json

if TYPE_CHECKING:
    from connector.settings import Settings
    from inference.isolation import Opened

MARKS = {"fail": "[red]✗[/]", "pass": "[green]✓[/]", "not_applicable": "[dim]–[/]"}


@dataclass(frozen=True, slots=True)
class Explained:
    """A document, the record it was held against, and what came of it."""

    file: Path
    opened: Opened
    reading: Reading
    record: Record
    index: ErpIndex
    proposal: Proposal
    decision: Decision
    fields: FieldMap

    def as_json(self) -> dict[str, Any]:
        """The contract of `vouch propose --json`; see docs/cli.md."""
        proposal = self.proposal
        return {
            "document": {
                "name": self.file.name,
                "sha256": self.opened.sha256,
                "mime": self.opened.mime,
                "pages": len(self.opened.sizes),
                "kind": self.opened.origin,
            },
            "record": {
                "model": self.record.model,
                "id": self.record.id or None,
                "name": self.record.display_name,
                "kind": self.record.kind,
                "company": self.record.company_id,
            },
            "decision": {
                "outcome": self.decision.outcome.value,
                "reasons": list(self.decision.reasons),
                "write": list(self.decision.write),
            },
            "values": self._values(proposal.values),
            "lines": [self._values(line) for line in proposal.lines],
            "vat": {str(group): self._value("amount_tax", found) for group, found in proposal.vat.items()},
            "checks": [check.as_json() for check in (*proposal.checks, *self.reading.checks)],
            "totals": self._totals(),
            "matches": proposal.as_json()["matches"],
            "purchase_lines": proposal.as_json()["purchase_lines"],
            "new_vendor": proposal.as_json().get("new_vendor"),
            "verify_only": proposal.verify_only,
            "reading": self.reading.as_json(),
        }

    def _values(self, values: Mapping[str, ProposedValue]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: ProposedValue) -> dict[str, Any]:
        proofs = [found for path in value.terms if (found := field_at(self.reading, path))]
        return {
            "value": scalar_as_json(value.value),
            "shown": named(self.index, name, value.value),
            "confidence": round(value.confidence, 4),
            "reason": value.reason,
            "terms": list(value.terms),
            "evidence": [one.as_json() for found in proofs for one in found.evidence],
        }

    def _totals(self) -> dict[str, Any]:
        """Per amount: what the paper prints, what Odoo will compute, and the difference where both are known."""
        paper, predicted = self.proposal.paper, self.proposal.predicted
        found: dict[str, Any] = {}
        for name in ("untaxed", "tax", "total"):
            printed = getattr(paper, name) if paper else None
            computed = getattr(predicted, name) if predicted else None
            apart = computed - printed if printed is not None and computed is not None else None
            amounts = {"paper": printed, "predicted": computed, "difference": apart}
            found[name] = {key: scalar_as_json(amount) for key, amount in amounts.items()}
        return found


def _memory(settings: Settings, backend: str) -> Memory:
    with opened_ledger(settings) as ledger:
        return Memory(Learning(ledger.engine).lessons(backend))


def propose_file(
    file: Path, record: str | None, reader: str, backend: str | None, as_json: bool, config: Path | None
) -> int:
    """Print what would be written for the file and why; 0 whatever the Decision is."""
    settings = load_settings(config)
    configure_logs(settings)
    name = chosen_backend(settings, backend)
    place = record_place(record) if record else None
    chosen = settings.backends[name]
    erp = OdooErp(connection(name, chosen, settings), declared=chosen.field_map())
    try:
        index, fields = ErpIndex(erp.erp_data()), erp.field_map()
        against = erp.record(*place) if place else None
        with opened_desk(settings, reader if reader != "auto" else "") as desk:
            data = file_bytes(file, settings.reading.max_megabytes)
            opened, reading = desk.read(data, file.name, recipient(index, _memory(settings, name)))
    except DocumentError as error:
        raise SkippableError(f"{file.name} cannot be read: {error}") from error
    finally:
        erp.close()
    found = explain(
        file, opened, reading, against or empty_draft(reading, index), index, name, settings, fields
    )
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    return 0


def record_place(words: str) -> tuple[str, int]:
    """Model and id from `account.move/42`. Raises SettingsError that says the form."""
    found = re.fullmatch(rf"({re.escape(BILL)}|{re.escape(ORDER)})/([1-9]\d*)", words)
    if found is None:
        raise SettingsError(f"--record {words} names no record: write {BILL}/NUMBER or {ORDER}/NUMBER.")
    return found[1], int(found[2])


def empty_draft(reading: Reading, index: ErpIndex) -> Record:
    """The empty draft that `vouch push` would make for the document, a refund where it gives money back."""
    company = index.data.companies[0]
    journal = next((j for j in index.data.journals if j.company_id == company.id), None)
    refund = reading.document_type is DocumentType.CREDIT_NOTE
    return Record(
        BILL,
        0,
        f"a new {'refund' if refund else 'bill'} of {company.name}",
        REFUND if refund else "in_invoice",
        "draft",
        company.id,
        "",
        journal_id=journal.id if journal else None,
    )


def explain(
    file: Path,
    opened: Opened,
    reading: Reading,
    record: Record,
    index: ErpIndex,
    backend: str,
    settings: Settings,
    fields: FieldMap,
) -> Explained:
    """The Proposal and the Decision on it, as the pipeline would come to them."""
    with opened_ledger(settings) as ledger:
        judge = Judge(backend, Learning(ledger.engine), owner_of(settings, ledger))
        found = judge.judge(reading, record, index, local_today(), judge.knowledge(), fields=fields)
    return Explained(file, opened, reading, record, index, found.proposal, found.decision, fields)


def _show(found: Explained) -> None:
    node = found.as_json()
    OUT.print(f"[bold]{escape(found.file.name)}[/] → {escape(found.record.display_name)}")
    colour = {"fill": "green", "review": "yellow"}.get(node["decision"]["outcome"], "dim")
    OUT.print(f"[{colour}]{node['decision']['outcome']}[/]")
    for reason in node["decision"]["reasons"]:
        OUT.print(f"  {reason}", markup=False)
    if node["values"]:
        OUT.print("\n[bold]Values[/]")
        OUT.print(_table(node["values"], found.fields))
    for position, line in enumerate(node["lines"]):
        OUT.print(f"\n[bold]Line {position + 1}[/]")
        OUT.print(_table(line, found.fields))
    for name, candidates in node["matches"].items():
        OUT.print(f"\n[bold]Candidates for the {found.fields.label(name).replace('_', ' ')}[/]")
        for one in candidates:
            why = "; ".join(one["reasons"])
            OUT.print(f"  {_percent(one['score']):>5}  {one['name']} ({one['id']}): {why}", markup=False)
    _show_totals(node["totals"])
    OUT.print("\n[bold]Checks[/]")
    for check in sorted(node["checks"], key=lambda check: list(MARKS).index(check["status"])):
        OUT.print(f"  {MARKS[check['status']]} {escape(check['message'])}")


def _table(values: Mapping[str, Mapping[str, Any]], fields: FieldMap) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("field", no_wrap=True)
    for heading in ("would write", "sure", "why", "where"):
        table.add_column(heading, overflow="fold", style="dim" if heading == "where" else "")
    for name, value in values.items():
        sure = value["confidence"]
        style = "green" if sure >= 0.9 else "yellow" if sure >= 0.6 else "red"
        where = "; ".join(dict.fromkeys(_places(value["evidence"])))
        table.add_row(
            fields.label(name),
            escape(value["shown"]),
            f"[{style}]{_percent(sure)}[/]",
            escape(value["reason"]),
            escape(where),
        )
    return table


def _places(evidence: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for one in evidence:
        yield one["xpath"] if "xpath" in one else f"p. {one['page']}: {one['text']}"


def _show_totals(totals: Mapping[str, Mapping[str, Any]]) -> None:
    if not any(one["paper"] or one["predicted"] for one in totals.values()):
        return
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for heading in ("totals", "paper", "Odoo will compute", "difference"):
        table.add_column(heading, justify="left" if heading == "totals" else "right")
    for name, amounts in totals.items():
        cells = [_money(amounts[key]) for key in ("paper", "predicted", "difference")]
        table.add_row(name, *cells, style="red" if Decimal(amounts["difference"] or 0) else "")
    OUT.print()
    OUT.print(table)


def _money(amount: str | None) -> str:
    return "" if amount is None else money(Decimal(amount))


def _percent(share: float) -> str:
    # Rounded down: nothing is 100 % sure because of rounding.
    return f"{int(share * 100)} %"
