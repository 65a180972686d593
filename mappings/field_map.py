"""The declared mapping: which business term or rule fills which field of Odoo, per record type.

`defaults.toml` is the mapping that comes with Vouch; a file of the user's adds to it or overrides it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, cast

from inference.invoice import HEADER, LINE, Term

MODELS: Mapping[str, str] = {
    "bill": "account.move",
    "bill_line": "account.move.line",
    "order": "purchase.order",
    "order_line": "purchase.order.line",
}
"""The record types of a mapping, and Odoo's models."""

OPTIONS = frozenset({"term", "label", "required", "optional", "match"})
DEFAULT_MATCH = ("code", "name")


class MappingError(ValueError):
    """A mapping that cannot be used; the message names the file, the field, the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of Odoo and what fills it.

    `source` is a business term, or with `is_rule` the name of a rule. `own` entries come from the user's file. The
    rest is what Odoo says of such a field: its `type`; for a selection the `choices` as (value, label); for a
    many2one the model of the `relation` and, in `match`, its fields that the printed text is looked for in.
    """

    table: str
    field: str
    source: str
    is_rule: bool = False
    label: str = ""
    required: bool = False
    optional: bool = False
    own: bool = False
    match: tuple[str, ...] = DEFAULT_MATCH
    type: str = ""
    relation: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def term(self) -> Term:
        """The business term. Raises KeyError for a rule."""
        return LINE[self.source] if self.of_line else HEADER[self.source]

    @property
    def of_line(self) -> bool:
        """Whether the term is one of a line's."""
        return self.table.endswith("_line") and self.source in LINE

    @property
    def place(self) -> str:
        """Where it stands in a file, for messages."""
        return f"[{self.table}] {self.field}"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The entries of all record types. `origin` names the user's file, where there is one."""

    entries: tuple[Entry, ...]
    origin: str = ""

    def of(self, table: str) -> Iterator[Entry]:
        """The entries of a record type, in their order."""
        return (entry for entry in self.entries if entry.table == table)

    def own(self) -> tuple[Entry, ...]:
        """The entries that the user's file gives."""
        return tuple(entry for entry in self.entries if entry.own)

    def label(self, field: str, *tables: str) -> str:
        """What people call a field, of the first of the record types (all of them where none is named) that has it."""
        for table in tables or MODELS:
            for entry in self.of(table):
                if entry.field == field:
                    return entry.label or field
        return field

    def field_of(self, table: str, rule: str) -> str | None:
        """The field that a rule fills; None where the user's file leaves it out."""
        return next((entry.field for entry in self.of(table) if entry.is_rule and entry.source == rule), None)

    def required(self, table: str) -> tuple[str, ...]:
        """The fields without which a record is not filled."""
        return tuple(entry.field for entry in self.of(table) if entry.required)

    def with_entries(self, entries: Iterable[Entry]) -> FieldMap:
        """The same mapping with some entries replaced."""
        changed = {(entry.table, entry.field): entry for entry in entries}
        return replace(self, entries=tuple(changed.get((e.table, e.field), e) for e in self.entries))


@cache
def default_map() -> FieldMap:
    """The mapping that comes with Vouch."""
    text = files("mappings").joinpath("defaults.toml").read_text("utf-8")
    return FieldMap(tuple(_entries(tomllib.loads(text), "defaults.toml", own=False)))


def user_map(text: str, origin: str) -> FieldMap:
    """The default mapping with what a user's file adds, overrides or leaves out (`field = false`).

    Raises MappingError for a file that is no TOML, an unknown record type, term or option, and where it takes away
    what a record cannot do without.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{origin} is not valid TOML: {error}") from None
    known = {(entry.table, entry.field): entry for entry in default_map().entries}
    for table, rows in tables.items():
        if table not in MODELS:
            raise MappingError(
                f"{origin}: there is no record type [{table}]: use {', '.join(f'[{one}]' for one in MODELS)}"
            )
        if not isinstance(rows, dict):
            raise MappingError(f"{origin}: [{table}] must be a table of fields")
        for field, wanted in cast(Mapping[str, Any], rows).items():
            _check_default(known.get((table, field)), wanted, f"{origin}: [{table}] {field}")
            if wanted is False:
                known.pop((table, field), None)
    for entry in _entries(tables, origin, own=True):
        default = known.get((entry.table, entry.field))
        known[entry.table, entry.field] = _over(default, entry) if default else entry
    return FieldMap(tuple(known.values()), origin)


def _over(default: Entry, own: Entry) -> Entry:
    """What a user's entry leaves open is as in the default that it overrides."""
    required = own.required or default.required
    return replace(
        own,
        label=own.label or default.label,
        required=required,
        optional=own.optional and default.optional and not required,
    )


def _check_default(default: Entry | None, wanted: Any, place: str) -> None:
    """What a user's file may not do to a default."""
    if wanted is False:
        if default is None:
            raise MappingError(f"{place} is false, but nothing fills it: leave the line out")
        if default.required:
            raise MappingError(f"{place} cannot be left out: no record is filled without it")
    elif default and default.is_rule:
        raise MappingError(
            f"{place} is filled by the rule {default.source!r}, which looks at more than one term: "
            "it cannot be overridden"
        )


def _entries(tables: Mapping[str, Any], origin: str, *, own: bool) -> Iterator[Entry]:
    for table, rows in tables.items():
        for field, wanted in rows.items():
            if wanted is not False:
                yield _entry(table, field, wanted, f"{origin}: [{table}] {field}", own=own)


def _entry(table: str, field: str, wanted: Any, place: str, *, own: bool) -> Entry:
    options: dict[str, Any] = {"term": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(wanted, (str, dict)):
        raise MappingError(
            f'{place} must be a business term in quotes, a table such as {{ term = "…" }}, or false'
        )
    if own and (unknown := sorted(options.keys() - OPTIONS)):
        raise MappingError(
            f"{place} has no option {unknown[0]!r}: the options are {', '.join(sorted(OPTIONS))}"
        )
    for name in ("required", "optional"):
        if not isinstance(options.get(name, False), bool):
            raise MappingError(f"{place}: {name} must be true or false")
    is_rule = "rule" in options
    source = str(options.get("rule") or options.get("term") or "")
    if not is_rule:
        _check_term(table, source, place)
    match = options.get("match", DEFAULT_MATCH)
    return Entry(
        table,
        field,
        source,
        is_rule,
        label=str(options.get("label", "")),
        required=options.get("required", False),
        # Of what a user adds nobody is asked, unless the file says that it matters.
        optional=options.get("optional", own and not options.get("required", False)),
        own=own,
        match=(match,) if isinstance(match, str) else tuple(str(one) for one in match),
    )


def _check_term(table: str, term: str, place: str) -> None:
    lines = table.endswith("_line")
    terms = [*LINE, *HEADER] if lines else list(HEADER)
    if term in terms:
        return
    near = get_close_matches(term, terms, 1)
    hint = f"did you mean {near[0]!r}?" if near else "docs/mapping.md lists the terms"
    only = " (it is a term of lines)" if term in LINE else ""
    raise MappingError(f"{place}: there is no business term {term!r} here{only}; {hint}")
