"""Who was turned away: the first of a kind is logged at once, the rest as a number now and then."""

from __future__ import annotations

from gateway.access import Denied, Reason
from gateway.log import get_logger
from schemas.clock import Clock

EVERY_S = 60.0

log = get_logger()


class Denials:
    """Counts denied calls by portal and reason; belongs to one event loop. No flood of calls floods the log."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: dict[tuple[str, Reason], tuple[float, int]] = {}

    def count(self, portal: str, denied: Denied) -> None:
        """Count one, and log it with those before it when it is time."""
        now = self._clock.monotonic()
        said_at, silent = self._counted.get((portal, denied.reason), (-EVERY_S, 0))
        if now - said_at < EVERY_S:
            self._counted[portal, denied.reason] = (said_at, silent + 1)
            return
        self._counted[portal, denied.reason] = (now, 0)
        log.warning("call_denied", portal=portal, reason=denied.reason.value, caller=denied.address, calls=silent + 1)
