"""Failures to sign in: how long the next try waits, and that no restart and no other process forgets them."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connector.ledger.failures import FORGOTTEN, FailureRecord
from connector.ledger.migrate import open_ledger
from connector.ledger.store import Ledger
from connector.review.lockout import BY_ADDRESS, BY_LOGIN, Lockout, network
from tests.review_ledger import Clock
from tests.unit.test_ledger import clock, ledger, ledger_url

__all__ = ["clock", "ledger", "ledger_url"]

TRIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(("10.0.0.1", "2001:db8::1")),
        st.booleans(),
        st.integers(0, 400),
        st.booleans(),
    ),
    max_size=40,
)


def kept(ledger: Ledger) -> int:
    with Session(ledger.engine) as session:
        return session.scalar(select(func.count()).select_from(FailureRecord)) or 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRIES)
def test_a_login_never_has_more_tries_than_its_rule(
    ledger: Ledger, tries: list[tuple[str, str, bool, int, bool]]
) -> None:
    with Session(ledger.engine) as session, session.begin():
        session.execute(delete(FailureRecord))
    now = Clock()
    lockout = Lockout(ledger.engine, now)
    failures: dict[str, int] = {}
    last: dict[str, float] = {}
    for login, address, good, pause, restart in tries:
        now.move(seconds=pause)
        if restart:
            lockout = Lockout(ledger.engine, now)
        if lockout.begin("main", login, address):
            continue
        at = now().timestamp()
        # No try came before its time.
        waited = BY_LOGIN.wait(failures.get(login, 0)).total_seconds()
        assert at - last.get(login, 0) >= waited
        failures[login] = 1 if at - last.get(login, at) > 3600 else failures.get(login, 0) + 1
        last[login] = at
        if good:
            lockout.forgive("main", login, address)
            failures.pop(login)
            last.pop(login)


def test_a_restart_forgets_no_failure(ledger: Ledger, ledger_url: str) -> None:
    now = Clock()
    for _ in range(BY_LOGIN.free):
        assert not Lockout(ledger.engine, now).begin("main", "anna", "192.0.2.1")
    ledger.close()
    again = open_ledger(ledger_url)
    lockout = Lockout(again.engine, now)
    assert lockout.begin("main", " Anna", "192.0.2.2") == timedelta(seconds=1)
    assert not lockout.begin("branch", "anna", "192.0.2.2")
    now.move(seconds=1)
    assert not lockout.begin("main", "anna", "192.0.2.2")
    assert lockout.begin("main", "anna", "192.0.2.2") == timedelta(seconds=2)
    again.close()


def test_guessing_many_logins_from_one_place_is_slow_and_costs_bounded_room(ledger: Ledger) -> None:
    now = Clock()
    lockout = Lockout(ledger.engine, now, most=30)
    let = 0
    for number in range(1, 60):
        now.move(seconds=0.001)
        let += not lockout.begin("main", f"login {number}", f"2001:db8::{number:x}")
    assert let == BY_ADDRESS.free
    for number in range(60):
        now.move(seconds=1)
        lockout.begin("main", f"login {number}", f"10.0.0.{number}")
    assert kept(ledger) <= 32
    # The newest are those that are kept, and all are forgotten after an hour.
    for _ in range(BY_LOGIN.free):
        lockout.begin("main", "login 59", "192.0.2.1")
    assert lockout.begin("main", "login 59", "192.0.2.2")
    now.move(seconds=FORGOTTEN.total_seconds() + 1)
    assert not lockout.begin("main", "login 59", "192.0.2.1")
    assert kept(ledger) == 2


def test_a_place_is_an_address_or_a_customers_network() -> None:
    assert network("192.0.2.7") == network("::ffff:192.0.2.7") == "192.0.2.7"
    assert network("2001:db8::1") == network("2001:db8::ffff") != network("2001:db8:0:1::1")


def test_what_was_typed_is_not_in_the_ledger(ledger: Ledger) -> None:
    Lockout(ledger.engine, Clock()).begin("main", "a password typed as a login", "192.0.2.1")
    with Session(ledger.engine) as session:
        keys = "".join(session.scalars(select(FailureRecord.key)))
    assert "password" not in keys
    assert "192.0.2.1" not in keys
