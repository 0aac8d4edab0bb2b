"""Who must hear of a dossier? By procedure, agency, sector, wire or canonical status, and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from gateway.config import Act, OwnershipConfig, RouteConfig, When
from gateway.store.rows import DossierRow
from gateway.sync import timeline
from gateway.sync.decide import Ownership
from gateway.sync.timeline import Entry, Event
from schemas.clock import VIETNAM


@dataclass(frozen=True, slots=True)
class DossierView:
    """A dossier as routes and plans see it; `facts` are the handler's facts, merged."""

    row: DossierRow
    facts: Mapping[str, Any]
    entries: tuple[Entry, ...]
    ownership: Ownership
    _kept: dict[str, tuple[list[Event], list[Event]]] = field(default_factory=dict, compare=False, repr=False)
    _now: dict[str, Event | None] = field(default_factory=dict, compare=False, repr=False)

    def _stage(self, stage: str) -> tuple[list[Event], list[Event]]:
        """All events of a stage, and those of its handler; worked out once."""
        kept = self._kept.get(stage)
        if kept is None:
            handler = timeline.handler_of(self.entries, self.ownership.handlers, stage)
            found = timeline.events(self.entries, stage)
            kept = self._kept[stage] = (found, [event for event in found if event.portal == handler])
        return kept

    def events(self, stage: str = "") -> list[Event]:
        """Events of a stage in order."""
        return self._stage(stage)[0]

    def owned(self, stage: str = "") -> list[Event]:
        """Events of the stage's handler; before its first event those of whoever submitted (S6)."""
        return self._stage(stage)[1]

    def current(self, stage: str = "") -> Event | None:
        """The status of a stage."""
        if stage not in self._now:
            self._now[stage] = timeline.current(self.entries, self.ownership.handlers, stage)
        return self._now[stage]

    @property
    def number(self) -> str:
        """The national number, for life the first one accepted; else the local code that becomes it."""
        return self.row.national_code or self.row.dossier_code


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command that an event causes: at `portal`, by `verb`; `act` says what the handler is asked to do."""

    cause: Event
    verb: str
    route: str
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What one portal must hear: a mirror (snapshot and rows), commands, or both."""

    portal: str
    mirror: RouteConfig | None = None
    commands: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a route holds for a dossier or does not; `checked` pairs each condition with what was found."""

    route: str
    portal: str
    holds: bool
    why: str


def stages(routes: Iterable[RouteConfig]) -> frozenset[str]:
    """Portals that handle a stage forwarded to them."""
    return frozenset(route.to for route in routes if route.kind == "forward")


def ownership_of(handler: str, config: OwnershipConfig, staged: Iterable[str]) -> Ownership:
    """Ownership as it holds for the dossiers of one handler: it for the main stage, each ministry for its own."""
    return Ownership(
        handlers={"": handler, **{portal: portal for portal in staged}},
        requests={portal: frozenset(asked) for portal, asked in config.requests.items()},
    )


def route(view: DossierView, routes: Sequence[RouteConfig], ownership: OwnershipConfig) -> list[Target]:
    """The portals that must hear of a dossier, each once, and the commands its events cause."""
    mirrors = {r.to: r for r in routes if r.kind == "mirror" and explain(view, r).holds}
    commands: dict[str, list[Wanted]] = {}
    for found in routes:
        if found.kind == "forward":
            commands.setdefault(found.to, []).extend(_forwards(view, found))
            commands.setdefault(view.row.handler, []).extend(_results(view, found))
    commands.setdefault(view.row.handler, []).extend([*_births(view, ownership), *_requests(view, ownership)])
    portals = [*mirrors, *(portal for portal, wanted in commands.items() if wanted and portal not in mirrors)]
    return [Target(portal, mirrors.get(portal), tuple(commands.get(portal, ()))) for portal in portals if portal]


def explain(view: DossierView, route: RouteConfig) -> Explanation:
    """Whether a route's standing conditions hold (its statuses apart, for a forward), and why."""
    reason = _standing(view, route.when)
    conditional = route.kind == "mirror" and (route.when.statuses or route.when.wires)
    if not reason and conditional and not any(_matches(event, route.when) for event in view.owned()):
        reason = "no event has had a status of this route"
    return Explanation(route.name, route.to, not reason, reason or "all conditions hold")


def _standing(view: DossierView, when: When) -> str:
    """The first condition that does not hold, with both values; "" when all do."""
    sector = str((view.facts.get("procedure") or {}).get("sector_code") or "")
    for label, value, patterns in (
        ("procedure", view.row.procedure_code, when.procedures),
        ("agency", view.row.agency_code, when.agencies),
        ("sector", sector, when.sectors),
    ):
        if patterns and not any(fnmatchcase(value, pattern) for pattern in patterns):
            return f"{label} is {value or 'absent'}, the route wants {', '.join(patterns)}"
    day = _day(view) if when.from_on or when.to_on else ""
    if when.from_on and (not day or day < when.from_on):
        return f"dossier is of {day or 'an unknown day'}, the route begins on {when.from_on}"
    if when.to_on and day > when.to_on:
        return f"dossier is of {day}, the route ended on {when.to_on}"
    return ""


def _day(view: DossierView) -> str:
    at = view.row.received_at or view.row.submitted_at
    return datetime.fromtimestamp(at, UTC).astimezone(VIETNAM).date().isoformat() if at else ""


def _matches(event: Event, when: When) -> bool:
    by_status = not when.statuses or event.status in when.statuses
    by_wire = not when.wires or event.wire in when.wires or event.sub in when.wires
    return by_status and by_wire


def _forwards(view: DossierView, route: RouteConfig) -> list[Wanted]:
    if _standing(view, route.when):
        return []
    causes = [event for event in view.owned() if not event.cause and _matches(event, route.when)]
    return [Wanted(event, "declare", route.name) for event in causes]


def _results(view: DossierView, route: RouteConfig) -> list[Wanted]:
    if _standing(view, route.when):
        return []
    return [
        Wanted(event, "act", route.name, route.results[status])
        for event in view.owned(route.to)
        for status in route.results
        if status == event.status and not event.baseline and not event.cause
    ]


def _births(view: DossierView, ownership: OwnershipConfig) -> list[Wanted]:
    """A dossier born elsewhere of which its handler has no record yet is to be made there, once (S6)."""
    if not ownership.births or any(e["portal"] == view.row.handler and e["record"] for e in view.entries):
        return []
    born = [event for event in view.events() if event.portal in ownership.births and not event.baseline]
    return [Wanted(born[0], "create_dossier", "births")] if born else []


def _requests(view: DossierView, ownership: OwnershipConfig) -> list[Wanted]:
    if not any(entry["portal"] in ownership.requests for entry in view.entries):
        return []
    return [
        Wanted(event, "act", "requests", ownership.requests[event.portal][status])
        for event in view.events()
        if event.portal in ownership.requests and event.portal != view.row.handler and not event.baseline
        for status in ownership.requests[event.portal]
        if status == event.status
    ]
