"""Answers of the server itself, before or instead of a receiver's: short, plain, and silent about anything inside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

from adapters.receiving import InboundReply
from gateway.access import Denied, Reason

COME_AGAIN_S = 5


class RefusalError(Exception):
    """The call ends here with this status; `reason` is for our log."""

    def __init__(self, status: HTTPStatus, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers or {}

    def reply(self) -> InboundReply:
        """The answer: the status in words, nothing else."""
        body = f"{self.status.value} {self.status.phrase}\n".encode()
        return InboundReply(body, "text/plain; charset=utf-8", self.status.value, self.headers)


def busy(reason: str) -> RefusalError:
    """Nothing was taken in; the caller may come again."""
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, reason, {"Retry-After": str(COME_AGAIN_S)})


def refusal_of(denied: Denied) -> RefusalError:
    """The status for someone who may not come in; a wrong secret word looks like an address that does not exist."""
    status = {
        Reason.NETWORK: HTTPStatus.FORBIDDEN,
        Reason.GONE: HTTPStatus.FORBIDDEN,
        Reason.RATE: HTTPStatus.TOO_MANY_REQUESTS,
        Reason.PATH: HTTPStatus.NOT_FOUND,
        Reason.CERTIFICATE: HTTPStatus.FORBIDDEN,
        Reason.REVOKED: HTTPStatus.FORBIDDEN,
        Reason.OUTDATED_LIST: HTTPStatus.FORBIDDEN,
        Reason.UNREADABLE: HTTPStatus.FORBIDDEN,
        Reason.KEY: HTTPStatus.UNAUTHORIZED,
        Reason.SCOPE: HTTPStatus.FORBIDDEN,
    }[denied.reason]
    headers = {}
    if denied.reason is Reason.RATE:
        headers["Retry-After"] = str(max(1, math.ceil(denied.retry_after_s)))
    if denied.reason is Reason.KEY:
        headers["WWW-Authenticate"] = "Bearer"
    return RefusalError(status, f"denied: {denied.reason.value}", headers)
