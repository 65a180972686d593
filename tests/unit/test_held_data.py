"""The ERP data of a round ends with its Backend: in order, without an error of its thread."""

from __future__ import annotations

import threading

import pytest

from connector.held_data import HeldData

PATIENCE = 60


class SlowErp:
    """An ERP whose data comes when it is let through, and whose connection can be closed meanwhile."""

    backend = "main"

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        self.closed = False

    def erp_data(self) -> object:
        self.asked.set()
        assert self.let.wait(PATIENCE)
        if self.closed:
            raise RuntimeError("Cannot send a request, as the client has been closed.")
        raise AssertionError("a defect of the ERP's data")


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda error: found.append(str(error.exc_value)))
    return found


def renewed(erp: SlowErp) -> tuple[HeldData, threading.Thread]:
    data = HeldData(erp)  # type: ignore[arg-type]
    data.renew()
    assert erp.asked.wait(PATIENCE)
    assert data._renewing is not None
    return data, data._renewing


def test_closing_waits_for_what_is_fetched_and_fetches_no_more(
    complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = SlowErp()
    data, thread = renewed(erp)
    monkeypatch.setattr("connector.held_data.LAST_SECONDS", PATIENCE)
    closing = threading.Thread(target=data.close)
    closing.start()
    erp.let.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert not thread.is_alive()
    data.renew()
    assert data._renewing is thread


def test_what_outlasts_closing_ends_without_a_complaint(
    complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = SlowErp()
    data, thread = renewed(erp)
    monkeypatch.setattr("connector.held_data.LAST_SECONDS", 0)
    data.close()
    erp.closed = True
    erp.let.set()
    thread.join(PATIENCE)
    assert (thread.is_alive(), complaints) == (False, [])


def test_a_defect_while_nobody_closes_is_told(complaints: list[str]) -> None:
    erp = SlowErp()
    _, thread = renewed(erp)
    erp.let.set()
    thread.join(PATIENCE)
    assert complaints == ["a defect of the ERP's data"]
