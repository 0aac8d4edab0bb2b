"""HTTP/1.1 as uvicorn speaks it, and what it leaves out: the client's certificate, and an end to patience.

uvicorn hands its application no client certificate and waits without end for the rest of a head, for a body nobody
reads and for a caller who does not take his answer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from gateway.access.networks import Network, address, within
from gateway.server.request import CERTIFICATE

TAKES_ANSWER_S = 300.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection, and all together, may ask of us. Proxies may open as many as they like."""

    head_s: float
    connections: int
    from_one_address: int
    proxies: tuple[Network, ...] = ()


class Protocol(H11Protocol):
    """One connection. `holds` says of a client certificate (DER) and the caller's address whether it was taken back."""

    def __init__(
        self,
        bounds: Bounds,
        holds: Callable[[bytes, str], bool],
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._bounds = bounds
        self._holds = holds
        self._patience: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, keep the certificate, and begin to wait."""
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.app_state = {**self.app_state, CERTIFICATE: tls.getpeercert(binary_form=True) or b""}
        if self._too_many() or self._taken_back():
            transport.abort()
            return
        self._wait()

    @property
    def certified(self) -> bool:
        """Whether the caller has shown a certificate."""
        return bool(self.app_state.get(CERTIFICATE))

    def _taken_back(self) -> bool:
        return self.certified and not self._holds(self.app_state[CERTIFICATE], self.client[0] if self.client else "")

    def _too_many(self) -> bool:
        if len(self.connections) > self._bounds.connections:
            return True
        peer = self.client[0] if self.client else ""
        others = (one.client for one in self.connections if isinstance(one, Protocol))
        same = sum(other is not None and other[0] == peer for other in others)
        return same > self._bounds.from_one_address and not within(address(peer), self._bounds.proxies)

    def data_received(self, data: bytes) -> None:
        """Read on; a caller who has said what he wants is no longer waited for."""
        super().data_received(data)
        if self._calling:
            self._stop_waiting()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn closes at once; asyncio lets us stay
        """The caller has said all: he is still answered if his call was whole. TLS knows no half-closed connection."""
        if self.scheme == "https" or not self._calling or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; a call whose body broke off so is not answered a second time."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self._close_for_good()
        if self._calling:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    @property
    def _calling(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self._bounds.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self._calling:
            self._close_for_good()

    def on_response_complete(self) -> None:
        """After an answer wait again, as long, for the next head or for the end of a body that nobody reads."""
        super().on_response_complete()
        if not self._calling and not self.transport.is_closing():
            self._stop_waiting()
            self._wait()
        if self.transport.is_closing():
            self._close_for_good()

    def pause_writing(self) -> None:
        """He does not take what is sent as fast as it comes; that has an end, too."""
        super().pause_writing()
        if self._untaken is None:
            self._untaken = self.loop.call_later(TAKES_ANSWER_S, self.transport.abort)

    def resume_writing(self) -> None:
        """He goes on taking."""
        self._taken()
        super().resume_writing()

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more came: say goodbye."""
        super().timeout_keep_alive_handler()
        self._close_for_good()

    def _close_for_good(self) -> None:
        """Close; a caller who does not take what is still on its way to him is cut off in the end."""
        self.transport.close()
        if self._farewell is None:
            self._farewell = self.loop.call_later(TAKES_ANSWER_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        self._taken()
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)
