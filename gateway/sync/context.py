"""What an adapter may ask for (`adapters.base.PortalContext`), kept in the store and shared by a portal's jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from gateway.config import BudgetConfig
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import Json
from gateway.sync.right_of_way import RightOfWay
from schemas.clock import Clock
from schemas.errors import PortalAuthError, StoreError

SLICE = 1000
FIRST_HOLD_S = 300.0
MAX_HOLD_S = 6 * 3600.0
LOGIN_REFUSED = "login refused"
"""How the reason of a pull begins that ended because the portal does not accept our login."""


ANSWERED = ("delivered", "refused", "looked")
"""Counts of a delivery run that show that the portal answered."""


def note_heard(store: Store, portal: str, at: float) -> None:
    """T6: the portal answered."""
    store.write(lambda tx: heard(tx, portal, at))


def heard(tx: Tx, portal: str, at: float) -> None:
    """As `note_heard`, in a transaction at hand."""
    row = tx.portal(portal)
    row.heard_at = max(at, row.heard_at or at)
    tx.put_portal(row)


class TokenBucket:
    """A portal's call budget: `calls_per_s` on average, `burst` at once. Thread-safe.

    Each call reserves its place before it waits, so callers go in the order they came and none starves. Before that a
    sweep gives way (`gateway.sync.right_of_way`).
    """

    def __init__(self, config: BudgetConfig, clock: Clock, right_of_way: RightOfWay | None = None) -> None:
        self._right_of_way = right_of_way or RightOfWay()
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(config.burst)
        self._counted_at = clock.monotonic()

    def take(self, calls: int = 1) -> None:
        """Wait until `calls` may be made."""
        self._right_of_way.give_way()
        with self._lock:
            now = self._clock.monotonic()
            gained = (now - self._counted_at) * self._config.calls_per_s
            self._tokens = min(float(self._config.burst), self._tokens + gained) - calls
            self._counted_at = now
            wait = -self._tokens / self._config.calls_per_s
        if wait > 0:
            self._clock.sleep(wait)


class LoginHold:
    """After a refused login nobody tries again before a growing delay, so that no account is locked out.

    Kept in the portal's row (`doc["login"]`), so it holds across restarts and processes. A secret that has changed
    since ends it at once: `mark` stands for the secrets as they are now.
    """

    def __init__(self, portal: str, store: Store, clock: Clock, mark: Callable[[], str]) -> None:
        self._portal = portal
        self._store = store
        self._clock = clock
        self._mark = mark

    def until(self) -> float:
        """The instant before which no login is tried; 0.0 when one may be."""
        held: Json = self._store.read(lambda tx: tx.portal(self._portal)).doc.get("login") or {}
        if not held or held["mark"] != self._mark() or held["not_before"] <= self._clock.now().timestamp():
            return 0.0
        return float(held["not_before"])

    def learn(self, reason: str) -> None:
        """What a pull came to, for kinds that log in with every call: `reason` is "" when it went through."""
        if not reason:
            self.worked()
        elif reason.startswith(LOGIN_REFUSED) and not self.until():
            self.refused()

    def refused(self) -> None:
        """Count a refused login."""
        now, mark = self._clock.now().timestamp(), self._mark()

        def count(tx: Tx) -> None:
            row = tx.portal(self._portal)
            held: Json = row.doc.get("login") or {}
            times = int(held.get("times", 0)) + 1 if held.get("mark") == mark else 1
            wait = min(FIRST_HOLD_S * 2.0 ** (times - 1), MAX_HOLD_S)
            since = held.get("since", now)
            row.doc["login"] = {"times": times, "since": since, "not_before": now + wait, "mark": mark}
            tx.put_portal(row)

        self._store.write(count)

    def worked(self) -> None:
        """A login was accepted; nothing is written when none had been refused."""
        if not self._store.read(lambda tx: tx.portal(self._portal)).doc.get("login"):
            return

        def clear(tx: Tx) -> None:
            row = tx.portal(self._portal)
            row.doc.pop("login", None)
            tx.put_portal(row)

        self._store.write(clear)


class StoredSessions:
    """One session per portal, sealed in the portal's row: refreshed once, however many ask for it.

    Two processes may both log in (a portal that allows one session only then sees the second win); within a process
    the lock makes it once.
    """

    def __init__(self, portal: str, store: Store, vault: Vault, clock: Clock, hold: LoginHold) -> None:
        self._portal = portal
        self._store = store
        self._vault = vault
        self._clock = clock
        self._hold = hold
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    @property
    def _owner(self) -> str:
        return f"session:{self._portal}"

    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        """Give the session token, logging in if there is none, it has aged, or it equals `stale`.

        Raises:
            PortalAuthError: The login was refused now, or a short while ago and is not tried again yet.
        """
        with self._lock:
            if not self._good(stale):
                self._token, self._until = self._held()
            if not self._good(stale):
                self._log_in(login)
            return self._token

    def _good(self, stale: str | None) -> bool:
        return bool(self._token) and self._token != stale and self._until > self._clock.now().timestamp()

    def _log_in(self, login: Callable[[], tuple[str, float]]) -> None:
        if self._hold.until():
            raise PortalAuthError(
                self._portal, "the login was refused and is not tried again yet: correct the secret", sent=False
            )
        try:
            token, good_for_s = login()
        except PortalAuthError:
            self._hold.refused()
            raise
        self._hold.worked()
        self._token, self._until = token, self._clock.now().timestamp() + good_for_s
        self._keep()

    def _held(self) -> tuple[str, float]:
        row = self._store.read(lambda tx: tx.portal(self._portal))
        if not row.sealed_session:
            return "", 0.0
        try:
            held: Any = orjson.loads(self._vault.open(self._owner, row.sealed_session))
        except (KeyError, StoreError):
            return "", 0.0  # sealed under a key ring that is gone, as after a restore: log in anew
        return str(held["token"]), row.session_until

    def _keep(self) -> None:
        """T6: the session, sealed."""
        self._vault.ensure([self._owner])
        sealed = self._vault.seal(self._owner, orjson.dumps({"token": self._token}))

        def keep(tx: Tx) -> None:
            row = tx.portal(self._portal)
            row.sealed_session, row.session_until = sealed, self._until
            tx.put_portal(row)

        self._store.write(keep)


class StoredKnown:
    """What the store holds of a portal."""

    def __init__(self, portal: str, store: Store) -> None:
        self._portal = portal
        self._store = store

    def list_digests(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        """External id -> digest of its list row as last stored, "" for a record whose row was not met yet."""
        wanted = list(external_ids)
        rows = self._store.read(lambda tx: tx.records(self._portal, wanted))
        return {external_id: row.list_digest for external_id, row in rows.items()}

    def open_records(self) -> Iterator[str]:
        """External ids that we still expect news of, oldest reading first, as of the moment of asking."""
        return iter(self._store.read(self._open_ids))

    def _open_ids(self, tx: Tx) -> list[str]:
        ids: list[str] = []
        while found := tx.open_records(self._portal, after=ids[-1] if ids else "", limit=SLICE):
            ids.extend(row.external_id for row in found)
        return ids

    def any_record(self) -> str | None:
        """One external id that certainly exists."""
        rows = self._store.read(lambda tx: tx.open_records(self._portal, limit=1))
        return rows[0].external_id if rows else None
