"""Values into the fields that the mapping names: what rules chose, and business terms as they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from inference.invoice import Check, Field, Value
from mappings.case import Case, failed, number, proven, shortened, term
from mappings.field_map import Entry
from mappings.folding import alnum, one_line
from mappings.proposal import ProposedValue

# An optional value is a convenience: an unsure one is left out, nobody is asked.
SURE_OPTION = 0.90
TEXTS = frozenset({"char", "text"})


def placed(
    case: Case, table: str, chosen: Mapping[str, ProposedValue | None], position: int | None = None
) -> tuple[dict[str, ProposedValue], list[Check]]:
    """The values of a record type by Odoo's field: `chosen` by rule, the rest printed on the document or its line."""
    values: dict[str, ProposedValue] = {}
    checks: list[Check] = []
    for entry in case.fields.of(table):
        if entry.is_rule:
            value = chosen.get(entry.source)
        else:
            value, problems = printed(case, entry, position)
            checks += problems
            if value is None and entry.required and position is not None and not problems:
                text = f"The {entry.label or entry.field} of line {position + 1} could not be read."
                checks.append(failed(f"missing_{entry.field}", text))
        if value is not None:
            values[entry.field] = value
    return values, checks


def printed(
    case: Case, entry: Entry, position: int | None = None
) -> tuple[ProposedValue | None, list[Check]]:
    """The value of the entry's term on the document, or on its line at `position`; a Check where Odoo has no such one."""
    found, path = _field(case, entry, position)
    if found is None or (entry.optional and not (proven(found) and found.confidence >= SURE_OPTION)):
        return None, []
    if entry.type == "many2one":
        return _related(case, entry, found, path)
    if entry.type == "selection":
        keys = [key for key, label in entry.choices if alnum(str(found.value)) in (alnum(key), alnum(label))]
        if len(set(keys)) != 1:
            return None, _unknown(entry, found)
        return ProposedValue(keys[0], found.confidence, "As printed.", (path,)), []
    value = as_type(found.value, entry.type)
    return ProposedValue(value, found.confidence, "As printed.", (path,)), []


def _field(case: Case, entry: Entry, position: int | None) -> tuple[Field | None, str]:
    if not entry.of_line:
        return case.reading.get(entry.source), entry.source
    if position is None:
        return None, ""
    return case.reading.lines[position].get(entry.source), term("lines", position, entry.source)


def as_type(value: Value, kind: str) -> Value:
    """Text for a text field; amounts and dates as they are for fields of their kind."""
    # Of a default no type is asked: it has the term's.
    if kind not in TEXTS or isinstance(value, str):
        return value
    return number(value) if isinstance(value, Decimal) else value.isoformat()


def _related(case: Case, entry: Entry, found: Field, path: str) -> tuple[ProposedValue | None, list[Check]]:
    """The one record of the relation that the printed text names, by code or name."""
    wanted = alnum(str(found.value))
    known = case.index.related.get((entry.relation, entry.match), {})
    ids = known.get(wanted, ()) if wanted else ()
    if len(ids) != 1:
        return None, _unknown(entry, found, several=len(ids) > 1)
    reason = f"{shortened(str(found.value))!r} is the {entry.label or entry.field} on the document."
    return ProposedValue(ids[0], found.confidence, reason, (path,)), []


def _unknown(entry: Entry, found: Field, *, several: bool = False) -> list[Check]:
    """Told to a person, unless the field is optional."""
    if entry.optional:
        return []
    how = "several" if several else "no"
    text = one_line(str(found.value))
    name = entry.label or entry.field
    return [
        failed(
            f"related_{entry.field}", f"Odoo has {how} {name} {shortened(text)!r}, which the document names."
        )
    ]
