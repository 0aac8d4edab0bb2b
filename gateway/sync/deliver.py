"""Delivering: claim due lanes (T2), begin immediately before the first byte (T2b), send, record (T3).

One worker owns one lane at a time. It performs the first step of the lane's plan, reads again, plans again, and stops
when the plan is empty, when every class waits, or when the lease has no room for another call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from gateway.log import get_logger
from gateway.store.base import Tx
from gateway.store.rows import LaneRow
from gateway.sync.case import Workshop
from gateway.sync.guard import Guard
from gateway.sync.portal import Portal
from gateway.sync.worker import LaneWorker
from gateway.vault import SealError
from schemas.errors import StoreError

log = get_logger()

CALLS_PER_LEASE = 4
"""A lease covers this many whole calls; the rest is claimed anew."""


@dataclass(slots=True)
class DeliverReport:
    """What one run of a deliver job did."""

    portal: str
    claimed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reason: str = ""

    @property
    def idle(self) -> bool:
        """Whether nothing was due."""
        return self.claimed == 0


class Deliverer:
    """Delivers to one portal."""

    def __init__(self, shop: Workshop, portal: Portal, guard: Guard) -> None:
        self._shop = shop
        self._portal = portal
        self._guard = guard

    def run(self, pool: ThreadPoolExecutor | None = None, *, limit: int | None = None) -> DeliverReport:
        """Claim and work due lanes until none is due, or `limit` lanes were worked."""
        report = DeliverReport(self._portal.name, reason=self._closed())
        while not report.reason and (limit is None or report.claimed < limit):
            room = self._portal.config.workers * 2
            lanes = self._claim(room if limit is None else min(room, limit - report.claimed))
            if not lanes:
                break
            report.claimed += len(lanes)
            for counts in self._work_all(pool, lanes):
                report.counts.update(counts)
            report.reason = self._closed()
        return report

    def one(self, more: Callable[[], None]) -> DeliverReport:
        """Claim and work one due lane; `more` is called before the work where further ones are due."""
        report = DeliverReport(self._portal.name, reason=self._closed())
        if report.reason:
            return report
        lanes, others = self._claim_one()
        if others:
            more()
        for lane in lanes:
            report.claimed += 1
            report.counts.update(self._work(lane))
        return report

    def _closed(self) -> str:
        """Why nothing may be sent now (I13); "" when it may."""
        portal, shop = self._portal, self._shop
        if not portal.pushes:
            return "this portal is only read"
        if portal.config.environment != shop.config.environment:
            return f"portal is of {portal.config.environment}, we are {shop.config.environment}"
        state = shop.store.read(lambda tx: (tx.portal(portal.name), tx.setting("paused")))
        if state[1]:
            return f"everything is paused: {state[1]}"
        if state[0].paused:
            return f"paused: {state[0].paused}"
        if state[0].mode != "live":
            return "mode is watch: run 'lienthong adopt'"
        resting = portal.resting(shop.clock.now())
        if resting:
            return resting
        return "" if portal.awake() else "still not answering"

    def _claim(self, limit: int) -> list[LaneRow]:
        shop, now = self._shop, self._shop.now()
        return shop.store.write(lambda tx: self._claimed(tx, now, limit))

    def _claim_one(self) -> tuple[list[LaneRow], bool]:
        """A lane, and whether there are others."""
        shop, name, now = self._shop, self._portal.name, self._shop.now()
        return shop.store.write(lambda tx: (self._claimed(tx, now, 1), tx.has_due(name, now)))

    def _claimed(self, tx: Tx, now: float, limit: int) -> list[LaneRow]:
        """T2: a lease of each."""
        until = now + self._portal.config.call_timeout_s * CALLS_PER_LEASE
        return tx.claim(self._portal.name, now, limit=limit, lease_until=until, token=self._shop.new_id())

    def _work_all(self, pool: ThreadPoolExecutor | None, lanes: list[LaneRow]) -> list[Counter[str]]:
        if pool is None:
            return [self._work(lane) for lane in lanes]
        futures: list[Future[Counter[str]]] = [pool.submit(self._work, lane) for lane in lanes]
        return [future.result() for future in futures]

    def _work(self, lane: LaneRow) -> Counter[str]:
        worker = LaneWorker(self._shop, self._portal, self._guard, lane)
        try:
            worker.work()
        except StoreError as error:
            if not isinstance(error, SealError):
                raise
            log.error("lane_failed", portal=lane.portal, dossier=lane.dossier_id, exc_info=error)
            worker.put_off("its sealed part cannot be opened")
        except Exception as error:  # a mistake in one lane must not stop the others (I5)
            log.error("lane_failed", portal=lane.portal, dossier=lane.dossier_id, exc_info=error)
            worker.put_off(type(error).__name__)
        return worker.counts
