"""What must hold after every step of a life, and what must be true when it has come to rest (design.md section 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial

import orjson

from gateway.store.base import Tx
from gateway.sync.case import in_doubt
from tests.integration.engine import evidence
from tests.simulation.world import PORTALS, SlowWorld, cause_of
from tests.unit.sync.portals import Folder

RESULTS = ("completed", "supplement_requested")
CANONICAL = {"forwarded": "in_progress"}


def canonical(status: str) -> str:
    """The desk's word as the model says it."""
    return CANONICAL.get(status, status)


def moments(rows: Iterable[tuple[str, str]]) -> set[tuple[str, float]]:
    """Rows with their instants in seconds."""
    return {(status, datetime.fromisoformat(at).timestamp()) for status, at in rows}


def undecided(tx: Tx, dossier_id: str) -> dict[str, str]:
    """Wishes of the national portal that the province has neither answered nor outlived, and how each stands."""
    asked = [
        entry["id"]
        for entry in tx.dossiers([dossier_id])[dossier_id].timeline
        if entry["portal"] == "national" and entry["status"] == "withdrawal_requested" and not entry.get("base")
    ]
    lanes = [lane for lane in tx.lanes_of([dossier_id]).get(dossier_id, []) if lane.portal == "province"]
    given = lanes[0].doc.get("commands", {}) if lanes else {}
    stand = {cause: str(given.get(cause, {}).get("state", "")) for cause in asked}
    return {cause: state for cause, state in stand.items() if state not in ("delivered", "superseded")}


def _may_begin(tx: Tx, *, dossier_id: str, operation: object) -> None:
    """Raise AssertionError when a call was begun that the rules forbid."""
    assert not in_doubt(tx.dossiers([dossier_id])[dossier_id]), f"S2: a call for {dossier_id}, which is in doubt"
    if operation == "update":
        unanswered = [cause for cause, state in undecided(tx, dossier_id).items() if state != "parked"]
        assert not unanswered, f"S10: a wish overwritten before it was answered {unanswered}"


class Watch:
    """Looks at the store after every step."""

    def __init__(self, world: SlowWorld) -> None:
        self._world = world
        self._leaf = 0

    def begin_anew(self) -> None:
        """The store was replaced by an older one."""
        self._leaf = 0
        self._take_leaves()

    def look(self) -> None:
        """Raise AssertionError when an invariant does not hold."""
        assert not self._world.wrong, self._world.wrong
        assert self._world.shelves is None or not self._world.shelves.wrong, self._world.shelves.wrong
        self._sent_only_where_live()
        self._world.store.read(self._proven_and_owned)

    def _take_leaves(self) -> list[dict[str, object]]:
        found = self._world.store.read(lambda tx: tx.leaves(after=self._leaf, limit=10_000))
        self._leaf = found[-1][0] if found else self._leaf
        return [orjson.loads(row.canonical) for _, row in found]

    def _sent_only_where_live(self) -> None:
        for made in self._take_leaves():
            if made["kind"] == "attempt":
                portal = str(made["portal"])
                state = self._world.store.read(lambda tx, name=portal: tx.portal(name))
                assert state.mode == "live", f"I13: an attempt in watch at {portal}"
                assert not state.paused, f"I13: an attempt past the brake at {portal}"
                self._world.store.read(
                    partial(_may_begin, dossier_id=str(made["dossier"]), operation=made["operation"])
                )

    def _proven_and_owned(self, tx: Tx) -> None:
        done = {(held.portal, held.cause) for held in self._world.book}
        for row in tx.list_deliveries(limit=10_000):
            if row.state == "delivered" and not row.by_person and row.klass != "snapshot":
                assert (row.portal, cause_of(row.key)) in done, f"I2: {row.key} counts as delivered and never happened"
            if row.open and not in_doubt(tx.dossiers([row.dossier_id])[row.dossier_id]):
                lane = next(x for x in tx.lanes_of([row.dossier_id])[row.dossier_id] if x.portal == row.portal)
                awake = lane.due_at is not None or lane.lease_token or "a request of this portal" in lane.reason
                assert awake, f"I7: {row.key} is open and nobody will look ({lane.state}: {lane.reason})"
        for lane in tx.iter_lanes(limit=10_000):
            if lane.state != "calm":
                assert lane.reason, f"I7: {lane.portal} waits and says not why"


