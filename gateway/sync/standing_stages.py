"""How hand-overs stand, for faces: each with its facts, and those of which one is late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.config import Config, TimersConfig
from gateway.store.base import Tx
from gateway.store.rows import StageRow
from gateway.sync.forwarding import forwards
from gateway.sync.stages import HOUR_S, Late, due_at, late
from gateway.sync.views import instant, stage_facts

MANY = 10_000_000


@dataclass(frozen=True, slots=True)
class LateStage:
    """A hand-over of which something should be known by now. `reason`: the fact that is missing, or `no_route`.

    `no_route` is a stage that is open at a portal to which no rule leads any more: its end would not be heard.
    """

    stage: StageRow
    dossier_code: str
    reason: str
    due_at: float


def late_stages(tx: Tx, config: Config, now: float, *, portal: str = "") -> list[LateStage]:
    """Open stages that are late, longest owed first."""
    routes = {(route.to, route.name): route for route in forwards(config.routes)}
    led_to = {route.to for route in routes.values()}
    found: list[tuple[StageRow, str, float]] = []
    shortest_h = min((hours for route in routes.values() for hours in _hours(route.timers)), default=None)
    if shortest_h is not None:
        for row in tx.list_stages(portal=portal, quiet_since=now - shortest_h * HOUR_S, limit=MANY):
            route = routes.get((row.portal, row.route))
            missed: Late | None = late(row, route.timers, now) if route is not None else None
            if missed is not None:
                found.append((row, missed.fact.value, missed.due_at))
    for left in sorted(tx.open_stage_portals() - led_to):
        rows = tx.list_stages(portal=left, limit=MANY) if portal in ("", left) else []
        begun = [row for row in rows if row.sent_at is not None or row.received_at is not None]
        found += [(row, "no_route", row.owed_at) for row in begun]
    dossiers = tx.dossiers({row.dossier_id for row, _, _ in found})
    called = {one.id: one.national_code or one.dossier_code for one in dossiers.values()}
    return [LateStage(row, called.get(row.dossier_id, ""), reason, at) for row, reason, at in found]


def _hours(timers: TimersConfig) -> list[float]:
    given = (timers.sent_within_h, timers.received_within_h, timers.accepted_within_h, timers.completed_within_h)
    return [hours for hours in given if hours is not None]


def stage_view(row: StageRow, config: Config, now: float) -> dict[str, Any]:
    """One hand-over as JSON values: when each fact came to be true, by whose word, what is missing until when."""
    route = next((one for one in forwards(config.routes) if (one.to, one.name) == (row.portal, row.route)), None)
    waits = due_at(row, route.timers) if route is not None else None
    return {
        "dossier_id": row.dossier_id,
        **stage_facts(row),
        "missing": waits.fact.value if waits else "",
        "due_at": instant(waits.due_at) if waits else "",
        "late": waits is not None and waits.due_at <= now,
    }
