"""Where every call arrives: a portal's call goes to its receiver, any other to the interfaces behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from http import HTTPStatus
from typing import Any, cast

from adapters.receiving import HeldFile, InboundReply, InboundRequest
from gateway.access import Access, Denied
from gateway.config import ServerConfig
from gateway.log import get_logger
from gateway.server.body import AsgiReceive, GoneError, Message, Shelf, check_head, rationed, read_body
from gateway.server.denials import Denials
from gateway.server.doors import Door, Found, Map, Receive
from gateway.server.refusal import RefusalError, busy, refusal_of
from gateway.server.request import Scope, approach_of, check_scope, headers_of, query_of
from gateway.server.workers import Workers
from gateway.vault import SealError
from schemas.clock import Clock

AsgiSend = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

log = get_logger()


class Entrance:
    """The outermost ASGI application; it belongs to one event loop."""

    def __init__(
        self,
        doors: Iterable[Door],
        behind: AsgiApp,
        *,
        access: Access,
        receive: Receive,
        config: ServerConfig,
        clock: Clock,
        public_url: Callable[[], str],
    ) -> None:
        doors = tuple(doors)
        self._map = Map(doors)
        self._behind = behind
        self._access = access
        self._take_in = receive
        self._config = config
        self._clock = clock
        self._public_url = public_url
        self._shelf = Shelf(config.held_bytes)
        self._denials = Denials(clock)
        names = {(door.portal, door.receiver.name) for door in doors}
        self._workers = {name: Workers(":".join(name), config.threads) for name in names}

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        try:
            check_scope(scope)
        except RefusalError as refusal:
            await answer(send, refusal.reply())
            return
        found = self._map.find(scope["path"])
        if found is None:
            await self._pass_on(scope, receive, send)
            return
        begun = time.monotonic()
        try:
            reply, outcome = await self._answer(found, scope, receive)
        except GoneError:
            reply, outcome = None, "caller gone"
        door = found.door
        log.info(
            "call_answered",
            portal=door.portal,
            receiver=door.receiver.name,
            status=reply.status if reply else 0,
            outcome=outcome,
            elapsed_ms=round((time.monotonic() - begun) * 1000),
        )
        if reply is None:
            return
        if reply.file is None or scope["method"] == "HEAD":
            await answer(send, reply)
            return
        try:
            await stream(receive, send, reply, reply.file)
        except (OSError, SealError) as error:  # gone or damaged: the caller sees an end before its length
            log.error("call_failed", portal=door.portal, receiver=door.receiver.name, exc_info=error)

    async def _pass_on(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        try:
            with self._shelf.place() as more:
                await self._behind(scope, rationed(receive, self._config.body_s, more), send)
        except Exception as error:  # a mistake of ours; the framework has answered, but told nobody of us
            log.error("call_failed", portal="", receiver="", exc_info=error)

    async def _answer(self, found: Found, scope: Scope, receive: AsgiReceive) -> tuple[InboundReply, str]:
        try:
            return await self._through(found, scope, receive), "answered"
        except RefusalError as refusal:
            return refusal.reply(), refusal.reason
        except GoneError:
            raise
        except asyncio.CancelledError:  # the server stops and this call did not end in time
            return busy("stopping").reply(), "stopping"
        except Exception as error:  # a mistake of ours: logged with its place, and the caller may come again
            log.error("call_failed", portal=found.door.portal, receiver=found.door.receiver.name, exc_info=error)
            return busy("failed").reply(), "failed"

    async def _through(self, found: Found, scope: Scope, receive: AsgiReceive) -> InboundReply:
        door, headers = found.door, headers_of(scope)
        admitted = self._access.admit(door.rule, approach_of(scope, headers, found.secret))
        if isinstance(admitted, Denied):
            self._denials.count(door.portal, admitted)
            raise refusal_of(admitted)
        method = _method(scope["method"], door.receiver.methods)
        if method == "OPTIONS":
            return InboundReply(b"", status=HTTPStatus.NO_CONTENT, headers={"Allow": _allow(door.receiver.methods)})
        check_head(headers, door.max_body_bytes)
        query = query_of(scope)
        at = self._clock.now()
        with self._shelf.place() as more:
            body = await read_body(receive, door.max_body_bytes, self._config.body_s, more)
            request = InboundRequest(
                method=method,
                path=found.rest,
                query=query,
                headers=headers,
                body=body,
                at=at,
                base_url=self._base_url(found),
                caller=admitted.name,
            )
            workers = self._workers[door.portal, door.receiver.name]
            return await workers.run(
                lambda: self._take_in(door.portal, door.receiver, request), door.receiver.patience_s
            )

    def _base_url(self, found: Found) -> str:
        door = found.door
        secret = (found.secret,) if door.secret else ()
        return "/".join((self._public_url(), *door.prefix, *secret, *door.path))

    def close(self) -> None:
        """Wait for the work under way; call it when the server no longer listens."""
        for workers in self._workers.values():
            workers.close()


def _method(asked: str, methods: tuple[str, ...]) -> str:
    """The verb as a receiver sees it: HEAD is GET without the answer's body.

    Raises:
        RefusalError: 405.
    """
    method = "GET" if asked == "HEAD" else asked
    if method != "OPTIONS" and method not in methods:
        raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, "verb", {"Allow": _allow(methods)})
    return method


def _allow(methods: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys((*methods, *(("HEAD",) if "GET" in methods else ()), "OPTIONS")))


async def answer(send: AsgiSend, reply: InboundReply) -> None:
    """Send an answer whole; of a file only its head, as HEAD asks for."""
    bare = reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    await send({"type": "http.response.start", "status": int(reply.status), "headers": _headers(reply, bare=bare)})
    await send({"type": "http.response.body", "body": b"" if bare else reply.body})


async def stream(receive: AsgiReceive, send: AsgiSend, reply: InboundReply, file: HeldFile) -> None:
    """Send a file part by part, each read when the one before it has been taken, and no further than the caller stays.

    Raises:
        OSError, SealError: It cannot be read to its end; then the connection is closed before the length promised.
    """
    gone = asyncio.ensure_future(receive())
    parts = cast("Generator[bytes]", file.open())
    try:
        try:
            part = await asyncio.to_thread(next, parts, b"")
        except (OSError, SealError):
            await answer(send, busy("failed").reply())
            raise
        await send({"type": "http.response.start", "status": int(reply.status), "headers": _headers(reply)})
        while part and not gone.done():
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await asyncio.to_thread(next, parts, b"")
        if not part:
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with contextlib.suppress(ValueError):  # the server was stopped while a thread was reading: it closes it
            parts.close()


def _headers(reply: InboundReply, *, bare: bool = False) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower().encode("latin-1"), _clean(value)) for name, value in reply.headers.items()]
    if not bare:
        size = len(reply.body) if reply.file is None else reply.file.size
        headers.append((b"content-type", _clean(reply.media_type)))
        headers.append((b"content-length", str(size).encode()))
    return [*headers, (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


def _clean(value: str) -> bytes:
    """A header's value as it may stand on the wire: one line of Latin letters."""
    return "".join(char if char.isprintable() else " " for char in value).strip().encode("latin-1", "replace")
