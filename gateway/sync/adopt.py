"""First contact: a portal is watched until a person draws a line through events; then it is live (S26, I13)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import LaneKey
from gateway.sync.case import Workshop
from gateway.sync.portal import Portal
from gateway.sync.preview import PlannedWrite, preview
from gateway.sync.slices import SLICE, lanes_of_portal, lanes_within
from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class AdoptReport:
    """What the line divides: dossiers with an event after it get their snapshot, older events are never sent."""

    portal: str
    from_at: float
    lanes: int
    after_line: int
    before_line: int
    dry_run: bool
    writes: tuple[PlannedWrite, ...] = ()
    """With `dry_run`: each call that going live would make now."""


def adopt(shop: Workshop, portal: Portal, from_at: float, *, actor: str, dry_run: bool) -> AdoptReport:
    """Draw the line and go live; with `dry_run` only count, and name what would be sent.

    Raises:
        ConfigError: A restored store has not been compared with this portal yet (S27).
    """
    state = shop.store.read(lambda tx: tx.portal(portal.name))
    if state.doc.get("compare_needed") and not dry_run:
        name = portal.name
        raise ConfigError(
            f"{name}: the store was restored and not compared yet: run 'lienthong reconcile {name}' first"
        )
    lanes, after = _count(shop, portal.name, from_at)
    writes: tuple[PlannedWrite, ...] = ()
    if dry_run:
        writes = tuple(preview(shop, portal, line=from_at)) if portal.pushes else ()
    else:
        shop.store.write(lambda tx: _go_live(tx, shop, portal.name, from_at, actor))
    return AdoptReport(portal.name, from_at, lanes, after, lanes - after, dry_run, writes)


def _count(shop: Workshop, portal: str, from_at: float) -> tuple[int, int]:
    ids = [lane.dossier_id for lane in lanes_of_portal(shop.store, portal)]
    after = 0
    for start in range(0, len(ids), SLICE):
        after += shop.store.read(partial(_after, ids=ids[start : start + SLICE], from_at=from_at))
    return len(ids), after


def _after(tx: Tx, ids: list[str], from_at: float) -> int:
    return sum(any(entry["at"] > from_at for entry in row.timeline) for row in tx.dossiers(ids).values())


def _go_live(tx: Tx, shop: Workshop, portal: str, from_at: float, actor: str) -> None:
    now = shop.now()
    row = tx.portal(portal)
    row.mode, row.adopt_from = "live", from_at
    tx.put_portal(row)
    tx.append_leaves([leaf("portal", now, portal=portal, act="adopt", actor=actor, line=from_at)])
    for lanes in lanes_within(tx, portal):
        tx.mark_due([LaneKey(portal, lane.dossier_id) for lane in lanes], now)
