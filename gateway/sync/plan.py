"""What must be sent to make this portal right? The smallest list of steps, possibly empty (sync.md S10, S12 to S20).

Pure: it reads a dossier, a lane and what the portal can do, and never the world. A claim runs it, performs the first
step, and runs it again, so newer news replaces older by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from adapters.base import Abilities, DeliveryClass, ProbeStrength
from gateway.sync.lane import Lane
from gateway.sync.route import DossierView, Target, Wanted
from gateway.sync.superseding import OF_A_STAGE, THERE, asks_again, not_wanted
from gateway.sync.timeline import Event
from gateway.sync.unheard import answer_to
from schemas.canonical import digest
from schemas.status import DossierStatus

SNAPSHOT, APPEND, COMMAND = DeliveryClass.SNAPSHOT, DeliveryClass.APPEND, DeliveryClass.COMMAND


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do now.

    `do`: look (a harmless read first), send, supersede (S20), park, unproven (S27), recall: ask the portal whether
    the store that was lost has sent it, or answered: the handler has decided about a request by itself since.
    """

    do: str
    klass: DeliveryClass
    operation: str = ""
    cause: str = ""
    members: tuple[str, ...] = ()
    wanted: Wanted | None = None
    verb: str = ""
    reason: str = ""
    drift: bool = False

    @property
    def calls(self) -> bool:
        """Whether a portal is called for it: no act ends unsent before its owner was heard once more."""
        return self.do in ("send", "look") or (self.do in ("supersede", "park") and self.acts)

    @property
    def acts(self) -> bool:
        """Whether it is an act of the handler, by whichever of its operations."""
        return self.wanted is not None and self.wanted.act is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` in order; `waits`: class -> (reason in plain words, until when or None for "until news")."""

    steps: tuple[Step, ...] = ()
    waits: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The wanted content of a mirror: field -> keyed hash; `missing` names what stops it (I11).

    `since` is the owner's last event: a new one makes a new version, so drift is counted from it (S12).
    """

    content: Mapping[str, str]
    missing: tuple[str, ...] = ()
    since: str = ""

    @property
    def version(self) -> str:
        """A short name of this content since that event."""
        return digest([dict(self.content), self.since])[:16]


@dataclass(frozen=True, slots=True)
class Desk:
    """The portal's side of a plan.

    `line`: adopt line in seconds, None while in `watch`. `restored_at`: end of the gap of a restored store.
    `blocked`: class -> (reason, until): an open delivery of that class must be settled first.
    `undecided`: until when a command caused by this portal's own event is not decided or its answer not heard (S10);
    infinity until news, 0.0 when none is.
    `number_taken`: the number is held by another dossier of ours: not unique at its source.
    `told`: a portal told us of the dossier by calling, and heard our yes.
    `elsewhere`: cause -> the portal that got it by a rule that holds no more: nobody else gets it too (L13).
    """

    abilities: Abilities
    line: float
    now: float
    drift_tries: int
    adopt: str
    restored_at: float | None = None
    blocked: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    undecided: float = 0.0
    number_taken: bool = False
    told: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def plan(
    view: DossierView, lane: Lane, target: Target | None, desk: Desk, snapshot: Callable[[], Snapshot] | None
) -> Plan:
    """Plan a lane: commands, then the snapshot, then rows; each class waits for itself only (S16)."""
    steps: list[Step] = []
    waits: dict[str, tuple[str, float | None]] = {}
    if target is None:
        return Plan()
    for klass, planned in (
        (COMMAND, _commands(view, lane, target, desk)),
        (SNAPSHOT, _snapshot(view, lane, target, desk, snapshot)),
        (APPEND, _rows(view, lane, target, desk)),
    ):
        if isinstance(planned, tuple):
            waits[klass] = planned
        elif planned:
            wait = _must_wait(klass, lane, desk)
            if wait and any(step.calls for step in planned):
                waits[klass] = wait
            else:
                steps += planned
    return Plan(tuple(steps), waits)


def _must_wait(klass: DeliveryClass, lane: Lane, desk: Desk) -> tuple[str, float | None] | None:
    if klass in desk.blocked:
        return desk.blocked[klass]
    if lane.hold(klass) > desk.now:
        return "an earlier call may still be on its way", lane.hold(klass)
    if lane.not_before(klass) > desk.now:
        return f"try {lane.tries(klass) + 1} after a failure", lane.not_before(klass)
    return None


Planned = list[Step] | tuple[str, float | None]


def _snapshot(
    view: DossierView, lane: Lane, target: Target, desk: Desk, snapshot: Callable[[], Snapshot] | None
) -> Planned:
    able = desk.abilities
    if target.mirror is None or snapshot is None or able.create is None or able.update is None:
        return []
    if target.portal == view.row.handler or not any(event.news_at > desk.line for event in view.owned()):
        return []
    if not view.number:
        return "waiting for the dossier's number", None
    if desk.undecided:
        return "a request of this portal is not decided yet", desk.undecided if isfinite(desk.undecided) else None
    wanted = snapshot()
    if wanted.missing:
        return f"the dossier has no {', '.join(wanted.missing)} yet", None
    if lane.parked_version == wanted.version:
        return "this content was refused and waits for a person", None
    if lane.shadow_state == "none" and able.fetches:
        return [Step("look", SNAPSHOT, reason="never looked at this portal")]
    if lane.shadow_state in ("none", "absent"):
        return [Step("send", SNAPSHOT, able.create, cause=wanted.version)]
    if lane.shadow_state == "known" and lane.shadow == wanted.content:
        return []
    ours = lane.ours or _submitted_at(view, target.portal)
    return _update(lane, desk, wanted, able.update, ours=ours)


def _submitted_at(view: DossierView, portal: str) -> bool:
    """Whether it was submitted at that portal: then it is there, and shared with us, before we have sent anything."""
    return any(event.portal == portal and event.status == DossierStatus.SUBMITTED for event in view.events())


def _update(lane: Lane, desk: Desk, wanted: Snapshot, operation: str, *, ours: bool) -> Planned:
    if not ours and (desk.adopt == "never" or desk.number_taken):
        why = "the setting adopt is never" if desk.adopt == "never" else "its number is not unique at its source"
        return [Step("park", SNAPSHOT, operation, cause=wanted.version, reason=f"there, but never ours: {why}")]
    if lane.drifting and lane.drift_tries(wanted.version) >= desk.drift_tries:
        return "drift, given up: the portal shows something else after each correction", None
    return [Step("send", SNAPSHOT, operation, cause=wanted.version, drift=lane.drifting)]


def _rows(view: DossierView, lane: Lane, target: Target, desk: Desk) -> Planned:
    able = desk.abilities
    if target.mirror is None or able.append is None:
        return []
    owed = _owed_rows(view, lane, target, desk)
    if not owed:
        return []
    lost = [event for event in owed if _in_the_gap(event, lane, desk)]
    if lost:
        reason = "may have been sent before the restore"  # each by itself: some may be there and others not
        return [Step("unproven", APPEND, able.append, members=(event.id,), reason=reason) for event in lost]
    if lane.shadow_state not in ("present", "known", "unknown") and not _submitted_at(view, target.portal):
        return "waiting for the dossier itself to be there", None
    if any(state == "parked" for state in lane.ledger().values()):
        return "an earlier row is parked and waits for a person", None
    size = 1 if lane.one_by_one else able.operations[able.append].rows_per_call
    ids = tuple(event.id for event in owed[:size])
    return [Step("send", APPEND, able.append, cause=ids[0], members=ids)]


def _owed_rows(view: DossierView, lane: Lane, target: Target, desk: Desk) -> list[Event]:
    wanted = target.mirror.rows if target.mirror else ()
    return [
        event
        for event in view.owned()
        if event.news_at > desk.line
        and event.portal != target.portal
        and (not wanted or event.status in wanted)
        and not lane.has(event)
    ]


def _in_the_gap(event: Event, lane: Lane, desk: Desk) -> bool:
    """Whether the store that was lost may have sent it (S27), and no person has said that it did not."""
    return desk.restored_at is not None and event.since <= desk.restored_at and not lane.is_free(event)


def _commands(view: DossierView, lane: Lane, target: Target, desk: Desk) -> Planned:
    able = desk.abilities
    for wanted in target.commands:
        given = lane.command_for(wanted.cause)
        if given and given.get("unheard") and (answer := answer_to(view, lane, wanted)):
            cause = lane.cause_of(wanted.cause)
            return [Step("answered", COMMAND, cause=cause, wanted=wanted, verb=wanted.verb, reason=answer)]
        if given or not _is_owed(wanted, desk):
            continue
        if wanted.act is not None and not _has_spoken(view):
            return "a request waits until the dossier's handler has spoken", None
        step = _command(view, lane, target, desk, wanted, able)
        if step is not None:
            return [step]
    held = _held_back(view, lane, target)
    return (held, None) if held else []


def _held_back(view: DossierView, lane: Lane, target: Target) -> str:
    """Why no further command is sent here; "" when one may be.

    While nobody knows whether the first declaration arrived, and the portal has said nothing of the dossier, a later
    one can be neither a declaration nor an amendment.
    """
    given = lane.commands().values()
    if any(command.get("state") == "parked" for command in given):
        return "a command is parked and waits for a person"
    declared = {command.get("state") for command in given if command.get("verb") in OF_A_STAGE}
    if "unproven" in declared and "delivered" not in declared and not view.events(target.portal):
        return "a person must say whether the first declaration arrived"
    return ""


def _is_owed(wanted: Wanted, desk: Desk) -> bool:
    """Whether its cause lies behind the line (S26). A dossier that a portal told us of is owed whatever its day: the
    portal has heard our yes and tells nobody else (docs/adr/0017)."""
    return (desk.told and wanted.verb == "create_dossier") or wanted.cause.news_at > desk.line


def _has_spoken(view: DossierView) -> bool:
    return any(event.portal == view.row.handler for event in view.events())


def _command(view: DossierView, lane: Lane, target: Target, desk: Desk, wanted: Wanted, able: Abilities) -> Step | None:
    cause = wanted.cause.id
    another = "" if lane.is_free(wanted.cause) else asks_again(view, wanted)
    replaced = "" if another else not_wanted(view, lane, target.portal, wanted, desk.elsewhere)
    verb = _verb(view, lane, target, wanted, able)
    operation = able.commands.get(verb, "")
    if replaced:
        return Step("supersede", COMMAND, operation, cause=cause, wanted=wanted, verb=verb, reason=replaced)
    if not operation and verb == "cancel":
        reason = "this portal takes no cancellation: tell it by other means, then confirm or drop"
        parked = _held_back(view, lane, target)
        return None if parked else Step("park", COMMAND, "", cause=cause, wanted=wanted, verb=verb, reason=reason)
    if not operation:
        reason = f"this portal has no operation for '{verb}'"
        return Step("supersede", COMMAND, "", cause=cause, wanted=wanted, verb=verb, reason=reason)
    if _in_the_gap(wanted.cause, lane, desk):
        reason = "may have been sent before the restore"
        ask = "recall" if able.operations[operation].probe is ProbeStrength.CONTENT else "unproven"
        return Step(ask, COMMAND, operation, cause=cause, wanted=wanted, verb=verb, reason=reason)
    if _held_back(view, lane, target):
        return None
    if wanted.verb == "declare" and not view.number:
        return None
    if another:
        return Step("park", COMMAND, operation, cause=cause, wanted=wanted, verb=verb, reason=another)
    return Step("send", COMMAND, operation, cause=cause, wanted=wanted, verb=verb)


def _verb(view: DossierView, lane: Lane, target: Target, wanted: Wanted, able: Abilities) -> str:
    """A first declaration declares, later ones amend, or supplement while the stage asks for papers."""
    if wanted.verb != "declare" or not any(c.get("state") in THERE for c in lane.commands().values()):
        return wanted.verb
    stage = view.current(target.portal)
    asked = stage is not None and stage.status == DossierStatus.SUPPLEMENT_REQUESTED
    return "supplement" if asked and "supplement" in able.commands else "amend"
