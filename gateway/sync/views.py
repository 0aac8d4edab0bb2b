"""What faces show of one dossier: everything known of it, masked."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from gateway.config import Config
from gateway.masking import DOTS, masked
from gateway.store.base import Store, Tx, Vault
from gateway.store.rows import DeliveryRow, DossierRow, LaneKey, LaneRow, StageRow
from gateway.sync.dossiers import Held, view_of
from gateway.sync.lane import Lane
from gateway.sync.stages import Fact, at_of

OPEN_FACTS = frozenset(
    {
        "dossier_code",
        "national_code",
        "reference",
        "external_id",
        "receipt_number",
        "procedure",
        "handling_agency",
        "receiving_agency",
        "handling_unit",
        "channel",
        "submitted_at",
        "received_at",
        "due_at",
        "completed_at",
        "returned_at",
        "refused_at",
        "withdrawn_at",
        "extended_at",
        "digitised",
        "origin",
        "fees",
    }
)
"""Facts of a dossier that say nothing of a person; every other one is masked."""


def find_dossiers(store: Store, name: str) -> list[DossierRow]:
    """Dossiers by our id, national number or dossier code; more than one is a question."""

    def look(tx: Tx) -> list[DossierRow]:
        found = tx.dossiers([name])
        for row in (*tx.dossiers_by_national_code([name]).get(name, ()), *tx.dossiers_by_code([name]).get(name, ())):
            found.setdefault(row.id, row)
        return list(found.values())

    return store.read(look)


def dossier_view(store: Store, vault: Vault, config: Config, dossier_id: str) -> dict[str, Any] | None:
    """Everything held of one dossier, as JSON values; what is personal is masked, notes too."""

    def look(tx: Tx) -> dict[str, Any] | None:
        row = tx.dossiers([dossier_id]).get(dossier_id)
        if row is None:
            return None
        lanes = tx.lanes_of([row.id]).get(row.id, [])
        records = tx.records_of([row.id]).get(row.id, [])
        found = tx.deliveries([LaneKey(lane.portal, lane.dossier_id) for lane in lanes], open_only=False)
        deliveries = sorted((one for many in found.values() for one in many), key=lambda one: one.id or 0)
        view = view_of(row, Held.open(row, vault), config)
        stages = tx.stages_of([row.id]).get(row.id, [])
        return {
            "id": row.id,
            "national_code": row.national_code,
            "dossier_code": row.dossier_code,
            "status": row.status,
            "wire": row.wire,
            "handler": row.handler,
            "flags": list(row.flags),
            "facts": {
                name: _plain(value) if name in OPEN_FACTS else masked(value, name) for name, value in view.facts.items()
            },
            "records": [
                {
                    "portal": one.portal,
                    "external_id": one.external_id,
                    "read_at": instant(one.read_at),
                }
                for one in records
            ],
            "timeline": [
                {
                    "at": instant(event.at),
                    "portal": event.portal,
                    "stage": event.stage,
                    "status": event.status,
                    "wire": event.wire,
                    "timed_by_us": event.timed_by_us,
                }
                for stage in sorted({entry["stage"] for entry in view.entries})
                for event in view.events(stage)
            ],
            "lanes": [_lane(lane) for lane in lanes],
            "stages": [stage_facts(stage) for stage in stages],
            "deliveries": [delivery_view(one) for one in deliveries],
        }

    return store.read(look)


def stage_facts(stage: StageRow) -> dict[str, Any]:
    """One hand-over as JSON values: when each fact came to be true, and by whose word."""
    known = {fact: at for fact in Fact if (at := at_of(stage, fact)) is not None}
    proofs = stage.doc.get("proof", {})
    return {
        "portal": stage.portal,
        "route": stage.route,
        "owed_at": instant(stage.owed_at),
        **{fact.value: instant(known[fact]) if fact in known else "" for fact in Fact},
        "proven_by": {fact.value: proofs.get(fact.value, {}).get("by", "") for fact in known},
        "status": stage.status,
    }


def _lane(lane: LaneRow) -> dict[str, Any]:
    return {**lane_view(lane), "ledger": dict(Counter(Lane(lane).ledger().values()))}


def lane_view(lane: LaneRow) -> dict[str, Any]:
    """One lane, as JSON values."""
    return {
        "portal": lane.portal,
        "dossier_id": lane.dossier_id,
        "state": lane.state,
        "reason": lane.reason,
        "since": instant(lane.since) if lane.since else None,
        "due_at": instant(lane.due_at) if lane.due_at is not None else None,
    }


def delivery_view(row: DeliveryRow) -> dict[str, Any]:
    """One delivery without its body, as JSON values."""
    return {
        "id": row.id,
        "portal": row.portal,
        "dossier_id": row.dossier_id,
        "class": row.klass,
        "operation": row.operation,
        "state": row.state,
        "reason": row.reason,
        "attempts": len(row.attempts),
        "planned_at": instant(row.planned_at),
        "settled_at": instant(row.settled_at) if row.settled_at else None,
        "by_person": row.by_person,
    }


def instant(seconds: float) -> str:
    """An instant as text, in UTC; "" for one that never was."""
    if not seconds:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: DOTS if name in ("payer", "note") else _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
