"""The engine acts: single steps over store, adapters and pure functions, with time and ids passed in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.base import RawRecord, UnreadableRecord
from gateway.config import Config
from gateway.store.base import Tx
from gateway.sync.adopt import AdoptReport, adopt
from gateway.sync.case import Workshop
from gateway.sync.deliver import Deliverer, DeliverReport
from gateway.sync.explaining import Explained, explain_dossier
from gateway.sync.guard import Guard
from gateway.sync.pages import PageWriter, Stored
from gateway.sync.portal import Portal
from gateway.sync.preview import PlannedWrite, preview
from gateway.sync.pull import Progress, Puller, PullReport
from gateway.sync.reading import Reading
from gateway.sync.reconcile import Reconciler, ReconcileReport
from gateway.sync.rehearsing import Rehearsal, rehearse


class Engine:
    """All verbs of sync. Thread-safe: a portal's pull runs once at a time, its deliveries lane by lane."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        writer = PageWriter(shop.config, shop.vault, shop.portals, shop.new_id, shop.handovers)
        self._pullers = {name: Puller(shop, portal, writer) for name, portal in shop.portals.items()}
        self._guard = Guard(shop, self._refresh)
        self._pulling = {name: threading.Lock() for name in shop.portals}
        self._held_breakers: dict[str, object] = {}

    def _refresh(self, portal: Portal, external_id: str) -> Reading | None:
        return self._pullers[portal.name].refresh(external_id)

    def refresh(self, portal: str, external_id: str) -> Reading | None:
        """Fetch one record now and store what it says."""
        return self._pullers[portal].refresh(external_id)

    def pull(self, portal: str, *, progress: Progress | None = None) -> PullReport:
        """One pass over a portal's news."""
        with self._pulling[portal]:
            report = self._pullers[portal].run("pull", progress)
        self._keep_breaker(portal)
        return report

    def backfill(self, portal: str, *, progress: Progress | None = None) -> PullReport:
        """Read everything a portal holds, with a cursor of its own."""
        with self._pulling[portal]:
            self.shop.store.write(lambda tx: tx.put_cursor(portal, "backfill", None))
            report = self._pullers[portal].run("backfill", progress)
        self._keep_breaker(portal)
        return report

    def deliver(
        self, portal: str, *, pool: ThreadPoolExecutor | None = None, limit: int | None = None
    ) -> DeliverReport:
        """Deliver what is due at a portal."""
        report = Deliverer(self.shop, self.shop.portals[portal], self._guard).run(pool, limit=limit)
        self._keep_breaker(portal)
        return report

    def deliver_one(self, portal: str, *, more: Callable[[], None]) -> DeliverReport:
        """Deliver what one due lane owes; `more` is called before its calls where other lanes are due."""
        report = Deliverer(self.shop, self.shop.portals[portal], self._guard).one(more)
        self._keep_breaker(portal)
        return report

    def take_in(
        self, portal: str, records: Sequence[RawRecord | UnreadableRecord], also: Callable[[Tx], None]
    ) -> Stored:
        """Store records that a portal told us by calling (T1); `also` runs behind it in the same transaction."""
        return self._pullers[portal].store(records, also)

    def preview(self, portals: Iterable[str] = (), *, line: float | None = None) -> list[PlannedWrite]:
        """Every write that `deliver` would make now; with `line`, as if watched portals were adopted from there."""
        shop, names = self.shop, list(portals) or [name for name, one in self.shop.portals.items() if one.pushes]
        return [write for name in names for write in preview(shop, shop.portals[name], line=self._line(name, line))]

    def _line(self, portal: str, line: float | None) -> float | None:
        """A portal that is live has its line; another takes the one that is tried."""
        return None if self.shop.store.read(lambda tx: tx.portal(portal)).mode == "live" else line

    def reconcile(self, portal: str, *, progress: Progress | None = None) -> ReconcileReport:
        """Compare what a portal shows with what it should show, and name every difference."""
        return Reconciler(self.shop, self.shop.portals[portal], self._pullers[portal]).run(progress)

    def adopt(self, portal: str, from_at: float, *, actor: str, dry_run: bool = False) -> AdoptReport:
        """Draw the line of first contact and go live (S26)."""
        return adopt(self.shop, self.shop.portals[portal], from_at, actor=actor, dry_run=dry_run)

    def explain(self, dossier_id: str) -> list[Explained]:
        """Where a dossier goes and why, and how far its stages have come."""
        return self.shop.store.read(lambda tx: explain_dossier(tx, self.shop, dossier_id))

    def rehearse(self, since_on: str, other: Config | None = None) -> Rehearsal:
        """What changed rules would do to the dossiers of a day and later; nothing is written."""
        shop = self.shop
        return rehearse(shop.store, shop.vault, shop.config, since_on, other)

    def _keep_breaker(self, portal: str) -> None:
        """T6: the breaker's state survives a restart; written only when it changed."""
        state = self.shop.portals[portal].breaker.state
        if self._held_breakers.get(portal) == state or not (state["until"] or self._held_breakers.get(portal)):
            return
        self._held_breakers[portal] = state

        def keep(tx: Tx) -> None:
            row = tx.portal(portal)
            row.breaker = state
            tx.put_portal(row)

        self.shop.store.write(keep)
