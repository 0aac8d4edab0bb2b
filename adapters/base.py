"""What an adapter is: it speaks one portal's protocol and knows nothing of vocabulary, store or retries.

An adapter is built with a `PortalContext` (all it may ask for) and its own `Options` model. It moves raw
records in and localised records out. Failures of reads are raised as the errors of `schemas.errors`; a write
always comes back as an `Outcome` (design.md section 4, sync.md S21 to S25).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Protocol, runtime_checkable

from schemas.clock import Clock

JsonValue = Any
"""A JSON value as `orjson.loads` gives it: dict, list, str, int, float, bool or None."""


SENT: ContextVar[str] = ContextVar("SENT", default="")
"""SHA-256, in hex, of the body of the last write that this thread sent whole and got an answer to, byte for byte."""


class DeliveryClass(StrEnum):
    """The three classes of delivery; each has its own planning rule (sync.md S18 to S20)."""

    SNAPSHOT = "snapshot"
    APPEND = "append"
    COMMAND = "command"


class Repeat(StrEnum):
    """What a second, byte-for-byte equal call does at the portal."""

    SAFE = "safe"
    REFUSED_AS_DUPLICATE = "refused_as_duplicate"
    APPENDS = "appends"
    MOVES_DATES = "moves_dates"
    UNKNOWN = "unknown"

    @property
    def harmless(self) -> bool:
        """Whether an unknown outcome may be settled by sending the same bytes again."""
        return self in (Repeat.SAFE, Repeat.REFUSED_AS_DUPLICATE)


class ProbeStrength(StrEnum):
    """How much a probe of this operation can prove."""

    CONTENT = "content"
    PRESENCE = "presence"
    NONE = "none"


class FileUse(StrEnum):
    """What a write does with the files that its `documents` and `results` name by `reference`.

    Unless it is `none`, every row that still has a `reference` when a delivery begins is held by us: its `size`,
    `media_type` and `digest` are filled, and `PortalContext.open_stored(reference)` opens it. The reference is ours
    to give: the same for the same file, opaque, never a portal's own. A row whose file could not be had has none left.
    """

    NONE = "none"
    LINK = "link"
    """Each row also has a `url` of ours, at which this portal alone may fetch the file; none where the configuration
    does not say how it reaches us. Equal for the same file at every write."""
    CONTENT = "content"
    """The adapter reads the bytes when it sends, for nothing so large is ever part of a frozen body."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of write and what the portal promises about it.

    `message` names the mapping message that writes its records; `rows_per_call` is how many
    localised records one call may carry (more than one only for appends).
    `creates` marks an operation that makes the record at the portal, so that a presence probe proves it.
    `files` says what becomes of the files its records name; a command carries them in `form.documents` (a supplement)
    and `form.results` (an act that a stage's event causes).
    """

    name: str
    klass: DeliveryClass
    message: str
    repeat: Repeat
    probe: ProbeStrength
    rows_per_call: int = 1
    creates: bool = False
    files: FileUse = FileUse.NONE


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a kind can do, declared: a missing ability is visible, never guessed.

    `create`/`update` name the snapshot operations (`update` also serves as `create` where the portal
    upserts); `append` and `command` likewise. `commands` maps a command verb of the engine
    (`act`, `declare`, `amend`, `supplement`, `cancel`, `create_dossier`, `inform`) to an operation name.
    `fetches`: `fetch` can tell present from absent. `polls`: `pull` asks for the records we handed over.
    `identity`: how an event of this source is known again (sync.md S4).
    `opens_files`: `open_file` opens what its records' `documents` and `results` name by `reference`.
    `collected`: `push` calls nobody; the delivery is offered until the portal has fetched and acknowledged it.
    """

    operations: Mapping[str, Operation]
    pulls: bool = False
    polls: bool = False
    fetches: bool = False
    catalogues: tuple[str, ...] = ()
    opens_files: bool = False
    create: str | None = None
    update: str | None = None
    append: str | None = None
    commands: Mapping[str, str] = field(default_factory=dict)
    identity: EventIdentity | None = None
    reads_content: bool = False
    collected: bool = False


class EventIdentity(StrEnum):
    """Where the identity of an event of this source comes from (sync.md S4)."""

    ACT = "act"
    """An act id and the n-th time we saw it become current; log rows attach by time."""
    OWN_ID = "own_id"
    TIME = "time"
    """Status and own time, n-th of that pair."""
    BARE = "bare"
    """A bare state: the n-th change of state, numbered when stored, timed by us."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A partner's own signature, once its adapter has verified it by what the configuration believes; never before.

    `document` is what was signed, signature and all, exactly as it came. `certificate` is the signer's (DER), `holder`
    its common name where that is no person's, else "". `algorithm` is the signature method's URI. `at` is the
    instant at which the certificate was judged.
    """

    document: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    holder: str
    algorithm: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One portal record as it was read.

    `parts` maps a mapping message name to the wire value(s) to read with it: a JSON object, a list of
    objects (read one by one), or bytes for XML. Declared secrets are already blanked.
    `raw` is what is sealed as received (after blanking). `read_at` is the instant the call began (S8).
    `list_digest` stands for the list row as shown, volatile fields left out; the next pull compares it.
    `allowed` are the next actions the portal allows now, where it can tell.
    `guard` is what a later probe needs to know about this reading (opaque JSON, no personal data).
    `removed` marks a record the portal shows as rolled back or logically removed.
    `partial` marks a message about a record, not the record: facts it does not name stay, and it is never out of date.
    `signed` is the partner's signature over all that `parts` hold.
    """

    external_id: str
    parts: Mapping[str, JsonValue]
    raw: bytes
    read_at: datetime
    list_digest: str = ""
    allowed: tuple[str, ...] | None = None
    guard: Mapping[str, JsonValue] = field(default_factory=dict)
    removed: bool = False
    partial: bool = False
    signed: Signed | None = None


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that cannot be taken apart; it is quarantined raw and the page goes on."""

    external_id: str
    raw: bytes
    reason: str
    read_at: datetime


Cursor = str
"""Opaque text written by the adapter; nobody else looks inside."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a pull: store the records and `next_cursor` together (I1).

    `seen` are external ids that were looked at and had not changed; `total` is how many records the
    portal says there are in this pull, where it says so (for progress bars).
    `sweep_complete` names a finished sweep window, so that ids not seen in it may be asked for.
    """

    records: tuple[RawRecord | UnreadableRecord, ...]
    next_cursor: Cursor | None
    seen: tuple[str, ...] = ()
    total: int | None = None
    sweep_complete: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to a portal, frozen at its first attempt (S14, S15).

    `body` is what the mapping localised, frozen: canonical JSON of one record (snapshot, command) or of a
    list of records (append), or XML bytes for an XML message. The adapter wraps it in its envelope.
    `external_id` is the portal's own key of the record, "" before the first contact.
    `key` is ours, unique per portal, dossier, class and cause; `key_uuid` is its UUIDv5 for wires that want one.
    `planned_at` is the instant its bytes were frozen. `attempt` counts from 1.
    `send_by` is a monotonic instant checked immediately before the first byte (S25).
    `guard` is what `fetch` gave before the first attempt.
    """

    key: str
    key_uuid: str
    portal: str
    operation: str
    klass: DeliveryClass
    external_id: str
    body: bytes
    planned_at: datetime
    attempt: int
    send_by: float
    members: tuple[str, ...] = ()
    guard: Mapping[str, JsonValue] = field(default_factory=dict)


class OutcomeKind(StrEnum):
    """What one attempt came to. `superseded` and `unproven` are the engine's, not the adapter's."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY = "retry"
    UNKNOWN = "unknown"
    OFFERED = "offered"
    """Nobody was called: it waits to be collected (`Abilities.collected`)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt, by code and text together.

    delivered: a positive answer was parsed. refused: a parsed no, known not to have worked.
    retry: known not to have worked and worth repeating (not opened, 429, a temporary no).
    unknown: anything else once the first byte may have left. offered: waits to be collected.

    `duplicate`: the portal says the record is already there (delivered only if the operation's repeat is
    refused_as_duplicate and an earlier attempt of ours may have made it; the engine decides).
    `final`: a refusal by a known text; without it refusals are retried a bounded number of times.
    `not_allowed`: "not allowed in the present step" (405): decided by reading again (S20).
    `external_id`, `number`: identifiers learned from the answer; of an unknown outcome, the one we wrote there.
    `excerpt`: redacted, at most 2,000 characters.
    `proof`: which words proved it (`code=0 text~thành công`). `answer`: the raw answer bytes, to be sealed.
    `not_before_s`: Retry-After in seconds. `sent`: SHA-256 of the body on the wire, which the engine
    fills in from `SENT`. `signed`: the partner's signature over all that this outcome was judged by.
    """

    kind: OutcomeKind
    reason: str
    code: str = ""
    excerpt: str = ""
    proof: str = ""
    not_before_s: float | None = None
    duplicate: bool = False
    final: bool = False
    not_allowed: bool = False
    auth: bool = False
    external_id: str = ""
    number: str = ""
    answer: bytes = b""
    sent: str = ""
    signed: Signed | None = None


class Presence(StrEnum):
    """What a probe found."""

    PRESENT = "present"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer of a probe, at the strength its operation declares."""

    presence: Presence
    reason: str
    asked_at: datetime
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueList:
    """A whole list as the portal gives it, with its version (digest or the portal's own)."""

    name: str
    version: str
    rows: tuple[JsonValue, ...]
    raw: bytes
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """A procedure that an agency offers here: the portal's own code, its national one, and the agency."""

    procedure_code: str
    national_code: str
    agency_code: str


@dataclass(frozen=True, slots=True)
class FileStream:
    """An open file of a portal; close it after reading. `size` in bytes, None when unknown."""

    stream: BinaryIO
    media_type: str
    size: int | None


class Budget(Protocol):
    """The portal's call budget, shared by all its jobs."""

    def take(self, calls: int = 1) -> None:
        """Wait until `calls` may be made."""


class Sessions(Protocol):
    """One shared session per portal, refreshed once under concurrency."""

    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        """Give the session token, logging in if there is none, it has aged, or it equals `stale`.

        `login` returns the token and how many seconds it is good for.
        """


class Known(Protocol):
    """What the gateway already holds of this portal."""

    def list_digests(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        """External id -> `RawRecord.list_digest` of the last stored reading; unknown ids are left out.

        A record that we made and that was not met in a list yet is known, with "".
        """

    def open_records(self) -> Iterator[str]:
        """External ids at this portal that we still expect news of, oldest reading first."""

    def any_record(self) -> str | None:
        """One external id that certainly exists, to prove a login."""


@dataclass(frozen=True, slots=True)
class PortalContext:
    """All an adapter may ask for.

    `secret` resolves `${NAME}`. `agency_code` is the province's own identifier.
    `call_timeout_s` is the whole deadline of one call. `open_stored` opens a file that we hold, by the reference that
    stands in a delivery; LookupError when it is not kept (any more). None where there is no file store.
    """

    portal: str
    clock: Clock
    budget: Budget
    sessions: Sessions
    known: Known
    secret: Callable[[str], str]
    call_timeout_s: float = 60.0
    agency_code: str = ""
    open_stored: Callable[[str], FileStream] | None = None


class Adapter(Protocol):
    """One portal, reachable through its protocol. Thread-safe: a portal's pool shares one adapter."""

    @property
    def abilities(self) -> Abilities:
        """What this kind can do."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield pages from where `cursor` ended; resuming may repeat, never skips."""

    def fetch(self, external_id: str) -> RawRecord | None:
        """The record as the portal shows it now, or None when it is absent."""

    def push(self, delivery: Delivery) -> Outcome:
        """Send one frozen request. Never raises for anything the portal did."""

    def probe(self, delivery: Delivery) -> Probe:
        """Ask whether an attempt arrived."""

    def catalogue(self, name: str) -> CatalogueList:
        """A whole list; an empty or shrunken one is returned, never acted on."""

    def open_file(self, ref: str) -> FileStream:
        """Open a file the portal holds."""

    def ping(self) -> datetime | None:
        """A harmless call (half-open breaker, doctor); gives the portal's own clock where it shows one."""

    def close(self) -> None:
        """Give back connections."""


@runtime_checkable
class Offers(Protocol):
    """An adapter of a portal that can say which procedures its agencies offer."""

    def offers(self) -> tuple[Offer, ...]:
        """All of them; a procedure that names no agency comes once with an empty agency."""


@runtime_checkable
class KnowsUploads(Protocol):
    """An adapter that tells the files which it put at its portal itself: nobody need fetch them back."""

    def is_upload(self, ref: str, stored: str) -> bool:
        """Whether what its records name `ref` is an upload of the file that `open_stored(stored)` opens."""


AdapterFactory = Callable[[PortalContext, Mapping[str, JsonValue]], Adapter]
"""Builds an adapter from its context and the `options` of its portal entry (checked by its Options model)."""
