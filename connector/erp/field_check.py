"""A user's mapping held against the fields that Odoo has, and the records that its relations lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from connector.erp import values
from connector.erp.answers import as_row
from connector.erp.faults import NoModelError
from connector.erp.port import Capabilities
from connector.erp.transport import Session
from connector.errors import AccessError, SettingsError
from inference.invoice import Kind
from mappings.erp_data import Related
from mappings.field_map import MODELS, Entry, FieldMap

_TEXTS = frozenset({"char", "text"})
_CHOSEN = frozenset({"selection", "many2one"})
_ATTRIBUTES = ["type", "readonly", "relation", "selection", "string"]

FITTING: Mapping[Kind, frozenset[str]] = {
    Kind.TEXT: _TEXTS | _CHOSEN,
    Kind.IDENTIFIER: _TEXTS | _CHOSEN,
    Kind.CODE: _TEXTS | _CHOSEN,
    Kind.DATE: _TEXTS | {"date"},
    Kind.AMOUNT: _TEXTS | {"float", "monetary"},
    Kind.QUANTITY: _TEXTS | {"float"},
    Kind.PERCENT: _TEXTS | {"float"},
}
"""The types of Odoo's fields that take a term of each kind."""

_PAGE = 2000


def resolved(session: Session, capabilities: Capabilities, fields: FieldMap) -> FieldMap:
    """The mapping with what Odoo says of the user's own fields.

    Raises SettingsError for an unknown or read-only field, one of a wrong type, and a relation that cannot be read.
    """
    found: list[Entry] = []
    for table, model in MODELS.items():
        own = [entry for entry in fields.of(table) if entry.own]
        if own and model not in capabilities.fields:
            raise SettingsError(
                f"{fields.origin}: [{table}] needs {model}, which this Odoo or user does not have"
            )
        asked = [entry.field for entry in own if capabilities.has(model, entry.field)]
        answer: Any = (
            session.read(model, "fields_get", allfields=asked, attributes=_ATTRIBUTES) if asked else {}
        )
        told = as_row(answer, f"{model}.fields_get")
        for entry in own:
            place = f"{fields.origin}: {entry.place}"
            if entry.field not in told:
                raise SettingsError(f"{place}: {_unknown(entry, model, capabilities)}")
            found.append(_described(session, entry, told[entry.field], place))
    return fields.with_entries(found)


def _unknown(entry: Entry, model: str, capabilities: Capabilities) -> str:
    near = get_close_matches(entry.field, sorted(capabilities.fields[model]), 1)
    hint = f"did you mean {near[0]}?" if near else "make it in Odoo, or take the line out"
    return f"{model} has no field {entry.field}; {hint}"


def _described(session: Session, entry: Entry, told: Mapping[str, Any], place: str) -> Entry:
    kind = str(told["type"])
    if told.get("readonly"):
        raise SettingsError(f"{place} is read-only in Odoo: choose a field that people can fill")
    fitting = FITTING[entry.term.kind]
    if kind not in fitting:
        raise SettingsError(
            f"{place} is of type {kind}, and {entry.source} is of kind {entry.term.kind.value}: "
            f"it fits a field of type {', '.join(sorted(fitting))}"
        )
    described = replace(entry, type=kind, label=entry.label or str(told.get("string") or entry.field).lower())
    if kind == "selection":
        choices = tuple((str(key), str(label)) for key, label in told.get("selection") or ())
        return replace(described, choices=choices)
    return (
        _with_relation(session, described, str(told["relation"]), place) if kind == "many2one" else described
    )


def _with_relation(session: Session, entry: Entry, relation: str, place: str) -> Entry:
    try:
        answer = session.read(relation, "fields_get", allfields=list(entry.match), attributes=["type"])
        there = as_row(answer, f"{relation}.fields_get")
        session.rows(relation, [], ["id"], limit=1)
    except (NoModelError, AccessError) as error:
        raise SettingsError(f"{place} leads to {relation}, which cannot be read: {error}") from error
    match = tuple(name for name in entry.match if name in there and there[name]["type"] in _TEXTS)
    if not match:
        raise SettingsError(
            f"{place} leads to {relation}, which has no text field {' or '.join(entry.match)}: "
            'name one to find records by, such as match = "display_name"'
        )
    return replace(entry, relation=relation, match=match)


def related(session: Session, fields: FieldMap, companies: Sequence[int]) -> tuple[Related, ...]:
    """The records that the mapping's relations lead to, of the chosen companies."""
    wanted = dict.fromkeys((entry.relation, entry.match) for entry in fields.entries if entry.relation)
    return tuple(
        Related(model, match, tuple(_records(session, model, match, companies))) for model, match in wanted
    )


def _records(
    session: Session, model: str, match: tuple[str, ...], companies: Sequence[int]
) -> Iterable[tuple[int, tuple[str, ...]]]:
    context: Mapping[str, Any] = {"allowed_company_ids": list(companies)}
    last = 0
    while True:
        rows = session.rows(model, [("id", ">", last)], list(match), limit=_PAGE, context=context)
        for row in rows:
            yield int(row["id"]), tuple(text for name in match if (text := values.text(row[name])))
        if len(rows) < _PAGE:
            return
        last = int(rows[-1]["id"])
