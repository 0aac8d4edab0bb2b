"""Sends one notice and says whether it was taken: any 2xx is a yes, everything else is tried again later."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.http import HttpClient
from adapters.webhook.signing import SecretError, headers_of
from schemas.clock import Clock
from schemas.errors import PortalError


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling: `reason` is "" when the notice was taken. `gone`: the receiver wants no more (410)."""

    reason: str = ""
    gone: bool = False
    not_before_s: float | None = None


class Webhook:
    """One receiver of notices. Thread-safe; follows no redirect and reads no more of an answer than its status."""

    def __init__(self, portal: str, url: str, *, clock: Clock, deadline_s: float, ca_file: str = "") -> None:
        self._url = url
        self._clock = clock
        self._http = HttpClient(
            portal,
            url,
            clock=clock,
            verify=ca_file or True,
            deadline_s=deadline_s,
        )

    def tell(self, secret: str, notice_id: str, body: bytes) -> Told:
        """Send it, signed at this moment. Never raises for anything the receiver did."""
        try:
            headers = headers_of(secret, notice_id, int(self._clock.now().timestamp()), body)
        except SecretError as error:
            return Told(str(error))
        headers["content-type"] = "application/json"
        try:
            reply = self._http.request("POST", self._url, headers=headers, content=body, head_only=True)
        except PortalError as error:
            return Told(error.reason, not_before_s=error.retry_after_s)
        if 200 <= reply.status < 300:
            return Told()
        return Told(f"answered {reply.status}", gone=reply.status == 410, not_before_s=reply.retry_after_s)

    def close(self) -> None:
        """Give back connections."""
        self._http.close()
