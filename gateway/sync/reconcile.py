"""Reconciliation: what each portal shows against what it should show; every difference is named, nothing is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import LaneKey, RecordRow
from gateway.sync.case import Case, Workshop, open_case
from gateway.sync.dossiers import hashed
from gateway.sync.lane import Lane
from gateway.sync.portal import Portal
from gateway.sync.pull import Progress, Puller
from gateway.sync.reading import Reading
from gateway.sync.slices import lanes_of_portal, lanes_within
from schemas.errors import PortalError

MANY = 10_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: `what` is missing, disappeared, differs or unread; values are shown only as names of fields."""

    portal: str
    dossier_code: str
    what: str
    field: str = ""
    owed: bool = False


@dataclass(slots=True)
class ReconcileReport:
    """What comparing a portal came to."""

    portal: str
    checked: int = 0
    equal: int = 0
    unreadable: int = 0
    differences: list[Difference] = field(default_factory=list)
    reason: str = ""


class Reconciler:
    """Compares one portal with the store, record by record, with harmless reads only."""

    def __init__(self, shop: Workshop, portal: Portal, puller: Puller) -> None:
        self._shop = shop
        self._portal = portal
        self._puller = puller

    def run(self, progress: Progress | None = None) -> ReconcileReport:
        """Compare everything; afterwards a restored store counts as compared with this portal (S27)."""
        report = ReconcileReport(self._portal.name)
        name = self._portal.name
        if self._portal.adapter.abilities.fetches:
            lanes = [lane.dossier_id for lane in lanes_of_portal(self._shop.store, name)]
            records = self._held_records(set(lanes))
            total = len(lanes) + len(records)
            for number, dossier_id in enumerate(lanes, 1):
                self._lane(LaneKey(name, dossier_id), report)
                if progress is not None:
                    progress(number, total)
            for number, record in enumerate(records, len(lanes) + 1):
                self._record(record, report)
                if progress is not None:
                    progress(number, total)
        else:
            report.reason = "this portal cannot be asked about single records"
        if not report.unreadable:
            self._shop.store.write(lambda tx: self._compared(tx, report))
        return report

    def _held_records(self, with_lane: set[str]) -> list[RecordRow]:
        name = self._portal.name
        rows = self._shop.store.read(lambda tx: tx.open_records(name, limit=MANY))
        return [row for row in rows if row.dossier_id not in with_lane]

    def _lane(self, key: LaneKey, report: ReconcileReport) -> None:
        shop, portal = self._shop, self._portal
        case = shop.store.read(lambda tx: open_case(tx, shop, portal, key, key.dossier_id))
        if case is None or case.target is None or case.target.mirror is None or not case.view.number:
            return
        report.checked += 1
        try:
            reading = self._read(case)
            gone = reading is None and self._puller.gone(case.external_id)
        except PortalError:
            reading, gone = None, False
        if reading is not None:
            self._compare(case, reading, report)
        elif gone:
            self._missing(case, report)
        else:
            report.unreadable += 1

    def _read(self, case: Case) -> Reading | None:
        """A linked record is read and stored; what was never linked is only looked at: no guess whose it is (S1)."""
        return self._puller.refresh(case.record) if case.record else self._puller.look(case.external_id)

    def _missing(self, case: Case, report: ReconcileReport) -> None:
        expected = any(event.at > case.desk.line for event in case.view.owned())
        if case.lane.shadow_state in ("known", "present"):
            report.differences.append(Difference(self._portal.name, case.view.number, "disappeared"))
        elif expected:
            report.differences.append(Difference(self._portal.name, case.view.number, "missing", owed=True))
        else:
            report.equal += 1

    def _compare(self, case: Case, reading: Reading, report: ReconcileReport) -> None:
        wanted = case.snapshot().content
        shown = {path: value for path, value in hashed(self._shop.vault, reading.shown()).items() if path in wanted}
        differing = sorted(path for path, value in shown.items() if wanted[path] != value)
        owed = case.lane.row.due_at is not None or bool(case.open)
        report.differences += [
            Difference(self._portal.name, case.view.number, "differs", path, owed) for path in differing
        ]
        report.equal += 0 if differing else 1

    def _record(self, record: RecordRow, report: ReconcileReport) -> None:
        report.checked += 1
        try:
            before = record.digest
            reading = self._puller.refresh(record.external_id)
            gone = reading is None and self._puller.gone(record.external_id)
        except PortalError:
            reading, gone = None, False
        code = record.dossier_code or record.external_id
        if gone:
            report.differences.append(Difference(self._portal.name, code, "disappeared"))
        elif reading is None:
            report.unreadable += 1
        elif reading.digest != before:
            report.differences.append(Difference(self._portal.name, code, "differs", "unheard change"))
        else:
            report.equal += 1

    def _compared(self, tx: Tx, report: ReconcileReport) -> None:
        row = tx.portal(self._portal.name)
        if row.doc.pop("compare_needed", None):
            if not self._portal.adapter.abilities.reads_content:
                self._forget_contents(tx)
            tx.put_portal(row)
            now = self._shop.now()
            made = leaf(
                "portal",
                now,
                portal=row.portal,
                act="compared",
                checked=report.checked,
                differences=len(report.differences),
            )
            tx.append_leaves([made])

    def _forget_contents(self, tx: Tx) -> None:
        """A shadow that cannot be read back after a restore is unknown, which differs from everything (S27)."""
        for lanes in lanes_within(tx, self._portal.name):
            for lane in lanes:
                held = Lane(lane)
                if held.shadow_state == "known":
                    held.show("unknown", {}, ours=held.ours)
                    tx.put_lanes([lane])
