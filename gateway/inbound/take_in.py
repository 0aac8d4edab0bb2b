"""Taking in: stored calls become news of their portal, in the order they came, exactly like pulled records (T1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from adapters.base import RawRecord, UnreadableRecord
from adapters.receiving import InboundCall, Receiver, Verdict
from gateway.inbound import kept
from gateway.inbound.fresh import Fresh
from gateway.log import get_logger
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import InboundRow, RecordRow
from gateway.sync.engine import Engine
from gateway.vault import SealError, unpack
from schemas.errors import StoreError

_SALT = 16
BATCH = 200

log = get_logger()


class Taker:
    """Gives a portal's stored calls to the engine. One call at a time for each portal."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        vault: Vault,
        receivers: Mapping[str, Mapping[str, Receiver]],
        fresh: Fresh | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._vault = vault
        self._receivers = receivers
        self._fresh = fresh or Fresh()

    def owes(self, portal: str) -> bool:
        """Whether calls wait to be taken in."""
        return bool(self._store.read(lambda tx: tx.inbound_owed(portal, limit=1)))

    def run(self, portal: str) -> int:
        """Take in everything that waits; says how many calls."""
        taken, last = 0, BATCH
        stopping = self._engine.shop.portals[portal].stopping
        while last == BATCH and not stopping.is_set():  # what came meanwhile is told anew
            rows = self._store.read(lambda tx: tx.inbound_owed(portal, limit=BATCH))
            self._store_all(portal, rows)
            last = len(rows)
            taken += last
        return taken + self._place_again(portal)

    def _place_again(self, portal: str) -> int:
        """Calls about a dossier that became known since: a partner may answer before our own commit."""
        again = self._store.read(lambda tx: tx.inbound_placeable(portal, limit=BATCH))
        self._store_all(portal, again)
        return len(again)

    def again(self, portal: str, external_id: str) -> int:
        """Judge calls about a record afresh that found no place, or could not be read; says how many."""
        rows = [
            row
            for row in self._store.read(lambda tx: tx.inbound_unplaced(portal, limit=100_000))
            if row.doc.get("record") == external_id
        ]
        self._store_all(portal, rows)
        return len(rows)

    def _store_all(self, portal: str, rows: Sequence[InboundRow]) -> None:
        for batch in _rounds([(row, self._said(row)) for row in rows]):
            try:
                self._store_batch(portal, batch)
            except StoreError:
                raise
            except Exception as error:  # a mistake of ours with one call must not stop the others (I5)
                log.error("call_failed", portal=portal, calls=len(batch), exc_info=error)
                self._one_by_one(portal, batch)

    def _one_by_one(self, portal: str, told: Sequence[tuple[InboundRow, InboundCall | UnreadableRecord]]) -> None:
        """What fails alone waits for a person: its sender has heard our yes."""
        for row, said in told:
            try:
                self._store_batch(portal, [(row, said)])
            except StoreError:
                raise
            except Exception as error:
                log.error("call_failed", portal=portal, endpoint=row.endpoint, call=row.id, exc_info=error)
                raw = said.record.raw if isinstance(said, InboundCall) else said.raw
                self._store_batch(portal, [(row, self._failed(row, raw, error))])

    def _failed(self, row: InboundRow, plain: bytes, error: Exception) -> UnreadableRecord:
        reason = f"an error of the gateway itself ({type(error).__name__}), see the log"
        return UnreadableRecord(row.key, plain, reason, self._engine.shop.clock.now())

    def _store_batch(self, portal: str, told: Sequence[tuple[InboundRow, InboundCall | UnreadableRecord]]) -> None:
        at = self._engine.shop.now()
        names = [_name(said) for _, said in told]
        known = self._store.read(lambda tx: tx.records(portal, names))
        batch = [(row, _record(row, said, known.get(_name(said)))) for row, said in told]

        def note(tx: Tx) -> None:
            placed = tx.records(portal, [record.external_id for _, record in batch])
            for row, record in batch:
                there = placed.get(record.external_id)
                row.state, row.applied_at = "applied", at
                row.doc["record"] = record.external_id
                row.dossier_id = there.dossier_id if there else ""
                tx.put_inbound(row)
                files = tx.files_of_call(row.portal, row.key) if row.dossier_id else []
                for file in files:
                    file.dossier_id = row.dossier_id
                tx.put_files(files)
                if there is not None and there.dossier_id and "aside" not in there.counts:
                    _no_longer_aside(tx, portal, record)

        self._engine.take_in(portal, [record for _, record in batch], note)

    def _said(self, row: InboundRow) -> InboundCall | UnreadableRecord:
        """What a call told: as it was read when it came, else read from its bytes."""
        if (fresh := self._fresh.take(row.id)) is not None:
            return fresh
        receiver = self._receivers.get(row.portal, {}).get(row.endpoint)
        try:
            plain = opened_call(self._vault, row)
        except (KeyError, SealError) as error:
            reason = f"the stored call cannot be opened: {error}"
            return UnreadableRecord(row.key, b"", reason, self._engine.shop.clock.now())
        request = kept.from_bytes(plain)
        if receiver is None:
            return UnreadableRecord(row.key, plain, f"there is no receiver {row.endpoint} any more", request.at)
        try:
            said = receiver.read(request)
        except Exception as error:
            log.error("call_failed", portal=row.portal, endpoint=row.endpoint, call=row.id, exc_info=error)
            return self._failed(row, plain, error)
        if isinstance(said, InboundCall):
            return said
        return UnreadableRecord(row.key, plain, "the stored call can no longer be read", request.at)


