"""One thread that writes: works that wait together share one COMMIT, and each stands or falls alone.

A work runs in a savepoint. What it raises rolls back that savepoint and goes to its caller only. Callers are released
after COMMIT; when COMMIT fails, every caller of the batch learns so.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from gateway.sqlite_file import BUSY_WAIT_S, begin_immediate, explain, is_environmental, stops_writing
from gateway.store.transaction import SqliteTx
from schemas.errors import StoreError

T = TypeVar("T")

# A batch ends here even if more works wait, so that the first caller is not kept waiting for the last.
_BATCH_WORKS = 64
_BATCH_S = 0.02


class _Call:
    """One work on its way through the writer."""

    __slots__ = ("_ended", "error", "value", "work")

    def __init__(self, work: Callable[[SqliteTx], Any]) -> None:
        self.work = work
        self.value: Any = None
        self.error: BaseException | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def end(self, error: BaseException | None = None) -> None:
        self.error = error or self.error
        self._ended.release()

    def wait(self) -> Any:
        self._ended.acquire()
        if self.error is not None:
            raise self.error
        return self.value


class Writer:
    """The only writing connection of this process.

    Args:
        busy_wait_s: How long another process may hold the store before a write gives up.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, busy_wait_s: float = BUSY_WAIT_S) -> None:
        self.failure = ""
        self._path, self._sql, self._busy_wait_s = path, connection, busy_wait_s
        self._tx = SqliteTx(connection)
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, work: Callable[[SqliteTx], T]) -> T:
        """Run `work`, return its value after COMMIT.

        Raises:
            StoreError: Nothing of `work` was kept.
            RuntimeError: Called from inside a work, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write was begun inside a write; use the transaction at hand")
        call = _Call(work)
        with self._gate:
            if self._closed:
                raise StoreError(f"{self._path.name}: the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()
            self._calls.put(call)
        return cast("T", call.wait())

    def close(self) -> None:
        """Finish what was submitted, then give the connection back."""
        with self._gate:
            already, self._closed = self._closed, True
            if self._thread is not None and not already:
                self._calls.put(None)
        if self._thread is not None:
            self._thread.join()
        self._sql.close()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            if not self._batch(call):
                return

    def _batch(self, first: _Call) -> bool:
        """Write what waits; False when the end of all work was met."""
        if self.failure:
            first.end(StoreError(self.failure))
            return True
        try:
            begin_immediate(self._sql, self._busy_wait_s)
        except sqlite3.Error as error:
            # All who wait have waited as long as is allowed, or will meet the same wall.
            calls, goes_on = self._waiting()
            self._fail([first, *calls], error)
            return goes_on
        batch: list[_Call] = []
        goes_on = True
        call: _Call | None = first
        ends_at = time.monotonic() + _BATCH_S
        try:
            while call is not None:
                batch.append(call)
                self._work(call)
                call = None
                if len(batch) < _BATCH_WORKS and time.monotonic() < ends_at:
                    call, goes_on = self._next()
            self._sql.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            self._fail(batch, error)
        else:
            for ended in batch:
                ended.end()
        return goes_on

    def _next(self) -> tuple[_Call | None, bool]:
        try:
            call = self._calls.get_nowait()
        except queue.Empty:
            return None, True
        return call, call is not None

    def _waiting(self) -> tuple[list[_Call], bool]:
        calls: list[_Call] = []
        while True:
            call, goes_on = self._next()
            if call is None:
                return calls, goes_on
            calls.append(call)

    def _work(self, call: _Call) -> None:
        """Run one work in its savepoint.

        Raises:
            sqlite3.Error: The whole transaction is lost.
        """
        self._sql.execute("SAVEPOINT work")
        try:
            call.value = call.work(self._tx)
        except BaseException as error:  # whatever it is belongs to the caller, who gets it raised
            if isinstance(error, sqlite3.Error):
                if stops_writing(error) or not self._sql.in_transaction:
                    raise
                call.error = explain(self._path, error) if is_environmental(error) else error
            else:
                call.error = error
            self._sql.execute("ROLLBACK TO work")
        self._sql.execute("RELEASE work")

    def _roll_back(self) -> None:
        if self._sql.in_transaction:
            self._sql.execute("ROLLBACK")

    def _fail(self, calls: list[_Call], error: sqlite3.Error) -> None:
        told = explain(self._path, error)
        if stops_writing(error):
            self.failure = str(told)
        for call in calls:
            failed = StoreError(str(told))
            failed.__cause__ = error
            call.end(failed)
