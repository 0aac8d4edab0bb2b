"""The jobs of one portal: pull, deliver, reconcile, listen. Each calls one engine verb and is noted in the run log."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from gateway.files.fetching import Fetcher
from gateway.inbound.offers import refresh
from gateway.inbound.take_in import Taker
from gateway.inbox.telling import Teller
from gateway.log import bound, get_logger
from gateway.runner.crew import Crew
from gateway.runner.runs import DeliveryRuns
from gateway.store.base import Store
from gateway.store.rows import Json, RunRow
from gateway.sync.context import LOGIN_REFUSED, LoginHold, note_heard
from gateway.sync.engine import Engine
from gateway.sync.portal import Portal
from schemas.errors import GatewayError, PortalAuthError, PortalError, StoreError

log = get_logger()


class StoppedError(GatewayError):
    """The gateway is stopping: a long read ends after the page it has stored."""


class PortalJobs:
    """What is done for one portal, by whichever thread is woken. Thread-safe.

    Deliveries and calls to be taken in do not wait for the clock: `due` and `told` bring a thread at once, so that no
    lane waits for another's call nor for the next interval. `wanted` remembers that files are wanted while others are
    fetched.

    Args:
        pool: Threads for deliveries, as many as the portal allows calls at once.
        failed: Told of a mistake in a thread that was brought so: job and error.
    """

    def __init__(
        self,
        engine: Engine,
        portal: Portal,
        store: Store,
        hold: LoginHold,
        pool: ThreadPoolExecutor,
        failed: Callable[[str, BaseException], None],
        taker: Taker | None = None,
        fetcher: Fetcher | None = None,
    ) -> None:
        self.name = portal.name
        self.portal = portal
        self._taker = taker
        self._fetcher = fetcher
        self.wanted = threading.Event()
        self._engine = engine
        self._right_of_way = engine.shop.right_of_way
        self._store = store
        self._hold = hold
        self._teller = Teller(engine.shop, portal.name) if portal.adapter.abilities.collected else None
        self._outcomes: dict[str, str] = {}
        self._runs = DeliveryRuns(portal, store)
        self._hands = Crew(pool, portal.config.workers, self._deliver_one, partial(failed, f"deliver:{self.name}"))
        self._ears_pool = ThreadPoolExecutor(1, thread_name_prefix=f"told:{self.name}")
        self._ears = Crew(self._ears_pool, 1, self._take_in, partial(failed, f"inbound:{self.name}"))

    def pull(self) -> None:
        """One pass over the portal's news."""

        def work() -> tuple[str, Json]:
            with self._right_of_way.behind():
                report = self._engine.pull(self.name, progress=self._unless_stopping)
            self._hold.learn(report.reason)
            if not report.reason:
                self.heard()
            counts = {"new": report.new, "changed": report.changed, "quarantined": report.quarantined}
            return report.reason, {name: count for name, count in counts.items() if count}

        self._run("pull", work)

    def due(self) -> None:
        """Deliver what is due; returns at once."""
        if self.portal.pushes:
            self._hands.call()

    def told(self) -> None:
        """Take in the calls that wait; returns at once."""
        if self._taker is not None:
            self._ears.call()

    def deliver(self) -> None:
        """As `due`, by the clock: for lanes that become due by time alone."""
        self._runs.write_down()
        self._hands.call()

    def _deliver_one(self) -> bool:
        if self.portal.stopping.is_set() or not self._is_due() or self._hold.until():
            return False
        with bound(portal=self.name), self._right_of_way.first():
            started_at = self.portal.clock.now().timestamp()
            report = self._engine.deliver_one(self.name, more=self._hands.call)
            self._runs.add(report, started_at)
        return report.claimed > 0

    def _take_in(self) -> bool:
        if self._taker is None or self.portal.stopping.is_set():
            return False
        with bound(portal=self.name), self._right_of_way.first():
            if taken := self._taker.run(self.name):
                log.info("calls_applied", calls=taken)
        return False

    def close(self) -> None:
        """Wait for the thread that takes calls in, and note what the last deliveries came to."""
        self._ears_pool.shutdown(wait=True)
        with suppress(StoreError):  # that nothing can be stored any more is why we stop, and is said already
            self._runs.write_down()

    def files(self) -> None:
        """Fetch the files that deliveries wait for, and again as long as more were asked for meanwhile."""

        def work() -> tuple[str, Json]:
            if self._fetcher is None:
                return "", {}
            found = self._fetcher.run()
            if found.reason:
                self._hold.learn(found.reason)
            return found.reason, dict(found.counts)

        if self._fetcher is not None and self._hold.until():
            self._fetcher.run(LOGIN_REFUSED)  # nothing is asked, and nobody waits for ever
            return
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
            with self._right_of_way.behind():
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
        return self._store.read(lambda tx: tx.has_due(self.name, now))

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
