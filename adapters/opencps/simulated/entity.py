"""What the portal's database holds. Instants are aware, in UTC; None is a missing date (provincial.md 2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class ActionRow:
    """One executed action; the dossier's present one is named by `Dossier.action_id`, 0 before the first."""

    action_id: int
    code: str
    name: str
    user: str
    user_id: int
    note: str
    at: datetime
    from_step: str
    to_step: str
    status: str
    sub_status: str
    previous_id: int
    call: int


@dataclass(slots=True)
class LogRow:
    """One row of the dossier's log; `action_id` is ours, it is not on the wire."""

    log_id: int
    at: datetime
    author: str
    content: str
    kind: str
    payload: str
    action_id: int


@dataclass(slots=True)
class FileRow:
    """One attached file; `content` None is a row without stored bytes (HTTP 204).

    `spoilt` says what its download does wrong: `gone` (204), `html` (a web page), `empty`, `size` (another length than
    its row says), `other` (other bytes of the same length).
    """

    file_id: int
    reference_uid: str
    part_no: str
    part_type: int
    name: str
    file_type: str
    content: bytes | None
    at: datetime
    modified_ms: int
    removed: bool = False
    form_data: str = ""
    version: int = 1
    spoilt: str = ""


@dataclass(slots=True)
class Applicant:
    """For whom the dossier is; `kind` is citizen, business, organization or other."""

    name: str = ""
    kind: str = "citizen"
    number: str = ""
    issued_on: str = ""
    address: str = ""
    city: tuple[str, str] = ("", "")
    district: tuple[str, str] = ("", "")
    ward: tuple[str, str] = ("", "")
    contact_name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(slots=True)
class Dossier:
    """One row of the dossier table with its actions, log and files."""

    dossier_id: int
    group_id: int
    reference_uid: str
    service_code: str
    service_name: str
    domain_code: str
    domain_name: str
    agency_code: str
    agency_name: str
    template_no: str
    created_at: datetime
    modified_at: datetime
    dossier_no: str = ""
    originality: int = 3
    online: bool = False
    applicant: Applicant = field(default_factory=Applicant)
    delegate: dict[str, str] = field(default_factory=dict)
    note: str = ""
    brief: str = ""
    applicant_note: str = ""
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    processed_at: datetime | None = None
    due_at: datetime | None = None
    extended_at: datetime | None = None
    released_at: datetime | None = None
    finished_at: datetime | None = None
    cancelling_at: datetime | None = None
    correcting_at: datetime | None = None
    paused_at: datetime | None = None
    days: float = 0.0
    status: str = ""
    sub_status: str = ""
    step: str = ""
    lock_state: str = ""
    action_id: int = 0
    origin_dossier_id: int = 0
    origin_dossier_no: str = ""
    via_postal: int = 0
    password: str = ""
    counter: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    national: str = ""
    user: str = ""
    actions: list[ActionRow] = field(default_factory=list)
    logs: list[LogRow] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    legal: list[dict[str, Any]] = field(default_factory=list)
    seen_by: dict[str, int] = field(default_factory=dict)

    def action(self) -> ActionRow | None:
        """The row of the present action."""
        return self.row(self.action_id)

    def row(self, action_id: int) -> ActionRow | None:
        """An action row by its id."""
        return next((row for row in reversed(self.actions) if row.action_id == action_id), None)
