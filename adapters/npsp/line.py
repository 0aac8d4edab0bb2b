"""The line to the portal: every call goes through here, in the shared session, and comes back taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from adapters.base import JsonValue, PortalContext
from adapters.http import HttpClient, HttpReply, nothing_sent_yet
from adapters.npsp.calls import Call, Calls
from adapters.npsp.login import Login
from adapters.npsp.options import Options
from adapters.npsp.outcomes import Success, Verdict, classify
from adapters.npsp.reply import Reply, parse, rows
from adapters.npsp.verdicts import excerpt, read_rows
from adapters.redaction import without
from adapters.retry import retry_harmless
from schemas.errors import PortalAuthError


@dataclass(frozen=True, slots=True)
class Answer:
    """One judged answer: what it said, what that means and by which words, and the bytes as they came."""

    reply: Reply
    verdict: Verdict
    proof: str
    raw: bytes
    server_date: datetime | None


class _Paid:
    """A budget for repeats whose calls, logins among them, each draw on the portal's own."""

    def take(self, calls: int = 1) -> None:
        """Nothing more to pay."""


class Line:
    """Calls one portal. Thread-safe."""

    def __init__(self, context: PortalContext, options: Options) -> None:
        self._context = context
        self._options = options
        self.calls = Calls(options, options.agency_code or context.agency_code)
        self._login = Login(context, options, self._log_in)
        self._http = HttpClient(
            context.portal,
            f"{options.base_url.rstrip('/')}/",
            clock=context.clock,
            deadline_s=options.timeout_s or context.call_timeout_s,
            max_body_bytes=options.max_body_bytes,
        )

    def ask(self, service: str, parameters: Mapping[str, str], *, tries: int = 1) -> tuple[list[JsonValue], Answer]:
        """Read the rows of one service, again at once where nothing usable came back: asking is harmless.

        Raises:
            PortalUnavailableError, PortalRefusedError, PortalAuthError, PortalContractError: As they say.
        """

        def once() -> tuple[list[JsonValue], Answer]:
            answer = self._in_session(
                lambda session: self._send(self.calls.read(service, parameters, session), idempotent=True), None
            )
            return read_rows(self._context.portal, answer.reply, self._options.all_rules), answer

        return retry_harmless(once, clock=self._context.clock, budget=_Paid(), attempts=tries)

    def tell(self, operation: str, data: bytes, send_by: float, needs: Success) -> Answer:
        """Send one write. Raises PortalError, with `sent` true only if this write may have left."""
        return self._in_session(
            lambda session: self._send(self.calls.write(operation, data, session), send_by=send_by), needs
        )

    def knock(self) -> datetime | None:
        """Call the door of a facade that cannot be asked anything; any answer counts. Gives its own time."""
        return self._send(Call("GET", ""), idempotent=True).server_date

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _in_session(self, send: Callable[[str], HttpReply], needs: Success | None) -> Answer:
        """Send; where the session is refused, renew it once for all and send once more."""
        session = self._session()
        answer = self._judged(send(session), needs, session)
        if answer.verdict is Verdict.AUTH and self._login.needed:
            session = self._session(stale=session)
            answer = self._judged(send(session), needs, session)
        if answer.verdict is not Verdict.AUTH:
            self._login.worked()
        elif self._login.needed and self._login.refused(session):
            shown = excerpt(answer.reply)
            raise PortalAuthError(self._context.portal, "the portal refuses every session", excerpt=shown, sent=False)
        return answer

    def _session(self, stale: str | None = None) -> str:
        with nothing_sent_yet():
            return self._login.token(stale)

    def _judged(self, answer: HttpReply, needs: Success | None, session: str) -> Answer:
        """`needs` is what a write must show; a read shows it by its rows. Portals quote the session they refuse."""
        reply = _taken_apart(answer)
        reply = replace(reply, text=without(reply.text, [session]))
        if needs is None and reply.code == 0 and rows(reply):
            verdict, proof = Verdict.OK, "code=0 with rows"
        else:
            verdict, proof = classify(reply, self._options.all_rules, needs or "code")
        return Answer(reply, verdict, proof, answer.body, answer.server_date)

    def _log_in(self, username: str, password: str) -> Reply:
        return _taken_apart(self._send(self.calls.login(username, password), idempotent=True))

    def _send(self, call: Call, *, idempotent: bool = False, send_by: float | None = None) -> HttpReply:
        self._context.budget.take()
        return self._http.request(
            call.method,
            call.target,
            headers=call.headers,
            content=call.body,
            idempotent=idempotent,
            send_by=send_by,
        )


def _taken_apart(answer: HttpReply) -> Reply:
    """The answer as the portal's words; a 4xx that carries no failure of its own counts by its status."""
    reply = parse(answer.body)
    if answer.status >= 400 and reply.code in (0, None):
        return replace(reply, code=answer.status, markup=False)
    return reply
