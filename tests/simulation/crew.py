"""Workers that go one step at a time: threads of which exactly one runs, and the simulation says which.

A step ends before and after each commit, before the first byte of a call, after its effect, and after each reading: the
moments at which another worker, a crash or a restore can come in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from gateway.store.base import Tx
from gateway.store.sqlite import SqliteStore

T = TypeVar("T")

_HERE = threading.local()


class Killed(BaseException):
    """The process is gone at this very line; nothing may catch it."""


class Hand:
    """One worker: `step` lets it run to its next pause."""

    def __init__(self, pool: ThreadPoolExecutor, name: str, work: Callable[[], Any]) -> None:
        self.name = name
        self.where = "begin"
        self.over = False
        self._work = work
        self._killed = False
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._ended = pool.submit(self._run)

    def _run(self) -> None:
        _HERE.hand = self
        self._go.acquire()
        try:
            if not self._killed:
                self._work()
        finally:
            _HERE.hand = None
            self.over = True
            self._back.release()

    def pause(self, where: str) -> None:
        """Give the word back to the simulation."""
        self.where = where
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def step(self) -> None:
        """Run to the next pause; a mistake in the worker is raised here."""
        self._go.release()
        self._back.acquire()
        if self.over:
            with suppress(Killed):
                self._ended.result()

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        if not self.over:
            self.step()


def pause(where: str) -> None:
    """A moment at which others may come in between; nothing outside a worker."""
    hand: Hand | None = getattr(_HERE, "hand", None)
    if hand is not None:
        hand.pause(where)


class SteppedStore(SqliteStore):
    """The real store, with a pause before and after each commit."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)

    def write(self, work: Callable[[Tx], T]) -> T:
        pause("before a commit")
        done = super().write(work)
        pause("after a commit")
        return done
