"""Where a dossier goes and why, route by route; of a stage that was handed over also how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import Config, RouteConfig
from gateway.store.base import Tx
from gateway.store.rows import StageRow
from gateway.sync.case import Workshop, paused_routes
from gateway.sync.dossiers import Held, view_of
from gateway.sync.forwarding import causes, is_open
from gateway.sync.route import DossierView, explain
from gateway.sync.stages import Fact, Timer, at_of, due_at
from gateway.sync.timers import timers


@dataclass(frozen=True, slots=True)
class Explained:
    """One route. `why` is the first condition that does not hold; the rest is of a forward that holds.

    `caused_by`: statuses of the handler that want it handed over. `facts`: fact -> when it came to be true, in seconds.
    `waits_for` and `due_at`: the fact that is missing and when it should be known. `timers`: fact -> how long it may be
    missing, and the key of the configuration that says so ("" is the default). `group` and `group_waits_for`: the
    stages that decide together, and the portals that have not ended theirs.
    """

    route: str
    portal: str
    kind: str
    holds: bool
    why: str
    paused: str = ""
    caused_by: tuple[str, ...] = ()
    status: str = ""
    facts: dict[str, float] | None = None
    waits_for: str = ""
    due_at: float | None = None
    timers: dict[str, Timer] | None = None
    group: str = ""
    group_waits_for: tuple[str, ...] = ()


def explain_dossier(tx: Tx, shop: Workshop, dossier_id: str) -> list[Explained]:
    """Every route of the configuration, in its order; empty for an unknown dossier."""
    row = tx.dossiers([dossier_id]).get(dossier_id)
    if row is None:
        return []
    view = view_of(row, Held.open(row, shop.vault), shop.config)
    stages = {(one.portal, one.route): one for one in tx.stages_of([row.id]).get(row.id, [])}
    held_back = paused_routes(tx)
    return [
        _explained(view, found, shop.config, stages.get((found.to, found.name)), held_back.get(found.name, ""))
        for found in shop.config.routes
    ]


def _explained(view: DossierView, route: RouteConfig, config: Config, stage: StageRow | None, paused: str) -> Explained:
    routes = config.routes
    said = explain(view, route, routes)
    if route.kind == "mirror" or not said.holds:
        return Explained(route.name, route.to, route.kind, said.holds, said.why, paused)
    together = [one for one in routes if route.group and one.group == route.group and explain(view, one, routes).holds]
    running = timers(config, route.to, view.row.procedure_code, route)
    wanted = due_at(stage, running) if stage else None
    return Explained(
        route.name,
        route.to,
        route.kind,
        said.holds,
        said.why,
        paused,
        caused_by=tuple(event.wire or event.status for event in causes(view, route)),
        status=stage.status if stage else "",
        facts={fact.value: at for fact in Fact if (at := at_of(stage, fact)) is not None} if stage else None,
        waits_for=wanted.fact.value if wanted else "",
        due_at=wanted.due_at if wanted else None,
        timers={fact.value: timer for fact, timer in running.items()},
        group=route.group,
        group_waits_for=tuple(one.to for one in together if is_open(view, one.to)),
    )
