"""What an adapter may ask for: budget, sessions, what is known; kept in the store."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config import BudgetConfig
from gateway.store.base import Tx
from gateway.store.rows import RecordRow
from gateway.store.sqlite import SqliteStore
from gateway.sync.context import FIRST_HOLD_S, LoginHold, StoredKnown, StoredSessions, TokenBucket, note_heard
from gateway.vault import KeyRing
from schemas.clock import ManualClock
from schemas.errors import PortalAuthError, PortalUnavailableError

START = datetime(2026, 7, 1, tzinfo=UTC)


class Desk:
    """A portal's login, counted; `password` is what the portal accepts, `secret` what we hold."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(START)
        self.store = SqliteStore(folder / "store.db")
        self.vault = KeyRing(folder / "keys.ring")
        self.password = self.secret = "one"
        self.logins = 0
        self.reopen()

    def reopen(self) -> None:
        self.hold = LoginHold("p", self.store, self.clock, lambda: self.vault.blind(self.secret))
        self.sessions = StoredSessions("p", self.store, self.vault, self.clock, self.hold)

    def login(self) -> tuple[str, float]:
        self.logins += 1
        if self.secret != self.password:
            raise PortalAuthError("p", "no")
        return f"token {self.logins}", 600.0

    def ask(self, stale: str | None = None) -> str:
        return self.sessions.get_or_refresh(self.login, stale=stale)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()
    made.vault.close()


def test_the_bucket_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(BudgetConfig(calls_per_s=2, burst=4), clock)
    for _ in range(4):
        bucket.take()
    assert clock.monotonic() == 0
    bucket.take(3)
    assert clock.monotonic() == pytest.approx(1.5)
    clock.advance(100)
    bucket.take(4)
    assert clock.monotonic() == pytest.approx(101.5)


def test_many_threads_together_do_not_exceed_the_budget() -> None:
    """Nobody's clock moves while they reserve, so the sum of what they must wait is the proof."""

    class Counting(ManualClock):
        waits: list[float] = []  # noqa: RUF012 - one bucket, one clock

        def sleep(self, seconds: float) -> None:
            self.waits.append(seconds)

    clock = Counting(START)
    bucket = TokenBucket(BudgetConfig(calls_per_s=10, burst=5), clock)
    threads = [threading.Thread(target=lambda: [bucket.take() for _ in range(5)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round(wait, 6) for wait in clock.waits) == [round(n / 10, 6) for n in range(1, 21)]


def test_a_session_is_shared_and_refreshed_once_under_concurrency(desk: Desk) -> None:
    first = desk.ask()
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(desk.ask(stale=first))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {"token 2"}
    assert desk.logins == 2


def test_an_aged_session_is_refreshed(desk: Desk) -> None:
    desk.ask()
    desk.clock.advance(599)
    assert desk.ask() == "token 1"
    desk.clock.advance(2)
    assert desk.ask() == "token 2"


def test_a_session_outlives_the_process_and_lies_sealed_in_the_store(desk: Desk) -> None:
    desk.ask()
    desk.reopen()
    assert desk.ask() == "token 1"
    row = desk.store.read(lambda tx: tx.portal("p"))
    assert b"token" not in row.sealed_session
    assert row.sealed_session


def test_a_session_sealed_under_a_lost_key_ring_is_simply_renewed(desk: Desk, tmp_path: Path) -> None:
    desk.ask()
    desk.vault.close()
    desk.vault = KeyRing(tmp_path / "other.ring")
    desk.reopen()
    assert desk.ask() == "token 2"


def test_a_refused_login_is_not_tried_again_before_a_delay_that_grows(desk: Desk) -> None:
    """However often jobs ask: one call to the portal per delay, so the account is not locked."""
    desk.password = "two"
    delays = []
    for _ in range(4):
        asked_at = desk.clock.monotonic()
        logins = desk.logins
        while desk.logins == logins:
            with pytest.raises(PortalAuthError):
                desk.ask()
            desk.clock.advance(30)
        delays.append(desk.clock.monotonic() - asked_at - 30)
    assert delays == [0, FIRST_HOLD_S - 30, 2 * FIRST_HOLD_S - 30, 4 * FIRST_HOLD_S - 30]


def test_the_hold_stands_across_a_restart(desk: Desk) -> None:
    desk.password = "two"
    with pytest.raises(PortalAuthError):
        desk.ask()
    desk.reopen()
    with pytest.raises(PortalAuthError):
        desk.ask()
    assert desk.logins == 1


def test_a_new_secret_ends_the_hold_at_once_without_a_restart(desk: Desk) -> None:
    desk.password = "two"
    with pytest.raises(PortalAuthError):
        desk.ask()
    desk.secret = "two"
    assert desk.ask() == "token 2"
    assert "login" not in desk.store.read(lambda tx: tx.portal("p")).doc


def test_a_portal_that_is_down_at_login_is_no_refusal(desk: Desk) -> None:
    def down() -> tuple[str, float]:
        raise PortalUnavailableError("p", "timeout")

    with pytest.raises(PortalUnavailableError):
        desk.sessions.get_or_refresh(down)
    assert desk.hold.until() == 0
    assert desk.ask() == "token 1"


def test_known_gives_digests_and_open_records_oldest_reading_first(desk: Desk) -> None:
    rows = [
        RecordRow("p", str(n), read_at=float(9 - n), list_digest=f"d{n}" if n % 2 else "", open=n != 3)
        for n in range(6)
    ]
    desk.store.write(lambda tx: tx.put_records(rows))
    known = StoredKnown("p", desk.store)
    assert known.list_digests(["1", "2", "3", "absent"]) == {"1": "d1", "2": "", "3": "d3"}
    assert list(known.open_records()) == ["5", "4", "2", "1", "0"]
    assert known.any_record() == "5"
    assert StoredKnown("q", desk.store).any_record() is None


def test_open_records_are_those_of_the_moment_of_asking(desk: Desk) -> None:
    """Reading a record moves it to the end of the order: none may be skipped, none given twice."""
    rows = [RecordRow("p", f"{n:04}", read_at=1.0) for n in range(2500)]
    desk.store.write(lambda tx: tx.put_records(rows))
    given = []
    for external_id in StoredKnown("p", desk.store).open_records():
        given.append(external_id)
        if len(given) % 500 == 0:
            moved = RecordRow("p", external_id, read_at=2.0)
            desk.store.write(lambda tx, row=moved: tx.put_records([row]))  # type: ignore[misc]
    assert given == [f"{n:04}" for n in range(2500)]


def test_a_portal_is_heard_at_the_latest_instant_noted(desk: Desk) -> None:
    def heard(tx: Tx) -> float | None:
        return tx.portal("p").heard_at

    assert desk.store.read(heard) is None
    note_heard(desk.store, "p", 20.0)
    note_heard(desk.store, "p", 10.0)
    assert desk.store.read(heard) == 20.0
