"""What a page writes: leaves, sealed bytes, rows, and quarantine for what cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.evidence.leaf import commitment, leaf
from gateway.store.rows import QuarantineRow, RawRow, RecordRow
from gateway.sync.arrival import Arrival
from gateway.sync.decide import Decision
from gateway.sync.page import Page, Placed, Slot
from schemas.canonical import canonical_bytes

_WORDS = {label: label.value for label in Decision}


def note_observation(page: Page, placed: Placed, decisions: Iterable[tuple[str, Decision]], due: Sequence[str]) -> str:
    """Write down the leaf and the raw bytes of a reading; gives the leaf's digest."""
    arrival, reading, owner = placed.slot.arrival, placed.slot.reading, placed.dossier.id
    bound = commitment(arrival.salt, arrival.raw)
    made = leaf(
        "observation",
        page.now,
        dossier_id=owner,
        portal=page.name,
        prev=placed.slot.record.leaf,
        record=reading.external_id,
        read_at=round(reading.read_at, 3),
        decisions=[[entry, _WORDS[label]] for entry, label in decisions],
        due=due,
        removed=reading.removed,
        unknown=reading.unknown,
        commitment=bound,
    )
    page.leaves.append(made)
    page.raws.append((owner, arrival, bound))
    return made.digest


def set_aside(page: Page, arrival: Arrival, record: RecordRow, cause: str, reason: str, next_step: str) -> None:
    """Quarantine a record we cannot use; the same bytes once more make no second entry (I6)."""
    digest = commitment(b"", arrival.raw)
    if record.counts.get("aside") == [cause, digest]:
        page.done.unchanged += 1
        return
    quarantine(page, arrival, cause, reason, next_step)
    record.counts["aside"] = [cause, digest]
    page.doubted.append(record)


def doubt(page: Page, slot: Slot, reason: str, next_step: str, dossier_ids: Sequence[str]) -> None:
    """Quarantine a record that more than one dossier claims, and remember for whom a person is asked."""
    quarantine(page, slot.arrival, "doubt", reason, next_step, dossier_ids)
    record, reading = slot.record, slot.reading
    record.counts["doubt"] = list(dossier_ids)
    record.digest, record.read_at = reading.digest, reading.read_at
    record.dossier_code, record.national_code = reading.dossier_code, reading.national_code
    page.doubted.append(record)


def quarantine(
    page: Page, arrival: Arrival, cause: str, reason: str, next_step: str, dossiers: Sequence[str] = ()
) -> None:
    """Keep the bytes sealed under a key of their own, with a reason and what to do."""
    vault, tx = page.terms.vault, page.tx
    owner = f"quarantine:{page.name}:{page.terms.blind(arrival.external_id)[:24]}"
    vault.ensure([owner])
    sealed, bound = vault.seal(owner, arrival.packed), commitment(arrival.salt, arrival.raw)
    (raw_id,) = tx.put_raw([_raw_row(page, owner, arrival, bound, sealed)])
    digest = commitment(b"", canonical_bytes([cause, reason]) + arrival.raw)
    row = QuarantineRow(
        page.name, arrival.external_id, cause, reason, raw_id, page.now, next_step=next_step, digest=digest
    )
    row.doc = {"dossiers": list(dossiers), "read_at": arrival.read_at}
    tx.put_quarantine(row)
    page.done.quarantined += 1
    page.leaves.append(
        leaf("quarantined", page.now, portal=page.name, record=arrival.external_id, cause=cause, reason=reason)
    )


def write(page: Page) -> None:
    """Store everything the page came to, one statement a table."""
    tx, done = page.tx, page.done
    done.decisions = dict(Counter(page.labels))
    if page.touched:
        tx.touch_records(list(page.touched.values()))
    if page.changed or page.raws:
        _seal(page)
        tx.put_dossiers([placed.dossier for placed in page.changed.values()])
    if page.records or page.doubted:
        tx.put_records([*page.records, *page.doubted])
    if page.due:
        done.due = dict(Counter(key.portal for key in page.due))
        tx.mark_due(page.due, page.now)
    if page.leaves:
        tx.append_leaves(page.leaves)


def _seal(page: Page) -> None:
    """Seal and store everything personal of this page: one look at the key ring for all."""
    changed = page.changed.values()
    plain = [(placed.dossier.id, placed.held.plain()) for placed in changed]
    raws = [(owner, arrival.packed) for owner, arrival, _ in page.raws]
    sealed = page.terms.vault.seal_many([*plain, *raws])
    for placed, value in zip(changed, sealed, strict=False):
        placed.dossier.sealed = value
    rows = zip(page.raws, sealed[len(plain) :], strict=True)
    page.tx.put_raw([_raw_row(page, owner, arrival, bound, value) for (owner, arrival, bound), value in rows])


def _raw_row(page: Page, owner: str, arrival: Arrival, bound: str, sealed: bytes) -> RawRow:
    expires_at = page.now + page.terms.config.store.raw_days * 86400.0
    return RawRow(page.name, arrival.external_id, owner, sealed, bound, page.now, expires_at)
