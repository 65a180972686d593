"""The rule of the SyncCursor: what appears late, with an older time and a smaller id, is never lost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.erp import values
from connector.erp.discovery import advance, window
from connector.erp.port import SyncCursor

MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
OVERLAP = 600.0


@dataclass(frozen=True)
class Written:
    """An attachment whose transaction began at `start` and became visible `lasted` seconds later."""

    id: int
    start: float
    lasted: float

    @property
    def visible(self) -> float:
        return self.start + self.lasted

    def row(self) -> dict[str, Any]:
        return {"id": self.id, "write_date": values.stamp(MIDNIGHT + timedelta(seconds=self.start))}


# Transactions may last as long as the overlap, less the second that Odoo's times are cut to.
transactions = st.lists(
    st.tuples(st.floats(0, 5000), st.floats(0, OVERLAP - 1), st.integers(1, 400)),
    max_size=30,
    unique_by=lambda item: item[2],
).map(lambda items: [Written(number, start, lasted) for start, lasted, number in items])


def holds(row: dict[str, Any], domain: list[Any]) -> bool:
    """Odoo's answer to the domain, which is empty or `| a b`."""
    if not domain:
        return True
    either, newer, larger = domain
    assert (either, newer[:2], larger[:2]) == ("|", ("write_date", ">="), ("id", ">="))
    return bool(row["write_date"] >= newer[2] or row["id"] >= larger[2])


@given(transactions, st.floats(0, 100))
def test_whatever_commits_within_the_overlap_is_found(written: list[Written], pause: float) -> None:
    cursor, found = SyncCursor(), set[int]()
    now = 0.0
    for commit in sorted(one.visible for one in written):
        if commit < now:  # it falls into the pause between two polls
            continue
        now = commit + pause
        visible = [one.row() for one in written if one.visible <= now]
        rows = [row for row in visible if holds(row, window(cursor, OVERLAP))]
        found |= {int(row["id"]) for row in rows}
        cursor = advance(cursor, rows)
    assert found == {one.id for one in written}


@given(transactions, transactions)
def test_the_cursor_never_goes_back(first: list[Written], second: list[Written]) -> None:
    before = advance(SyncCursor(), [one.row() for one in first])
    after = advance(before, [one.row() for one in second])
    assert after.last_id >= before.last_id
    assert before.since is None or (after.since is not None and after.since >= before.since)
    assert advance(after, [one.row() for one in second]) == after


@given(st.floats(0, 5000), st.integers(1, 400))
def test_a_larger_id_is_found_however_old_its_transaction(newest: float, number: int) -> None:
    cursor = advance(SyncCursor(), [Written(number, newest + 5 * OVERLAP, 0).row()])
    late = Written(number + 1, newest, 0).row()
    assert not holds(late, [*window(cursor, OVERLAP)[:2], ("id", ">=", number + 2)])
    assert holds(late, window(cursor, OVERLAP))
