"""Threads that are called to work and go when there is none: between a call and the work lies one thread, not three."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Crew:
    """At most `most` threads that do the same kind of work. Thread-safe; no call is missed.

    Args:
        pool: Where they come from; a call after its end is dropped.
        work: Does one piece; says whether there may be another.
        failed: Told what `work` raised; that thread goes, the next call brings another.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, most: int, work: Callable[[], bool], failed: Callable[[BaseException], None]
    ) -> None:
        self._pool = pool
        self._most = most
        self._work = work
        self._failed = failed
        self._lock = threading.Lock()
        self._busy = 0
        self._called = False

    def call(self) -> None:
        """Have a thread look for work; where all are busy, the first that is done looks once more."""
        with self._lock:
            if self._busy >= self._most:
                self._called = True
                return
            self._busy += 1
        try:
            self._pool.submit(self._run).add_done_callback(self._ended)
        except RuntimeError:  # the pool was shut down: the gateway stops
            with self._lock:
                self._busy -= 1

    def _run(self) -> None:
        while self._work() or not self._may_go():
            pass

    def _may_go(self) -> bool:
        with self._lock:
            called, self._called = self._called, False
            if not called:
                self._busy -= 1
        return not called

    def _ended(self, done: Future[None]) -> None:
        error = done.exception()
        if error is not None:
            with self._lock:
                self._busy -= 1
            self._failed(error)
