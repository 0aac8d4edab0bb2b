"""Reading a body within its caps: declared and real size, time, and what all bodies together hold in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from gateway.server.refusal import RefusalError, busy

Message = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[Message]]


class GoneError(Exception):
    """The caller closed the connection before his body was whole; there is nobody to answer."""


class Shelf:
    """Room for the bodies of all calls under way; belongs to one event loop, so it needs no lock."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    @contextmanager
    def place(self) -> Iterator[Callable[[int], bool]]:
        """Room for one body, given back at the end; the callable asks for more of it."""
        taken = 0

        def more(size: int) -> bool:
            nonlocal taken
            if size > self._left:
                return False
            self._left -= size
            taken += size
            return True

        try:
            yield more
        finally:
            self._left += taken


def check_head(headers: Mapping[str, str], most_bytes: int) -> None:
    """Refuse, before a byte of the body is read, what is compressed or announced as too large.

    Raises:
        RefusalError: 413 or 415.
    """
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "compressed body")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body announced as too large")


async def read_body(receive: AsgiReceive, most_bytes: int, within_s: float, more: Callable[[int], bool]) -> bytes:
    """The whole body.

    Raises:
        RefusalError: 408 too slow, 413 larger than announced or allowed, 503 no room for it now.
        GoneError: The caller went away.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _read(receive, most_bytes, more)
    except TimeoutError:
        raise RefusalError(HTTPStatus.REQUEST_TIMEOUT, "body too slow", {"Connection": "close"}) from None


async def _read(receive: AsgiReceive, most_bytes: int, more: Callable[[int], bool]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most_bytes:
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
        if not more(len(part)):
            raise busy("no room for the body")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def rationed(receive: AsgiReceive, within_s: float, more: Callable[[int], bool]) -> AsgiReceive:
    """The same body for an application that sets neither time nor room: who is too slow counts as gone.

    The application gets an HTTPException 503 where there is no room for more of it now.
    """
    ends = asyncio.get_running_loop().time() + within_s
    whole = False

    async def within() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        if not more(len(message.get("body", b""))):
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)
        whole = not message.get("more_body", False)
        return message

    return within
