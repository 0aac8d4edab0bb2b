"""The four facts of a hand-over, each kept apart: sent, received, accepted, completed. Pure, over a stage's row.

- sent: the first byte was begun and the answer is known
- received: a positive answer was parsed, an acknowledgement came, or somebody who can know said it is there. An
  acknowledgement such as 99 proves this and nothing more.
- accepted: the stage's handler has said a status that accepts
- completed: the stage's handler has said its last word, good or bad (`status` holds it)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.store.rows import StageRow
from gateway.sync.conditions import is_one_of
from gateway.sync.timeline import Event
from schemas.status import STAGE_DONE, STAGE_ENDS

HOUR_S = 3600.0


class Fact(StrEnum):
    """What may be known of a hand-over, in order."""

    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Timer:
    """How long a fact may be missing. `because`: the key of the configuration that says so; "" is the default."""

    within_h: float
    because: str


Timers = Mapping[Fact, Timer]
"""The timers of one hand-over; a fact without one may be missing as long as it takes."""


@dataclass(frozen=True, slots=True)
class Late:
    """A fact that is missing, and since when it should be known."""

    fact: Fact
    due_at: float


def at_of(row: StageRow, fact: Fact) -> float | None:
    """When a fact came to be true; None as long as it is not proven."""
    at: float | None = getattr(row, f"{fact.value}_at")
    return at


def establish(row: StageRow, fact: Fact, at: float, proof: dict[str, Any]) -> bool:
    """Note a fact; the first proof stays, but an event that only implies it gives way to a direct one."""
    proofs: dict[str, Any] = row.doc.setdefault("proof", {})
    implied = proofs.get(fact.value, {}).get("by") == "event" and fact in (Fact.SENT, Fact.RECEIVED)
    if at_of(row, fact) is not None and not (implied and proof["by"] != "event"):
        return False
    setattr(row, f"{fact.value}_at", at)
    proofs[fact.value] = proof
    return True


def hear(row: StageRow, events: Sequence[Event], accepted_by: Sequence[str]) -> list[tuple[Fact, Event]]:
    """Take in what the stage's handler has said, in order; gives the facts that this made known.

    Judged over all events afresh: a stage that is taken up again after its end is not completed.
    """
    if not events:
        return []
    before = {fact: at_of(row, fact) for fact in Fact}
    row.status = events[-1].status
    found: list[tuple[Fact, Event]] = []
    if establish(row, Fact.RECEIVED, events[0].at, _said(events[0])):
        found.append((Fact.RECEIVED, events[0]))
    accepting = next((event for event in events if is_one_of(event, accepted_by) or event.status in STAGE_DONE), None)
    ending = events[-1] if events[-1].status in STAGE_ENDS else None
    for fact, event in ((Fact.ACCEPTED, accepting), (Fact.COMPLETED, ending)):
        _replace(row, fact, event)
        if event is not None and at_of(row, fact) != before[fact]:
            found.append((fact, event))
    return found


def _replace(row: StageRow, fact: Fact, event: Event | None) -> None:
    setattr(row, f"{fact.value}_at", event.at if event else None)
    row.doc.setdefault("proof", {}).pop(fact.value, None)
    if event is not None:
        row.doc["proof"][fact.value] = _said(event)


def _said(event: Event) -> dict[str, Any]:
    return {"by": "event", "of": event.id, "status": event.status, "wire": event.wire}


def missing(row: StageRow) -> Fact | None:
    """The first fact behind the last one known; None when the stage has ended."""
    last = None
    for fact in Fact:
        if at_of(row, fact) is not None:
            last = fact
    order = list(Fact)
    place = 0 if last is None else order.index(last) + 1
    return order[place] if place < len(order) else None


def due_at(row: StageRow, timers: Timers) -> Late | None:
    """When the fact that is missing is due, counted from the one before it; None where no timer runs."""
    fact = missing(row)
    timer = timers.get(fact) if fact else None
    if fact is None or timer is None:
        return None
    known = [at for one in Fact if (at := at_of(row, one)) is not None]
    return Late(fact, (known[-1] if known else row.owed_at) + timer.within_h * HOUR_S)


def late(row: StageRow, timers: Timers, now: float) -> Late | None:
    """The fact that should be known by now and is not."""
    due = due_at(row, timers)
    return due if due is not None and due.due_at <= now else None
