"""The network under our calls: knows when the first byte leaves, and ends every wait at the call's deadline.

httpcore has time-outs per read only, so an answer that drips never ends, and after an error nobody can say for certain
whether a request had left. Both are seen only here, where bytes are written and read.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from weakref import WeakSet

import httpcore
import httpx

from schemas.clock import Clock


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each single wait; the deadline of a call bounds them all together."""

    connect_s: float = 10.0
    read_s: float = 30.0
    write_s: float = 30.0
    pool_s: float = 10.0

    def within(self, whole_s: float) -> dict[str, float]:
        """The same waits by httpcore's names, none longer than the whole call."""
        waits = {"connect": self.connect_s, "read": self.read_s, "write": self.write_s, "pool": self.pool_s}
        return {name: min(wait_s, whole_s) for name, wait_s in waits.items()}


DEFAULT_TIMEOUTS = Timeouts()


class PastSendByError(Exception):
    """The send-by instant had passed before the first byte; nothing was sent."""


class PastDeadlineError(Exception):
    """The call's whole deadline has passed."""


@dataclass(slots=True)
class Call:
    """One call under way in this thread.

    The deadline is of the machine's clock, because sockets wait in real time; `send_by` is of the clock that the
    claim was made with.
    """

    clock: Clock
    deadline: float
    send_by: float | None
    sent: bool = False
    received: bool = False
    reused: bool = False
    broke: bool = False

    def left_s(self, timeout: float | None) -> float:
        """How long the next wait may be. Raises PastDeadlineError."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise PastDeadlineError
        return left if timeout is None else min(left, timeout)

    def first_byte(self, *, reused: bool) -> None:
        """Called immediately before bytes are written. Raises PastSendByError."""
        if self.sent:
            return
        if self.send_by is not None and self.clock.monotonic() > self.send_by:
            raise PastSendByError
        self.sent, self.reused = True, reused


class _Calls(threading.local):
    now: Call | None = None
    line: _Line | None = None


class DeadlineTransport:
    """httpcore with our streams; failures leave as httpcore's exceptions or the two above.

    A call has a connection to itself from its first byte to the end of its answer: a line of one, taken from those
    lying idle, last used first. In one pool shared by threads httpcore may close a connection under a call: it asks
    whether an idle connection has bytes waiting (the other side hung up) while another thread has begun to use it.
    """

    def __init__(self, *, tls: ssl.SSLContext | None, connections: int, keepalive_s: float) -> None:
        self._calls = _Calls()
        self._tls = tls
        self._keepalive_s = keepalive_s
        self._free = threading.Semaphore(connections)
        self._lock = threading.Lock()
        self._streams = _Streams()
        self._idle: list[_Line] = []
        self._lines: list[_Line] = []

    @contextmanager
    def during(self, call: Call) -> Iterator[Call]:
        """Everything this thread sends and reads inside belongs to `call`."""
        self._calls.now = call
        try:
            yield call
        finally:
            self._calls.now = None
            self._give_back()

    def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send one request and give its answer, the body unread."""
        return self._line(request).handle_request(request)

    def _line(self, request: httpcore.Request) -> _Line:
        """This call's line, waiting for a free one. Raises httpcore.PoolTimeout or PastDeadlineError."""
        if self._calls.line is not None:
            return self._calls.line
        wait_s = request.extensions.get("timeout", {}).get("pool")
        if not self._free.acquire(timeout=wait_s if self._calls.now is None else self._calls.now.left_s(wait_s)):
            raise httpcore.PoolTimeout
        with self._lock:
            if not self._idle:
                self._idle.append(self._new_line())
            self._calls.line = self._idle.pop()
        return self._calls.line

    def _new_line(self) -> _Line:
        line = _Line(self._tls, self._keepalive_s, _Backend(self._calls, self._streams))
        self._lines.append(line)
        return line

    def _give_back(self) -> None:
        line, self._calls.line = self._calls.line, None
        if line is not None:
            with self._lock:
                self._idle.append(line)
            self._free.release()

    def close(self) -> None:
        """Close every connection; a thread that waits on one is woken and finds it broken, a later call finds none."""
        self._streams.cut()
        with self._lock:
            for line in self._lines:
                line.close()


class _Line:
    """One connection at a time: a new one where the last is closed, has lain idle too long or leads elsewhere."""

    def __init__(self, tls: ssl.SSLContext | None, keepalive_s: float, backend: httpcore.NetworkBackend) -> None:
        self._tls = tls
        self._keepalive_s = keepalive_s
        self._backend = backend
        self._held: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Raises what httpcore raises."""
        if request.url.scheme not in (b"http", b"https"):
            raise httpcore.UnsupportedProtocol
        origin, held = request.url.origin, self._held
        if held is None or not held.can_handle_request(origin) or not held.is_available() or held.has_expired():
            self.close()
            held = self._held = httpcore.HTTPConnection(
                origin, self._tls, keepalive_expiry=self._keepalive_s, network_backend=self._backend
            )
        return held.handle_request(request)

    def close(self) -> None:
        if self._held is not None:
            self._held.close()


def fields_of(answer: httpcore.Response) -> dict[str, str]:
    """The fields of an answer's head, names in lower case; one that is said twice has both values."""
    fields: dict[str, str] = {}
    for name, value in answer.headers:
        key, text = name.decode("latin-1").lower(), _text(value)
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    return fields


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def parts_of(answer: httpcore.Response) -> Iterable[bytes]:
    """The body of an answer as it comes from the line."""
    return cast("Iterable[bytes]", answer.stream)


class _Streams:
    """All streams in use. Closing a socket does not wake a thread that reads from it; shutting it down does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[_Stream] = WeakSet()
        self._is_cut = False

    def opened(self, stream: _Stream) -> _Stream:
        with self._lock:
            if self._is_cut:
                stream.close()
                raise httpcore.ConnectError
            self._open.add(stream)
        return stream

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            for stream in self._open:
                stream.cut()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, calls: _Calls, streams: _Streams) -> None:
        self._calls = calls
        self._streams = streams
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        wait_s = timeout if self._calls.now is None else self._calls.now.left_s(timeout)
        plain = self._plain.connect_tcp(host, port, wait_s, local_address, socket_options)
        return self._streams.opened(_Stream(plain, self._calls, self._streams))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, calls: _Calls, streams: _Streams) -> None:
        self._inner = inner
        self._calls = calls
        self._streams = streams
        self._used = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        call = self._calls.now
        data = self._inner.read(max_bytes, timeout if call is None else call.left_s(timeout))
        if call is not None:
            call.received = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if (call := self._calls.now) is not None:
            timeout = call.left_s(timeout)
            call.first_byte(reused=self._used)
        self._used = True
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def cut(self) -> None:
        """Wake whoever reads or writes; under TLS, too, because the socket below is shut down."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._inner.get_extra_info("socket"), socket.SHUT_RDWR)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait_s = timeout if self._calls.now is None else self._calls.now.left_s(timeout)
        secured = self._inner.start_tls(ssl_context, server_hostname, wait_s)
        return self._streams.opened(_Stream(secured, self._calls, self._streams))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def tls_context(
    verify: bool | str | Path | ssl.SSLContext = True, client_certificate: tuple[str, str] | None = None
) -> ssl.SSLContext:
    """A TLS context that trusts public authorities, those of a file, a context's own, or (False) anyone."""
    if isinstance(verify, ssl.SSLContext):
        context = verify
    elif isinstance(verify, bool):
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
    else:
        context = ssl.create_default_context(cafile=str(verify))
    if client_certificate is not None:
        context.load_cert_chain(*client_certificate)
    return context
