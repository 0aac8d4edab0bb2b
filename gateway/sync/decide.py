"""What does an observation mean, given all we hold about its dossier? (sync.md S4 to S7, S12)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.sync import timeline
from gateway.sync.timeline import Entry
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
    known = next((held for held in before if held["id"] == entry["id"]), None)
    if not entry["status"]:
        return Decision.NOTE
    after, added, corrected = timeline.merge(before, [entry])
    if corrected:
        return Decision.CORRECTION
    if known is not None or not added:
        return Decision.DUPLICATE
    if not ownership.may_say(entry["portal"], entry["stage"], entry["status"]):
        return Decision.DRIFT
    if timeline.handler_of(after, ownership.handlers, entry["stage"]) != entry["portal"]:
        return Decision.REQUEST
    if timeline.contradiction(after, ownership.handlers, entry["stage"]):
        return Decision.CONFLICT
    was = timeline.current(before, ownership.handlers, entry["stage"])
    now = timeline.current(after, ownership.handlers, entry["stage"])
    return Decision.ADVANCE if now != was else Decision.LATE


def goes_back_from_the_end(before: Sequence[Entry], after: Sequence[Entry], ownership: Ownership) -> bool:
    """Whether the handler left a terminal status: adopted, and flagged to a person (S7)."""
    was, now = timeline.current(before, ownership.handlers), timeline.current(after, ownership.handlers)
    if was is None or now is None:
        return False
    return DossierStatus(was.status).is_terminal and not DossierStatus(now.status).is_terminal
