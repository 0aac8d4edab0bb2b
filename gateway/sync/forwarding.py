"""Stages handed over to other portals: who gets one, what its answers make the handler do, and when it is called off.

A dossier that was handed over stays where it is until that stage has ended, whatever the rules have become (L13,
docs/adr/0014): `began` reads where from the dossier's flags, written when the first hand-over begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from gateway.config import GroupConfig, RouteConfig
from gateway.sync.conditions import is_one_of, matches, unmet
from gateway.sync.timeline import Event
from gateway.sync.wanted import DossierView, Wanted
from schemas.status import STAGE_DONE, STAGE_ENDS

_MARK = "handed:"


def handed(portal: str, route: str) -> str:
    """The flag of a dossier that was handed to `portal` by `route`."""
    return f"{_MARK}{portal}/{route}"


def began(flags: Iterable[str]) -> list[tuple[str, str]]:
    """Portal and route of each hand-over that has begun."""
    found = (flag.removeprefix(_MARK).partition("/") for flag in flags if flag.startswith(_MARK))
    return [(portal, route) for portal, _, route in found]


def forwards(routes: Iterable[RouteConfig]) -> list[RouteConfig]:
    """The routes that hand a stage over."""
    return [route for route in routes if route.kind == "forward"]


def is_open(view: DossierView, portal: str) -> bool:
    """Whether a stage has not come to an end."""
    now = view.current(portal)
    return now is None or now.status not in STAGE_ENDS


def not_for(view: DossierView, route: RouteConfig, routes: Sequence[RouteConfig]) -> str:
    """Why a forwarding route does not hold for a dossier; "" when it does."""
    begun = began(view.row.flags)
    if (route.to, route.name) in begun:
        return ""
    reason = unmet(view, route.when)
    names = {one.name for one in routes}
    renamed = any(portal == route.to and name not in names for portal, name in begun)
    if reason:
        return "" if renamed and is_open(view, route.to) else reason
    for portal, name in begun:
        if portal != route.to and is_open(view, portal) and ended(view, name, routes):
            return f"it was handed to {portal} by '{name}', which holds no more for new ones: it stays there"
    return ""


def ended(view: DossierView, name: str, routes: Sequence[RouteConfig]) -> bool:
    """Whether the rules would not take this dossier by the named route today."""
    return not any(one.name == name and not unmet(view, one.when) for one in routes)


def left_behind(view: DossierView, routes: Sequence[RouteConfig]) -> set[str]:
    """Portals that got the dossier by a route that does not hold for it any more."""
    return {portal for portal, name in began(view.row.flags) if ended(view, name, routes)}


def rules(view: DossierView, routes: Sequence[RouteConfig]) -> list[RouteConfig]:
    """The forwarding routes that hold for this dossier."""
    return [route for route in forwards(routes) if not not_for(view, route, routes)]


def causes(view: DossierView, route: RouteConfig) -> list[Event]:
    """The handler's events that want the dossier handed over by this route."""
    return [event for event in view.owned() if not event.cause and matches(event, route.when)]


def declarations(view: DossierView, route: RouteConfig) -> list[Wanted]:
    """Hand-overs, each caused by an event of the handler."""
    return [Wanted(event, "declare", route.name, until=route.cancel) for event in causes(view, route)]


def cancellations(view: DossierView, route: RouteConfig) -> list[Wanted]:
    """Each time the handler ends what it had handed over, the stage's portal is told, once."""
    wanted: list[Wanted] = []
    asked = {event.id for event in causes(view, route)} if route.cancel else set()
    going = False
    for event in view.owned() if asked else ():
        if event.id in asked:
            going = True
        elif going and is_one_of(event, route.cancel):
            going = False
            wanted.append(Wanted(event, "cancel", route.name, until=route.cancel))
    return wanted


def results(view: DossierView, route: RouteConfig) -> list[Wanted]:
    """What the stage's own statuses make the handler do."""
    return [
        Wanted(event, act.by, route.name, act, stages=(route.to,))
        for event in view.owned(route.to)
        for status, act in route.results.items()
        if status == event.status and _is_news(event) and (not act.wires or event.wire in act.wires)
    ]


def group_results(view: DossierView, held: Sequence[RouteConfig], groups: Mapping[str, GroupConfig]) -> list[Wanted]:
    """What stages that belong together make the handler do: all have ended well, or one has not.

    All routes of the group that hold for the dossier count, also those whose hand-over is yet to come.
    The first refusal acts; a later one finds the handler there already and ends superseded.
    """
    found: list[Wanted] = []
    grouped = sorted((route for route in held if route.group in groups), key=lambda route: route.group)
    for name, routes in groupby(grouped, key=lambda route: route.group):
        found += _together(view, list(routes), groups[name])
    return found


def _together(view: DossierView, together: Sequence[RouteConfig], group: GroupConfig) -> list[Wanted]:
    ends = [(route, now) for route in together if (now := view.current(route.to)) and now.status in STAGE_ENDS]
    bad = [(route, end) for route, end in ends if end.status not in STAGE_DONE]
    if bad:
        refused = group.when_any_refused
        return [
            Wanted(end, refused.by, route.name, refused, stages=(route.to,))
            for route, end in bad
            if refused and _is_news(end)
        ]
    news = [(route, end) for route, end in ends if _is_news(end)]
    if not news or len(ends) < len(together):
        return []
    route, last = max(news, key=lambda pair: (pair[1].news_at, pair[1].id))
    everywhere = tuple(dict.fromkeys(one.to for one in together))
    return [Wanted(last, group.when_all.by, route.name, group.when_all, stages=everywhere)]


def _is_news(event: Event) -> bool:
    return not event.baseline and not event.cause
