"""The three calls of the ministry's interface, with one shared token that is refreshed once (R11)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

import orjson

from adapters.base import JsonValue, PortalContext
from adapters.civil_status.options import Options, TokenLogin
from adapters.civil_status.wire import BadJsonError, parse, text_of, verdict_of
from adapters.http import HttpClient, HttpReply, nothing_sent_yet
from adapters.retry import retry_harmless
from schemas.errors import PortalAuthError, PortalContractError

AUTHEN_ERROR = "100"
"""The guide's code for a token that is not accepted; it may come with HTTP 200."""
_BUSINESS_STATUSES = (500,)
"""Whether business errors come with an HTTP error is unknown; the attested client reads the body regardless."""


class Calls:
    """Speaks HTTP; knows paths, token and bodies, and nothing of what they mean."""

    def __init__(self, context: PortalContext, options: Options) -> None:
        self._context = context
        self._options = options
        self._http = HttpClient(
            context.portal,
            options.base_url,
            deadline_s=context.call_timeout_s,
            clock=context.clock,
            verify=options.ca_file or options.verify,
            max_body_bytes=options.max_answer_bytes,
        )

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def push(self, body: bytes, send_by: float) -> HttpReply:
        """Send one `DataHoTich`.

        Raises:
            PortalError: As `HttpClient` says; `sent` is false where the push itself never left.
        """
        self._context.budget.take()
        return self._authorised(self._options.paths.push, body, send_by=send_by)

    def poll(self, numbers: list[str], module: str) -> tuple[JsonValue, HttpReply]:
        """Ask for the state of dossiers of one module, up to `poll_tries` times: asking is harmless.

        Raises:
            PortalError: The call failed, or its answer is not JSON.
        """
        request = {"maDinhDanhHoSo": numbers, "maTinh": self._options.province_code, "module": module}
        body = orjson.dumps(request)

        def once() -> tuple[JsonValue, HttpReply]:
            reply = self._authorised(self._options.paths.poll, body, send_by=None)
            return self.parsed(reply), reply

        context = self._context
        return retry_harmless(once, clock=context.clock, budget=context.budget, attempts=self._options.poll_tries)

    def login(self) -> datetime | None:
        """Fetch a token whether or not there is one; gives the portal's own clock where it shows one."""
        _, _, server_date = self._fetch_token()
        return server_date

    def parsed(self, reply: HttpReply) -> JsonValue:
        """The reply as strict JSON.

        Raises:
            PortalContractError: It is not JSON as we accept it (R15).
        """
        try:
            return parse(reply.body)
        except BadJsonError as problem:
            raise PortalContractError(self._context.portal, f"answer: {problem}", status=reply.status) from None

    def _authorised(self, path: str, body: bytes, *, send_by: float | None) -> HttpReply:
        token = self._token(None)
        reply = self._post(path, body, token, send_by)
        if _token_refused(reply):
            fresh = self._token(token)
            self._context.budget.take()
            reply = self._post(path, body, fresh, send_by)
        if _token_refused(reply) or _forbidden(reply):
            raise PortalAuthError(
                self._context.portal, "our login is not accepted, nor was a new token", status=reply.status, sent=False
            )
        return reply

    def _post(self, path: str, body: bytes, token: str, send_by: float | None) -> HttpReply:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
        return self._http.request(
            "POST",
            path,
            headers=headers,
            content=body,
            idempotent=send_by is None,
            send_by=send_by,
            returns=_BUSINESS_STATUSES,
        )

    def _token(self, stale: str | None) -> str:
        with nothing_sent_yet():
            return self._context.sessions.get_or_refresh(self._new_token, stale=stale)

    def _new_token(self) -> tuple[str, float]:
        token, lifetime_s, _ = self._fetch_token()
        return token, lifetime_s

    def _fetch_token(self) -> tuple[str, float, datetime | None]:
        """The token, how many seconds to use it, and the portal's clock."""
        self._context.budget.take()
        headers, form, document = self._login_request()
        reply = self._http.request(
            "POST", self._options.paths.token, headers=headers, data=form, json=document, idempotent=True
        )
        if reply.status in (400, 401, 403):
            raise PortalAuthError(self._context.portal, "client key or secret not accepted", status=reply.status)
        answer = self.parsed(reply)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise PortalContractError(self._context.portal, "the token answer holds no token", status=reply.status)
        return token, self._lifetime_s(answer.get("expires_in")), reply.server_date

    def _login_request(self) -> tuple[dict[str, str], Mapping[str, str] | None, Mapping[str, str] | None]:
        key = self._context.secret(self._options.client_id)
        secret = self._context.secret(self._options.client_secret)
        grant = {"grant_type": "client_credentials"}
        match self._options.token_login:
            case TokenLogin.BASIC:
                pair = base64.b64encode(f"{quote(key, safe='')}:{quote(secret, safe='')}".encode()).decode()
                return {"Authorization": f"Basic {pair}"}, grant, None
            case TokenLogin.FORM:
                return {}, {**grant, "client_id": key, "client_secret": secret}, None
            case TokenLogin.JSON:
                return {}, None, {**grant, "client_id": key, "client_secret": secret}

    def _lifetime_s(self, expires_in: JsonValue) -> float:
        told = text_of(expires_in)
        lifetime_s = (
            float(told) if told.isascii() and told.isdigit() and int(told) > 0 else self._options.token_lifetime_s
        )
        return max(lifetime_s - self._options.token_margin_s, lifetime_s / 2)


def _token_refused(reply: HttpReply) -> bool:
    """401 in any dress, or the guide's code in an ordinary answer."""
    return reply.status == 401 or (AUTHEN_ERROR.encode() in reply.body and _business_code(reply) == AUTHEN_ERROR)


def _forbidden(reply: HttpReply) -> bool:
    """403 by whatever stands before the ministry; a new token does not help. A business answer may carry it, too."""
    return reply.status == 403 and _business_code(reply) is None


def _business_code(reply: HttpReply) -> str | None:
    """The error code of a business answer ("" where it has none); None for any other body."""
    try:
        answer = parse(reply.body)
    except BadJsonError:
        return None
    if not isinstance(answer, dict) or answer.keys().isdisjoint(("status", "errorCode")):
        return None
    return verdict_of(answer).code
