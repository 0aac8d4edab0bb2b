"""Who must hear of a dossier? By procedure, agency, sector, wire or canonical status, and date."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from gateway.config import GroupConfig, OwnershipConfig, RouteConfig
from gateway.sync import forwarding
from gateway.sync.conditions import matches, unmet
from gateway.sync.decide import Ownership
from gateway.sync.timeline import Event
from gateway.sync.wanted import REQUESTS, DossierView, Explanation, Target, Wanted
from schemas.status import DossierStatus

__all__ = ["DossierView", "Explanation", "Target", "Wanted", "explain", "ownership_of", "route", "stages"]


def stages(routes: Iterable[RouteConfig]) -> frozenset[str]:
    """Portals that handle a stage forwarded to them."""
    return frozenset(route.to for route in forwarding.forwards(routes))


def ownership_of(handler: str, config: OwnershipConfig, staged: Iterable[str]) -> Ownership:
    """Ownership as it holds for the dossiers of one handler: it for the main stage, each ministry for its own."""
    return Ownership(
        handlers={"": handler, **{portal: portal for portal in staged}},
        requests={portal: frozenset(asked) for portal, asked in config.requests.items()},
    )


def route(
    view: DossierView,
    routes: Sequence[RouteConfig],
    ownership: OwnershipConfig,
    groups: Mapping[str, GroupConfig] | None = None,
    paused: Container[str] = (),
) -> list[Target]:
    """The portals that must hear of a dossier, each once, and the commands its events cause.

    Routes in `paused` send nothing; a group with one of them waits for it.
    """
    mirrors = {r.to: r for r in routes if r.kind == "mirror" and r.name not in paused and not _why_not(view, r)}
    commands: dict[str, list[Wanted]] = {}
    held = forwarding.rules(view, routes)
    handler = view.row.handler
    for found in held:
        if found.name not in paused:
            commands.setdefault(found.to, []).extend(forwarding.declarations(view, found))
            commands[found.to].extend(forwarding.cancellations(view, found))
            commands.setdefault(handler, []).extend(forwarding.results(view, found))
    waiting = {found.group for found in held if found.name in paused}
    ready = [found for found in held if found.group and found.group not in waiting]
    commands.setdefault(handler, []).extend(forwarding.group_results(view, ready, groups or {}))
    commands[handler].extend([*_births(view, ownership), *_requests(view, ownership)])
    portals = [*mirrors, *(portal for portal, wanted in commands.items() if wanted and portal not in mirrors)]
    return [Target(portal, mirrors.get(portal), tuple(commands.get(portal, ()))) for portal in portals if portal]


def explain(view: DossierView, route: RouteConfig, routes: Sequence[RouteConfig] = ()) -> Explanation:
    """Whether a route's standing conditions hold (its statuses apart, for a forward), and why."""
    forwarded = route.kind == "forward"
    reason = forwarding.not_for(view, route, routes or (route,)) if forwarded else _why_not(view, route)
    return Explanation(route.name, route.to, not reason, reason or "all conditions hold")


def _why_not(view: DossierView, mirror: RouteConfig) -> str:
    """Why a mirroring route does not hold; "" when it does."""
    when = mirror.when
    reason = unmet(view, when)
    conditional = when.statuses or when.wires
    if not reason and conditional and not any(matches(event, when) for event in view.owned()):
        reason = "no event has had a status of this route"
    return reason


def _births(view: DossierView, ownership: OwnershipConfig) -> list[Wanted]:
    """A dossier born elsewhere of which its handler has no record yet is to be made there, once (S6)."""
    if not ownership.births or any(e["portal"] == view.row.handler and e["record"] for e in view.entries):
        return []
    born = [event for event in view.events() if event.portal in ownership.births and _submits(event)]
    return [Wanted(born[0], "create_dossier", "births")] if born else []


def _submits(event: Event) -> bool:
    """A withdrawal or a payment that was heard of first is answered by its own act, when the dossier is there."""
    return event.status == DossierStatus.SUBMITTED and not event.baseline


def _requests(view: DossierView, ownership: OwnershipConfig) -> list[Wanted]:
    if ownership.requests.keys().isdisjoint([entry["portal"] for entry in view.entries]):
        return []
    return [
        Wanted(event, act.by, REQUESTS, act)
        for event in view.events()
        if event.portal in ownership.requests and event.portal != view.row.handler and not event.baseline
        for status, act in ownership.requests[event.portal].items()
        if status == event.status and (not act.wires or event.wire in act.wires)
    ]
