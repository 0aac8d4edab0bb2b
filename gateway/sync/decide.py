"""What does an observation mean, given all we hold about its dossier? (sync.md S4 to S7, S12)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.sync import timeline
from gateway.sync.timeline import Entry, Event, Merged
from schemas.status import DossierStatus


class Decision(StrEnum):
    """The label of one entry; the set decides what counts, labels only tell how it was heard."""

    ADVANCE = "advance"
    REQUEST = "request"
    DUPLICATE = "duplicate"
    LATE = "late"
    DRIFT = "drift"
    CONFLICT = "conflict"
    CORRECTION = "correction"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who handles which stage, and what other portals may ask for.

    `handlers`: stage ("" is the main one) -> portal. `requests`: portal -> statuses it may request.
    """

    handlers: Mapping[str, str]
    requests: Mapping[str, frozenset[str]]

    def may_say(self, portal: str, stage: str, status: str) -> bool:
        """Whether the portal owns this status in this stage or may request it."""
        return self.handlers.get(stage) == portal or status in self.requests.get(portal, ())


def decide(before: Sequence[Entry], entry: Entry, ownership: Ownership) -> Decision:
    """Say what one entry means over the set held so far."""
    return decide_all(before, [entry], ownership)[0]


def decide_all(
    before: Sequence[Entry], entries: Sequence[Entry], ownership: Ownership, merged: Merged | None = None
) -> list[Decision]:
    """Say what each entry of one reading means; the set is judged once, before and after all of them.

    `merged` is the union of both, where the caller has it already.
    """
    held = {entry["id"] for entry in before}
    after, _, corrected = timeline.merge(before, entries) if merged is None else merged
    mended = {entry["id"] for entry in corrected}
    stages = {
        stage: (
            timeline.handler_of(after, ownership.handlers, stage),
            timeline.current(before, ownership.handlers, stage),
        )
        for stage in {entry["stage"] for entry in entries}
    }
    labels = []
    for entry in entries:
        portal, stage = entry["portal"], entry["stage"]
        handler, last = stages[stage]
        if not entry["status"]:
            label = Decision.NOTE
        elif entry["id"] in mended:
            label = Decision.CORRECTION
        elif entry["id"] in held:
            label = Decision.DUPLICATE
        elif not ownership.may_say(portal, stage, entry["status"]):
            label = Decision.DRIFT
        elif handler != portal:
            label = Decision.REQUEST
        elif entry["kind"] in ("time", "own") and timeline.contradiction(after, ownership.handlers, stage):
            label = Decision.CONFLICT
        else:
            advances = last is None or last.portal != portal or entry["at"] >= last.at
            label = Decision.ADVANCE if advances else Decision.LATE
        labels.append(label)
    return labels


def goes_back_from_the_end(was: Event | None, now: Event | None) -> bool:
    """Whether the handler left a terminal status: adopted, and flagged to a person (S7)."""
    if was is None or now is None:
        return False
    return DossierStatus(was.status).is_terminal and not DossierStatus(now.status).is_terminal
