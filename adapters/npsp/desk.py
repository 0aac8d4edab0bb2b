"""The simulated portal's accounts and sessions (npsp.md section 2)."""

from __future__ import annotations

import secrets

import orjson

from adapters.npsp.contract import contract, problems
from adapters.npsp.spelling import logged_in, written
from adapters.npsp.switches import Switches
from adapters.simulation import Reply, SimClock


class Desk:
    """Gives out sessions and knows which still live. Callers hold the simulator's lock."""

    def __init__(self, switches: Switches, clock: SimClock) -> None:
        self.switches = switches
        self.clock = clock
        self.password = switches.password
        self.accepted = 0
        self.refused = 0
        self._empty_left = switches.empty_sessions
        self._sessions: dict[str, float] = {}

    @property
    def locked(self) -> bool:
        """Whether too many refused logins locked the account."""
        return bool(self.switches.lock_after) and self.refused >= self.switches.lock_after

    def log_in(self, body: bytes) -> Reply:
        """Answer a login."""
        try:
            account = orjson.loads(body)
        except orjson.JSONDecodeError:
            account = None
        if next(problems(account, contract("login")), None) is not None:
            return written(self.switches, "login", self.switches.failure_code, "Dữ liệu đăng nhập không hợp lệ")
        if self.locked:
            return written(self.switches, "login", self.switches.failure_code, "Tài khoản đã bị khóa")
        if (account["username"], account["password"]) != (self.switches.username, self.password):
            self.refused += 1
            text = "Tài khoản hoặc mật khẩu không đúng"
            return written(self.switches, "login", self.switches.failure_code, text)
        return logged_in(self.switches, self._open())

    def knows(self, session: object) -> bool:
        """Whether a session lives."""
        opened = self._sessions.get(session) if isinstance(session, str) else None
        return opened is not None and self.clock.monotonic() - opened < self.switches.session_lifetime_s

    def expire(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def _open(self) -> str:
        self.accepted += 1
        if self._empty_left:
            self._empty_left -= 1
            return ""
        if self.switches.sessions == "one":
            self._sessions.clear()
        session = secrets.token_hex(16)
        self._sessions[session] = self.clock.monotonic()
        return session
