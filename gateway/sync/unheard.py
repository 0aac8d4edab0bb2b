"""A citizen's request that ended superseded: has the handler answered it by itself, or does nobody know of it?

Its owner had moved on, so the command is not planned again (S20), and what the citizen's portal shows is overwritten
(S10). That is an answer only where the handler has decided what was asked; else a person is asked, who tells the
officer. Pure, over the dossier and its handler's lane.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.sync.acts import first_heard
from gateway.sync.conditions import is_one_of
from gateway.sync.lane import Lane
from gateway.sync.timeline import Event
from gateway.sync.wanted import REQUESTS, DossierView, Wanted
from schemas.status import STAGE_ENDS, DossierStatus

CARRY = ("create_dossier", "supplement")
"""Verbs that bring the handler every paper known when they are begun."""


def is_unheard(view: DossierView, lane: Lane, wanted: Wanted) -> bool:
    """Whether a request that is not wanted any more would be forgotten: the handler neither took nor answered it."""
    return wanted.route == REQUESTS and not answer_to(view, lane, wanted)


def answer_to(view: DossierView, lane: Lane, wanted: Wanted) -> str:
    """What answers a request that was not handed over; "" when nothing does.

    Papers are answered by being with the handler, and by nothing else: it decides without them if it does not know
    of them. A withdrawal is answered by any end of the dossier. What else was asked for (a payment) is answered when
    the handler itself, knowing no less than we, goes from where it may be done to where it leads.
    """
    asked = DossierStatus(wanted.cause.status)
    if asked is DossierStatus.SUBMITTED:
        return "its papers went along with another call" if _carried(lane, wanted.cause) else ""
    if asked is DossierStatus.WITHDRAWAL_REQUESTED:
        return _end_of(view, wanted)
    return _done_by_itself(view, wanted)


def carried(view: DossierView, wanted: Wanted, verb: str) -> list[str]:
    """The requests whose papers a command brings with it: all that are known of its portal when it is begun."""
    if verb not in CARRY:
        return []
    return sorted({one for event in view.events() if event.portal == wanted.cause.portal for one in event.ids})


def _carried(lane: Lane, cause: Event) -> bool:
    there = (command for command in lane.commands().values() if command.get("state") == "delivered")
    return any(not cause.ids.isdisjoint(command.get("carries", ())) for command in there)


def _end_of(view: DossierView, wanted: Wanted) -> str:
    """An end, or the handler's own word for it: now, or at any time since the request was heard."""
    current = view.current()
    for event in (*([current] if current else []), *_heard_since(view, wanted.cause)):
        asked_for = wanted.act is not None and event.status == wanted.act.act
        if asked_for or event.status in STAGE_ENDS:
            return f"the dossier is {event.wire or event.status}"
    return ""


def _done_by_itself(view: DossierView, wanted: Wanted) -> str:
    if wanted.act is None:
        return ""
    since = {event.id for event in _heard_since(view, wanted.cause)}
    stood = not wanted.act.from_
    for event in view.owned():
        if stood and event.id in since and event.status == wanted.act.act and not event.cause:
            return f"the handler went on to {event.wire or event.status}"
        stood = stood or is_one_of(event, wanted.act.from_)
    return ""


def _heard_since(view: DossierView, cause: Event) -> Iterator[Event]:
    """The handler's events that were first heard no earlier than a request. Clocks of portals are not compared (S6)."""
    heard = {entry["id"]: first_heard(entry) for entry in view.entries}
    asked_at = min(heard[one] for one in cause.ids)
    return (event for event in view.owned() if min(heard[one] for one in event.ids) >= asked_at)
