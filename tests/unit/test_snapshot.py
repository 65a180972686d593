"""A record kept in the ledger comes back as it was, and tells what was changed since."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.settling.snapshot import Change, changes, record_as_json, record_from_json
from mappings.erp_data import Distribution, Record, RecordLine

DECIMALS = st.decimals(-(10**9), 10**9, places=4)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    DECIMALS,
    st.lists(st.integers()).map(tuple),
    st.builds(Distribution, st.lists(st.tuples(st.text(), DECIMALS)).map(tuple)),
)
LINES = st.builds(
    RecordLine,
    st.integers(1, 10**6),
    st.text(),
    DECIMALS,
    DECIMALS,
    DECIMALS,
    st.lists(st.integers(1)).map(tuple),
    st.none() | st.integers(1),
)
RECORDS = st.builds(
    Record,
    st.just("account.move"),
    st.integers(1),
    st.text(),
    st.just("in_invoice"),
    st.just("draft"),
    st.integers(1),
    st.text(),
    st.dictionaries(st.text(), SCALARS),
    st.lists(LINES, unique_by=lambda line: line.id).map(tuple),
    DECIMALS,
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    back = record_from_json(json.loads(json.dumps(record_as_json(record))))
    assert back == record
    assert changes(record, back) == ()


def test_changes_name_each_value_line_and_total() -> None:
    line = RecordLine(4, "Paper", Decimal(1), Decimal(2), Decimal(2), (7,))
    was = Record(
        "account.move",
        1,
        "Draft",
        "in_invoice",
        "draft",
        3,
        "stamp",
        {"ref": None, "invoice_date": date(2025, 1, 2), "date_planned": datetime(2025, 1, 2, tzinfo=UTC)},
        (line, replace(line, id=5, name="Pen")),
        amount_total=Decimal(4),
    )
    now = replace(
        was,
        values={**was.values, "ref": "R-1"},
        lines=(replace(line, quantity=Decimal(3)), replace(line, id=6, name="Ink")),
        amount_total=Decimal(8),
    )
    assert set(changes(was, now)) == {
        Change("ref", None, "R-1"),
        Change("lines.4.quantity", Decimal(1), Decimal(3)),
        Change("lines.5", "Pen", None),
        Change("lines.6", None, "Ink"),
        Change("amount_total", Decimal(4), Decimal(8)),
    }
