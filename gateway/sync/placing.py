"""Placing: each readable record of a page gets its dossier, old or new, or goes to quarantine (sync.md S1, S2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.store.rows import DossierRow, LaneKey, RecordRow
from gateway.sync import writing
from gateway.sync.dossiers import Held
from gateway.sync.link import Candidates, Link, Linked, link
from gateway.sync.page import Page, Placed, Slot
from gateway.vault import SealError

LOOK_AGAIN = "link or unlink it, then replay"


class Placing:
    """Finds or makes the dossiers of one page's slots; dossiers made on the way are candidates for what follows."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._rows: dict[str, DossierRow] = {}
        self._held: dict[str, Held] = {}
        self._fresh_codes: dict[str, list[DossierRow]] = {}
        self._by_number: Mapping[str, list[DossierRow]] = {}
        self._by_code: Mapping[str, list[DossierRow]] = {}
        self._by_reference: Mapping[str, list[RecordRow]] = {}
        self._others: dict[str, tuple[str, ...]] = {}

    def place(self, slots: Sequence[Slot]) -> list[Placed]:
        """Those that have their dossier; the rest is set aside."""
        self._look_up(slots)
        stored = frozenset(self._rows)
        placed = []
        for slot in slots:
            found = self._place(slot, stored)
            if found is not None:
                placed.append(found)
                if not slot.reading.removed:
                    known = self._others.get(found.dossier.id, ())
                    self._others[found.dossier.id] = (*known, slot.reading.external_id)
        return placed

    def _look_up(self, slots: Sequence[Slot]) -> None:
        """Everything the store holds under any identifier of these slots: one query for each kind."""
        tx = self._page.tx
        numbers = {slot.reading.national_code for slot in slots} - {""}
        codes = {slot.reading.dossier_code for slot in slots} - {""}
        references = {slot.reading.external_id for slot in slots} | {slot.reading.reference for slot in slots} - {""}
        self._by_number = tx.dossiers_by_national_code(numbers | codes) if numbers | codes else {}
        self._by_code = tx.dossiers_by_code(codes) if codes else {}
        self._by_reference = tx.records_by_reference(references)
        ids = {d.id for found in (*self._by_number.values(), *self._by_code.values()) for d in found}
        ids |= {r.dossier_id for found in self._by_reference.values() for r in found if r.dossier_id}
        ids |= {slot.record.dossier_id for slot in slots if slot.record.dossier_id}
        self._rows = tx.dossiers(ids) if ids else {}
        rivals = tx.records_of(ids) if ids else {}
        self._others = {
            dossier: tuple(r.external_id for r in found if r.portal == self._page.name and not r.removed)
            for dossier, found in rivals.items()
        }

    def _place(self, slot: Slot, stored: frozenset[str]) -> Placed | None:
        page, applicant = self._page, self._page.terms.blind(slot.reading.applicant)
        linked = link(slot.reading, self._candidates(slot), applicant)
        if linked.link is Link.DOUBT:
            self._doubt(slot, linked, stored)
        elif linked.link is Link.KNOWN:
            return self._known(slot, linked.dossier_ids[0])
        elif page.stage:
            reason = "a ministry speaks of a dossier that we did not forward to it"
            writing.set_aside(page, slot.arrival, slot.record, "unplaced", reason, "forward or link it, then replay")
        elif slot.reading.partial:  # a message makes no dossier: what it withdraws or pays for is not told by it
            reason, step = (
                "a message about a dossier that is not known here",
                "it is placed when the dossier is heard of",
            )
            writing.set_aside(page, slot.arrival, slot.record, "unplaced", reason, step)
        else:
            return self._new(slot, applicant)
        return None

    def _candidates(self, slot: Slot) -> Candidates:
        reading, by_reference = slot.reading, self._by_reference
        code, number = reading.dossier_code, reading.national_code
        references = (*by_reference.get(reading.external_id, ()), *by_reference.get(reading.reference, ()))
        return Candidates(
            record=slot.record if slot.known else None,
            by_reference=tuple(
                [r for r in references if r.external_id != reading.external_id or r.portal != reading.portal]
            )
            if references
            else (),
            by_number=(*self._by_number.get(number, ()), *self._fresh_codes.get(number, ())) if number else (),
            by_code=(*self._by_code.get(code, ()), *self._fresh_codes.get(code, ())) if code else (),
            others=self._others,
            apart=frozenset(slot.record.counts.get("apart", ())),
        )

    def _known(self, slot: Slot, dossier_id: str) -> Placed | None:
        page, row = self._page, self._rows[dossier_id]
        held = self._held.get(dossier_id)
        if held is None:
            try:
                held = self._held[dossier_id] = Held.open(row, page.terms.vault)
            except (KeyError, SealError):
                reason = f"the sealed part of dossier {row.id} cannot be opened"
                writing.set_aside(page, slot.arrival, slot.record, "sealed", reason, "restore its key, then replay")
                return None
        return Placed(slot, row, held)

    def _new(self, slot: Slot, applicant_hash: str) -> Placed:
        page, reading, handlers = self._page, slot.reading, self._page.terms.handlers
        row = DossierRow(
            page.terms.new_id(),
            national_code=reading.national_code,
            dossier_code=reading.dossier_code,
            procedure_code=reading.procedure_code,
            agency_code=reading.agency_code,
            applicant_hash=applicant_hash,
            handler=page.name if page.handles else handlers[0] if len(handlers) == 1 else "",
        )
        held = self._held[row.id] = Held()
        self._rows[row.id] = row
        for name in {row.dossier_code, row.national_code} - {""}:
            self._fresh_codes.setdefault(name, []).append(row)
        page.done.new += 1
        return Placed(slot, row, held)

    def _doubt(self, slot: Slot, linked: Linked, stored: frozenset[str]) -> None:
        if slot.known and slot.reading.read_at < slot.record.read_at:
            self._page.done.stale += 1  # a later reading of it has been judged already (S8)
            return
        reason = f"{linked.reason} ({', '.join(linked.dossier_ids)})"
        writing.doubt(self._page, slot, reason, LOOK_AGAIN, linked.dossier_ids)
        flag = f"doubt:{self._page.name}/{slot.reading.external_id}"
        for dossier_id in linked.dossier_ids:
            row = self._rows[dossier_id]
            row.flags = tuple(dict.fromkeys((*row.flags, flag)))
            if dossier_id in stored:
                self._page.tx.put_dossiers([row])
        for lanes in self._page.tx.lanes_of(linked.dossier_ids).values():  # what is planned already is not begun
            self._page.due.update(dict.fromkeys(LaneKey(lane.portal, lane.dossier_id) for lane in lanes))
