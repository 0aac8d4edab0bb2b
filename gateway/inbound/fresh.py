"""Calls as they were read when they were judged: between answer and taking in nobody unseals and reads them again."""

from __future__ import annotations

import threading

from adapters.receiving import InboundCall

LARGEST = 32 * 1024
"""Bytes of a body; a larger call is read from where it is stored."""
MOST = 64


class Fresh:
    """The last calls that were stored, by number, each given out once. Thread-safe.

    It is no store: what is not here, after a restart or when many wait, is read from its sealed bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[int, InboundCall] = {}

    def put(self, number: int | None, call: InboundCall) -> None:
        """Keep one; the oldest goes when there are too many."""
        if number is None or len(call.record.raw) > LARGEST:
            return
        with self._lock:
            self._calls[number] = call
            if len(self._calls) > MOST:
                del self._calls[next(iter(self._calls))]

    def take(self, number: int | None) -> InboundCall | None:
        """The call, which is forgotten with that; None when it is not here."""
        with self._lock:
            return None if number is None else self._calls.pop(number, None)
