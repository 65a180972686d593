"""The ERP data of one Backend, held in memory for matching: refreshed once a round, never while somebody waits."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import FilteringBoundLogger

from connector.erp.port import BILL
from connector.errors import VouchError
from mappings.erp_data import Bill
from mappings.index import ErpIndex

if TYPE_CHECKING:
    from connector.erp.port import Erp
    from mappings.erp_data import Record

OLD = timedelta(minutes=2)
"""What is older is fetched anew beside the work, where nothing else asks for it: a process with the screens only."""
LAST_SECONDS = 5.0
"""The longest that closing waits for what is being fetched."""

log: FilteringBoundLogger = structlog.get_logger()


class HeldData:
    """An ErpIndex that is one at a time. `fresh` is as of this round, `latest` as of whenever it was last fetched.

    `round` counts how often it was fetched. Whoever holds it keeps others waiting: hold it for matching, never for a call to the ERP.
    """

    def __init__(self, erp: Erp) -> None:
        self._erp = erp
        self._index: ErpIndex | None = None
        self._stale = False
        self._at = 0.0
        self.round = 0
        self._held = threading.RLock()
        self._fetching = threading.Lock()
        self._renewing: threading.Thread | None = None
        self._closed = threading.Event()

    def close(self) -> None:
        """Fetch nothing in the background any more; what is under way is waited for, so that the ERP is not closed beneath it."""
        self._closed.set()
        if (renewing := self._renewing) is not None:
            renewing.join(LAST_SECONDS)

    def mark_stale(self) -> None:
        """From now on `fresh` fetches first what has changed."""
        self._stale = True

    @contextmanager
    def fresh(self) -> Generator[ErpIndex]:
        """The data of this round. Raises errors of `connector.errors`."""
        self._fetch()
        with self._held:
            yield self._known()

    def prepare(self) -> None:
        """Fetch the data where there is none yet. Raises errors of `connector.errors`."""
        if self._index is None:
            self._fetch()

    @contextmanager
    def latest(self) -> Generator[ErpIndex]:
        """The data as it is here; fetched in the background where it is old. Only the first time it is waited for."""
        if self._index is None:
            self._fetch()
        elif self._stale or monotonic() - self._at > OLD.total_seconds():
            self.renew()
        with self._held:
            yield self._known()

    @contextmanager
    def known(self) -> Generator[ErpIndex | None]:
        """The data as it is here, None where none was fetched yet. Never asks the ERP."""
        with self._held:
            yield self._index

    def renew(self) -> None:
        """Fetch what has changed, in the background; one at a time."""
        if self._closed.is_set():
            return
        if self._renewing is None or not self._renewing.is_alive():
            self._renewing = threading.Thread(target=self._renew, name="erp data", daemon=True)
            self._renewing.start()

    def remember(self, record: Record, lines: Iterable[Mapping[str, Any]]) -> None:
        """The next match knows a bill that was filled: its number, and what the lines written bill of orders."""
        billed: dict[int, Decimal] = {}
        for line in lines:
            ordered, quantity = line.get("purchase_line_id"), line.get("quantity")
            if isinstance(ordered, int) and isinstance(quantity, Decimal):
                billed[ordered] = billed.get(ordered, Decimal(0)) + quantity
        if record.model == BILL and self._index is not None:
            with self._held:
                self._index = self._known().with_bill(_as_bill(record), billed)

    def _known(self) -> ErpIndex:
        assert self._index is not None, "fetched before"
        return self._index

    def _renew(self) -> None:
        self._stale = True
        try:
            self._fetch()
        except VouchError as error:
            log.warning("ERP data not renewed", backend=self._erp.backend, cause=str(error))
        except Exception:
            # The connection was closed while this was still at work: nobody will ask for it.
            if not self._closed.is_set():
                raise

    def _fetch(self) -> None:
        with self._fetching:
            if self._index is not None and not self._stale:
                return
            self._stale = False
            try:
                data = self._erp.erp_data()
            except BaseException:
                self._stale = True
                raise
            with self._held:
                if self._index is None:
                    self._index = ErpIndex(data)
                else:
                    self._index.refresh(data)
                self._at, self.round = monotonic(), self.round + 1


def _as_bill(record: Record) -> Bill:
    values = record.values
    partner, currency, issued = (
        values.get("partner_id"),
        values.get("currency_id"),
        values.get("invoice_date"),
    )
    return Bill(
        id=record.id,
        partner_id=partner if isinstance(partner, int) else None,
        company_id=record.company_id,
        move_type=record.kind,
        state=record.state,
        ref=str(values.get("ref") or ""),
        invoice_date=issued if isinstance(issued, date) else None,
        amount_total=record.amount_total,
        currency_id=currency if isinstance(currency, int) else None,
        name=record.display_name,
    )
