"""The server on its socket: uvicorn in a thread of this process."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import uvicorn

from gateway.access import Denied, Reason
from gateway.access.networks import networks
from gateway.access.revocation import Standing
from gateway.config import ServerConfig
from gateway.language import t
from gateway.log import get_logger
from gateway.server.denials import Denials
from gateway.server.entrance import Entrance
from gateway.server.protocol import Bounds, Protocol
from gateway.server.request import MOST_HEAD_BYTES
from gateway.server.tls import TlsFiles
from schemas.clock import Clock, SystemClock
from schemas.errors import GatewayError

BACKLOG = 1024
STARTS_WITHIN_S = 20.0
GRACE_S = 8.0
LOOK_EVERY_TICKS = 10
"""uvicorn ticks ten times a second."""

log = get_logger()

# uvicorn would print addresses with their secret words, and tracebacks with whatever they hold.
for _name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class ListenError(GatewayError):
    """The address cannot be listened at."""


def listen(address: str) -> socket.socket:
    """A socket that listens at `host:port`; port 0 takes a free one.

    Raises:
        ListenError: The port is taken, or the address is not this machine's.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends without delay only where it is: 40 ms an answer otherwise.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, int(port)))
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except (OSError, OverflowError) as error:
        opened.close()
        raise ListenError(_why(address, error)) from None
    return opened


def _why(address: str, error: OSError | OverflowError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return t(
            f"server.listen: {address} is in use by another program: end it (ss -ltnp names it), "
            "or write another port in server.listen",
            f"server.listen: {address} đang được chương trình khác dùng: hãy dừng chương trình đó "
            "(xem bằng ss -ltnp), hoặc ghi cổng khác ở server.listen",
        )
    said = (os.strerror(error.errno) if error.errno else str(error)) if isinstance(error, OSError) else str(error)
    return t(
        f"server.listen: cannot listen at {address} ({said}): write an address of this machine in server.listen",
        f"server.listen: không mở được {address} ({said}): hãy ghi một địa chỉ của máy này ở server.listen",
    )


class HttpServer:
    """Serves one application. Start it, stop it once, or use it as a context manager.

    From `start` on the listening socket belongs to the thread that serves: closed under its feet it would stop
    with a trace instead of an answer to those who are waiting.
    """

    def __init__(self, config: ServerConfig, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._tls = TlsFiles(config.tls) if config.tls is not None else None
        self._socket = listen(config.listen)
        self._app: Entrance | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a closing slash."""
        host, port = self._address
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @functools.cached_property
    def _address(self) -> tuple[str, int]:
        host, port, *_ = self._socket.getsockname()
        return str(host), int(port)

    @property
    def public_url(self) -> str:
        """How callers reach it, without a closing slash."""
        return self._config.public_url.rstrip("/") or self.url

    @property
    def is_up(self) -> bool:
        """Whether it serves now."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, app: Entrance) -> Self:
        """Serve until stopped; returns when the first call could be answered.

        Raises:
            ListenError: It did not come up.
        """
        self._app = app
        self._server = _Server(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=int(GRACE_S),
                h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            ),
            _bounds(self._config),
            self._tls,
            self._clock,
        )
        _ = self._address
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)
        self._thread.start()
        if not self._server.up.wait(STARTS_WITHIN_S):
            self.stop()
            raise ListenError(t("the HTTP server did not come up", "máy chủ HTTP không khởi động được"))
        return self

    def stop(self) -> None:
        """No new connections; calls under way get some seconds to be answered, then all is closed."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(2 * GRACE_S)
        if self.is_up:
            log.warning("server_stop_delayed", waited_s=2 * GRACE_S)
        else:
            self._socket.close()
        if self._app is not None:
            self._app.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """uvicorn's server with our connections, an end to TLS handshakes, and TLS files that may change while it runs.

    asyncio closes what it listens at, so it gets a duplicate of each socket, and another one whenever there is a new
    TLS context: the kernel's queue of callers is one, and nobody is turned away in between.
    """

    def __init__(self, config: uvicorn.Config, bounds: Bounds, tls: TlsFiles | None, clock: Clock) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._bounds = bounds
        self._tls = tls
        self._clock = clock
        self._denials = Denials(clock)
        self._sockets: list[socket.socket] = []
        self._outdated = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections at the sockets, unless nobody wants that any more."""
        await self.lifespan.startup()
        if self.should_exit:
            return
        self._sockets = sockets or []
        self.servers = await self._opened()
        self.started = True
        self.up.set()

    async def on_tick(self, counter: int) -> bool:
        """Now and then look whether the TLS files were written anew."""
        ends = await super().on_tick(counter)
        if self._tls is not None and not ends and counter % LOOK_EVERY_TICKS == 0:
            self._outdated |= await asyncio.to_thread(self._tls.look)
            if self._outdated:
                await self._renew()
        return ends

    async def _renew(self) -> None:
        """Meet new connections with the files as they are now; short of file handles, try again at the next look."""
        try:
            opened = await self._opened()
        except OSError as error:
            log.error("tls_reload_delayed", reason=error.strerror or type(error).__name__)
            return
        before, self.servers, self._outdated = self.servers, opened, False
        await _let_the_accepted_in(before)
        for server in before:
            server.close()
        self._part_with_the_known()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, and end as uvicorn does."""
        await _let_the_accepted_in(self.servers)
        await super().shutdown(sockets)

    async def _opened(self) -> list[asyncio.Server]:
        loop = asyncio.get_running_loop()
        handshake_s = self._bounds.head_s if self._tls else None
        return [
            await loop.create_server(
                self._connection,
                sock=one.dup(),
                ssl=self._tls.now.context if self._tls else None,
                backlog=BACKLOG,
                ssl_handshake_timeout=handshake_s,
                ssl_shutdown_timeout=handshake_s,
            )
            for one in self._sockets
        ]

    def _part_with_the_known(self) -> None:
        """Who was let in by his certificate shows it again: it may have been taken back. His call is answered first."""
        for one in list(self.server_state.connections):
            if isinstance(one, Protocol) and one.certified:
                one.shutdown()

    def _connection(self) -> Protocol:
        return Protocol(self._bounds, self._holds, self.config, self.server_state, self.lifespan.state)

    def _holds(self, certificate: bytes, caller: str) -> bool:
        """Whether a client certificate has not been taken back; if it has, that is counted."""
        if self._tls is None:
            return True
        reason = _REASONS.get(self._tls.now.revocations.judge(certificate, self._clock.now()))
        if reason is not None:
            self._denials.count("", Denied(reason, caller))
        return reason is None


async def _let_the_accepted_in(servers: Iterable[asyncio.Server]) -> None:
    """Accept nobody any more at servers that will close, and give who was accepted just now his connection.

    asyncio accepts in one step of its loop and attaches the connection to its server in the next; a server closed
    between the two leaves the caller waiting at an open socket that nobody reads.
    """
    loop = asyncio.get_running_loop()
    for server in servers:
        for one in server.sockets:
            loop.remove_reader(one.fileno())
    await asyncio.sleep(0)


_REASONS = {
    Standing.REVOKED: Reason.REVOKED,
    Standing.OUTDATED: Reason.OUTDATED_LIST,
    Standing.UNREADABLE: Reason.UNREADABLE,
}


def _bounds(config: ServerConfig) -> Bounds:
    return Bounds(
        head_s=config.head_s,
        connections=config.connections,
        from_one_address=max(1, config.connections // 4),
        proxies=networks(config.trusted_proxies),
    )
