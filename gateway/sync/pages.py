"""T1, store a page: links, timelines, lanes due, cursor, sealed raw and leaves are stored together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from adapters.base import EventIdentity
from gateway.config import Config
from gateway.evidence.leaf import commitment, leaf
from gateway.store.base import Tx, Vault
from gateway.store.rows import DossierRow, Json, LaneKey, LaneRow, LeafRow, QuarantineRow, RawRow, RecordRow
from gateway.sync import timeline
from gateway.sync.decide import Decision, Ownership, decide_all, goes_back_from_the_end
from gateway.sync.dossiers import Held, as_json, hashed, refresh_columns, view_of
from gateway.sync.lane import Lane
from gateway.sync.link import Candidates, Link, Linked, link
from gateway.sync.observe import Observation, observe
from gateway.sync.portal import Portal
from gateway.sync.reading import Reading, merge_facts
from gateway.sync.route import DossierView, Target, ownership_of, route, stages
from gateway.sync.timeline import Entry, Merged
from gateway.vault import SealError
from schemas.canonical import canonical_bytes

_BARE = EventIdentity.BARE
LOOK_AGAIN = "link or unlink it, then replay"
SALT = 16
"""Bytes of salt in front of a record's sealed bytes: its commitment in the leaf says nothing without them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as it came in: read (`reading`) or unreadable (`problem`), with its bytes and a fresh salt.

    `packed` is what is sealed: the salt and the compressed bytes. `raw_digest` is as in the record's row. `read` is
    given instead of a reading where the stored reading had the same bytes: it is asked only if that changed meanwhile.
    """

    external_id: str
    raw: bytes
    read_at: float
    salt: bytes = b""
    packed: bytes = b""
    raw_digest: str = ""
    reading: Reading | None = None
    problem: str = ""
    read: Callable[[], Arrival] | None = None


@dataclass(slots=True)
class Stored:
    """What a page came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    quarantined: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    unknown_fields: dict[str, int] = field(default_factory=dict)
    dossiers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Slot:
    """One arrival on its way through the transaction; `dossier.id` is "" until it is linked."""

    arrival: Arrival
    reading: Reading
    record: RecordRow
    known: bool
    dossier: DossierRow = field(default_factory=lambda: DossierRow(""))
    held: Held = field(default_factory=Held)
    seen: Observation = field(default_factory=Observation)


class PageWriter:
    """Stores pages of one portal. `new_id` gives dossier ids; all else is passed in."""

    def __init__(self, config: Config, vault: Vault, portals: Mapping[str, Portal], new_id: Callable[[], str]) -> None:
        self._config = config
        self._vault = vault
        self._portals = portals
        self._new_id = new_id
        self._staged = stages(config.routes)
        self._ownerships: dict[str, Ownership] = {}

    def store(self, tx: Tx, portal: Portal, arrivals: Sequence[Arrival], now: float) -> Stored:
        """Store one page inside a transaction."""
        page = _Page(self, tx, portal, now)
        page.run(arrivals)
        return page.done

    def stage_of(self, portal: str) -> str:
        """The stage a portal handles: its own name for a ministry, "" for all others."""
        return portal if portal in self._staged and portal not in self._config.ownership.handlers else ""

    def view(self, row: DossierRow, held: Held) -> DossierView:
        """A dossier as routes see it; all dossiers of one handler share their ownership."""
        ownership = self._ownerships.get(row.handler)
        if ownership is None:
            made = ownership_of(row.handler, self._config.ownership, self._staged)
            ownership = self._ownerships[row.handler] = made
        return view_of(row, held, self._config, ownership)

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def vault(self) -> Vault:
        """Where personal bytes are sealed."""
        return self._vault

    @property
    def portals(self) -> Mapping[str, Portal]:
        """All portals by name."""
        return self._portals

    def new_id(self) -> str:
        """A fresh dossier id."""
        return self._new_id()


