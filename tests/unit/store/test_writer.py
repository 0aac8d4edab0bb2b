"""Group commit: works that wait together share a COMMIT, and each stands or falls alone."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base import Tx
from gateway.store.opening import open_store
from gateway.store.sqlite import SqliteStore
from schemas.errors import StoreError


class BoomError(Exception):
    """A bug in a work."""


def put(name: str) -> Callable[[Tx], str]:
    def work(tx: Tx) -> str:
        tx.put_setting(name, "there")
        return name

    return work


def put_and_fail(name: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        tx.put_setting(name, "there")
        raise BoomError(name)

    return work


def there(store: SqliteStore, *names: str) -> list[bool]:
    return store.read(lambda tx: [tx.setting(name) is not None for name in names])


def commits(store: SqliteStore) -> list[str]:
    """Every statement the writer gives to SQLite from now on."""
    seen: list[str] = []
    store._writer._sql.set_trace_callback(seen.append)
    return seen


def while_writing(store: SqliteStore, *works: Callable[[Tx], Any]) -> list[Any]:
    """Submit all `works` while another work keeps the writer busy, so that they come to lie in one batch."""
    begun, go = threading.Event(), threading.Event()

    def busy(_tx: Tx) -> None:
        begun.set()
        go.wait(5)

    def run(work: Callable[[Tx], Any]) -> Any:
        try:
            return store.write(work)
        except (BoomError, StoreError) as error:
            return error

    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(store.write, busy)
        begun.wait(5)
        futures = []
        for n, work in enumerate(works, start=1):
            futures.append(pool.submit(run, work))
            while store._writer._calls.qsize() < n:
                time.sleep(0.0005)
        # The busy work has used up its batch's time: the others make the next one.
        time.sleep(0.03)
        go.set()
        first.result(5)
        return [future.result(5) for future in futures]


def test_a_work_gives_back_its_value(store: SqliteStore) -> None:
    assert store.write(put("a")) == "a"
    assert there(store, "a") == [True]


def test_a_failing_work_keeps_nothing_and_its_caller_learns_why(store: SqliteStore) -> None:
    with pytest.raises(BoomError, match="a"):
        store.write(put_and_fail("a"))
    assert there(store, "a") == [False]


def test_one_failing_work_never_rolls_back_another_of_its_batch(store: SqliteStore) -> None:
    seen = commits(store)
    ended = while_writing(store, put("a"), put_and_fail("b"), put("c"), put_and_fail("d"))
    assert [type(value) for value in ended] == [str, BoomError, str, BoomError]
    assert there(store, "a", "b", "c", "d") == [True, False, True, False]
    assert sum(statement == "COMMIT" for statement in seen) <= 2, "the batch shared a commit"


def test_even_an_exit_raised_in_a_work_goes_to_its_caller_only(store: SqliteStore) -> None:
    def leave(_tx: Tx) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        store.write(leave)
    assert store.write(put("after")) == "after"


def test_callers_are_released_only_after_the_commit(store: SqliteStore) -> None:
    """What a caller was told is durable is seen by another connection at once."""
    with sqlite3.connect(store.path, isolation_level=None) as other:
        for n in range(50):
            store.write(put(f"n{n}"))
            assert other.execute("SELECT 1 FROM setting WHERE name = ?", (f"n{n}",)).fetchone()
    other.close()


def test_when_commit_fails_every_caller_of_the_batch_learns_so_and_nothing_is_kept(store: SqliteStore) -> None:
    def violate(tx: Tx) -> None:
        tx._sql.execute("PRAGMA defer_foreign_keys = ON")
        tx._sql.execute("INSERT INTO child VALUES (1)")

    sql = store._writer._sql
    sql.execute("PRAGMA foreign_keys = ON")
    sql.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    sql.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    ended = while_writing(store, put("a"), violate, put("c"))
    assert [type(value) for value in ended] == [StoreError] * 3
    assert there(store, "a", "c") == [False, False]
    assert len({id(value) for value in ended}) == 3, "each caller raises an error of its own"
    assert store.write(put("after")) == "after", "a refused commit is no reason to stop writing"


def test_many_threads_write_and_every_one_is_kept(store: SqliteStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda n: store.write(put(f"n{n}")), range(200)))
    assert all(there(store, *names))


def test_who_still_waits_after_a_full_batch_is_in_the_next(store: SqliteStore) -> None:
    """More works than one batch holds: nobody waits for ever, and no batch is larger than allowed."""
    seen = commits(store)
    assert while_writing(store, *(put(f"n{n}") for n in range(150))) == [f"n{n}" for n in range(150)]
    assert seen.count("COMMIT") == 1 + 3
    assert there(store, "n0", "n149") == [True, True]


def test_a_caller_whose_waiting_is_broken_off_blocks_nobody(tmp_path: Path) -> None:
    """Ctrl-C while another writes: the work is done all the same, and the next writer finds the way free."""
    code = """
import signal, sys, threading, time
from gateway.store.sqlite import SqliteStore
store = SqliteStore(__import__("pathlib").Path(sys.argv[1]))
begun, go = threading.Event(), threading.Event()
def busy(_tx):
    begun.set()
    go.wait(10)
threading.Thread(target=store.write, args=(busy,)).start()
begun.wait(10)
threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
try:
    store.write(lambda tx: tx.put_setting("mine", "there"))
except KeyboardInterrupt:
    print("broken off")
go.set()
store.write(lambda tx: tx.put_setting("next", "there"))
print(store.read(lambda tx: (tx.setting("mine"), tx.setting("next"))))
store.close()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store.sqlite")],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.stdout.splitlines() == ["broken off", "('there', 'there')"], ended.stderr


def test_a_reader_sees_one_snapshot_while_others_write(store: SqliteStore) -> None:
    def look(tx: Tx) -> tuple[str | None, str | None]:
        before = tx.setting("a")
        store.write(put("a"))
        return before, tx.setting("a")

    assert store.read(look) == (None, None)
    assert there(store, "a") == [True]


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="READONLY"):
        store.read(put("a"))


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(store: SqliteStore) -> None:
    with pytest.raises(RuntimeError, match="inside a write"):
        store.write(lambda _tx: store.write(put("a")))


def test_closing_finishes_what_was_submitted_and_refuses_what_comes_later(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    begun = threading.Event()

    def slow(tx: Tx) -> str:
        begun.set()
        time.sleep(0.05)
        return put("slow")(tx)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(store.write, slow)
        begun.wait(5)
        store.close()
        assert future.result(5) == "slow"
    store.close()
    for use in (store.write, store.read):
        with pytest.raises(StoreError, match="closed"):
            use(put("late"))
    with open_store(tmp_path / "store.sqlite") as again:
        assert there(again, "slow", "late") == [True, False]


def test_a_lock_held_too_long_fails_all_who_wait_and_the_next_write_works(store: SqliteStore) -> None:
    with sqlite3.connect(store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(lambda n: pool_write(store, f"n{n}"), range(4)))
        took = time.monotonic() - began
        other.execute("ROLLBACK")
    other.close()
    assert all(isinstance(value, StoreError) and "another process held it" in str(value) for value in ended)
    assert took < 2, "callers do not wait one after another"
    assert store.failure == ""
    assert store.write(put("after")) == "after"


def pool_write(store: SqliteStore, name: str) -> object:
    try:
        return store.write(put(name))
    except StoreError as error:
        return error


def test_the_store_commits_to_disk_before_it_says_so(store: SqliteStore) -> None:
    settings = {
        name: store._writer._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
    }
    assert settings == {"synchronous": 2, "journal_mode": "wal"}
    assert store.path.stat().st_mode & 0o777 == 0o600
