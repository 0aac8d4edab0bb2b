"""Citizens' requests that ended without the handler knowing of them, for faces: they wait for a person's word."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.store.base import Tx

MANY = 10_000_000
UNHEARD = "unheard"
"""The state of their delivery."""


@dataclass(frozen=True, slots=True)
class UnheardRequest:
    """One request. `number` is that of its delivery, `portal` its handler, `by` the portal at which it was made.

    `asked` is the canonical status that the citizen's portal said; `at` when the request ended.
    """

    number: int
    portal: str
    by: str
    asked: str
    dossier_id: str
    dossier_code: str
    at: float
    reason: str


def unheard_requests(tx: Tx, *, portal: str = "") -> list[UnheardRequest]:
    """All that wait, oldest first."""
    rows = tx.list_deliveries(portal=portal, states=(UNHEARD,), limit=MANY)
    dossiers = tx.dossiers({row.dossier_id for row in rows})
    called = {one.id: one.national_code or one.dossier_code for one in dossiers.values()}
    return [
        UnheardRequest(
            row.id or 0,
            row.portal,
            row.doc.get("by", ""),
            row.doc.get("asked", ""),
            row.dossier_id,
            called.get(row.dossier_id, ""),
            row.settled_at or 0.0,
            row.reason,
        )
        for row in rows
    ]
