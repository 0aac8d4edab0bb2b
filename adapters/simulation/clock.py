"""The portal's own clock: it may be wrong, and in a demo it may run fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.clock import Clock, SystemClock


class SimClock:
    """A portal's wall clock over a real one: `offset_s` ahead of it, running `speed` times as fast.

    With speed above 1 the days of a dossier pass in seconds, so that officers' work and due dates can be shown.
    """

    def __init__(self, offset_s: float = 0.0, speed: float = 1.0, *, source: Clock | None = None) -> None:
        self.offset_s = offset_s
        self.speed = speed
        self._source = source or SystemClock()
        self._started_at = self._source.now()
        self._started = self._source.monotonic()

    def now(self) -> datetime:
        """The instant this portal believes it is, in UTC."""
        passed = (self._source.monotonic() - self._started) * self.speed
        return (self._started_at + timedelta(seconds=self.offset_s + passed)).astimezone(UTC)

    def monotonic(self) -> float:
        """Real seconds; deadlines never run fast."""
        return self._source.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait real seconds."""
        self._source.sleep(seconds)
