"""HTTP/1.1 at the byte level: read one request from a socket, render one reply."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

from adapters.simulation.simulator import Reply

MAX_HEAD = 64 * 1024
MAX_BODY = 256 * 1024 * 1024
_CHUNK = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_NO_BODY = frozenset({204, 304})


class BadRequestError(Exception):
    """The bytes are not a request this server reads."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request taken off the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class Reader:
    """Takes requests off one connection, one after another."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def request(self) -> Received | None:
        """The next request, or None when the client is done. Raises BadRequestError or OSError."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequestError("head too long")
            if not self._more():
                if self._buffer:
                    raise BadRequestError("cut inside the head")
                return None
        head = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        first, *lines = head.split("\r\n")
        try:
            method, target, version = first.split(" ")
        except ValueError:
            raise BadRequestError("request line") from None
        headers = _headers(lines)
        path, _, query = target.partition("?")
        body = self._body(headers)
        keep_alive = headers.get("connection", "").lower() != "close" and version == "HTTP/1.1"
        parsed = parse_qs(query, keep_blank_values=True, errors="replace") if query else {}
        return Received(method, unquote(path) if "%" in path else path, parsed, headers, body, keep_alive)

    def _body(self, headers: dict[str, str]) -> bytes:
        chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        if chunked or headers.get("content-length", "0") != "0":
            if headers.get("expect", "").lower() == "100-continue":
                self._sock.sendall(_CONTINUE)
            return self._chunks() if chunked else self._exactly(_length(headers["content-length"]))
        return b""

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := _length(self._line().split(b";")[0], 16):
            body += self._exactly(size)
            self._exactly(2)
            if len(body) > MAX_BODY:
                raise BadRequestError("body too long")
        while self._line():
            """Trailers are read and dropped."""
        return bytes(body)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._more():
                raise BadRequestError("cut inside a chunked body")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _exactly(self, size: int) -> bytes:
        if size > MAX_BODY:
            raise BadRequestError("body too long")
        while len(self._buffer) < size:
            if not self._more():
                raise BadRequestError("cut inside the body")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _more(self) -> bool:
        data = self._sock.recv(_CHUNK)
        self._buffer += data
        return bool(data)


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError("header line")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _length(text: str | bytes, base: int = 10) -> int:
    try:
        size = int(text, base)
    except ValueError:
        raise BadRequestError("length") from None
    if size < 0:
        raise BadRequestError("length")
    return size


def render(
    reply: Reply, *, method: str, now: datetime, keep_alive: bool, length: int | None = None
) -> tuple[bytes, bytes]:
    """Give head and body; `length` overrides Content-Length, for an answer that breaks off."""
    bodiless = reply.status in _NO_BODY
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
        f"Date: {http_date(now)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    if not bodiless:
        lines.append(f"Content-Type: {reply.content_type}")
        lines.append(f"Content-Length: {len(reply.body) if length is None else length}")
    lines.extend(f"{name}: {value}" for name, value in reply.headers.items())
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head, b"" if bodiless or method == "HEAD" else reply.body


_LAST_DATE: tuple[int, str] = (0, "")


def http_date(at: datetime) -> str:
    """An instant as HTTP writes it; the last one is kept, for a busy second asks for it thousands of times."""
    global _LAST_DATE  # noqa: PLW0603 - one pair, replaced whole
    second = int(at.timestamp())
    known, text = _LAST_DATE
    if known != second:
        text = format_datetime(at, usegmt=True)
        _LAST_DATE = (second, text)
    return text
