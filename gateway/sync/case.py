"""All that is needed to judge one lane, read in one snapshot: the lane, its dossier, what is open, what is wanted."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from adapters.base import DeliveryClass, FileUse, KnowsUploads, Operation, Repeat
from gateway.config import Config
from gateway.signing import SigningRing
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import DeliveryRow, DossierRow, LaneKey, PortalRow
from gateway.sync import files
from gateway.sync.conflicts import in_conflict
from gateway.sync.dossiers import Held, hashed, values_of, view_of
from gateway.sync.forwarding import left_behind
from gateway.sync.handover import Handovers
from gateway.sync.lane import Lane
from gateway.sync.plan import Desk, Plan, Snapshot, plan
from gateway.sync.portal import Portal
from gateway.sync.reading import merge_facts
from gateway.sync.right_of_way import RightOfWay
from gateway.sync.route import DossierView, Target, route
from gateway.sync.superseding import given_away
from gateway.sync.undecided import undecided_until
from schemas.clock import Clock
from schemas.errors import NotSendableError

KEY_SPACE = uuid.UUID("6f1d2f0e-55a0-5c4e-9b7e-3f0f2f4f7a11")
"""Namespace of our delivery keys: `key_uuid` is the UUIDv5 of the key in it."""


def nobody(portal: str) -> None:
    """Hear nothing: where no job fetches files by itself."""
    del portal


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every verb of the engine shares. Time, randomness and ids are passed in."""

    config: Config
    store: Store
    vault: Vault
    portals: Mapping[str, Portal]
    clock: Clock
    random: random.Random
    new_id: Callable[[], str]
    wake: Callable[[str], None]
    """Called with a portal's name after a commit that made its lanes due."""
    signer: SigningRing | None = None
    """Signs receipts; without it none are written."""
    right_of_way: RightOfWay = field(default_factory=RightOfWay)
    fetch: Callable[[str], None] = nobody
    """Called with a portal's name when a file that it holds is wanted."""

    @property
    def handovers(self) -> Handovers:
        """The book of hand-overs."""
        return Handovers(self.config, self.vault, self.signer)

    def now(self) -> float:
        """The present instant in seconds."""
        return self.clock.now().timestamp()

    def spread(self) -> float:
        """Jitter between -1 and 1."""
        return self.random.uniform(-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Written:
    """The canonical record as an operation writes it, and the files it names."""

    values: dict[str, Any]
    carried: files.Carrier


@dataclass(slots=True)
class Case:
    """One lane with everything around it."""

    shop: Workshop
    portal: Portal
    lane: Lane
    dossier: DossierRow
    held: Held
    view: DossierView
    target: Target | None
    open: list[DeliveryRow]
    desk: Desk
    record: str
    shelf: files.Shelf
    _snapshot: Snapshot | None = field(default=None)
    _values: dict[str, Any] | None = field(default=None)
    _written: dict[str, Written] = field(default_factory=dict)

    @property
    def key(self) -> LaneKey:
        """The lane's key."""
        return LaneKey(self.portal.name, self.dossier.id)

    @property
    def external_id(self) -> str:
        """The portal's own key of this dossier; the number where it has none yet."""
        return self.record or self.view.number

    @property
    def in_doubt(self) -> bool:
        """Whether a record of this dossier waits for a person's word: nothing is sent until then (S2)."""
        return in_doubt(self.dossier)

    def may_settle(self, row: DeliveryRow) -> bool:
        """Whether an uncertain delivery may be looked at now.

        In doubt nothing is sent (S2); the repeat of an update would overwrite a request that is not decided yet (S10).
        """
        operation = self.portal.adapter.abilities.operations[row.operation]
        overwrites = row.klass == DeliveryClass.SNAPSHOT and operation.repeat is Repeat.SAFE
        return not self.in_doubt and not (overwrites and self.desk.undecided)

    def values(self) -> dict[str, Any]:
        """The canonical record to write."""
        if self._values is None:
            self._values = values_of(self.view, self.held)
        return self._values

    def carrier(self, operation: Operation) -> files.Carrier:
        """Takes up the files that one write of an operation names."""
        return files.Carrier(self.shelf, operation.files)

    def written(self, operation: Operation) -> Written:
        """The canonical record as an operation writes it."""
        found = self._written.get(operation.name)
        if found is None:
            found = self._written[operation.name] = self._with_files(operation)
        return found

    def _with_files(self, operation: Operation) -> Written:
        carrier = self.carrier(operation)
        lists = files.lists_of(self.portal.vocabulary.messages[operation.message], operation.files)
        if not lists or not files.names_files(self.held.facts):
            return Written(self.values(), carrier)
        held = Held({"facts": carrier.facts(self.held.facts, lists), "texts": self.held.texts})
        return Written(
            values_of(replace(self.view, facts=merge_facts(held.owned(self.dossier.handler))), held), carrier
        )

    def lacks(self) -> list[files.Missing]:
        """Files that a mirror's copy names and that were never asked for, if the copy was looked at at all."""
        update = self.portal.adapter.abilities.update
        if self._snapshot is None or not update:
            return []
        missing = self.written(self.portal.adapter.abilities.operations[update]).carried.missing
        return [one for one in missing if not (one.known or one.again)]

    def snapshot(self) -> Snapshot:
        """The wanted content under the mapping's compare rule, hashed, or what stops it."""
        if self._snapshot is None:
            self._snapshot = self._wanted()
        return self._snapshot

    def _wanted(self) -> Snapshot:
        able = self.portal.adapter.abilities
        operation = able.operations[able.update or ""]
        message = self.portal.vocabulary.messages[operation.message]
        values = self.written(operation).values
        try:
            message.localise(values)
        except NotSendableError as error:
            return Snapshot({}, error.missing or (error.reason,))
        now = self.view.current()
        return Snapshot(hashed(self.shop.vault, message.comparable(values)), since=now.id if now else "")

    def plan(self) -> Plan:
        """What must be sent now."""
        wants_snapshot = self.target is not None and self.target.mirror is not None
        return plan(self.view, self.lane, self.target, self.desk, self.snapshot if wants_snapshot else None)


def in_doubt(dossier: DossierRow) -> bool:
    """Whether a second record, or one of two dossiers, claims to be this dossier's."""
    return any(flag.startswith("doubt:") for flag in dossier.flags)


def paused_routes(tx: Tx) -> dict[str, str]:
    """Route -> why it is paused."""
    kept = tx.setting("paused_routes")
    found: dict[str, str] = orjson.loads(kept) if kept else {}
    return found


def open_case(tx: Tx, shop: Workshop, portal: Portal, key: LaneKey, dossier_id: str) -> Case | None:
    """Read a lane and all it needs; None when lane or dossier is gone."""
    row = tx.lanes([key]).get(key)
    dossier = tx.dossiers([dossier_id]).get(dossier_id)
    if row is None or dossier is None:
        return None
    held = Held.open(dossier, shop.vault)
    view = view_of(dossier, held, shop.config)
    held_back = paused_routes(tx)
    config = shop.config
    targets = route(view, config.routes, config.ownership, config.groups, held_back)
    target = next((found for found in targets if found.portal == portal.name), None)
    waiting = tx.deliveries([key]).get(key, [])
    desk = _desk(tx, shop, portal, tx.portal(portal.name), view, waiting, targets)
    mine = [
        r.external_id
        for r in tx.records_of([dossier_id]).get(dossier_id, [])
        if r.portal == portal.name and not r.removed
    ]
    shelf = _shelf(tx, shop, portal, dossier_id, held)
    return Case(shop, portal, Lane(row), dossier, held, view, target, waiting, desk, mine[0] if mine else "", shelf)


def _shelf(tx: Tx, shop: Workshop, portal: Portal, dossier_id: str, held: Held) -> files.Shelf:
    """The dossier's files; nothing is looked for where this portal gets none, or none is named."""
    uses = {operation.files for operation in portal.adapter.abilities.operations.values()}
    base = portal.config.inbound.files_at if portal.config.inbound else ""
    if uses <= {FileUse.NONE} or not files.names_files(held.facts):
        return files.Shelf(portal.name, {}, {}, {})
    opening = frozenset(name for name, one in shop.portals.items() if one.opens_files and name != portal.name)

    def address(file_id: str) -> str:
        return f"{base.rstrip('/')}/{files.token_of(shop.vault, portal.name, file_id)}" if base else ""

    tellers = {name: one.adapter for name, one in shop.portals.items() if isinstance(one.adapter, KnowsUploads)}
    return files.read_shelf(tx, dossier_id, portal.name, opening, address, tellers)


def _desk(
    tx: Tx,
    shop: Workshop,
    portal: Portal,
    state: PortalRow,
    view: DossierView,
    waiting: list[DeliveryRow],
    targets: list[Target],
) -> Desk:
    restored = tx.setting("restored_at")
    blocked: dict[str, tuple[str, float | None]] = {}
    for delivery in waiting:
        if delivery.state == "offered":
            continue  # an inbox keeps its items in order, so a later one need not wait until this one is collected
        blocked[delivery.klass] = ("the outcome of an earlier call is not known yet", delivery.next_at)
    if in_conflict(view.row):
        waits = "a person must say which of two statuses at one moment holds"
        blocked |= dict.fromkeys((DeliveryClass.SNAPSHOT, DeliveryClass.COMMAND), (waits, None))
    if in_doubt(view.row):
        blocked.update(dict.fromkeys(DeliveryClass, ("a record in doubt must be linked or unlinked first", None)))
    line = state.adopt_from if state.adopt_from is not None else float("inf")
    number = view.number
    same = tx.dossiers_by_code([number]).get(number, []) if number else []
    return Desk(
        abilities=portal.adapter.abilities,
        line=line,
        now=shop.now(),
        drift_tries=portal.config.drift_tries,
        adopt=portal.config.adopt,
        restored_at=float(restored) if restored else None,
        blocked=blocked,
        undecided=undecided_until(tx, shop.portals, portal.name, view, targets, line, shop.now()),
        number_taken=any(other.id != view.row.id for other in same),
        told=bool(shop.config.ownership.births) and tx.is_told(view.row.id),
        elsewhere=_elsewhere(tx, shop, portal, view),
    )


def _elsewhere(tx: Tx, shop: Workshop, portal: Portal, view: DossierView) -> dict[str, str]:
    """Cause -> the portal that got it by a forwarding route that does not hold for this dossier any more (L13)."""
    others = left_behind(view, shop.config.routes) - {portal.name}
    lanes = tx.lanes([LaneKey(at, view.row.id) for at in sorted(others)]) if others else {}
    return given_away(lanes.values())


def delivery_key(case: Case, klass: str, cause: str, epoch: str) -> str:
    """Portal, dossier, class, cause event or snapshot version; keys we give carry the epoch (S15, S27)."""
    return f"{case.portal.name}/{case.dossier.id}/{klass}/{cause}@{epoch}"
