"""One session for all workers of the portal, and no storm of logins when the portal refuses it (npsp.md section 2)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from adapters.base import PortalContext
from adapters.npsp.options import Options
from adapters.npsp.outcomes import Verdict, classify, code_text, says_success
from adapters.npsp.reply import Reply, field_of
from schemas.errors import PortalAuthError, PortalContractError, PortalUnavailableError

REFUSALS_BEFORE_HOLD = 3
"""So many fresh sessions refused one after another mean that logging in again does not help."""


class Login:
    """Gives the session token; refreshed once under concurrency by the shared `sessions`.

    After a refused login nobody sends the same password again for `login_hold_off_s`: a changed password costs one
    try, not a lock-out. A changed secret is tried at once, so no restart is needed.

    Args:
        call: Sends username and password and gives the answer taken apart.
    """

    def __init__(self, context: PortalContext, options: Options, call: Callable[[str, str], Reply]) -> None:
        self._context = context
        self._options = options
        self._call = call
        self._lock = threading.Lock()
        self._held: tuple[bytes, float] | None = None
        self._refused: set[str] = set()

    @property
    def needed(self) -> bool:
        """Facades keep their own session with the portal."""
        return self._options.form == "envelope"

    def token(self, stale: str | None = None) -> str:
        """The session token, "" where none is needed; `stale` is one the portal has just refused.

        Raises:
            PortalAuthError: The portal does not accept our login, or did not a moment ago.
            PortalContractError: The login answered success without a session, or nothing readable.
            PortalUnavailableError: Not reachable now.
        """
        if not self.needed:
            return ""
        return self._context.sessions.get_or_refresh(self._log_in, stale=stale)

    def worked(self) -> None:
        """A session was accepted."""
        if self._refused:
            self._refused.clear()

    def refused(self, session: str) -> bool:
        """A session just opened was refused; whether so many were that it must be a matter of our account."""
        with self._lock:
            self._refused.add(session)
            if len(self._refused) < REFUSALS_BEFORE_HOLD:
                return False
        self._hold(self._password())
        return True

    def _log_in(self) -> tuple[str, float]:
        password = self._password()
        if self._is_held(password):
            raise PortalAuthError(self._context.portal, "the login was refused a moment ago; not tried again yet")
        reply = self._call(self._options.username, password)
        session = field_of(reply.body, "session")
        if reply.code == 0 and isinstance(session, str) and session.strip():
            self._held = None
            return session, self._options.session_ttl_s
        raise self._failure(reply, password)

    def _failure(self, reply: Reply, password: str) -> Exception:
        portal, code = self._context.portal, code_text(reply)
        if reply.markup or reply.code in (0, None):
            return PortalContractError(portal, "the login answered without a session", code=code)
        verdict, _ = classify(reply, self._options.all_rules, "code")
        if verdict in (Verdict.RETRY, Verdict.UNKNOWN) and not says_success(reply):
            return PortalUnavailableError(portal, "the portal cannot log us in now", code=code)
        self._hold(password)
        return PortalAuthError(portal, "the portal refused our login", code=code)

    def _password(self) -> str:
        reference = self._options.password
        return self._context.secret(reference) if reference else ""

    def _hold(self, password: str) -> None:
        until = self._context.clock.monotonic() + self._options.login_hold_off_s
        with self._lock:
            self._held = (_fingerprint(password), until)
            self._refused.clear()

    def _is_held(self, password: str) -> bool:
        with self._lock:
            return (
                self._held is not None
                and self._held[0] == _fingerprint(password)
                and self._context.clock.monotonic() < self._held[1]
            )


def _fingerprint(password: str) -> bytes:
    return hashlib.blake2b(password.encode(), digest_size=16).digest()
