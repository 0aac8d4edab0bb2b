"""Calls as bytes on a socket: what a caller sends, and the answer that comes or does not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    """One call before it is written down. `framing`: how the body's length is told, see `Line.say`."""

    door: str
    target: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: str = "length"
    cut: int = 0
    """Where a body is cut: chunks of that size, or how many bytes are said to be missing."""


@dataclass(frozen=True)
class Answer:
    """Status 0: none came."""

    status: int
    body: bytes = b""


class Line:
    """One connection that is opened anew where the last call ended it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def say(self, call: Call) -> Answer:
        """Send one call and hear its answer.

        `length` and `chunked` are right. `bad chunk` has a size that is no number, `extended` an extension and a
        trailer, `open` never says its last chunk, `short` closes before all that was announced has come, `long` sends
        more than was announced, `both` gives length and chunks, `none` gives neither, `negative` a length below zero,
        `twice` two lengths.
        """
        if self._socket is None:
            self._socket = socket.create_connection(self._address, 30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # the server may refuse and close before all was said
            self._socket.sendall(written(call))
            if call.framing in ("short", "open"):
                self._socket.shutdown(socket.SHUT_WR)
        answer, goes_on = self._hear(head_only=call.method == "HEAD")
        if not goes_on or call.framing not in ("length", "chunked", "extended"):
            self.close()
        return answer

    def _hear(self, *, head_only: bool) -> tuple[Answer, bool]:
        heard, sock = b"", self._socket
        assert sock is not None
        while True:
            head, gap, body = heard.partition(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 100 "):
                heard = body
                continue
            if gap:
                lines = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
                if head_only or int(lines[0].split()[1]) in (204, 304):
                    length = 0
                if length is not None and len(body) >= length:
                    return Answer(int(lines[0].split()[1]), body[:length]), b"connection: close" not in lines
            try:
                part = sock.recv(65536)
            except OSError:
                part = b""
            if not part:
                return (Answer(int(head.split()[1]), body) if gap else Answer(0)), False
            heard += part


def written(call: Call) -> bytes:
    """The call as it stands on the wire."""
    size, length = call.cut or 7, len(call.body)
    parts = [call.body[at : at + size] for at in range(0, length, size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    chunked, end = {"transfer-encoding": "chunked"}, b"0\r\n\r\n"
    framings: dict[str, tuple[dict[str, str], bytes]] = {
        "length": ({"content-length": f"{length}"}, call.body),
        "chunked": (chunked, chunks + end),
        "extended": (chunked, chunks.replace(b"\r\n", b";a=b\r\n", 1) + b"0\r\nx-trailer: 1\r\n\r\n"),
        "bad chunk": (chunked, b"zz\r\n" + call.body + b"\r\n" + end),
        "open": (chunked, chunks),
        "short": ({"content-length": f"{length + size}"}, call.body),
        "long": ({"content-length": f"{max(0, length - size)}"}, call.body),
        "both": ({"content-length": f"{length}", **chunked}, chunks + end),
        "none": ({}, call.body),
        "negative": ({"content-length": f"-{length}"}, call.body),
        "twice": ({"content-length": f"{length}\r\ncontent-length: {length + 1}"}, call.body),
    }
    framed, body = framings[call.framing]
    headers = {"host": "gateway.example.invalid", **call.headers, **framed}
    lines = [f"{call.method} {call.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body
