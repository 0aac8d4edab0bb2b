"""Do the conditions of a route hold for a dossier? Procedure, agency, sector, wire or canonical status, and date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from gateway.config import When
from gateway.sync.timeline import Event
from gateway.sync.wanted import DossierView
from schemas.clock import VIETNAM


def unmet(view: DossierView, when: When) -> str:
    """The first standing condition (all but the statuses) that does not hold, with both values; "" when all do."""
    if when.procedures or when.agencies or when.sectors:
        sector = str((view.facts.get("procedure") or {}).get("sector_code") or "")
        for label, value, patterns in (
            ("procedure", view.row.procedure_code, when.procedures),
            ("agency", view.row.agency_code, when.agencies),
            ("sector", sector, when.sectors),
        ):
            if patterns and not any(fnmatchcase(value, pattern) for pattern in patterns):
                return f"{label} is {value or 'absent'}, the route wants {', '.join(patterns)}"
    day = day_of(view) if when.from_on or when.to_on else ""
    if when.from_on and (not day or day < when.from_on):
        return f"dossier is of {day or 'an unknown day'}, the route begins on {when.from_on}"
    if when.to_on and day > when.to_on:
        return f"dossier is of {day}, the route ended on {when.to_on}"
    return ""


def day_of(view: DossierView) -> str:
    """The day by which rules are chosen, in Vietnam time: of submission or reception, whichever was first.

    So the day a dossier is received does not move it to another system than the one it was submitted to (L13).
    """
    known = [at for at in (view.row.submitted_at, view.row.received_at) if at]
    return datetime.fromtimestamp(min(known), UTC).astimezone(VIETNAM).date().isoformat() if known else ""


def matches(event: Event, when: When) -> bool:
    """Whether an event has a status of this route."""
    by_status = not when.statuses or event.status in when.statuses
    by_wire = not when.wires or _says(event, when.wires)
    return by_status and by_wire


def _says(event: Event, patterns: Sequence[str]) -> bool:
    if event.wire in patterns or event.sub in patterns:
        return True
    return any(fnmatchcase(event.wire, one) or fnmatchcase(event.sub, one) for one in patterns if "*" in one)


def is_one_of(event: Event, words: Sequence[str]) -> bool:
    """Whether an event's canonical or wire status is among some words."""
    return event.status in words or event.wire in words or bool(event.sub and event.sub in words)
