"""A portal's clock may be wrong and may run fast."""

from datetime import UTC, datetime, timedelta

from adapters.simulation import SimClock
from schemas.clock import ManualClock

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def test_it_is_ahead_by_its_offset_and_runs_at_its_speed() -> None:
    real = ManualClock(START)
    clock = SimClock(offset_s=90, speed=60, source=real)
    assert clock.now() == START + timedelta(seconds=90)
    real.advance(2)
    assert clock.now() == START + timedelta(seconds=90 + 120)
    assert clock.monotonic() == 2.0
    clock.sleep(1)
    assert real.monotonic() == 3.0
