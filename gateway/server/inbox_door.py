"""Before the inbox's interface: who calls, for which ministry, and may he; decided before anything he sent is read."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.inbox.problems import MEDIA_TYPE, PROBLEMS, body_of
from gateway.access import Access, Caller, Denied, Reason, Rule
from gateway.access.access import outside
from gateway.access.networks import address, networks, within
from gateway.config import Config, InboundConfig
from gateway.inbox.keys import SCOPE
from gateway.log import get_logger
from gateway.pins import Pin, pin
from gateway.server.body import AsgiReceive, Message
from gateway.server.denials import Denials
from gateway.server.request import Scope, approach_of, headers_of
from schemas.clock import Clock
from schemas.errors import StoreError

PORTAL = "lienthong.portal"
"""Where the ministry's portal stands in a scope's `state`."""
COME_AGAIN_S = 5
_OPEN = ("/openapi.json",)
_CODES = {Reason.RATE: "too_many_calls", Reason.KEY: "key_invalid"}

AsgiSend = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

log = get_logger()


@dataclass(frozen=True, slots=True)
class InboxRules:
    """Who may call: a key or a pinned certificate names the ministry; its own networks must hold as well."""

    rule: Rule
    allowed: Mapping[str, tuple[Any, ...]]
    """Portal -> its networks; none given means any."""


def rules_of(config: Config) -> InboxRules:
    """The rules of all portals of kind `inbox`."""
    inboxes = {name: entry for name, entry in config.portals.items() if entry.kind == "inbox"}
    pins: list[Pin] = [
        pin(text, name=name, scopes=frozenset({SCOPE}))
        for name, entry in inboxes.items()
        if entry.inbound is not None
        for text in entry.inbound.certificates
    ]
    allowed = {name: networks(entry.inbound.allow) if entry.inbound else () for name, entry in inboxes.items()}
    paces = [entry.inbound or InboundConfig() for entry in inboxes.values()]
    rule = Rule(
        SCOPE,
        certificates=tuple(pins),
        scope=SCOPE,
        calls_per_s=max(pace.calls_per_s for pace in paces),  # who calls is known only afterwards
        burst=max(pace.burst for pace in paces),
    )
    return InboxRules(rule, allowed)


class InboxDoor:
    """An ASGI application around the interface."""

    def __init__(self, behind: AsgiApp, access: Access, rules: InboxRules, clock: Clock) -> None:
        self._behind = behind
        self._access = access
        self._rules = rules
        self._denials = Denials(clock)

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one call; a mistake of ours becomes "come again", never a trace."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")) in _OPEN:
            await self._behind(scope, receive, send)
            return
        begun, said = time.monotonic(), _Said(send)
        portal = ""
        try:
            admitted = self._admit(scope)
            if isinstance(admitted, Denied):
                self._denials.count(SCOPE, admitted)
                await _deny(said, admitted)
                return
            portal = admitted.name
            scope["state"] = {**scope.get("state", {}), PORTAL: portal}
            await self._behind(scope, receive, said)
        except StoreError as error:
            log.error("call_not_stored", portal=portal, endpoint=SCOPE, reason=str(error))
            await _again(said)
        except Exception as error:  # a mistake of ours: logged with its place, and the caller may come again
            log.error("call_failed", portal=portal, receiver=SCOPE, exc_info=error)
            await _again(said)
        finally:
            elapsed = round((time.monotonic() - begun) * 1000)
            log.info(
                "call_answered",
                portal=portal,
                receiver=SCOPE,
                status=said.status,
                outcome="answered" if said.status else "caller gone",
                elapsed_ms=elapsed,
            )

    def _admit(self, scope: Scope) -> Caller | Denied:
        caller = self._access.admit(self._rules.rule, approach_of(scope, headers_of(scope)))
        if isinstance(caller, Denied):
            return caller
        if caller.name not in self._rules.allowed:
            return Denied(Reason.SCOPE, caller.address)
        listed = self._rules.allowed[caller.name]
        if listed and not within(address(caller.address), listed):
            return Denied(outside(caller.address), caller.address)
        return caller


class _Said:
    """Passes an answer on and remembers its status; a no that is no problem of ours becomes one."""

    def __init__(self, send: AsgiSend) -> None:
        self._send = send
        self._replaced = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            if message["status"] >= 400 and _media_type(message) != MEDIA_TYPE:
                code = "too_large" if message["status"] == 413 else "come_again"
                headers = {"Retry-After": str(COME_AGAIN_S)} if code == "come_again" else {}
                await problem(self, code, headers)
                self._replaced = True
                return
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (b"cache-control", b"private, no-cache"),
                (b"x-content-type-options", b"nosniff"),
            ]
        await self._send(message)


def _media_type(message: Message) -> str:
    found = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
    return found[0].decode("latin-1") if found else ""


async def _deny(send: AsgiSend, denied: Denied) -> None:
    headers = {}
    if denied.reason is Reason.RATE:
        headers["Retry-After"] = str(max(1, math.ceil(denied.retry_after_s)))
    if denied.reason is Reason.KEY:
        headers["WWW-Authenticate"] = "Bearer"
    await problem(send, _CODES.get(denied.reason, "not_allowed"), headers)


async def _again(said: _Said) -> None:
    if not said.status:
        await problem(said, "come_again", {"Retry-After": str(COME_AGAIN_S)})


async def problem(send: AsgiSend, code: str, headers: Mapping[str, str] | None = None) -> None:
    """Send one problem."""
    body = body_of(code)
    listed = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    listed += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": PROBLEMS[code].status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
