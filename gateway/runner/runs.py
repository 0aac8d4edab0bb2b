"""What deliveries came to, noted in the run log: not for each, but once a second while they go on."""

from __future__ import annotations

import threading
from collections import Counter

from gateway.log import bound, get_logger
from gateway.store.base import Store, Tx
from gateway.store.rows import RunRow
from gateway.sync.context import ANSWERED, heard
from gateway.sync.deliver import DeliverReport
from gateway.sync.portal import Portal

NOTED_EVERY_S = 1.0

log = get_logger()


class DeliveryRuns:
    """The delivery runs of one portal. Thread-safe."""

    def __init__(self, portal: Portal, store: Store) -> None:
        self._portal = portal
        self._store = store
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._started_at = 0.0
        self._noted_at = 0.0
        self._outcome = ""

    def add(self, report: DeliverReport, started_at: float) -> None:
        """Count one run; that runs end otherwise than before is noted at once."""
        with self._lock:
            if not self._counts:
                self._started_at = started_at
            self._counts.update(report.counts)
            changed, self._outcome = self._outcome != report.reason, report.reason
            waits = self._noted_at + NOTED_EVERY_S > self._now()
        if changed or not waits:
            self.write_down(changed=changed)

    def write_down(self, *, changed: bool = False) -> None:
        """Note what was counted since the last time, if anything was."""
        with self._lock:
            if not self._counts and not changed:
                return
            counts, self._counts = dict(self._counts), Counter()
            self._noted_at = ended_at = self._now()
            row = RunRow("deliver", self._portal.name, self._started_at if counts else ended_at, ended_at)
            row.outcome, row.counts, row.reason = "ended" if self._outcome else "done", counts, self._outcome

        def note(tx: Tx) -> None:
            tx.put_run(row)
            if any(counts.get(name) for name in ANSWERED):
                heard(tx, row.portal, ended_at)

        self._store.write(note)
        elapsed_ms = round((ended_at - row.started_at) * 1000)
        with bound(portal=row.portal):
            log.info("job_ended", job="deliver", reason=row.reason, elapsed_ms=elapsed_ms, **counts)

    def _now(self) -> float:
        return self._portal.clock.now().timestamp()
