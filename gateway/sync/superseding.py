"""Is a command still wanted? Not when its owner has moved on or a later event has replaced its cause (sync.md S20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.store.rows import LaneRow
from gateway.sync.acts import first_heard
from gateway.sync.conditions import is_one_of
from gateway.sync.lane import Lane
from gateway.sync.timeline import Event
from gateway.sync.wanted import DossierView, Wanted
from schemas.status import STAGE_ENDS, DossierStatus

THERE = ("delivered", "offered", "unproven", "unknown")
"""States of a command that has reached its portal, or may have."""

OF_A_STAGE = ("declare", "amend", "supplement")
"""Verbs that hand a stage over, or something for it."""


def given_away(lanes: Iterable[LaneRow]) -> dict[str, str]:
    """Cause -> the portal that it was handed over to, or may have been."""
    return {
        cause: row.portal
        for row in lanes
        for cause, command in Lane(row).commands().items()
        if command.get("state") in THERE and command.get("verb") in OF_A_STAGE
    }


def not_wanted(view: DossierView, lane: Lane, portal: str, wanted: Wanted, elsewhere: Mapping[str, str]) -> str:
    """Why a command is not wanted any more; "" when it is.

    `elsewhere`: cause -> the portal that got it by a rule that holds no more (L13).
    """
    if wanted.verb == "cancel":
        return _not_to_cancel(view, lane, portal, wanted)
    if wanted.verb == "declare":
        other = next((elsewhere[one] for one in sorted(wanted.cause.ids) if one in elsewhere), "")
        return f"this was handed to {other} while the rules said so" if other else _not_to_hand_over(view, wanted)
    stage = view.owned(wanted.cause.stage) if wanted.cause.stage else []
    if stage and stage[-1].id != wanted.cause.id:
        return f"the stage has moved on to {stage[-1].status}"
    return moved_on(view, wanted, freed=lane.is_free(wanted.cause))


def asks_again(view: DossierView, wanted: Wanted) -> str:
    """Why a person must see a stage's request for papers; "" when it is like any other act.

    The citizen is being asked already, by another stage or for something else, so the act is not offered; but what
    this one asks for would be lost, and the answer to the other would go to it as if it were its own. A person is asked
    once: who says that it shall be done after all has read it, and it is judged like any act.
    """
    stage, current = view.owned(wanted.cause.stage) if wanted.cause.stage else [], view.current()
    asks = wanted.act is not None and wanted.act.act == DossierStatus.SUPPLEMENT_REQUESTED
    if not asks or not stage or stage[-1].id != wanted.cause.id:
        return ""
    if current is None or current.status != DossierStatus.SUPPLEMENT_REQUESTED:
        return ""
    return (
        f"{wanted.cause.stage} asks for papers while the citizen is being asked already: add its words there, "
        "then confirm that they arrived"
    )


def _not_to_hand_over(view: DossierView, wanted: Wanted) -> str:
    later = [event for event in view.owned() if event.at > wanted.cause.at and not event.cause]
    if any(event.wire == wanted.cause.wire for event in later):
        return "a later event of the same kind has replaced its cause"
    current = view.current()
    if current is None or current.id == wanted.cause.id:
        return ""
    if is_one_of(current, wanted.until):
        return f"the dossier has moved on to {current.wire or current.status}"
    if DossierStatus(current.status).is_terminal:
        return f"the dossier has moved on to {current.status}"
    return ""


def _not_to_cancel(view: DossierView, lane: Lane, portal: str, wanted: Wanted) -> str:
    """A stage is called off when its portal has it and works on it, and the handler still wants it off."""
    given = lane.commands().values()
    if not any(command.get("state") in THERE and command.get("verb") in OF_A_STAGE for command in given):
        return "nothing was handed over"
    stage, current = view.current(portal), view.current()
    if stage is not None and stage.status in STAGE_ENDS:
        return f"the stage has ended as {stage.status}"
    if current is not None and not is_one_of(current, wanted.until):
        return f"the dossier has moved on to {current.wire or current.status}"
    return ""


def moved_on(view: DossierView, wanted: Wanted, *, freed: bool = False) -> str:
    """Whether the handler still stands where the wanted act may be done; "" when it does.

    `freed`: a person has said that it shall be done now, so it need not have come as an answer.
    """
    current = view.current()
    if wanted.act is None or current is None:
        return ""
    if current.status == wanted.act.act:
        return f"the dossier already is {current.status}"
    allowed = wanted.act.from_
    if allowed and current.status not in allowed and current.wire not in allowed and current.sub not in allowed:
        return f"the dossier is {current.wire or current.status}, the act is for {', '.join(allowed)}"
    if not allowed and DossierStatus(current.status).is_terminal:
        return f"the dossier has ended as {current.status}"
    untimed = wanted.verb == "supplement" and wanted.cause.timed_by_us and not freed
    if untimed and _heard(view, wanted.cause) < _heard(view, current):
        return f"it came before we knew that the dossier is {current.wire or current.status}: no answer to that"
    return ""


def _heard(view: DossierView, event: Event) -> float:
    """When we first knew of an event.

    Other content pushed under an old number says no time of its own and may have waited here: if it was here before
    the state it would answer, it does not answer that. Clocks of two portals are not compared (S6).
    """
    return min(first_heard(entry) for entry in view.entries if entry["id"] in event.ids)