class _Page:
    def __init__(self, writer: PageWriter, tx: Tx, portal: Portal, now: float) -> None:
        self._w = writer
        self._tx = tx
        self._portal = portal
        self._now = now
        self._stage = writer.stage_of(portal.name)
        self._fresh: dict[str, DossierRow] = {}
        self._fresh_codes: dict[str, list[DossierRow]] = {}
        self._doubted: list[RecordRow] = []
        self._lanes: dict[LaneKey, LaneRow] = {}
        self._leaves: list[LeafRow] = []
        self._raws: list[tuple[str, Arrival, str]] = []
        self._due: dict[LaneKey, float] = {}
        self._touched: dict[str, RecordRow] = {}
        self.done = Stored()

    def run(self, came: Sequence[Arrival]) -> None:
        arrivals = self._not_the_same(came)
        if not arrivals:
            return
        records = self._tx.records(self._portal.name, [a.external_id for a in arrivals])
        keys = [LaneKey(self._portal.name, row.dossier_id) for row in records.values() if row.dossier_id]
        self._lanes = self._tx.lanes(keys) if keys else {}
        slots = self._slots(arrivals, records)
        self._link(slots)
        linked = [slot for slot in slots if slot.dossier.id]
        if linked:
            self._w.vault.ensure({slot.dossier.id for slot in linked})
        changed = [slot for slot in linked if self._observe(slot)]
        self._write(linked, changed)

    # reading and linking
    def _not_the_same(self, came: Sequence[Arrival]) -> list[Arrival]:
        """All but those with the bytes of their stored reading; what changed since that was asked is read now."""
        by_time: dict[float, dict[str, str]] = {}
        for arrival in came:
            if arrival.read is not None:
                by_time.setdefault(arrival.read_at, {})[arrival.external_id] = arrival.raw_digest
        touched = [self._tx.touch_same(self._portal.name, found, at) for at, found in by_time.items()]
        same = frozenset[str]().union(*touched)
        self.done.unchanged += len(same)
        rest = [arrival for arrival in came if arrival.read is None or arrival.external_id not in same]
        return [arrival if arrival.read is None else arrival.read() for arrival in rest]

    def _slots(self, arrivals: Sequence[Arrival], records: Mapping[str, RecordRow]) -> list[_Slot]:
        slots: dict[str, _Slot] = {}
        for arrival in arrivals:
            record = records.get(arrival.external_id)
            row = record or RecordRow(self._portal.name, arrival.external_id)
            if arrival.reading is None:
                self._set_aside(
                    arrival, row, "unreadable", arrival.problem, "mend the mapping or the record, then replay"
                )
                continue
            held = slots.get(arrival.external_id)
            if held is None or held.reading.read_at <= arrival.reading.read_at:
                slots[arrival.external_id] = _Slot(arrival, arrival.reading, row, record is not None)
        return list(slots.values())

    def _set_aside(self, arrival: Arrival, record: RecordRow, cause: str, reason: str, next_step: str) -> None:
        """Quarantine a record we cannot use; the same bytes once more make no second entry (I6)."""
        digest = commitment(b"", arrival.raw)
        if record.counts.get("aside") == [cause, digest]:
            self.done.unchanged += 1
            return
        self._quarantine(arrival, cause, reason, next_step)
        record.counts["aside"] = [cause, digest]
        self._doubted.append(record)

    def _same(self, record: RecordRow, arrival: Arrival, list_digest: str) -> None:
        record.read_at, record.raw_digest, record.absent = arrival.read_at, arrival.raw_digest, 0
        record.list_digest = list_digest or record.list_digest
        self._touched[record.external_id] = record
        self.done.unchanged += 1

    def _link(self, slots: Sequence[_Slot]) -> None:
        needed = []
        for slot in slots:
            unchanged = _is_placed(slot.record) and slot.record.digest == slot.reading.digest
            if unchanged and slot.reading.read_at >= slot.record.read_at:
                self._same(slot.record, slot.arrival, slot.reading.list_digest)
                self._shown_again(slot)
            else:
                needed.append(slot)
        if needed:
            self._find(needed)

    def _find(self, slots: Sequence[_Slot]) -> None:
        numbers = {slot.reading.national_code for slot in slots} - {""}
        codes = {slot.reading.dossier_code for slot in slots} - {""}
        references = {slot.reading.external_id for slot in slots} | {slot.reading.reference for slot in slots} - {""}
        by_number = self._tx.dossiers_by_national_code(numbers | codes) if numbers | codes else {}
        by_code = self._tx.dossiers_by_code(codes) if codes else {}
        by_reference = self._tx.records_by_reference(references)
        ids = {d.id for found in (*by_number.values(), *by_code.values()) for d in found}
        ids |= {r.dossier_id for found in by_reference.values() for r in found if r.dossier_id}
        ids |= {slot.record.dossier_id for slot in slots if slot.record.dossier_id}
        rows = self._tx.dossiers(ids) if ids else {}
        rivals = self._tx.records_of(ids) if ids else {}
        others = {
            dossier: tuple(r.external_id for r in found if r.portal == self._portal.name and not r.removed)
            for dossier, found in rivals.items()
        }
        for slot in slots:
            self._place(slot, rows, self._candidates(slot, by_number, by_code, by_reference, others))
            if slot.dossier.id and not slot.reading.removed:
                others[slot.dossier.id] = (*others.get(slot.dossier.id, ()), slot.reading.external_id)

    def _candidates(
        self,
        slot: _Slot,
        by_number: Mapping[str, list[DossierRow]],
        by_code: Mapping[str, list[DossierRow]],
        by_reference: Mapping[str, list[RecordRow]],
        others: dict[str, tuple[str, ...]],
    ) -> Candidates:
        reading = slot.reading
        mine = self._fresh_codes.get(reading.dossier_code, ()) if reading.dossier_code else ()
        references = (*by_reference.get(reading.external_id, ()), *by_reference.get(reading.reference, ()))
        number = reading.national_code
        return Candidates(
            record=slot.record if slot.known else None,
            by_reference=tuple(
                r for r in references if r.external_id != reading.external_id or r.portal != reading.portal
            ),
            by_number=(*by_number.get(number, ()), *self._fresh_codes.get(number, ())) if number else (),
            by_code=(*by_code.get(reading.dossier_code, ()), *mine),
            others=others,
            apart=frozenset(slot.record.counts.get("apart", ())),
        )

    def _place(self, slot: _Slot, rows: dict[str, DossierRow], candidates: Candidates) -> None:
        linked = link(slot.reading, candidates, self._blind(slot.reading.applicant))
        if linked.link is Link.DOUBT:
            self._doubt(slot, linked, rows)
        elif linked.link is Link.KNOWN:
            row = rows.get(linked.dossier_ids[0]) or self._fresh[linked.dossier_ids[0]]
            try:
                slot.held = Held.open(row, self._w.vault)
            except (KeyError, SealError):
                reason = f"the sealed part of dossier {row.id} cannot be opened"
                self._set_aside(slot.arrival, slot.record, "sealed", reason, "restore its key, then replay")
                return
            slot.dossier = row
        elif self._stage:
            reason = "a ministry speaks of a dossier that we did not forward to it"
            self._set_aside(slot.arrival, slot.record, "unplaced", reason, "forward or link it, then replay")
        else:
            slot.dossier = self._new_dossier(slot)

    def _new_dossier(self, slot: _Slot) -> DossierRow:
        handlers = self._w.config.ownership.handlers
        row = DossierRow(self._w.new_id(), national_code=slot.reading.national_code)
        row.handler = self._portal.name if self._portal.name in handlers else handlers[0] if len(handlers) == 1 else ""
        row.dossier_code = slot.reading.dossier_code
        row.procedure_code, row.agency_code = slot.reading.procedure_code, slot.reading.agency_code
        row.applicant_hash = self._blind(slot.reading.applicant)
        self._fresh[row.id] = row
        for name in {row.dossier_code, row.national_code} - {""}:
            self._fresh_codes.setdefault(name, []).append(row)
        self.done.new += 1
        return row

    def _blind(self, text: str) -> str:
        return self._w.vault.blind(text) if text else ""

    def _doubt(self, slot: _Slot, linked: Linked, rows: Mapping[str, DossierRow]) -> None:
        reason = f"{linked.reason} ({', '.join(linked.dossier_ids)})"
        self._quarantine(slot.arrival, "doubt", reason, LOOK_AGAIN, dossiers=linked.dossier_ids)
        slot.record.counts["doubt"] = list(linked.dossier_ids)
        slot.record.digest, slot.record.read_at = slot.reading.digest, slot.reading.read_at
        slot.record.dossier_code, slot.record.national_code = slot.reading.dossier_code, slot.reading.national_code
        self._doubted.append(slot.record)
        flag = f"doubt:{self._portal.name}/{slot.reading.external_id}"
        for dossier_id in linked.dossier_ids:
            row = rows.get(dossier_id) or self._fresh[dossier_id]
            row.flags = tuple(dict.fromkeys((*row.flags, flag)))
            if dossier_id in rows:
                self._tx.put_dossiers([row])

    # observing and deciding
    def _observe(self, slot: _Slot) -> bool:
        row, reading = slot.dossier, slot.reading
        stage = self._stage
        ours = bool(slot.record.counts.get("ours"))
        before = slot.record if slot.known else None
        slot.seen = observe(reading, before, self._portal.adapter.abilities.identity or _BARE, stage, ours)
        if slot.seen.stale:
            self.done.stale += 1
            return False
        brought = slot.seen.counts.pop("entries", ())
        if brought:
            row.timeline = cast("list[Json]", timeline.merge(cast("list[Entry]", row.timeline), brought)[0])
        if self._portal.name in self._w.config.ownership.handlers and not row.handler:
            row.handler = self._portal.name
        before_view = self._w.view(row, slot.held)
        may_say = before_view.ownership.may_say
        echo = self._echo(slot)
        submits = not stage and not any(e["portal"] == row.handler and e["status"] for e in before_view.entries)
        owned = [
            entry
            for entry in slot.seen.entries
            if not entry["status"] or ((submits or may_say(entry["portal"], stage, entry["status"])) and not echo)
        ]
        merged = timeline.merge(before_view.entries, owned)
        decisions = self._decide(before_view, owned, merged)
        changed_facts = self._facts(slot)
        _, added, corrected = merged
        row.timeline = cast("list[Json]", merged[0])
        for entry in (*added, *corrected):
            text = slot.seen.texts.get(entry["id"])
            if text:
                slot.held.texts[entry["id"]] = dict(text)
        self._claim_number(slot)
        view = self._w.view(row, slot.held)
        refresh_columns(row, slot.held, view)
        if goes_back_from_the_end(before_view.current(), view.current()):
            row.flags = tuple(dict.fromkeys((*row.flags, "reopened")))
        news = bool(added or corrected or changed_facts or brought)
        due = self._lanes_due(slot, view, news)
        self._after(slot, decisions, due)
        return news or not slot.known

    def _echo(self, slot: _Slot) -> bool:
        """A portal that shows the status we put there says nothing of its own (S9)."""
        row = self._lanes.get(LaneKey(self._portal.name, slot.record.dossier_id))
        if row is None or slot.reading.state is None:
            return False
        shown = hashed(self._w.vault, {"state.status": slot.reading.state.status})
        ours = {Lane(row).shadow.get("state.status")}
        for delivery in self._tx.deliveries([LaneKey(row.portal, row.dossier_id)]).get(
            LaneKey(row.portal, row.dossier_id), []
        ):
            ours.add(delivery.doc.get("content", {}).get("state.status"))
        return shown["state.status"] in ours

    def _decide(self, view: DossierView, entries: Sequence[Entry], merged: Merged) -> list[tuple[str, Decision]]:
        labels = decide_all(view.entries, entries, view.ownership, merged)
        for label in labels:
            self.done.decisions[label] = self.done.decisions.get(label, 0) + 1
        pairs = zip(entries, labels, strict=True)
        return [(entry["id"], label) for entry, label in pairs if label is not Decision.DUPLICATE]

    def _facts(self, slot: _Slot) -> bool:
        name, held, facts = self._portal.name, slot.held.facts, slot.reading.facts
        if slot.reading.partial:  # a message names what it speaks of; the rest stands
            facts = {**held.get(name, {}), **as_json(merge_facts([facts]))}
        if name in held and held[name] == as_json(facts):
            return False
        held[name] = facts
        return True

    def _claim_number(self, slot: _Slot) -> None:
        row, reading = slot.dossier, slot.reading
        if reading.national_code and not row.national_code:
            row.national_code = reading.national_code

    def _lanes_due(self, slot: _Slot, view: DossierView, news: bool) -> list[str]:
        row, reading = slot.dossier, slot.reading
        due: set[str] = set()
        if news:
            targets = route(view, self._w.config.routes, self._w.config.ownership)
            due = {t.portal for t in targets if t.portal in self._w.portals and self._w.portals[t.portal].pushes}
            row.version += 1
            row.changed_at = self._now
            due = {name for name in due if name != self._portal.name or _is_asked(targets, name)}
        due |= self._own_lane(slot)
        for portal in due:
            self._due[LaneKey(portal, row.id)] = self._now
        if reading.unknown:
            for name in reading.unknown:
                self.done.unknown_fields[name] = self.done.unknown_fields.get(name, 0) + 1
        return sorted(due)

    def _own_lane(self, slot: _Slot) -> set[str]:
        """What a portal shows is proof for its own lane (S9); what it shows without owning it is drift (S12)."""
        key = LaneKey(self._portal.name, slot.dossier.id)
        row = self._lanes.get(key)
        if row is None:
            return set()
        lane = Lane(row)
        due = self._drift(slot, lane)
        settled = self._settle_by_key(slot, key)
        if due:
            self._tx.put_lanes([row])
        return {self._portal.name} if due or settled else set()

    def _drift(self, slot: _Slot, lane: Lane) -> bool:
        open_ones = self._tx.deliveries([LaneKey(lane.row.portal, lane.row.dossier_id)]).values()
        if any(open_ones) or slot.reading.read_at <= lane.last_ended or lane.shadow_state not in ("known", "present"):
            return False
        shown = hashed(self._w.vault, slot.reading.shown())
        differing = lane.overlay({path: value for path, value in shown.items() if path in lane.shadow})
        if differing and self._is_request(slot):
            return True  # a wish of its own is no drift: it is answered, and then corrected
        if differing:
            lane.drifting = True
            label = Decision.DRIFT
            self.done.decisions[label] = self.done.decisions.get(label, 0) + 1
        return bool(differing)

    def _is_request(self, slot: _Slot) -> bool:
        state = slot.reading.state
        asked = self._w.config.ownership.requests.get(self._portal.name, {})
        return state is not None and state.status in asked

    def _shown_again(self, slot: _Slot) -> None:
        """An unchanged record may still be drift that we have corrected in vain since it was last read."""
        key = LaneKey(self._portal.name, slot.record.dossier_id)
        row = self._lanes.get(key) if slot.reading.state is not None else None
        if row is not None and Lane(row).shadow_state == "known" and self._drift(slot, Lane(row)):
            self._tx.put_lanes([row])
            self._due[key] = self._now

    def _settle_by_key(self, slot: _Slot, key: LaneKey) -> bool:
        """Our key in a note proves the command that carried it (S11)."""
        if not slot.reading.our_keys:
            return False
        held = [d for found in self._tx.deliveries([key], open_only=False).values() for d in found]
        proven = [
            d for d in held if d.key_uuid in slot.reading.our_keys and (d.open or d.state == "unproven") and d.key_uuid
        ]
        for delivery in proven:
            delivery.state, delivery.open, delivery.next_at = "unknown", True, self._now
            delivery.doc["seen"] = True
            self._tx.put_delivery(delivery)
        return bool(proven)

    # writing
    def _after(self, slot: _Slot, decisions: Sequence[tuple[str, Decision]], due: Sequence[str]) -> None:
        row, record, arrival, reading = slot.dossier, slot.record, slot.arrival, slot.reading
        self.done.changed += 1
        self.done.dossiers.append(row.id)
        bound = commitment(arrival.salt, arrival.raw)
        made = leaf(
            "observation",
            self._now,
            dossier_id=row.id,
            portal=self._portal.name,
            prev=record.leaf,
            record=reading.external_id,
            read_at=round(reading.read_at, 3),
            decisions=[[entry, label.value] for entry, label in decisions],
            due=list(due),
            removed=reading.removed,
            unknown=list(reading.unknown),
            commitment=bound,
        )
        self._leaves.append(made)
        self._raws.append((row.id, arrival, bound))
        _take_over(record, slot, made.digest)

    def _raw_row(self, owner: str, arrival: Arrival, bound: str, sealed: bytes) -> RawRow:
        expires_at = self._now + self._w.config.store.raw_days * 86400.0
        return RawRow(self._portal.name, arrival.external_id, owner, sealed, bound, self._now, expires_at)

    def _quarantine(self, arrival: Arrival, cause: str, reason: str, next_step: str, **doc: Any) -> None:
        owner = f"quarantine:{self._portal.name}:{self._blind(arrival.external_id)[:24]}"
        self._w.vault.ensure([owner])
        sealed, bound = self._w.vault.seal(owner, arrival.packed), commitment(arrival.salt, arrival.raw)
        (raw_id,) = self._tx.put_raw([self._raw_row(owner, arrival, bound, sealed)])
        digest = commitment(b"", canonical_bytes([cause, reason]) + arrival.raw)
        row = QuarantineRow(
            self._portal.name, arrival.external_id, cause, reason, raw_id, self._now, next_step=next_step, digest=digest
        )
        row.doc = {"dossiers": list(doc.get("dossiers", ())), "read_at": arrival.read_at}
        self._tx.put_quarantine(row)
        self.done.quarantined += 1
        self._leaves.append(
            leaf(
                "quarantined",
                self._now,
                portal=self._portal.name,
                record=arrival.external_id,
                cause=cause,
                reason=reason,
            )
        )

    def _write(self, linked: Sequence[_Slot], changed: Sequence[_Slot]) -> None:
        rows = {slot.dossier.id: slot for slot in changed}
        if self._touched:
            self._tx.touch_records(list(self._touched.values()))
        if not linked and not self._doubted and not self._leaves and not self._due:
            return
        self._seal(list(rows.values()))
        self._tx.put_dossiers([slot.dossier for slot in rows.values()])
        self._tx.put_records([*(slot.record for slot in linked if not slot.seen.stale), *self._doubted])
        by_time: dict[float, list[LaneKey]] = {}
        for key, at in self._due.items():
            by_time.setdefault(at, []).append(key)
            self.done.due[key.portal] = self.done.due.get(key.portal, 0) + 1
        for at, keys in by_time.items():
            self._tx.mark_due(keys, at)
        if self._leaves:
            self._tx.append_leaves(self._leaves)

    def _seal(self, changed: Sequence[_Slot]) -> None:
        """Seal and store everything personal of this page: one look at the key ring for all."""
        plain = [(slot.dossier.id, slot.held.plain()) for slot in changed]
        raws = [(owner, arrival.packed) for owner, arrival, _ in self._raws]
        sealed = self._w.vault.seal_many([*plain, *raws])
        for slot, value in zip(changed, sealed, strict=False):
            slot.dossier.sealed = value
        rows = zip(self._raws, sealed[len(plain) :], strict=True)
        self._tx.put_raw([self._raw_row(owner, arrival, bound, value) for (owner, arrival, bound), value in rows])


def _is_placed(record: RecordRow) -> bool:
    """Whether it has a dossier, or a person is asked for it."""
    return bool(record.dossier_id or record.counts.get("doubt"))


def _is_asked(targets: Sequence[Target], portal: str) -> bool:
    """Whether commands wait for this portal: what it says may decide them."""
    return any(target.portal == portal and target.commands for target in targets)


def _take_over(record: RecordRow, slot: _Slot, leaf_digest: str) -> None:
    """What the record's row must know of this reading."""
    row, reading = slot.dossier, slot.reading
    record.dossier_id = row.id
    record.dossier_code = reading.dossier_code or record.dossier_code
    record.national_code = reading.national_code or record.national_code
    record.reference = reading.reference or record.reference
    record.applicant_hash = row.applicant_hash
    if not (reading.partial and slot.known):
        record.procedure_code, record.agency_code = reading.procedure_code, reading.agency_code
        record.digest, record.list_digest = reading.digest, reading.list_digest or record.list_digest
        record.raw_digest = slot.arrival.raw_digest
        record.read_at = reading.read_at
    record.removed = reading.removed
    record.absent = 0
    record.counts = {name: value for name, value in slot.seen.counts.items() if name not in ("aside", "doubt")}
    record.leaf = leaf_digest
