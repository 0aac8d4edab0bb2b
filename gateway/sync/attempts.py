"""T2b, begin: an attempt is noted and its bytes frozen immediately before the first byte (sync.md S14, S25)."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.base import Delivery, DeliveryClass
from gateway.evidence.leaf import leaf
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow
from gateway.sync.case import Workshop
from gateway.sync.lane import Lane
from gateway.sync.portal import Portal


class LeaseLostError(Exception):
    """The lane is somebody else's now; what was planned is dropped."""


def stopped(tx: Tx, portal: str) -> str:
    """Why nothing may be begun at this portal: a brake was pulled, or it is only watched (I13)."""
    state = tx.portal(portal)
    return tx.setting("paused") or state.paused or ("" if state.mode == "live" else "mode is watch")


def attempt_begun(tx: Tx, lane: Lane, delivery: DeliveryRow, now: float) -> None:
    """Note an attempt: from here on its outcome can be unknown (S14)."""
    delivery.state, delivery.open, delivery.next_at = "begun", True, None
    delivery.attempts = [*delivery.attempts, {"n": len(delivery.attempts) + 1, "begun_at": now}]
    made = leaf(
        "attempt",
        now,
        dossier_id=delivery.dossier_id,
        portal=delivery.portal,
        prev=lane.leaf,
        key=delivery.key,
        operation=delivery.operation,
        attempt=len(delivery.attempts),
        body=delivery.body_digest,
        members=list(delivery.members),
        **({"files": delivery.doc["files"]} if delivery.doc.get("files") else {}),
    )
    lane.leaf = made.digest
    tx.append_leaves([made])
    tx.put_delivery(delivery)
    tx.put_lanes([lane.row])


def delivery_of(row: DeliveryRow, body: bytes, shop: Workshop, portal: Portal) -> Delivery:
    """The request as the adapter gets it; it must leave within half a call's deadline from now (S25)."""
    return Delivery(
        key=row.key,
        key_uuid=row.key_uuid,
        portal=row.portal,
        operation=row.operation,
        klass=DeliveryClass(row.klass),
        external_id=row.external_id,
        body=body,
        planned_at=datetime.fromtimestamp(row.planned_at, UTC),
        attempt=len(row.attempts),
        send_by=shop.clock.monotonic() + portal.config.call_timeout_s / 2,
        members=row.members,
        guard=row.guard,
    )
