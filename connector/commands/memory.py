"""`vouch memory`: what was learned, shown, set by hand and forgotten."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from connector.bootstrap import opened_ledger
from connector.commands.chosen import chosen_record, chosen_vendor, fresh_index
from connector.commands.output import OUT, print_json
from connector.errors import SettingsError
from connector.ledger.learning import Learning
from connector.pipeline import local_today
from connector.settings import chosen_backend, load_settings
from inference.readers.layout.hints import HINTED
from mappings.folding import plain
from mappings.index import ErpIndex
from mappings.layout_hints import HERE
from mappings.memory import (
    DESCRIPTION,
    RATE,
    VENDOR_TERMS,
    Kind,
    Lesson,
    Memory,
    Remembered,
    Subject,
    subject,
)

SHORT_ID = 8


def list_memory(vendor: str, kind: str, backend: str | None, as_json: bool, config: Path | None) -> int:
    """Print what is remembered; 0."""
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    with opened_ledger(settings) as ledger:
        entries = _chosen(Memory(Learning(ledger.engine).lessons(name)).entries(), vendor, kind)
    if as_json:
        print_json({"backend": name, "memory": [_node(entry) for entry in entries]})
        return 0
    if not entries:
        OUT.print("Nothing is remembered. Vouch learns from the bills that people post.")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("id", "vendor", "what was chosen, and when", "sure"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        sure = f"{int(100 * entry.confidence)} %" if entry.times > entry.against else "undecided"
        table.add_row(entry.subject.id[:SHORT_ID], escape(entry.vendor), escape(entry.sentence), sure)
    OUT.print(table)
    return 0


def forget_memory(
    ids: Sequence[str], vendor: str, everything: bool, backend: str | None, as_json: bool, config: Path | None
) -> int:
    """Delete what is remembered under these ids, of a vendor, or all of it; 0."""
    if sum((bool(ids), bool(vendor), everything)) != 1:
        raise SettingsError(
            "Say what to forget: ids as `vouch memory list` shows them, --vendor NAME, or --all."
        )
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    with opened_ledger(settings) as ledger:
        learning = Learning(ledger.engine)
        entries = _chosen(Memory(learning.lessons(name)).entries(), vendor, "")
        chosen = [one for one in entries if not ids or one.subject.id.startswith(tuple(ids))]
        unknown = [one for one in ids if not any(entry.subject.id.startswith(one) for entry in chosen)]
        if unknown or (vendor and not chosen):
            what = ", ".join(unknown) or f"of {vendor}"
            raise SettingsError(f"Nothing is remembered under {what}. See `vouch memory list`.")
        learning.forget(name, [entry.subject.id for entry in chosen], getpass.getuser())
    if as_json:
        print_json({"backend": name, "forgotten": [_node(entry) for entry in chosen]})
        return 0
    for entry in chosen:
        OUT.print(f"forgotten: {entry.sentence}.", markup=False)
    OUT.print(f"{len(chosen)} forgotten")
    return 0


def set_memory(
    kind: str,
    words: str,
    to: str,
    vendor: str,
    term: str,
    company: int | None,
    backend: str | None,
    as_json: bool,
    config: Path | None,
) -> int:
    """Keep a person's own choice, in place of what was learned of the same words; 0."""
    what = _kind(kind)
    settings = load_settings(config)
    name = chosen_backend(settings, backend)
    with fresh_index(settings, name) as index:
        if what is Kind.LAYOUT:
            chosen, label, about, of = *_place(to), *_of_papers(index, vendor, to, words)
        elif what is Kind.VENDOR:
            chosen, label = chosen_record(index, what, to)
            if term not in VENDOR_TERMS:
                raise SettingsError(
                    f"--term {term} names no vendor: choose one of {', '.join(VENDOR_TERMS)}."
                )
            about, of = subject(what, term, words), label
        else:
            if not vendor:
                raise SettingsError(f"Say with --vendor whose {kind} it is.")
            chosen, label = chosen_record(index, what, to)
            vendor_id, of = chosen_vendor(index, vendor)
            scope = company or index.data.companies[0].id
            about = subject(what, RATE if what is Kind.TAX else DESCRIPTION, words, vendor_id, scope)
    if about is None:
        raise SettingsError(f"“{words}” is too short to tell anything.")
    lesson = Lesson(about, words, (chosen,), label, "", local_today(), of, getpass.getuser())
    with opened_ledger(settings) as ledger:
        Learning(ledger.engine).set(name, lesson)
    [entry] = Memory([lesson]).entries()
    if as_json:
        print_json({"backend": name, "set": _node(entry)})
    else:
        OUT.print(f"{entry.sentence}.", markup=False)
    return 0


def _of_papers(index: ErpIndex, vendor: str, term: str, words: str) -> tuple[Subject | None, str]:
    """The Subject of a label on a vendor's papers, and the vendor's name."""
    if not vendor:
        raise SettingsError("Say with --vendor on whose papers it stands so.")
    vendor_id, name = chosen_vendor(index, vendor)
    return subject(Kind.LAYOUT, term, words, vendor_id), name


def _place(term: str) -> tuple[int, str]:
    """The choice and the name of a Lesson on where a term's value stands."""
    if term not in HINTED:
        raise SettingsError(f"{term} is not told by a label: choose one of {', '.join(HINTED)}.")
    return HERE[0], term.replace("_", " ")


def _kind(words: str) -> Kind:
    try:
        return Kind(words)
    except ValueError:
        kinds = ", ".join(kind.value for kind in Kind)
        raise SettingsError(f"There is no memory of a “{words}”: choose one of {kinds}.") from None


def _chosen(entries: Sequence[Remembered], vendor: str, kind: str) -> list[Remembered]:
    wanted = _kind(kind) if kind else None
    return [
        entry
        for entry in entries
        if plain(vendor) in plain(entry.vendor) and (wanted is None or entry.subject.kind is wanted)
    ]


def _node(entry: Remembered) -> dict[str, Any]:
    return {
        "id": entry.subject.id[:SHORT_ID],
        "kind": entry.subject.kind.value,
        "term": entry.subject.term,
        "printed": entry.printed,
        "vendor": entry.vendor,
        "vendor_id": entry.subject.vendor_id or None,
        "company": entry.subject.company_id or None,
        "value": list(entry.value),
        "label": entry.label,
        "times": entry.times,
        "against": entry.against,
        "confidence": round(entry.confidence, 4),
        "last": entry.last.isoformat(),
        "set_by": entry.set_by,
        "sentence": f"{entry.sentence}.",
    }
