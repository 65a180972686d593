"""`vouch purge` and `vouch person`: what goes by age, and what goes because a person wants it."""

from __future__ import annotations

import dataclasses
import getpass
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from connector.bootstrap import connection, opened_ledger, purging_of
from connector.commands.output import OUT, print_json
from connector.erp.odoo import OdooErp
from connector.errors import SettingsError
from connector.ledger.documents import DocumentStore
from connector.person import Found, People
from connector.sandbox import opened_sandbox
from connector.settings import Settings, load_settings
from inference.errors import DocumentError
from inference.isolation import Sandbox

DUTY = (
    "The bills themselves are in Odoo and stay there: law obliges a business to keep them for years, also where a person "
    "asks for erasure. Erase there what need not be kept, once it need not be. Backups and logs made earlier still hold the data."
)


def purge_old(dry_run: bool, as_json: bool, config: Path | None) -> int:
    """Purge by age and print what went, or would go; 0."""
    settings = load_settings(config)
    with ExitStack() as stack:
        ledger = stack.enter_context(opened_ledger(settings))
        erps = {name: OdooErp(connection(name, one, settings)) for name, one in settings.backends.items()}
        for erp in erps.values():
            stack.callback(erp.close)
        purging = purging_of(settings, ledger, erps)
        if purging is None:
            raise SettingsError(
                "Nothing is to be purged: set retention.documents_days or retention.readings_days; see docs/retention.md."
            )
        done = purging.due() if dry_run else purging.purge(f"person:{getpass.getuser()}")
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "files": done.files,
                "readings": done.readings,
                "uploads": done.uploads,
                "megabytes": done.megabytes,
            }
        )
        return 0
    would = "would go" if dry_run else "gone"
    OUT.print(
        f"{len(done.files)} documents ({done.megabytes:.1f} MB), {len(done.readings)} readings and "
        f"{len(done.uploads)} uploads {would}"
    )
    return 0


def find_person(words: Sequence[str], pages: bool, as_json: bool, config: Path | None) -> int:
    """Print where a person's data is; 0."""
    settings = load_settings(config)
    with _people(settings, pages) as people:
        found = people.find(words)
    _report(found, "found", as_json)
    return 0


def erase_person(words: Sequence[str], yes: bool, pages: bool, as_json: bool, config: Path | None) -> int:
    """Erase a person's data where `yes`, else print what would go; 0."""
    settings = load_settings(config)
    with _people(settings, pages) as people:
        found = people.erase(words, f"person:{getpass.getuser()}") if yes else people.find(words)
    _report(found, "erased" if yes else "would be erased", as_json)
    if not yes and not as_json:
        OUT.print("Nothing was changed. To do it, say --yes.")
    return 0


@contextmanager
def _people(settings: Settings, pages: bool) -> Generator[People]:
    with opened_ledger(settings) as ledger, opened_sandbox(settings) as sandbox:
        documents, answers = DocumentStore(settings.folder / "documents"), settings.folder / "answers"
        yield People(
            ledger.engine, documents, answers, (lambda data: _words(sandbox, data)) if pages else None
        )


def _words(sandbox: Sandbox, data: bytes) -> Iterator[str]:
    """The words of each page; none of a document that cannot be read."""
    number = 0
    try:
        while (tokens := sandbox.words(data, number := number + 1)) is not None:
            yield " ".join(token.text for token in tokens)
    except DocumentError:
        return


def _report(found: Found, done: str, as_json: bool) -> None:
    if as_json:
        print_json({"status": done, **dataclasses.asdict(found), "duty": DUTY})
        return
    for place, count in found.places.items():
        OUT.print(f"{place}: {count}", markup=False)
    OUT.print(f"{len(found.documents)} documents, {len(found.files)} files: {done}")
    if found.open_documents:
        numbers = ", ".join(map(str, found.open_documents))
        OUT.print(f"Not touched, since they are open: documents {numbers}. Settle them, then erase again.")
    for record in found.records:
        OUT.print(f"In Odoo: {record}", markup=False)
    OUT.print(DUTY)
