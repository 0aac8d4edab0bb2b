"""The ten canonical statuses of a dossier and the events that carry them.

Source: the glossary (`docs/glossary.md`), the national code list and its terminal marks
(rules.md 2.2, npsp.md 4.1).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class DossierStatus(StrEnum):
    """What a dossier is at, in step order; each is kept beside its wire word and its portal."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    IN_PROGRESS = "in_progress"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    PAYMENT_REQUESTED = "payment_requested"
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    HALTED = "halted"
    COMPLETED = "completed"
    RETURNED = "returned"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more is expected; going back from here is flagged to a person (S7)."""
        return self in _TERMINAL


_TERMINAL = frozenset({DossierStatus.NOT_ACCEPTED, DossierStatus.WITHDRAWAL_REQUESTED, DossierStatus.RETURNED})

STAGE_DONE = frozenset({DossierStatus.COMPLETED, DossierStatus.RETURNED})
"""How a stage that was handed over ends well: its result is there."""

STAGE_ENDS = STAGE_DONE | {DossierStatus.NOT_ACCEPTED, DossierStatus.HALTED, DossierStatus.WITHDRAWAL_REQUESTED}
"""All ends of a stage that was handed over; the dossier itself goes on at its handler."""


class StatusEvent(BaseModel):
    """One thing a portal said about a dossier, with the identity its origin gave it (S4).

    `status` is None for a note: a row that says something but moves nothing.
    `occurred_at` is the origin's own time in UTC, or None where the origin gives none; then
    `timed_by_us` is true and the engine writes the instant of first hearing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    status: DossierStatus | None = None
    wire: str = ""
    sub_wire: str = ""
    occurred_at: datetime | None = None
    timed_by_us: bool = False
    note: str = ""
    officer: str = ""
    officer_title: str = ""
    handling_unit: str = ""
    started_at: datetime | None = None
    due_at: datetime | None = None
    dossier_code: str = ""