def _name(said: InboundCall | UnreadableRecord) -> str:
    return said.record.external_id if isinstance(said, InboundCall) else said.external_id


def _record(
    row: InboundRow, said: InboundCall | UnreadableRecord, known: RecordRow | None
) -> RawRecord | UnreadableRecord:
    """The record that a call told of one that is known, or not.

    Other content is a supplement only of what has its dossier: if the first was never placed, this one begins it.
    """
    if isinstance(said, UnreadableRecord):
        return said
    there = known is not None and bool(known.dossier_id)
    other = there and row.doc.get("verdict") == Verdict.CHANGED.value and said.changed is not None
    return said.changed if other and said.changed is not None else said.record


def opened_call(vault: Vault, row: InboundRow) -> bytes:
    """A stored call as it was kept (`gateway.inbound.kept`).

    Raises:
        KeyError: Its key was erased.
        SealError: It is damaged, or the key ring is of another day.
    """
    return unpack(vault.open(row.seal_key, row.sealed)[_SALT:])


def _no_longer_aside(tx: Tx, portal: str, record: RawRecord | UnreadableRecord) -> None:
    """What was set aside has found its place. One message says nothing for another that could not be read."""
    told_at = record.read_at.timestamp()
    partial = isinstance(record, RawRecord) and record.partial
    for row in tx.quarantine_of(portal, record.external_id):
        heard = row.cause == "unreadable" and (not partial or row.doc.get("read_at") == told_at)
        if (heard or row.cause == "unplaced") and row.id is not None:
            tx.close_quarantine(row.id, "replayed")


def _rounds(
    calls: Sequence[tuple[InboundRow, InboundCall | UnreadableRecord]],
) -> Iterator[list[tuple[InboundRow, InboundCall | UnreadableRecord]]]:
    """Cut into batches in which no record comes twice: each version of it is a reading of its own."""
    batch: list[tuple[InboundRow, InboundCall | UnreadableRecord]] = []
    names: set[str] = set()
    for row, said in calls:
        if _name(said) in names:
            yield batch
            batch, names = [], set()
        batch.append((row, said))
        names.add(_name(said))
    if batch:
        yield batch
