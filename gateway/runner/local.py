"""One machine, one process: APScheduler wakes jobs, a thread pool per portal runs them (design.md section 6)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor as JobPool
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from adapters.base import Offers
from adapters.receiving import Receives
from gateway.files.fetching import Fetcher
from gateway.inbound.take_in import Taker
from gateway.log import get_logger
from gateway.runner.jobs import PortalJobs
from gateway.store.sqlite import SqliteStore
from gateway.sync.context import LoginHold
from gateway.sync.engine import Engine
from schemas.clock import VIETNAM, Clock
from schemas.errors import StoreError

DELIVER_AT_LEAST_EVERY_S = 5.0
"""Lanes wake their job at once when they become due; this finds those that become due by time alone."""
WATCH_EVERY_S = 30.0
TELL_EVERY_S = 2.0
OFFERS_EVERY_S = 3600.0
UPKEEP_EVERY_S = 3600.0
JOBS_PER_PORTAL = 6
"""pull, deliver, reconcile, taking calls in, fetching files and reading offers may run side by side; each only once."""
MISFIRE_GRACE_S = 3600
GRACE_S = 4.0

log = get_logger()
# APScheduler would print tracebacks with whatever they hold; what failed is told by our own events.
logging.getLogger("apscheduler").addHandler(logging.NullHandler())
logging.getLogger("apscheduler").propagate = False


class LocalRunner:
    """Wakes jobs until it is stopped. `failure` says why the store can no longer be written, else ""."""

    def __init__(
        self,
        engine: Engine,
        store: SqliteStore,
        holds: Mapping[str, LoginHold],
        clock: Clock,
        watch: Callable[[], None],
        taker: Taker | None = None,
        upkeep: Callable[[], None] | None = None,
        fetchers: Mapping[str, Fetcher] | None = None,
    ) -> None:
        self.failure = ""
        self.ended = threading.Event()
        self._store = store
        self._clock = clock
        self._watch = watch
        self._upkeep = upkeep
        self._handlers = engine.shop.config.ownership.handlers
        self._portals = engine.shop.portals
        self._pools = {
            name: ThreadPoolExecutor(portal.config.workers, thread_name_prefix=f"lane:{name}")
            for name, portal in self._portals.items()
        }
        self._jobs = {
            name: PortalJobs(
                engine,
                portal,
                store,
                holds[name],
                self._pools[name],
                self._raised,
                taker,
                (fetchers or {}).get(name),
            )
            for name, portal in self._portals.items()
        }
        executors = {name: JobPool(JOBS_PER_PORTAL) for name in self._portals}
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": JobPool(2), **executors},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
            timezone=VIETNAM,
        )
        self._scheduler.add_listener(self._failed, EVENT_JOB_ERROR)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED)

    def start(self) -> None:
        """Begin to wake jobs; returns at once."""
        for number, (name, jobs) in enumerate(self._jobs.items()):
            self._add_portal(name, jobs, number)
        self._every("watch", self._watch, WATCH_EVERY_S, "default")
        if self._upkeep is not None:
            self._every("upkeep", self._upkeep, UPKEEP_EVERY_S, "default")
        self._scheduler.start()

    def _add_portal(self, name: str, jobs: PortalJobs, number: int) -> None:
        portal = jobs.portal
        if isinstance(portal.adapter, Receives):
            self._every(f"inbound:{name}", jobs.told, DELIVER_AT_LEAST_EVERY_S, name)
        if portal.opens_files:
            self._every(f"files:{name}", jobs.files, DELIVER_AT_LEAST_EVERY_S, name)
        if name in self._handlers and isinstance(portal.adapter, Offers):
            self._every(f"offers:{name}", jobs.offers, OFFERS_EVERY_S, name)
        if portal.pulls:
            self._every(f"pull:{name}", jobs.pull, portal.config.every_s, name)
        else:
            self._every(f"listen:{name}", jobs.listen, portal.config.silent_after_s / 2, name)
        if portal.adapter.abilities.collected:
            self._every(f"notices:{name}", jobs.tell, TELL_EVERY_S, name)
        if portal.pushes:
            self._every(f"deliver:{name}", jobs.deliver, min(portal.config.every_s, DELIVER_AT_LEAST_EVERY_S), name)
            self._scheduler.add_job(
                jobs.reconcile,
                "cron",
                hour=2,
                minute=(number * 7) % 60,
                id=f"reconcile:{name}",
                executor=name,
            )

    def _every(self, job: str, work: Callable[[], None], every_s: float, executor: str) -> None:
        self._scheduler.add_job(
            work,
            "interval",
            seconds=every_s,
            id=job,
            executor=executor,
            next_run_time=self._clock.now() + timedelta(seconds=0.05),
        )

    def wake(self, portal: str) -> None:
        """Deliver what became due at a portal, now; before the start and after the end nothing is begun."""
        jobs = self._jobs.get(portal)
        if jobs is not None and self._scheduler.running:
            jobs.due()

    def hear(self, portal: str) -> None:
        """Take in a portal's calls, now."""
        jobs = self._jobs.get(portal)
        if jobs is not None and self._scheduler.running:
            jobs.told()

    def fetch(self, portal: str) -> None:
        """Fetch a portal's files now, or once more when that is under way."""
        jobs = self._jobs.get(portal)
        if jobs is None or jobs.wanted.is_set():
            return
        jobs.wanted.set()
        if self._scheduler.running:
            with suppress(JobLookupError):
                self._scheduler.modify_job(f"files:{portal}", next_run_time=self._clock.now())

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop within seconds: nothing new is begun, calls in flight get `grace_s` to end, then connections close.

        A call that is cut off is recorded as unknown, and settled after the next start.
        """
        for portal in self._portals.values():
            portal.stopping.set()
        if self._scheduler.running:
            self._scheduler.pause()
        for job in list(self._scheduler.get_jobs()):
            job.remove()
        ending = threading.Thread(target=self._wait_for_jobs, name="stop", daemon=True)
        ending.start()
        ending.join(grace_s)
        if ending.is_alive():
            for portal in self._portals.values():
                portal.adapter.close()
            ending.join(grace_s)
        self.ended.set()

    def _wait_for_jobs(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        for jobs in self._jobs.values():
            jobs.close()

    def _failed(self, event: Any) -> None:
        self._raised(event.job_id, event.exception)

    def _raised(self, job: str, error: BaseException) -> None:
        log.error("job_failed", job=job, exc_info=error)
        if isinstance(error, StoreError) and self._store.failure:
            self.failure = self._store.failure
            self.ended.set()

    def _missed(self, event: Any) -> None:
        log.warning("job_missed", job=event.job_id)
