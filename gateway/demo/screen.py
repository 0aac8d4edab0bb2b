"""A portal's officers' port over HTTP: what people see and do there, with the standard library only."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


class RefusedByPortalError(Exception):
    """The portal did not let the officer do that."""


class Screen:
    """One portal's `/_sim/` screens and verbs, over one kept connection. Not thread-safe."""

    def __init__(self, control_url: str) -> None:
        place = urlsplit(control_url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def look(self, path: str) -> Any:
        """What a screen shows."""
        return self._call("GET", f"/_sim/{path}", None)

    def do(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """An officer's act. Raises RefusedByPortalError where the portal does not let them."""
        return self._call("POST", f"/_sim/act/{verb}", arguments)

    def faults(self, settings: Mapping[str, Any] | None = None) -> Any:
        """The fault plan's figures; with settings, change it."""
        return self._call("POST" if settings is not None else "GET", "/_sim/faults", settings)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, body=sent, headers={"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200:
            raise RefusedByPortalError(f"{path}: {answer}")
        return answer
