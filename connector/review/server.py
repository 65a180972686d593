"""How the app is served: uvicorn with bounds on connections, heads and time, so that slow callers hold nothing for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from fastapi import FastAPI

HEAD_SECONDS = 15.0
"""A request's head must be whole so soon after its first byte, and the first one so soon after connecting."""
LARGEST_HEAD = 16 * 1024
MOST_CONNECTIONS = 1000


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that closes connections whose request does not begin in time; uvicorn itself waits for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head that has begun."""
        super().data_received(data)
        whole = self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]
        if whole and self._late:
            self._late.cancel()
            self._late = None
        elif not whole and not self._late:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        if self._late:
            self._late.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)


def server_config(app: FastAPI, proxies: Sequence[str] = ("127.0.0.1", "::1")) -> uvicorn.Config:
    """What `vouch run` and `vouch web` serve the app with; `proxies` are believed about who calls."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        forwarded_allow_ips=list(proxies),
    )
