"""T1, store a page: links, timelines, lanes due, cursor, sealed raw and leaves are stored together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.config import Config
from gateway.store.base import Tx, Vault
from gateway.store.rows import LaneKey, RecordRow
from gateway.sync import own_lane, writing
from gateway.sync.arrival import Arrival
from gateway.sync.handover import Handovers
from gateway.sync.hearing import hear
from gateway.sync.page import Page, Slot, Stored, Terms
from gateway.sync.placing import Placing
from gateway.sync.portal import Portal

__all__ = ["PageWriter", "Stored"]


class PageWriter:
    """Stores pages of any portal. `new_id` gives dossier ids; all else is passed in."""

    def __init__(
        self,
        config: Config,
        vault: Vault,
        portals: Mapping[str, Portal],
        new_id: Callable[[], str],
        handovers: Handovers,
    ) -> None:
        self._terms = Terms(config, vault, portals, new_id, handovers)

    def store(self, tx: Tx, portal: Portal, arrivals: Sequence[Arrival], now: float) -> Stored:
        """Store one page inside a transaction."""
        page = Page(self._terms, tx, portal, now)
        rest = _not_the_same(page, arrivals)
        if rest:
            _store(page, rest)
        return page.done


def _store(page: Page, arrivals: Sequence[Arrival]) -> None:
    records = page.tx.records(page.name, [arrival.external_id for arrival in arrivals])
    keys = [LaneKey(page.name, row.dossier_id) for row in records.values() if row.dossier_id]
    page.lanes = page.tx.lanes(keys) if keys else {}
    slots = [slot for slot in _slots(page, arrivals, records) if not _says_nothing_new(page, slot)]
    if slots:
        placed = Placing(page).place(slots)
        page.terms.vault.ensure({one.dossier.id for one in placed})
        for one in placed:
            hear(page, one)
    writing.write(page)


def _not_the_same(page: Page, came: Sequence[Arrival]) -> list[Arrival]:
    """All but those with the bytes of their stored reading; what changed since that was asked is read now."""
    by_time: dict[float, dict[str, str]] = {}
    for arrival in came:
        if arrival.read is not None:
            by_time.setdefault(arrival.read_at, {})[arrival.external_id] = arrival.raw_digest
    touched = [page.tx.touch_same(page.name, found, at) for at, found in by_time.items()]
    same = frozenset[str]().union(*touched)
    page.done.unchanged += len(same)
    rest = [arrival for arrival in came if arrival.read is None or arrival.external_id not in same]
    return [arrival if arrival.read is None else arrival.read() for arrival in rest]


def _slots(page: Page, arrivals: Sequence[Arrival], records: Mapping[str, RecordRow]) -> list[Slot]:
    """Readable records, each once as read last; the others are set aside."""
    slots: dict[str, Slot] = {}
    for came in arrivals:
        record = records.get(came.external_id)
        row = record or RecordRow(page.name, came.external_id)
        arrival = came.not_before(row.read_at)
        if arrival.reading is None:
            next_step = "mend the mapping or the record, then replay"
            writing.set_aside(page, arrival, row, "unreadable", arrival.problem, next_step)
            continue
        held = slots.get(arrival.external_id)
        if held is None or held.reading.read_at <= arrival.reading.read_at:
            slots[arrival.external_id] = Slot(arrival, arrival.reading, row, record is not None)
    return list(slots.values())


def _says_nothing_new(page: Page, slot: Slot) -> bool:
    """Whether a record reads as it did before; then only the reading is noted, and drift is looked for."""
    record, reading = slot.record, slot.reading
    if not _is_placed(record) or record.digest != reading.digest or reading.read_at < record.read_at:
        return False
    record.read_at, record.raw_digest, record.absent = slot.arrival.read_at, slot.arrival.raw_digest, 0
    record.list_digest = reading.list_digest or record.list_digest
    page.touched[record.external_id] = record
    page.done.unchanged += 1
    own_lane.shown_again(page, reading, record.dossier_id)
    return True


def _is_placed(record: RecordRow) -> bool:
    """Whether it has a dossier, or a person is asked for it."""
    return bool(record.dossier_id or record.counts.get("doubt"))
