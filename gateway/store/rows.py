"""The rows of the store as plain values. Instants are seconds since 1970 in UTC; documents are JSON values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.evidence.leaf import LeafRow

__all__ = [
    "AccessKeyRow",
    "DeliveryRow",
    "DossierRow",
    "FileRow",
    "InboundRow",
    "Json",
    "LaneKey",
    "LaneRow",
    "LeafRow",
    "NoticeRow",
    "PortalRow",
    "QuarantineRow",
    "RawRow",
    "ReceiptRow",
    "RecordRow",
    "RunRow",
    "StageRow",
]

Json = dict[str, Any]


@dataclass(slots=True)
class DossierRow:
    """One dossier: what is not personal in columns and `timeline`, the rest in `sealed`.

    `timeline` is the grow-only list of entries (`gateway.sync.timeline`), without texts.
    `sealed` holds the facts per portal and the texts of the entries, sealed under the dossier's key.
    `version` counts stored changes.
    """

    id: str
    version: int = 0
    national_code: str = ""
    dossier_code: str = ""
    procedure_code: str = ""
    agency_code: str = ""
    applicant_hash: str = ""
    status: str = ""
    wire: str = ""
    handler: str = ""
    submitted_at: float | None = None
    received_at: float | None = None
    due_at: float | None = None
    changed_at: float = 0.0
    flags: tuple[str, ...] = ()
    timeline: list[Json] = field(default_factory=list)
    sealed: bytes = b""


@dataclass(slots=True)
class RecordRow:
    """One record of one portal: what it links to and what was last seen of it.

    `digest` is of the mapped record without volatile fields, `list_digest` of its list row. `raw_digest` is keyed and
    of the bytes received, for portals without a digest of their own: equal bytes under one mapping say the same.
    `counts` is what naming the next event needs (sync.md S4): acts seen current, number of bare states.
    `leaf` is the digest of the record's last leaf. `open` says whether news is still expected.
    """

    portal: str
    external_id: str
    dossier_id: str = ""
    dossier_code: str = ""
    national_code: str = ""
    reference: str = ""
    applicant_hash: str = ""
    procedure_code: str = ""
    agency_code: str = ""
    digest: str = ""
    list_digest: str = ""
    raw_digest: str = ""
    read_at: float = 0.0
    open: bool = True
    removed: bool = False
    absent: int = 0
    counts: Json = field(default_factory=dict)
    leaf: str = ""


@dataclass(slots=True)
class LaneRow:
    """One dossier at one portal: shadow, ledger, when it is due and why it waits.

    `mark` grows each time something makes the lane due, so that a claim clears only what it has seen (S13).
    `doc` holds shadow, ledger, holds, tries and the digest of the lane's last leaf.
    """

    portal: str
    dossier_id: str
    due_at: float | None = None
    mark: int = 0
    lease_until: float = 0.0
    lease_token: str = ""
    state: str = "calm"
    reason: str = ""
    since: float = 0.0
    doc: Json = field(default_factory=dict)


@dataclass(slots=True)
class DeliveryRow:
    """One request with all its attempts. `open` while unknown or begun; `sealed_body` is frozen.

    `state`: begun, unknown, thawed, delivered, refused, parked, unproven, superseded; unheard is a request that ended
    superseded and that its handler does not know of.
    `attempts`: list of {n, begun_at, ended_at, outcome, reason, code}.
    `next_at`: when an open one is looked at again. `asks`: probes that could not tell.
    """

    key: str
    key_uuid: str
    portal: str
    dossier_id: str
    klass: str
    operation: str
    cause: str = ""
    state: str = "begun"
    open: bool = True
    external_id: str = ""
    members: tuple[str, ...] = ()
    sealed_body: bytes = b""
    body_digest: str = ""
    planned_at: float = 0.0
    guard: Json = field(default_factory=dict)
    attempts: list[Json] = field(default_factory=list)
    next_at: float | None = None
    asks: int = 0
    reason: str = ""
    excerpt: str = ""
    settled_at: float | None = None
    by_person: str = ""
    doc: Json = field(default_factory=dict)
    id: int | None = None


@dataclass(slots=True)
class RawRow:
    """Bytes as received (declared secrets blanked), compressed and sealed, with the day they may go."""

    portal: str
    external_id: str
    seal_key: str
    sealed: bytes
    digest: str
    at: float
    expires_at: float
    id: int | None = None


@dataclass(slots=True)
class QuarantineRow:
    """A record we could not read or place: raw kept, a reason, an owner, a next step, a replay."""

    portal: str
    external_id: str
    cause: str
    reason: str
    raw_id: int | None
    at: float
    state: str = "open"
    owner: str = "province"
    next_step: str = ""
    times: int = 1
    digest: str = ""
    doc: Json = field(default_factory=dict)
    id: int | None = None


@dataclass(slots=True)
class PortalRow:
    """What all jobs of one portal share: mode, adopt line, pause, breaker, budget, session, alarm state."""

    portal: str
    mode: str = "watch"
    adopt_from: float | None = None
    paused: str = ""
    breaker: Json = field(default_factory=dict)
    budget: Json = field(default_factory=dict)
    sealed_session: bytes = b""
    session_until: float = 0.0
    heard_at: float | None = None
    alarm: Json = field(default_factory=dict)
    doc: Json = field(default_factory=dict)


@dataclass(slots=True)
class RunRow:
    """One run of one job, for the sync log."""

    job: str
    portal: str
    started_at: float
    ended_at: float | None = None
    outcome: str = "running"
    counts: Json = field(default_factory=dict)
    reason: str = ""
    id: int | None = None


class LaneKey(NamedTuple):
    """Names a lane."""

    portal: str
    dossier_id: str


@dataclass(slots=True)
class InboundRow:
    """One thing told to us at a receiver, in one version of its content (T5).

    `state`: accepted (success was said, the engine has not taken it in yet), applied, refused (judged afresh when it
    comes again). `version` counts the contents told under one key. `answer` is the first one, byte for byte. `times`
    counts how often it came. `doc` holds what answering and replaying need: status and media type, leaf digest.
    """

    portal: str
    endpoint: str
    key: str
    digest: str
    version: int = 1
    state: str = "accepted"
    reason: str = ""
    dossier_id: str = ""
    seal_key: str = ""
    sealed: bytes = b""
    answer: bytes = b""
    at: float = 0.0
    applied_at: float | None = None
    times: int = 1
    last_at: float = 0.0
    doc: Json = field(default_factory=dict)
    id: int | None = None


@dataclass(slots=True)
class FileRow:
    """One attachment: its sealed bytes lie in a file named `id` below the folder of files.

    `seal_key` owns its bytes and `sealed_name`. `ref` is how its record speaks of it. `sha256` and `size` are of the
    plain bytes, `media_type` is what the bytes look like.
    """

    id: str
    portal: str
    key: str
    ref: str
    dossier_id: str = ""
    seal_key: str = ""
    sealed_name: bytes = b""
    media_type: str = ""
    size: int = 0
    sha256: str = ""
    at: float = 0.0
    expires_at: float = 0.0


@dataclass(slots=True)
class WantedFileRow:
    """A file that a delivery needs and its own portal holds: `ref` is what that portal opens it by.

    `state`: wanted, held (`file_id` names what was fetched), given_up, or let_go (a person has said that it is done
    without). `version` is what the dossier says of it: the same reference with another one is another file. `doc` keeps
    digest, size and media type of what was fetched, also when its bytes have had their day. `urgent`: something that is
    sent once waits for it.
    """

    dossier_id: str
    portal: str
    ref: str
    state: str = "wanted"
    version: str = ""
    file_id: str = ""
    tries: int = 0
    next_at: float | None = None
    first_at: float = 0.0
    reason: str = ""
    urgent: bool = False
    doc: Json = field(default_factory=dict)


@dataclass(slots=True)
class FileLinkRow:
    """An address of ours, given to one portal, at which it may fetch one file: `token` is the last part of it."""

    token: str
    portal: str
    file_id: str
    dossier_id: str
    at: float = 0.0


@dataclass(slots=True)
class StageRow:
    """One hand-over of a dossier to a portal by a forwarding route, and the four facts about it, each kept apart.

    `owed_at` is when it became due. The four instants are when each came to be true, None as long as it is not proven;
    `doc["proof"]` holds how each was proven. `status` is the last word of whoever handles the stage.
    """

    dossier_id: str
    portal: str
    route: str
    owed_at: float = 0.0
    sent_at: float | None = None
    received_at: float | None = None
    accepted_at: float | None = None
    completed_at: float | None = None
    status: str = ""
    doc: Json = field(default_factory=dict)


@dataclass(slots=True)
class ReceiptRow:
    """Our signed statement about one fact: canonical bytes, signature, and the key that made it.

    `subject` is the delivery's key or the event's id that proves the fact.
    """

    dossier_id: str
    portal: str
    route: str
    fact: str
    subject: str
    statement: bytes
    digest: str
    signature: bytes
    key_id: str
    at: float
    id: int | None = None


@dataclass(slots=True)
class NoticeRow:
    """One item of an inbox, in the order in which items were offered, and how its portal was told of it.

    `item` is what the portal calls it, `key` our delivery behind it. `state`: due, told, moot (collected before it was
    told) or given_up; an item of a portal that wants no notices is moot from the start. `tries` counts failed ones.
    """

    portal: str
    item: str
    key: str
    dossier_id: str
    state: str = "due"
    at: float = 0.0
    tries: int = 0
    next_at: float | None = None
    told_at: float | None = None
    reason: str = ""
    id: int | None = None


@dataclass(slots=True)
class AccessKeyRow:
    """An API key as it is kept: `digest` of its secret part, who holds it, what he may do, who gave it out."""

    id: str
    holder: str
    digest: str
    scopes: tuple[str, ...]
    actor: str
    made_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
