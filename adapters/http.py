"""HTTP as adapters use it: one client per portal, and the one place where HTTP failures become portal errors."""

from __future__ import annotations

import hashlib
import io
import logging
import ssl
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpcore
import httpx
import orjson

from adapters.base import SENT, Outcome, OutcomeKind
from adapters.content import ACCEPTED, BadContentError, body_of
from adapters.download import BEGINNING, SAME_AS_SENT, HttpStream
from adapters.outgoing import WRITES, Requests
from adapters.transport import (
    DEFAULT_TIMEOUTS,
    Call,
    DeadlineTransport,
    PastDeadlineError,
    PastSendByError,
    Timeouts,
    fields_of,
    parts_of,
    tls_context,
)
from schemas.clock import Clock, SystemClock
from schemas.errors import (
    PortalAuthError,
    PortalContractError,
    PortalError,
    PortalRefusedError,
    PortalUnavailableError,
)

# Both write whole URLs and headers, tokens among them, into the log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_DAY_S = 86_400.0
_NOT_OPENED = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.ConnectionNotAvailable,  # closed between the look at it and its use, before anything was written
)
_TIMED_OUT = (httpcore.TimeoutException, PastDeadlineError)
_BROKEN = (httpcore.NetworkError, httpcore.RemoteProtocolError)
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body")


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One whole answer: header names in lower case."""

    portal: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: float

    @property
    def server_date(self) -> datetime | None:
        """The portal's own time, from the Date header; None when absent or unreadable."""
        return _http_date(self.headers.get("date"))

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case; "" when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after_s(self) -> float | None:
        """Retry-After in seconds, in either form."""
        return retry_after_s(self.headers.get("retry-after"), self.server_date or datetime.now(UTC))

    def json(self) -> Any:
        """The body as JSON. Raises PortalContractError for anything else, an empty body too."""
        try:
            return orjson.loads(self.body.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError:
            reason = "the answer is empty" if not self.body.strip() else "the answer is not JSON"
            raise PortalContractError(self.portal, reason, status=self.status) from None


class HttpClient:
    """Calls one portal. Thread-safe; a portal's pool of threads shares one client.

    No proxy, no environment, no cookies, no redirects, a cap on bodies after decompression, and a
    whole deadline for each call. Errors never carry a URL, a header or a body.

    Args:
        portal: Name of the portal in `config.yaml`, for errors.
        base_url: What relative paths are joined to.
        timeouts: Per single wait.
        verify: True (public authorities), False, a file of authorities, or a context of one's own.
        client_certificate: Certificate and key files for mutual TLS.
        clock: The clock `send_by` belongs to.
        deadline_s: Whole deadline of a call that names none.
        pool_size: Connections at once: more than threads that call one portal (`workers`, `readers` and jobs).
        max_body_bytes: Cap on a decompressed body.
    """

    def __init__(
        self,
        portal: str,
        base_url: str,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        *,
        verify: bool | str | Path | ssl.SSLContext = True,
        client_certificate: tuple[str, str] | None = None,
        clock: Clock | None = None,
        deadline_s: float = 60.0,
        pool_size: int = 64,
        max_body_bytes: int = 32 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.portal = portal
        self._clock = clock or SystemClock()
        self._deadline_s = deadline_s
        self._timeouts = timeouts
        self._max_body_bytes = max_body_bytes
        self._tls = None if base_url.startswith("http://") else tls_context(verify, client_certificate)
        self._transport = DeadlineTransport(tls=self._tls, connections=pool_size, keepalive_s=5.0)
        self._downloads: WeakSet[DeadlineTransport] = WeakSet()
        self._requests = Requests(base_url, {"User-Agent": "lienthong", "Accept-Encoding": ACCEPTED, **(headers or {})})

    def request(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        idempotent: bool = False,
        send_by: float | None = None,
        deadline_s: float | None = None,
        accept: Collection[str] | None = None,
        returns: Collection[int] = (),
        max_body_bytes: int | None = None,
        head_only: bool = False,
    ) -> HttpReply:
        """Make one call and give its whole answer, whatever its status below 500 but 3xx, 408 and 429.

        Args:
            method: HTTP verb.
            path_or_url: Relative to the base URL, or a whole URL.
            params: Query; never put anything personal or secret into it.
            headers: Added to the client's own.
            content, json, data, files: The body, as httpx takes it; `json` is written by orjson.
            idempotent: The call is harmless: if a kept-alive connection proves dead before a byte came back, the
                call is made once more at once.
            send_by: Monotonic instant of the client's clock; checked immediately before the first byte.
            deadline_s: Whole time from the call to the last byte.
            accept: Media types the contract allows; HTML where none of them is HTML breaks the contract.
            returns: Statuses to give back that would otherwise be raised (SOAP faults come with 500).
            max_body_bytes: Another cap for this call.
            head_only: Status and headers are the answer; its body is not read, and `b""` here.

        Raises:
            PortalUnavailableError: `sent=False`: not opened, TLS failed, `send_by` passed, 429. `sent=True`: time-out
                after the first byte, reset, cut answer, 408, 5xx.
            PortalContractError: HTML, a redirect, an undecodable or too large answer.
        """
        if json is not None:
            content = orjson.dumps(json)
            headers = {"Content-Type": "application/json", **(headers or {})}
        waits = self._timeouts.within(self._deadline_s if deadline_s is None else deadline_s)
        limit = None if head_only else self._max_body_bytes if max_body_bytes is None else max_body_bytes
        call = self._call(send_by, deadline_s)
        with self._translated(call):
            request, body = self._requests.made(
                method, path_or_url, waits, params=params, headers=headers, content=content, data=data, files=files
            )
        try:
            reply = self._attempt(request, call, limit)
        except PortalUnavailableError:
            if not (idempotent and call.broke and call.reused and not call.received):
                raise
            reply = self._attempt(request, self._call(send_by, deadline_s), limit)
        if body is not None and method.upper() in WRITES:  # a body that is made while it is sent has no digest
            SENT.set(hashlib.sha256(body).hexdigest())
        self._judge(reply, accept, returns)
        return reply

    def open(
        self,
        path_or_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        accept: Collection[str] | None = None,
    ) -> tuple[HttpReply, HttpStream | io.BytesIO]:
        """GET a file over a connection of its own; of a 200 the body is left in the stream, to be read as it comes.

        The reply's `body` is the beginning of it, of any other status the whole. The deadline bounds the reading, too.

        Raises:
            PortalUnavailableError, PortalContractError: As `request`; the former also while the stream is read.
        """
        whole_s = self._deadline_s if deadline_s is None else deadline_s
        waits, named = self._timeouts.within(whole_s), {**(headers or {}), **SAME_AS_SENT}
        transport, call = DeadlineTransport(tls=self._tls, connections=1, keepalive_s=0.0), self._call(None, deadline_s)
        self._downloads.add(transport)
        started = time.perf_counter()
        with transport.during(call), self._translated(call):
            answer = transport.send(self._requests.made("GET", path_or_url, waits, headers=named)[0])
        stream = HttpStream(answer, transport, call, self._translated)
        try:
            held, body = self._beginning(answer, stream)
            elapsed_ms = (time.perf_counter() - started) * 1000
            reply = HttpReply(self.portal, answer.status, stream.headers, body, elapsed_ms)
            self._judge(reply, accept, ())
        except BaseException:
            stream.close()
            raise
        return reply, held

    def _beginning(self, answer: httpcore.Response, stream: HttpStream) -> tuple[HttpStream | io.BytesIO, bytes]:
        """The stream and how it begins; what came packed, or is no file, is read whole."""
        coding = stream.headers.get("content-encoding", "")
        if answer.status == 200 and coding.strip().lower() in ("", "identity"):
            return stream, stream.peek(BEGINNING)
        body = self._read(stream.rest(), coding, answer.status)
        stream.close()
        return io.BytesIO(body), body

    def close(self) -> None:
        """Close every connection, those of files that are being read among them."""
        for transport in list(self._downloads):
            transport.close()
        self._transport.close()
        self._requests.close()

    def _call(self, send_by: float | None, deadline_s: float | None) -> Call:
        whole_s = self._deadline_s if deadline_s is None else deadline_s
        return Call(self._clock, time.monotonic() + whole_s, send_by)

    def _attempt(self, request: httpcore.Request, call: Call, limit: int | None) -> HttpReply:
        started = time.perf_counter()
        with self._transport.during(call), self._translated(call):
            answer = self._transport.send(request)
            try:
                headers = fields_of(answer)
                coding = headers.get("content-encoding", "")
                body = b"" if limit is None else self._read(parts_of(answer), coding, answer.status, limit)
            finally:
                answer.close()
        return HttpReply(self.portal, answer.status, headers, body, (time.perf_counter() - started) * 1000)

    def _read(self, parts: Iterable[bytes], coding: str, status: int, limit: int | None = None) -> bytes:
        try:
            return body_of(parts, coding, self._max_body_bytes if limit is None else limit)
        except BadContentError as problem:
            raise PortalContractError(self.portal, str(problem), status=status) from None

    @contextmanager
    def _translated(self, call: Call) -> Iterator[None]:
        """Turn what the libraries raise into portal errors; `from None` keeps URLs out of tracebacks."""
        try:
            yield
        except PastSendByError:
            raise self._unavailable("the time to send had passed", sent=False) from None
        except _NOT_OPENED:
            raise self._unavailable("the connection could not be opened", sent=call.sent) from None
        except _TIMED_OUT:
            raise self._unavailable("time-out", sent=call.sent) from None
        except _BROKEN:
            call.broke = True
            raise self._unavailable("the connection broke", sent=call.sent) from None
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL, httpx.HTTPError):
            raise PortalContractError(self.portal, "request or answer is not valid HTTP", sent=call.sent) from None

    def _judge(self, reply: HttpReply, accept: Collection[str] | None, returns: Collection[int]) -> None:
        status = reply.status
        if status not in returns:
            if status == 429:
                raise self._unavailable("too many requests (429)", sent=False, reply=reply)
            if status == 408 or status >= 500:
                raise self._unavailable(f"the portal answered {status}", sent=True, reply=reply)
            if 300 <= status < 400:
                raise PortalContractError(self.portal, f"redirected ({status})", status=status)
        if accept is not None and status < 400 and not any("html" in media for media in accept):
            start = reply.body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
            if start.startswith(_MARKUP):
                raise PortalContractError(self.portal, "a web page instead of the agreed answer", status=status)

    def _unavailable(self, reason: str, *, sent: bool, reply: HttpReply | None = None) -> PortalUnavailableError:
        return PortalUnavailableError(
            self.portal,
            reason,
            status=reply.status if reply else None,
            retry_after_s=reply.retry_after_s if reply else None,
            sent=sent,
        )


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds a Retry-After header asks for, in either form, at most a day; None when absent or unreadable.

    `now` is the portal's own time where it says it, so that its clock's error cancels out.
    """
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _DAY_S)
    at = _http_date(text)
    return None if at is None else min(max((at - now).total_seconds(), 0.0), _DAY_S)


def _http_date(text: str | None) -> datetime | None:
    """The instant of an HTTP date, None for anything that is none; a portal may write what it likes there."""
    try:
        at = parsedate_to_datetime(text) if text else None
        if at is None:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@contextmanager
def nothing_sent_yet() -> Iterator[None]:
    """For the login before a write: whatever fails inside, the write itself was not sent."""
    try:
        yield
    except PortalError as error:
        error.sent = False
        raise


def outcome_of(error: PortalError) -> Outcome:
    """What a push came to that ended in a portal error (sync.md S21).

    A parsed no is refused. Known not to have left or to have been turned away (`sent=False`): retry. Anything else,
    a broken contract among it, is unknown.
    """
    if isinstance(error, PortalRefusedError):
        kind = OutcomeKind.REFUSED
    else:
        kind = OutcomeKind.UNKNOWN if error.sent else OutcomeKind.RETRY
    return Outcome(
        kind,
        error.reason,
        code=error.code or (str(error.status) if error.status is not None else ""),
        excerpt=error.excerpt[:2000],
        not_before_s=error.retry_after_s,
        auth=isinstance(error, PortalAuthError),
    )