def effects(world: SlowWorld) -> int:
    """How much has happened at the portals."""
    return len(world.book)


def owing(world: SlowWorld) -> list[str]:
    """Lanes that are due and deliveries that are open."""
    lanes = world.store.read(lambda tx: tx.iter_lanes(limit=10_000))
    due = [f"{x.portal}/{x.dossier_id} {x.state}: {x.reason}" for x in lanes if x.due_at is not None]
    return due + [row.key for row in world.open_deliveries()]


def agree(world: SlowWorld) -> None:
    """All ends say the same: nothing lost, nothing doubled, nothing invented."""
    dossiers = {row.dossier_code: row for row in world.store.read(lambda tx: list(tx.iter_dossiers()))}
    count = len(world.store.read(lambda tx: list(tx.iter_dossiers())))
    assert count == len(world.province.folders), f"{count} dossiers of {len(world.province.folders)}"
    for folder in world.province.folders.values():
        code = folder.detail["code"]
        _one(world, folder, code, dossiers[code].id, dossiers[code].status)
    evidence.check(world.store)
    if world.shelves is not None:
        without = world.shelves.without_address()
        assert not without, f"files: shown without an address {without}"
        left = world.store.read(lambda tx: tx.list_wanted(states=["wanted", "given_up"]))
        assert not left, f"files: never had {[(row.portal, row.ref, row.reason) for row in left]}"


def _one(world: SlowWorld, folder: Folder, code: str, dossier_id: str, status: str) -> None:
    wanted = canonical(folder.detail["status"])
    assert status == wanted, f"{code}: we say {status}, the province {wanted}"
    lane = world.lane("national", dossier_id)
    shown = world.national.shown.get(code, {}).get("status")
    if lane.state != "drift_given_up":
        assert shown == wanted, f"{code}: national shows {shown}, the province {wanted} ({lane.state}: {lane.reason})"
    rows = Counter(world.rows(code))
    expected = Counter(canonical(row["status"]) for row in folder.log)
    assert rows == expected, f"{code}: rows lost {expected - rows}, invented {rows - expected}"
    declared = [what for what, where in world.justice.pushes if (what, where) == ("declare", code)]
    forwards = any(row["status"] == "forwarded" for row in folder.log)
    assert len(declared) <= 1 or world.justice.abilities.operations["declare"].repeat == "safe", "declared twice"
    if folder.detail["status"] == "forwarded":
        assert declared, f"{code}: forwarded and never declared"
        since = datetime.fromisoformat(folder.detail["at"]).timestamp()
        timeline = world.store.read(lambda tx: tx.dossiers([dossier_id]))[dossier_id].timeline
        answered = [entry for entry in timeline if entry["portal"] == "justice" and entry["at"] > since]
        last = max(answered, key=lambda entry: entry["at"], default=None)
        unheard = last is not None and last["status"] in RESULTS and not last.get("base")
        assert not unheard, f"{code}: the ministry's answer {last} never reached the desk"
    left = world.store.read(lambda tx: undecided(tx, dossier_id))
    assert not left, f"{code}: wishes never answered {left}"
    assert forwards or not declared, f"{code}: declared and never forwarded"


def quiet(world: SlowWorld) -> None:
    """At rest nothing is written any more, here or there (I6)."""
    before, done = world.store.read(lambda tx: tx.counts()), effects(world)
    for _ in range(3):
        world.tick(120)
        for portal in PORTALS:
            world.engine.pull(portal)
        for portal in PORTALS:
            world.engine.deliver(portal)
    after = world.store.read(lambda tx: tx.counts())
    assert after == before, f"I6: rows written at rest {before} {after}"
    assert effects(world) == done, "I6: calls made at rest"
