"""What judging a dossier gives: the dossier as routes see it, and what each portal must hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.config import Act, RouteConfig
from gateway.store.rows import DossierRow
from gateway.sync import timeline
from gateway.sync.decide import Ownership
from gateway.sync.timeline import Entry, Event

REQUESTS = "requests"
"""What stands for the route of a command that a portal's request causes (`ownership.requests`)."""


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
    """A command that an event causes: at `portal`, by `verb`; `act` says what the handler is asked to do.

    `until` are statuses of the handler, canonical or wire, with which a hand-over is no longer wanted.
    `stages` are the portals whose results an act brings to the handler.
    """

    cause: Event
    verb: str
    route: str
    act: Act | None = None
    until: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What one portal must hear: a mirror (snapshot and rows), commands, or both."""

    portal: str
    mirror: RouteConfig | None = None
    commands: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a route holds for a dossier or does not: the first condition that fails, with both values."""

    route: str
    portal: str
    holds: bool
    why: str
