"""Who goes first: what a portal has just told us is on its way to another one while a sweep can wait a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_S = 0.01
"""How long a sweep waits before each of its calls and pages: with calls coming all the time it slows down, and ends."""


class _Here(threading.local):
    behind = False


class RightOfWay:
    """Shared by all jobs of a process. Thread-safe.

    Threads share one processor and one writer: a sweep that reads and stores without a pause made calls, and what they
    cause, wait for more than a second (docs/performance.md).
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._first = 0
        self._here = _Here()

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
        """What this thread does inside can wait."""
        self._here.behind = True
        try:
            yield
        finally:
            self._here.behind = False

    def give_way(self) -> None:
        """Let others go first, for `LONGEST_S` at most; at once for a thread that is not `behind`."""
        if self._here.behind and self._first:
            with self._free:
                self._free.wait_for(lambda: not self._first, LONGEST_S)
