"""Fetch the files that a push names by address: from known hosts only, whole, in time, never by a redirect."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

from adapters.base import FileStream, PortalContext
from adapters.http import HttpClient
from adapters.npsp.options import Options
from adapters.retry import retry_harmless
from schemas.errors import PortalContractError, PortalRefusedError, PortalUnavailableError

_FILES = ("*/*",)
_PORTS = {"http": 80, "https": 443}


WAIT_S = 0.1
"""Longest first wait before a file is asked for again: the portal is waiting, too."""


class _Open:
    """No budget is waited for."""

    def take(self, calls: int = 1) -> None:
        """Nothing to pay."""


class Fetcher:
    """Fetches files for one portal entry. Thread-safe.

    An address comes from outside, so it is asked only where the settings say so: otherwise a push could make us call
    any machine of our own network. The portal waits for its answer meanwhile, so no call budget is waited for: how
    often it may push is capped at the door.
    """

    def __init__(self, context: PortalContext, options: Options) -> None:
        self._context = context
        self._options = options.inbound.fetch
        own = _place(options.base_url)
        self._hosts = frozenset(host.casefold() for host in self._options.hosts) or frozenset(own)
        self._http = HttpClient(
            context.portal,
            options.base_url,
            clock=context.clock,
            deadline_s=self._options.timeout_s,
            max_body_bytes=self._options.max_bytes,
        )

    def fetch(self, address: str) -> FileStream:
        """The file at an address.

        Raises:
            PortalRefusedError: Its host is not one that is asked.
            PortalContractError: A web page, a redirect, an empty or too large answer.
            PortalUnavailableError: Not reachable or not whole within the deadline.
        """
        portal = self._context.portal
        if not _place(address) & self._hosts:
            raise PortalRefusedError(portal, "the file's address is on a host that is not asked")
        tries, clock = self._options.tries, self._context.clock
        return retry_harmless(lambda: self._once(address), clock=clock, budget=_Open(), attempts=tries, wait_s=WAIT_S)

    def _once(self, address: str) -> FileStream:
        portal = self._context.portal
        reply = self._http.request("GET", self._options.via + address, accept=_FILES, idempotent=True)
        if reply.status != 200:
            raise PortalUnavailableError(portal, f"the file was answered {reply.status}", status=reply.status)
        if not reply.body:
            raise PortalContractError(portal, "the file is empty", status=200)
        return FileStream(io.BytesIO(reply.body), reply.media_type, len(reply.body))

    def close(self) -> None:
        """Give back connections."""
        self._http.close()


def _place(address: str) -> frozenset[str]:
    """How a setting may name the host of an address: without its port where that is the scheme's own, and with it."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").casefold(), parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:
        return frozenset()
    if not host or port is None or parts.username is not None:
        return frozenset()
    bare = frozenset({host}) if port == _PORTS.get(parts.scheme.lower()) else frozenset()
    return bare | {f"{host}:{port}"}
