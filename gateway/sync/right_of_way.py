"""Who goes first: what a portal has just told us is on its way to another one while a sweep can wait a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LONGEST_S = 0.01
"""How long a sweep waits before each of its calls and pages, whichever of its threads makes them, one after another:
with calls coming all the time it slows down, and ends."""


_BEHIND: ContextVar[bool] = ContextVar("BEHIND", default=False)


class RightOfWay:
    """Shared by all jobs of a process. Thread-safe.

    Threads share one processor and one writer: a sweep that reads and stores without a pause made calls, and what they
    cause, wait for more than a second (docs/performance.md).
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._turn = threading.Lock()
        self._first = 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """What is done inside is waited for."""
        with self._free:
            self._first += 1
        try:
            yield
        finally:
            with self._free:
                self._first -= 1
                if not self._first:
                    self._free.notify_all()

    @contextmanager
    def behind(self) -> Iterator[None]:
        """What is done inside can wait, in this thread and in those that work for it in a copy of its context."""
        token = _BEHIND.set(True)
        try:
            yield
        finally:
            _BEHIND.reset(token)

    def give_way(self) -> None:
        """Let others go first, for `LONGEST_S` at most; at once where nothing is `behind`."""
        if _BEHIND.get() and self._first:
            with self._turn, self._free:  # who reads with several threads waits as long as who reads with one
                self._free.wait_for(lambda: not self._first, LONGEST_S)
