"""What a portal shows is proof for its own lane (sync.md S9); what it shows without owning it is drift (S12)."""

from __future__ import annotations

from gateway.store.rows import DeliveryRow, LaneKey
from gateway.sync.decide import Decision
from gateway.sync.dossiers import hashed
from gateway.sync.lane import Lane
from gateway.sync.page import Page, Placed
from gateway.sync.reading import Reading


def is_echo(page: Page, placed: Placed) -> bool:
    """A portal that shows the status we put there says nothing of its own (S9); what it tells us by a call is its own.

    A paid fee is told while the portal still shows that a payment is asked for.
    """
    if not page.lanes or placed.slot.reading.partial:
        return False
    key = LaneKey(page.name, placed.slot.record.dossier_id)
    row, state = page.lanes.get(key), placed.slot.reading.state
    if row is None or state is None:
        return False
    shown = hashed(page.terms.vault, {"state.status": state.status})["state.status"]
    ours = {Lane(row).shadow.get("state.status")}
    ours.update(delivery.doc.get("content", {}).get("state.status") for delivery in _deliveries(page, key))
    return shown in ours


def is_due(page: Page, placed: Placed) -> bool:
    """Whether a reading makes the lane at its own portal due: drift to correct, or a command that it proves."""
    if not page.lanes:
        return False
    key = LaneKey(page.name, placed.dossier.id)
    row = page.lanes.get(key)
    if row is None:
        return False
    drifts = _drifts(page, placed.slot.reading, Lane(row))
    settles = _settles_by_key(page, placed.slot.reading, key)
    if drifts:
        page.tx.put_lanes([row])
    return drifts or settles


def shown_again(page: Page, reading: Reading, dossier_id: str) -> None:
    """An unchanged record may still be drift that we have corrected in vain since it was last read."""
    key = LaneKey(page.name, dossier_id)
    row = page.lanes.get(key) if reading.state is not None else None
    if row is not None and Lane(row).shadow_state == "known" and _drifts(page, reading, Lane(row)):
        page.tx.put_lanes([row])
        page.due[key] = None


def _deliveries(page: Page, key: LaneKey, *, open_only: bool = True) -> list[DeliveryRow]:
    return page.tx.deliveries([key], open_only=open_only).get(key, [])


def _drifts(page: Page, reading: Reading, lane: Lane) -> bool:
    key = LaneKey(lane.row.portal, lane.row.dossier_id)
    if _deliveries(page, key) or reading.read_at <= lane.last_ended or lane.shadow_state not in ("known", "present"):
        return False
    shown = hashed(page.terms.vault, reading.shown())
    differing = lane.overlay({path: value for path, value in shown.items() if path in lane.shadow})
    if differing and _is_request(page, reading):
        return True  # a wish of its own is no drift: it is answered, and then corrected
    if differing:
        lane.drifting = True
        page.labels.append(Decision.DRIFT)
    return bool(differing)


def _is_request(page: Page, reading: Reading) -> bool:
    asked = page.terms.config.ownership.requests.get(page.name, {})
    return reading.state is not None and reading.state.status in asked


def _settles_by_key(page: Page, reading: Reading, key: LaneKey) -> bool:
    """Our key in a note proves the command that carried it (S11)."""
    if not reading.our_keys:
        return False
    proven = [
        delivery
        for delivery in _deliveries(page, key, open_only=False)
        if delivery.key_uuid in reading.our_keys and (delivery.open or delivery.state == "unproven")
    ]
    for delivery in proven:
        delivery.state, delivery.open, delivery.next_at = "unknown", True, page.now
        delivery.doc["seen"] = True
        page.tx.put_delivery(delivery)
    return bool(proven)
