"""How hand-overs stand, for faces: each with its facts, and those of which one is late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config import Config, RouteConfig
from gateway.store.base import Tx
from gateway.store.rows import StageRow
from gateway.sync.forwarding import forwards
from gateway.sync.stages import HOUR_S, Timers, due_at, late
from gateway.sync.timers import shortest_h, timers
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
    led_to = {route.to for route in forwards(config.routes)}
    found: list[tuple[StageRow, str, float]] = []
    hours = shortest_h(config)
    if hours is not None:
        quiet = tx.list_stages(portal=portal, quiet_since=now - hours * HOUR_S, limit=MANY)
        terms = Terms(config, tx.procedures_of({row.dossier_id for row in quiet}))
        for row in quiet:
            missed = late(row, terms.of(row), now) if row.portal in led_to else None
            if missed is not None:
                found.append((row, missed.fact.value, missed.due_at))
    for left in sorted(tx.open_stage_portals() - led_to):
        rows = tx.list_stages(portal=left, limit=MANY) if portal in ("", left) else []
        begun = [row for row in rows if row.sent_at is not None or row.received_at is not None]
        found += [(row, "no_route", row.owed_at) for row in begun]
    dossiers = tx.dossiers({row.dossier_id for row, _, _ in found})
    called = {one.id: one.national_code or one.dossier_code for one in dossiers.values()}
    return [LateStage(row, called.get(row.dossier_id, ""), reason, at) for row, reason, at in found]


class Terms:
    """The timers of many hand-overs, each worked out once for its partner, procedure and route."""

    def __init__(self, config: Config, procedures: Mapping[str, str]) -> None:
        self._config = config
        self._procedures = procedures
        self._routes: dict[tuple[str, str], RouteConfig] = {(one.to, one.name): one for one in forwards(config.routes)}
        self._known: dict[tuple[str, str, str], Timers] = {}

    def of(self, row: StageRow) -> Timers:
        """The timers of one hand-over; where its route is gone, those of its partner."""
        key = (row.portal, row.route, self._procedures.get(row.dossier_id, ""))
        if key not in self._known:
            self._known[key] = timers(self._config, row.portal, key[2], self._routes.get(key[:2]))
        return self._known[key]


def stage_view(row: StageRow, terms: Terms, now: float) -> dict[str, Any]:
    """One hand-over as JSON values: when each fact came to be true, by whose word, and what is missing until when."""
    known = terms.of(row)
    waits = due_at(row, known)
    return {
        "dossier_id": row.dossier_id,
        **stage_facts(row),
        "missing": waits.fact.value if waits else "",
        "due_at": instant(waits.due_at) if waits else "",
        "because": (known[waits.fact].because or "default") if waits else "",
        "late": waits is not None and waits.due_at <= now,
    }
