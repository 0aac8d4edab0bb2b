"""One HTTP call made on plain sockets, so that it can be cut, slowed or lied about at a single byte."""

from __future__ import annotations

import http.client
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SENDING_FAULTS = ("cut_before", "cut_inside", "cut_after", "slow_body", "wrong_length")
"""What can go wrong on the portal's side. After `cut_after` the province has heard everything and the portal nothing;
`slow_body` is answered like any other call; the rest never arrive whole."""

_RST = struct.pack("ii", 1, 0)
_PIECES = 10
_MORE_THAN_THERE_IS = 97


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: `status` None is silence (not reached, cut, too late)."""

    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0


def dial(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    fault: str = "",
    patience_s: float = 10.0,
    slow_s: float = 0.2,
) -> Heard:
    """Make one call on a connection of its own; never raises for what the other side does.

    Args:
        url: Whole address, `http` only: a simulator stays on this machine.
        body: Sent with its length, unless the fault lies about it.
        headers: Beside Host, Content-Length and Connection.
        method: HTTP verb.
        fault: One of `SENDING_FAULTS`, or "".
        patience_s: Longest wait for any piece of the answer.
        slow_s: How long a slow body takes.
    """
    parts = urlsplit(url)
    began = time.monotonic()
    try:
        sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=patience_s)
    except OSError:
        return Heard(seconds=time.monotonic() - began)
    with sock:
        try:
            answered = _send(sock, _head(parts.netloc, _target(url), body, headers, method, fault), body, fault, slow_s)
            status, content = _answer(sock, method) if answered else (None, b"")
        except (OSError, http.client.HTTPException):
            status, content = None, b""
    return Heard(status, content, time.monotonic() - began)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _head(host: str, target: str, body: bytes, headers: Mapping[str, str], method: str, fault: str) -> bytes:
    length = len(body) + (_MORE_THAN_THERE_IS if fault == "wrong_length" else 0)
    own = {"Host": host, "Content-Length": str(length), "Connection": "close"}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in {**headers, **own}.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _send(sock: socket.socket, head: bytes, body: bytes, fault: str, slow_s: float) -> bool:
    """Send, as the fault has it; whether an answer is waited for."""
    match fault:
        case "cut_before":
            _reset(sock)
            return False
        case "cut_inside":
            sock.sendall(head + body[: len(body) // 2])
            _reset(sock)
            return False
        case "slow_body":
            sock.sendall(head)
            size = max(1, len(body) // _PIECES)
            for start in range(0, len(body), size):
                time.sleep(slow_s / _PIECES)
                sock.sendall(body[start : start + size])
            return True
    sock.sendall(head + body)
    if fault == "cut_after":
        _reset(sock)
        return False
    if fault == "wrong_length":
        sock.shutdown(socket.SHUT_WR)
    return True


def _answer(sock: socket.socket, method: str) -> tuple[int, bytes]:
    response = http.client.HTTPResponse(sock, method=method)
    with response:
        response.begin()
        return response.status, response.read()


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
