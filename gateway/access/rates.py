"""Token buckets, one for each caller at each place; thread-safe, and bounded however many callers there are."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST = 10_000
"""Buckets kept; whoever has not called for longest is forgotten first, and then finds a full one."""


class Rates:
    """How often each caller came lately."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, who: tuple[str, str], calls_per_s: float, burst: int, now_s: float) -> float:
        """Take one call from a bucket of `burst` that fills at `calls_per_s`; 0.0, or how long to wait in seconds."""
        with self._lock:
            left, at = self._buckets.pop(who, (float(burst), now_s))
            left = min(float(burst), left + max(now_s - at, 0.0) * calls_per_s)
            wait = 0.0 if left >= 1.0 else (1.0 - left) / calls_per_s
            self._buckets[who] = (left if wait else left - 1.0, now_s)
            while len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return wait
