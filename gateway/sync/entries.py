"""What is written of a step: its frozen row before it is sent, its entry when it is not, its key in a lost store."""

from __future__ import annotations

import hashlib

from adapters.base import DeliveryClass, FileUse, Presence
from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneRow
from gateway.sync import outcomes
from gateway.sync.attempts import delivery_of
from gateway.sync.case import Case, Workshop, delivery_key
from gateway.sync.compose import Composed, compose
from gateway.sync.lane import SUPERSEDED, UNPROVEN, Lane
from gateway.sync.plan import Step
from gateway.sync.portal import Portal
from gateway.sync.unheard import is_unheard

_STATES = {
    "supersede": "superseded",
    "park": "parked",
    "unproven": "unproven",
    "found": "delivered",
    "answered": "superseded",
}
_IN_LEDGER = {"unproven": UNPROVEN, "parked": "parked"}


def unsent(tx: Tx, shop: Workshop, portal: Portal, row: LaneRow, case: Case, step: Step, key: str) -> str:
    """Enter that a step ends without a call, and make due what waited for it; gives the state it ends in."""
    state, lane, now, held = _STATES[step.do], Lane(row), shop.now(), tx.delivery(key)
    if held is not None and held.open:
        return state
    unheard = step.do == "supersede" and step.wanted is not None and is_unheard(case.view, lane, step.wanted)
    if step.klass is DeliveryClass.COMMAND:
        lane.command(step.cause, state=state, key=key, verb=step.verb)
        lane.heard(step.cause)
        if unheard:
            lane.command(step.cause, unheard=True)
    elif step.klass is DeliveryClass.APPEND:
        lane.note(step.members, _IN_LEDGER.get(state, SUPERSEDED))
    else:
        lane.parked_version = step.cause
    entry = held or DeliveryRow(key, "", row.portal, row.dossier_id, step.klass, step.operation, step.cause)
    state = "unheard" if unheard else state  # superseded as to its lane, and a person is asked
    entry.state, entry.open, entry.next_at = state, False, None  # attempts that did not work stay with it
    entry.members, entry.planned_at, entry.settled_at, entry.reason = step.members, now, now, step.reason
    entry.external_id = case.external_id
    if unheard and step.wanted is not None:
        entry.doc |= {"by": step.wanted.cause.portal, "asked": step.wanted.cause.status}
    kind = {"supersede": "superseded", "park": "parked"}.get(step.do, "settled")
    named = {"key": key, "state": state, "how": step.reason}
    made = leaf(kind, now, dossier_id=row.dossier_id, portal=row.portal, prev=lane.leaf, **named)
    lane.leaf = made.digest
    tx.append_leaves([made])
    tx.put_delivery(entry)
    tx.put_lanes([row])
    if state == "unproven":
        outcomes.follow(tx, shop, portal, key)
    if step.klass is DeliveryClass.COMMAND:
        shop.handovers.ended(tx, entry, step, now)
        outcomes.other_lanes_due(tx, row, now)
    return state


def knows_a_lost_key(shop: Workshop, portal: Portal, case: Case, step: Step) -> bool:
    """Whether the portal knows the key that any epoch before this one would have given (S27).

    Raises:
        NotSendableError: It cannot be composed yet.
        PortalError: The portal cannot be asked now.
    """
    epoch = int(shop.store.read(lambda tx: tx.setting("epoch")) or "1")
    for lost in range(epoch - 1, 0, -1):
        composed = compose(case, step, delivery_key(case, step.klass, step.cause, str(lost)))
        row = frozen(case, step, composed, None, shop, shop.now(), {})
        found = portal.adapter.probe(delivery_of(row, composed.body, shop, portal))
        if found.presence is Presence.PRESENT:
            return True
    return False


def frozen(
    case: Case,
    step: Step,
    composed: Composed,
    held: DeliveryRow | None,
    shop: Workshop,
    now: float,
    guard: dict[str, object],
) -> DeliveryRow:
    """The delivery's row with its bytes sealed; `held` is what is known of the same key already."""
    row = held or DeliveryRow(
        composed.key, composed.key_uuid, case.portal.name, case.dossier.id, step.klass, composed.operation.name
    )
    row.key_uuid, row.operation, row.cause = composed.key_uuid, composed.operation.name, composed.cause
    row.external_id, row.members = case.external_id, composed.members
    row.sealed_body = shop.vault.seal(case.dossier.id, composed.body)
    row.body_digest = hashlib.sha256(composed.body).hexdigest()
    row.planned_at, row.guard, row.asks = now, guard, 0
    row.doc = {"content": composed.content} if composed.content else {}
    if step.wanted is not None:
        row.doc["route"], row.doc["verb"] = step.wanted.route, step.wanted.verb
    if composed.operation.files is not FileUse.NONE:
        row.doc["files"] = composed.files
    if composed.members:
        members = set(composed.members)
        row.doc["ids"] = sorted({i for event in case.view.owned() if event.id in members for i in event.ids})
    return row
