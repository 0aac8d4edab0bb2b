"""`sync --dry-run`: every write that would be made, by dossier and field, and the number of calls. Sends nothing.

It runs the same `plan` as a claim does, performs the harmless looks for real, and pretends that each write works, so
that what follows from it (rows after the first snapshot) is named too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.base import DeliveryClass
from gateway.store.rows import LaneKey, LaneRow
from gateway.sync.case import Case, Workshop, open_case
from gateway.sync.compose import compose
from gateway.sync.lane import HANDED
from gateway.sync.plan import Step
from gateway.sync.portal import Portal
from gateway.sync.slices import lanes_of_portal
from schemas.errors import NotSendableError, PortalError

MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One call that would be made. `fields` are the canonical paths that differ from what the portal shows."""

    portal: str
    dossier_id: str
    dossier_code: str
    klass: str
    operation: str
    fields: tuple[str, ...]
    members: int
    reason: str = ""


def preview(shop: Workshop, portal: Portal, *, line: float | None = None) -> list[PlannedWrite]:
    """All writes the due lanes of a portal would make now, waiting classes left out.

    Args:
        line: For a portal that is only watched: what would be sent were it adopted from this instant (S26). All its
            lanes count then, for adopting makes them due.
    """
    name, now = portal.name, shop.now()
    if line is None:
        line = shop.store.read(lambda tx: tx.portal(name)).adopt_from
        keys = [key for lane in lanes_of_portal(shop.store, name) if (key := _due(lane, now))]
    else:
        keys = [LaneKey(name, lane.dossier_id) for lane in lanes_of_portal(shop.store, name)]
    return [write for key in keys for write in preview_lane(shop, portal, key, line)]


def _due(lane: LaneRow, now: float) -> LaneKey | None:
    return LaneKey(lane.portal, lane.dossier_id) if lane.due_at is not None and lane.due_at <= now else None


def preview_lane(shop: Workshop, portal: Portal, key: LaneKey, line: float | None) -> list[PlannedWrite]:
    """The writes of one lane; what lies before `line` is never sent."""
    case = shop.store.read(lambda tx: open_case(tx, shop, portal, key, key.dossier_id))
    if case is not None and line is not None:
        case.desk = replace(case.desk, line=line)
    found: list[PlannedWrite] = []
    for _ in range(MAX_STEPS):
        if case is None or case.open:
            break
        step = next(iter(case.plan().steps), None)
        if step is None:
            break
        if step.do == "look" and not _look(case):
            break
        if step.do == "send":
            written = _write(case, step)
            if written is None:
                break
            found.append(written)
        _pretend(case, step)
    return found


def _look(case: Case) -> bool:
    try:
        there = case.portal.adapter.fetch(case.external_id) is not None
    except PortalError:
        return False
    case.lane.show("present" if there else "absent", {}, ours=False)
    return True


def _write(case: Case, step: Step) -> PlannedWrite | None:
    try:
        missing = compose(case, step, "preview").missing
    except NotSendableError:
        return None
    waits = "" if not missing or step.klass is DeliveryClass.SNAPSHOT else f"first {len(missing)} files are fetched"
    fields: tuple[str, ...] = ()
    if step.klass is DeliveryClass.SNAPSHOT:
        wanted, shown = case.snapshot().content, case.lane.shadow
        fields = tuple(sorted(path for path in {*wanted, *shown} if wanted.get(path) != shown.get(path)))
    return PlannedWrite(
        case.portal.name,
        case.dossier.id,
        case.view.number,
        step.klass.value,
        step.operation,
        fields,
        len(step.members) or 1,
        step.reason or waits,
    )


def _pretend(case: Case, step: Step) -> None:
    if step.klass is DeliveryClass.SNAPSHOT and step.do == "send":
        case.lane.show("known", case.snapshot().content, ours=True)
    elif step.klass is DeliveryClass.SNAPSHOT and step.do == "park":
        case.lane.parked_version = step.cause
    elif step.klass is DeliveryClass.APPEND:
        case.lane.note(step.members, HANDED)
    elif step.klass is DeliveryClass.COMMAND:
        case.lane.command(step.cause, state="delivered")
