"""The jobs of one portal: pull, deliver, reconcile, listen. Each calls one engine verb and is noted in the run log."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.files.fetching import Fetcher
from gateway.inbound.offers import refresh
from gateway.inbound.take_in import Taker
from gateway.inbox.telling import Teller
from gateway.log import bound, get_logger
from gateway.store.base import Store
from gateway.store.rows import Json, RunRow
from gateway.sync.context import ANSWERED, LOGIN_REFUSED, LoginHold, note_heard
from gateway.sync.engine import Engine
from gateway.sync.portal import Portal
from schemas.errors import GatewayError, PortalAuthError, PortalError

log = get_logger()


class StoppedError(GatewayError):
    """The gateway is stopping: a long read ends after the page it has stored."""


class PortalJobs:
    """What is done for one portal, by whichever thread is woken. Thread-safe.

    `again` remembers that lanes became due while a delivery was running, so that none waits for the next interval;
    `told` likewise that calls came while others were taken in, `wanted` that files are wanted while others are fetched.
    """

    def __init__(
        self,
        engine: Engine,
        portal: Portal,
        store: Store,
        hold: LoginHold,
        pool: ThreadPoolExecutor,
        taker: Taker | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        self.name = portal.name
        self.portal = portal
        self.again = threading.Event()
        self.told = threading.Event()
        self._taker = taker
        self._fetcher = fetcher
        self.wanted = threading.Event()
        self._engine = engine
        self._store = store
        self._hold = hold
        self._pool = pool
        self._teller = Teller(engine.shop, portal.name) if portal.adapter.abilities.collected else None
        self._outcomes: dict[str, str] = {}

    def pull(self) -> None:
        """One pass over the portal's news."""

        def work() -> tuple[str, Json]:
            report = self._engine.pull(self.name, progress=self._unless_stopping)
            self._hold.learn(report.reason)
            if not report.reason:
                self.heard()
            counts = {"new": report.new, "changed": report.changed, "quarantined": report.quarantined}
            return report.reason, {name: count for name, count in counts.items() if count}

        self._run("pull", work)

    def deliver(self) -> None:
        """Deliver what is due, and again as long as new lanes became due meanwhile."""

        def work() -> tuple[str, Json]:
            report = self._engine.deliver(self.name, pool=self._pool)
            if any(report.counts[name] for name in ANSWERED):
                self.heard()
            return report.reason, dict(report.counts)

        while not self.portal.stopping.is_set():
            self.again.clear()
            if self._is_due():
                self._run("deliver", work)
            if not self.again.is_set():
                return

    def take_in(self) -> None:
        """Take in the calls that wait, and again as long as new ones came meanwhile."""
        if self._taker is None:
            return
        with bound(portal=self.name):
            while not self.portal.stopping.is_set():
                self.told.clear()
                if taken := self._taker.run(self.name):
                    log.info("calls_applied", calls=taken)
                if not self.told.is_set():
                    return

    def files(self) -> None:
        """Fetch the files that deliveries wait for, and again as long as more were asked for meanwhile."""

        def work() -> tuple[str, Json]:
            if self._fetcher is None:
                return "", {}
            found = self._fetcher.run()
            return found.reason, dict(found.counts)

        while not self.portal.stopping.is_set():
            self.wanted.clear()
            self._run("files", work)
            if not self.wanted.is_set():
                return

    def offers(self) -> None:
        """Read what this handler offers, by which calls are judged."""

        def work() -> tuple[str, Json]:
            try:
                return refresh(self._store, self.portal), {}
            except PortalError as error:
                return error.reason, {}

        if not self.portal.resting(self.portal.clock.now()):
            self._run("offers", work)

    def tell(self) -> None:
        """Tell a ministry that collects what waits for it."""

        def work() -> tuple[str, Json]:
            return "", dict(self._teller.run()) if self._teller is not None else {}

        self._run("notices", work)

    def reconcile(self) -> None:
        """Compare what the portal shows with what it should show."""

        def work() -> tuple[str, Json]:
            report = self._engine.reconcile(self.name, progress=self._unless_stopping)
            kinds = Counter(difference.what for difference in report.differences)
            return report.reason, {"checked": report.checked, "equal": report.equal, **kinds}

        self._run("reconcile", work)

    def listen(self) -> None:
        """A harmless call at a portal that is only written, so that its silence is noticed before something is owed."""

        def work() -> tuple[str, Json]:
            try:
                self.portal.adapter.ping()
            except PortalError as error:
                if isinstance(error, PortalAuthError):
                    self._hold.learn(LOGIN_REFUSED)
                return error.reason, {}
            self._hold.worked()
            self.heard()
            return "", {}

        if not self.portal.resting(self.portal.clock.now()):
            self._run("listen", work)

    def heard(self) -> None:
        """Note that the portal answered."""
        note_heard(self._store, self.name, self.portal.clock.now().timestamp())

    def _is_due(self) -> bool:
        now = self.portal.clock.now().timestamp()
        return self._store.read(lambda tx: tx.due_lanes(self.name, now)) > 0

    def _unless_stopping(self, _done: int, _total: int | None) -> None:
        if self.portal.stopping.is_set():
            raise StoppedError("stopping")

    def _run(self, job: str, work: Callable[[], tuple[str, Json]]) -> None:
        """Run a job unless a refused login is waiting; note it when it did something or ended otherwise than before."""
        if self._hold.until():
            return
        started_at = self.portal.clock.now().timestamp()
        with bound(portal=self.name):
            try:
                reason, counts = work()
            except StoppedError:
                return
        outcome = reason or "done"
        if not counts and self._outcomes.get(job, "done") == outcome:
            return
        self._outcomes[job] = outcome
        ended_at = self.portal.clock.now().timestamp()
        row = RunRow(job, self.name, started_at, ended_at, "ended" if reason else "done", counts, reason)
        self._store.write(lambda tx: tx.put_run(row))
        with bound(portal=self.name):
            log.info("job_ended", job=job, reason=reason, elapsed_ms=round((ended_at - started_at) * 1000), **counts)
