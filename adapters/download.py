"""A file of a portal's read as it comes: never whole in memory, every wait bounded, every failure a portal error."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpcore

from adapters.transport import Call, DeadlineTransport, fields_of, parts_of

BEGINNING = 64 * 1024
"""Bytes by which an answer is judged, however it is cut on its way: a web page may begin with a piece of one byte."""
SAME_AS_SENT = {"Accept-Encoding": "identity"}
"""A file is asked for unpacked, so that its length is known."""

Guard = Callable[[Call], AbstractContextManager[None]]


class HttpStream(io.RawIOBase):
    """The body of one answer, read piece by piece over a connection of its own. Close it after reading.

    `size` is what the answer's Content-Length says, None where it says nothing. Reading raises as the call would have:
    PortalUnavailableError for a time-out or a cut answer.
    """

    def __init__(self, answer: httpcore.Response, transport: DeadlineTransport, call: Call, guard: Guard) -> None:
        super().__init__()
        self._answer = answer
        self._transport = transport
        self._call = call
        self._guard = guard
        self._pieces = (piece for piece in parts_of(answer) if piece)  # of 64 KiB at most
        self._held = b""
        self.headers = fields_of(answer)
        length = self.headers.get("content-length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else None

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def peek(self, least: int = 1) -> bytes:
        """What will be read next, at least so many bytes unless it ends before."""
        if len(self._held) < least:
            pieces, size = [self._held], len(self._held)
            while size < least and (piece := self._next()):
                pieces.append(piece)
                size += len(piece)
            self._held = b"".join(pieces)
        return self._held

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed says Buffer, callers give this
        """Fill a buffer as far as one piece goes; 0 at the end.

        Raises:
            PortalUnavailableError: Time-out, or the answer was cut.
        """
        piece = self.peek()[: len(buffer)]
        buffer[: len(piece)] = piece
        self._held = self._held[len(piece) :]
        return len(piece)

    def rest(self) -> Iterator[bytes]:
        """Everything that was not read yet, piece by piece."""
        while piece := self.peek():
            self._held = b""
            yield piece

    def close(self) -> None:
        """Give the connection back; reading is over."""
        if not self.closed:
            self._answer.close()
            self._transport.close()
        super().close()

    def _next(self) -> bytes:
        with self._transport.during(self._call), self._guard(self._call):
            return next(self._pieces, b"")
