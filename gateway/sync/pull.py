"""Pulling: pages of raw records are read, then stored each in one transaction with the cursor (T1, I1)."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from adapters.base import RawRecord, UnreadableRecord
from gateway import __version__
from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.sync.arrival import SALT, Arrival
from gateway.sync.case import Workshop
from gateway.sync.page import Stored
from gateway.sync.pages import PageWriter
from gateway.sync.portal import Portal
from gateway.sync.reading import Reading, read
from gateway.vault import pack
from schemas.errors import PortalAuthError, PortalError, RecordInvalidError

Progress = Callable[[int, int | None], None]
"""Called with records so far and their total where the portal says it."""


@dataclass(slots=True)
class PullReport:
    """What one pull came to; `reason` tells why it ended early."""

    portal: str
    pages: int = 0
    records: int = 0
    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    elapsed_ms: int = 0
    reason: str = ""
    braked: tuple[str, ...] = ()

    def add(self, stored: Stored) -> None:
        """Count one stored page."""
        self.new += stored.new
        self.changed += stored.changed
        self.unchanged += stored.unchanged
        self.quarantined += stored.quarantined
        self.decisions.update(stored.decisions)
        self.due.update(stored.due)
        self.unknown_fields.update(stored.unknown_fields)


class Puller:
    """Reads one portal."""

    def __init__(self, shop: Workshop, portal: Portal, writer: PageWriter) -> None:
        self._shop = shop
        self._portal = portal
        self._writer = writer

    def run(self, job: str = "pull", progress: Progress | None = None) -> PullReport:
        """One pass from the stored cursor to where the portal has nothing more now."""
        report = PullReport(self._portal.name)
        started = self._shop.clock.monotonic()
        report.reason = self._closed()
        if not report.reason:
            self._pages(job, report, progress)
        report.elapsed_ms = round((self._shop.clock.monotonic() - started) * 1000)
        return report

    def _closed(self) -> str:
        if not self._portal.pulls:
            return "this portal is not read"
        resting = self._portal.resting(self._shop.clock.now())
        if resting:
            return resting
        return "" if self._portal.awake() else "still not answering"

    def _pages(self, job: str, report: PullReport, progress: Progress | None) -> None:
        name = self._portal.name
        cursor = self._shop.store.read(lambda tx: tx.cursor(name, job))
        try:
            for page in self._portal.adapter.pull(cursor):
                report.add(self._store(self._arrivals(page.records), job, page.next_cursor))
                report.pages += 1
                report.records += len(page.records)
                report.seen += len(page.seen)
                if progress is not None:
                    progress(report.records + report.seen, page.total)
                self._brake(report)
        except PortalAuthError as error:
            report.reason = f"login refused: {error.reason}"
        except PortalError as error:
            self._portal.breaker.failed(error.reason)
            report.reason = error.reason
        else:
            self._portal.breaker.worked()

    def store(self, records: Sequence[RawRecord | UnreadableRecord], also: Callable[[Tx], None]) -> Stored:
        """T1 for records that were told by calls; `also` runs behind it in the same transaction."""
        return self._store([self.arrival(record)._replace(told=True) for record in records], None, None, also)

    def _store(
        self,
        arrivals: Sequence[Arrival],
        job: str | None,
        next_cursor: str | None,
        also: Callable[[Tx], None] | None = None,
    ) -> Stored:
        """T1 for one page; the cursor moves with it."""
        shop, portal = self._shop, self._portal

        def work(tx: Tx) -> Stored:
            now = shop.now()
            stored = self._writer.store(tx, portal, arrivals, now)
            if job is not None:
                if next_cursor is not None:
                    tx.put_cursor(portal.name, job, next_cursor)
                state = tx.portal(portal.name)
                state.heard_at = now
                tx.put_portal(state)
            if also is not None:
                also(tx)
            return stored

        shop.right_of_way.give_way()
        stored = shop.store.write(work)
        for name in stored.due:
            shop.wake(name)
        return stored

    def _arrivals(self, records: Sequence[RawRecord | UnreadableRecord]) -> list[Arrival]:
        """Records as they came in; those whose bytes are the stored ones are not read at all (T1 looks again)."""
        name = self._portal.name
        digests = {record.external_id: self._raw_digest(record) for record in records}
        ids = [external_id for external_id, digest in digests.items() if digest]
        held = self._shop.store.read(lambda tx: tx.raw_digests(name, ids)) if ids else {}
        return [
            self._deferred(record, held[record.external_id])
            if isinstance(record, RawRecord) and held.get(record.external_id) == digests[record.external_id]
            else self.arrival(record, digests[record.external_id])
            for record in records
        ]

    def _deferred(self, record: RawRecord, raw_digest: str) -> Arrival:
        at = record.read_at.timestamp()
        look_again = partial(self.arrival, record, raw_digest)
        return Arrival(record.external_id, record.raw, at, raw_digest=raw_digest, read=look_again)

    def _raw_digest(self, record: RawRecord | UnreadableRecord) -> str:
        """A keyed digest of bytes, mapping and program; "" where the adapter itself compares (`list_digest`)."""
        if isinstance(record, UnreadableRecord) or record.list_digest or not record.raw:
            return ""
        head = f"{self._portal.vocabulary.release} {__version__} {record.removed} ".encode()
        return self._shop.vault.blind(hashlib.sha256(head + record.raw).hexdigest())

    def arrival(self, record: RawRecord | UnreadableRecord, raw_digest: str | None = None) -> Arrival:
        """Read one record outside the transaction; what cannot be read goes to quarantine with its reason."""
        salt = os.urandom(SALT)
        reading, problem = None, ""
        if isinstance(record, UnreadableRecord):
            problem = record.reason
        else:
            try:
                reading = read(self._portal.name, record, self._portal.vocabulary)
            except RecordInvalidError as error:
                problem = error.reason
        return Arrival(
            record.external_id,
            record.raw,
            record.read_at.timestamp(),
            salt=salt,
            packed=salt + pack(record.raw),
            raw_digest=self._raw_digest(record) if raw_digest is None else raw_digest,
            reading=reading,
            problem=problem,
            signed=record.signed if isinstance(record, RawRecord) else None,
        )

    def refresh(self, external_id: str) -> Reading | None:
        """Fetch one record and store it (T1); None when it is absent, or there and unreadable (quarantined).

        Raises:
            PortalError: It cannot be read now, or not by us.
        """
        record = self._portal.adapter.fetch(external_id)
        self._portal.breaker.worked()
        if record is None:
            return None
        arrival = self.arrival(record)
        self._store([arrival], None, None)
        return arrival.reading

    def look(self, external_id: str) -> Reading | None:
        """Fetch one record and read it; nothing is stored. None when it is absent, or there and unreadable.

        Raises:
            PortalError: It cannot be read now, or not by us.
        """
        record = self._portal.adapter.fetch(external_id)
        self._portal.breaker.worked()
        return None if record is None else self.arrival(record).reading

    def gone(self, external_id: str) -> bool:
        """Whether the portal says clearly that it has no such record.

        Raises:
            PortalError: It cannot be asked now, or not by us.
        """
        return self._portal.adapter.fetch(external_id) is None

    def _brake(self, report: PullReport) -> None:
        """Stop and ask when one sweep would write more than the set number to a portal that is live."""
        shop = self._shop
        over = [
            name
            for name, lanes in report.due.items()
            if name in shop.portals and lanes > shop.portals[name].config.max_writes_per_sweep
        ]
        if not over:
            return

        def pause(tx: Tx) -> list[str]:
            braked = []
            for name in over:
                state = tx.portal(name)
                if state.mode == "live" and not state.paused:
                    state.paused = f"one sweep of {report.portal} wants more than the set number of writes here"
                    tx.put_portal(state)
                    tx.append_leaves(
                        [leaf("portal", shop.now(), portal=name, act="stop_and_ask", source=report.portal)]
                    )
                    braked.append(name)
            return braked

        report.braked = (*report.braked, *shop.store.write(pause))
