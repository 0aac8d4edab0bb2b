"""Hearing: what a placed reading says is taken into its dossier, and who must learn of it becomes due (S3 to S8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gateway.store.rows import DossierRow, Json, LaneKey
from gateway.sync import conflicts, own_lane, timeline, writing
from gateway.sync.decide import Decision, Ownership, decide_all, goes_back_from_the_end
from gateway.sync.dossiers import as_json, refresh_columns, view_of
from gateway.sync.handover import Told
from gateway.sync.observe import Observation, observe
from gateway.sync.page import Page, Placed
from gateway.sync.reading import merge_facts
from gateway.sync.route import DossierView, Target, route
from gateway.sync.timeline import Entry, Merged


def hear(page: Page, placed: Placed) -> None:
    """Take a reading into its dossier and note what must be written; a stale one says nothing (S8)."""
    slot, row = placed.slot, placed.dossier
    seen = observe(
        slot.reading,
        slot.record if slot.known else None,
        page.identity,
        page.stage,
        bool(slot.record.counts.get("ours")),
    )
    if seen.stale:
        page.done.stale += 1
        return
    moved = _brought(row, seen)
    if page.handles and not row.handler:
        row.handler = page.name
    ownership = page.terms.ownership(row.handler)
    before = cast("list[Entry]", row.timeline)
    was = timeline.current(before, ownership.handlers)
    owned = _own_words(page, placed, before, seen.entries, ownership)
    merged = timeline.merge(before, owned)
    decisions = _decisions(page, before, owned, merged, ownership)
    moved = _take_in(placed, seen, merged) or moved
    moved = _facts_changed(page, placed) or moved
    if slot.reading.national_code and not row.national_code:
        row.national_code = slot.reading.national_code
    view = view_of(row, placed.held, page.terms.config, ownership)
    refresh_columns(row, placed.held, view)
    conflicts.keep(page, placed, decisions, ownership)
    if goes_back_from_the_end(was, view.current()):
        row.flags = tuple(dict.fromkeys((*row.flags, "reopened")))
    due = _lanes_due(page, placed, view, moved)
    leaf_digest = writing.note_observation(page, placed, decisions, due)
    if page.stage and moved:
        told = Told(leaf_digest, frozenset(entry["id"] for entry in seen.entries), slot.arrival.signed)
        page.terms.handovers.heard(page.tx, view, page.name, told, page.now)
    _remember(page, placed, seen, leaf_digest)
    if moved or not slot.known:
        page.changed[row.id] = placed


def _brought(row: DossierRow, seen: Observation) -> bool:
    """Whether the record brings entries of its own along, as one does that a person has linked anew."""
    brought: Sequence[Entry] = seen.counts.pop("entries", ())
    if brought:
        row.timeline = cast("list[Json]", timeline.merge(cast("list[Entry]", row.timeline), brought)[0])
    return bool(brought)


def _own_words(
    page: Page, placed: Placed, before: Sequence[Entry], entries: Sequence[Entry], ownership: Ownership
) -> Sequence[Entry]:
    """What the portal says with a right to say it: notes, and statuses that it owns or may ask for, echoes apart."""
    echo = own_lane.is_echo(page, placed)
    if not echo and (ownership.handlers.get(page.stage) == page.name or _submits(page, placed.dossier.handler, before)):
        return entries
    may_say = ownership.may_say
    return [
        entry
        for entry in entries
        if not entry["status"] or (may_say(entry["portal"], page.stage, entry["status"]) and not echo)
    ]


def _submits(page: Page, handler: str, before: Sequence[Entry]) -> bool:
    """Whether the handler has not spoken yet: before that anybody may."""
    return not page.stage and not any(entry["portal"] == handler and entry["status"] for entry in before)


def _decisions(
    page: Page, before: Sequence[Entry], owned: Sequence[Entry], merged: Merged, ownership: Ownership
) -> list[tuple[str, Decision]]:
    labels = decide_all(before, owned, ownership, merged)
    page.labels += labels
    pairs = zip(owned, labels, strict=True)
    return [(entry["id"], label) for entry, label in pairs if label is not Decision.DUPLICATE]


def _take_in(placed: Placed, seen: Observation, merged: Merged) -> bool:
    """Keep the union, and the texts of what is new in it; says whether anything is."""
    entries, added, corrected = merged
    placed.dossier.timeline = cast("list[Json]", entries)
    texts = placed.held.texts
    for entry in (*added, *corrected):
        text = seen.texts.get(entry["id"])
        if text:
            texts[entry["id"]] = text
    return bool(added or corrected)


def _facts_changed(page: Page, placed: Placed) -> bool:
    name, held, facts = page.name, placed.held.facts, placed.slot.reading.facts
    if placed.slot.reading.partial or placed.slot.reading.sparse:  # the rest stands
        facts = _with_the_rest(held.get(name, {}), as_json(merge_facts([facts])))
    if name in held and held[name] == as_json(facts):
        return False
    held[name] = facts
    return True


def _with_the_rest(known: Json, told: Json) -> Json:
    """What was known, mended by what a message names; the papers it brings join those there."""
    brought = told.get("documents") or []
    names = {paper["reference"] for paper in brought if paper.get("reference")}
    kept = [
        paper for paper in known.get("documents") or () if paper.get("reference") not in names and paper not in brought
    ]
    return {**known, **told} | ({"documents": [*kept, *brought]} if brought else {})


def _lanes_due(page: Page, placed: Placed, view: DossierView, moved: bool) -> list[str]:
    row = placed.dossier
    due = _hearers(page, view) if moved else set()
    if moved:
        row.version += 1
        row.changed_at = page.now
    if own_lane.is_due(page, placed):
        due.add(page.name)
    for portal in due:
        page.due[LaneKey(portal, row.id)] = None
    for name in placed.slot.reading.unknown:
        page.done.unknown_fields[name] = page.done.unknown_fields.get(name, 0) + 1
    return sorted(due)


def _hearers(page: Page, view: DossierView) -> set[str]:
    """Portals that must hear of a change; the one that told it only if commands wait for it."""
    config, portals = page.terms.config, page.terms.portals
    targets = route(view, config.routes, config.ownership, config.groups)
    page.terms.handovers.owed(page.tx, view.row, targets, page.now)
    due = {target.portal for target in targets if target.portal in portals and portals[target.portal].pushes}
    if page.name in due and not _is_asked(targets, page.name):
        due.remove(page.name)
    return due


def _is_asked(targets: Sequence[Target], portal: str) -> bool:
    """Whether commands wait for this portal: what it says may decide them."""
    return any(target.portal == portal and target.commands for target in targets)


def _remember(page: Page, placed: Placed, seen: Observation, leaf_digest: str) -> None:
    """What the record's row must know of this reading."""
    record, row, reading = placed.slot.record, placed.dossier, placed.slot.reading
    record.dossier_id = row.id
    record.dossier_code = reading.dossier_code or record.dossier_code
    record.national_code = reading.national_code or record.national_code
    record.reference = reading.reference or record.reference
    record.applicant_hash = row.applicant_hash
    if not (reading.partial and placed.slot.known):
        record.procedure_code, record.agency_code = reading.procedure_code, reading.agency_code
        record.digest, record.list_digest = reading.digest, reading.list_digest or record.list_digest
        record.raw_digest = placed.slot.arrival.raw_digest
        record.read_at = reading.read_at
    record.removed = reading.removed
    record.absent = 0
    record.counts = {name: value for name, value in seen.counts.items() if name not in ("aside", "doubt")}
    record.leaf = leaf_digest
    page.records.append(record)
    page.done.changed += 1
