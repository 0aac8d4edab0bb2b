"""What reaching a status does to the dates of a dossier (provincial.md 3.2, table of side effects)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from adapters.opencps.simulated.dates import due_after
from adapters.opencps.simulated.entity import Dossier

_RELEASED = frozenset({"releasing", "unresolved", "cancelled"})
_FINISHED = frozenset({"denied", "done", "unresolved", "cancelled"})
_REOPENED = frozenset({"processing", "interoperating", "waiting"})


def reach(
    dossier: Dossier, before: str, status: str, options: tuple[int, ...], now: datetime, give_number: Callable[[], None]
) -> None:
    """Apply the side effects of moving from status `before` to `status`.

    `give_number` sets the case number; its failure is the caller's to swallow, as the portal does.
    """
    dossier.status = status
    if (before == "new" and status == "receiving") or (status == "new" and dossier.originality == 3):
        dossier.submitted_at = dossier.submitted_at or now
    if _receives(dossier, status, options):
        dossier.received_at = now
        dossier.due_at = due_after(now, dossier.days)
        give_number()
    if before == "receiving" and status == "processing":
        dossier.processed_at = now
    if status in _RELEASED or 4 in options:
        dossier.released_at = dossier.released_at or now
    if status in _FINISHED or 5 in options:
        dossier.finished_at = dossier.finished_at or now
        dossier.released_at = dossier.released_at or now
    if status in _REOPENED:
        dossier.finished_at = dossier.released_at = None
    if status == "cancelling":
        dossier.cancelling_at = now
    if status == "correcting":
        dossier.correcting_at = now
    _options(dossier, options, now)


def _receives(dossier: Dossier, status: str, options: tuple[int, ...]) -> bool:
    if dossier.received_at is not None or dossier.originality == 1:
        return False
    return (
        (status == "processing" and dossier.originality == 2)
        or (status == "new" and dossier.originality in (2, 3))
        or 2 in options
    )


def _options(dossier: Dossier, options: tuple[int, ...], now: datetime) -> None:
    if 1 in options:
        dossier.lock_state, dossier.paused_at = "PAUSE", now
    if 9 in options:
        dossier.lock_state = "PAUSE_OVERDUE"
    if 3 in options:
        if dossier.due_at is not None and dossier.paused_at is not None:
            dossier.due_at += now - dossier.paused_at
        dossier.lock_state, dossier.paused_at = "", None
    if 6 in options:
        dossier.lock_state, dossier.paused_at = "", None
        dossier.due_at = due_after(now, dossier.days)
