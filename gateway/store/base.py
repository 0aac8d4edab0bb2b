"""What the engine asks of a store; one implementation for SQLite now, another dialect later.

`Store.write` runs a function in a savepoint of a group commit and returns only after COMMIT: either all of it is
durable or nothing is, and one failing function never rolls back another's. A network call is never made inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from gateway.store.rows import (
    AccessKeyRow,
    DeliveryRow,
    DossierRow,
    FileLinkRow,
    FileRow,
    InboundRow,
    Json,
    LaneKey,
    LaneRow,
    LeafRow,
    NoticeRow,
    PortalRow,
    QuarantineRow,
    RawRow,
    ReceiptRow,
    RecordRow,
    RunRow,
    StageRow,
    WantedFileRow,
)

T = TypeVar("T")


class Tx(Protocol):
    """The store as seen inside one transaction. Batches in, batches out."""

    # dossiers
    def dossiers(self, ids: Iterable[str]) -> dict[str, DossierRow]:
        """Rows by id, unknown ids left out; locked in key order when writing."""

    def dossiers_by_national_code(self, codes: Iterable[str]) -> dict[str, list[DossierRow]]:
        """National number -> dossiers that carry it (more than one is a question, not an answer)."""

    def dossiers_by_code(self, codes: Iterable[str]) -> dict[str, list[DossierRow]]:
        """Dossier code -> dossiers that carry it."""

    def procedures_of(self, ids: Iterable[str]) -> dict[str, str]:
        """Dossier id -> procedure code; nothing else of the rows is read."""

    def put_dossiers(self, rows: Sequence[DossierRow]) -> None:
        """Insert or replace by id."""

    # portal records
    def records(self, portal: str, external_ids: Iterable[str]) -> dict[str, RecordRow]:
        """Rows by external id."""

    def records_of(self, dossier_ids: Iterable[str]) -> dict[str, list[RecordRow]]:
        """Dossier id -> its records at all portals."""

    def records_by_reference(self, references: Iterable[str]) -> dict[str, list[RecordRow]]:
        """An identifier that we wrote there -> records."""

    def open_records(self, portal: str, *, after: str = "", limit: int = 1000) -> list[RecordRow]:
        """Records of a portal with `open`, oldest `read_at` first."""

    def raw_digests(self, portal: str, external_ids: Iterable[str]) -> dict[str, str]:
        """External id -> `raw_digest` of the last stored reading, for records that may be `touch_same`d."""

    def touch_same(self, portal: str, digests: Mapping[str, str], read_at: float) -> set[str]:
        """Move `read_at` of linked records whose last reading had these bytes and is no newer; gives their ids.

        Records with a lane at this portal are left alone: what they show may be drift, so they are read.
        """

    def touch_records(self, rows: Sequence[RecordRow]) -> None:
        """Records read again that said nothing new: only `read_at`, `list_digest`, `raw_digest` and `absent` move."""

    def put_records(self, rows: Sequence[RecordRow]) -> None:
        """Insert or replace by (portal, external id)."""

    # lanes
    def lanes(self, keys: Iterable[LaneKey]) -> dict[LaneKey, LaneRow]:
        """Rows by key."""

    def lanes_of(self, dossier_ids: Iterable[str]) -> dict[str, list[LaneRow]]:
        """Dossier id -> its lanes."""

    def put_lanes(self, rows: Sequence[LaneRow]) -> None:
        """Insert or replace whole rows (the caller holds the writer)."""

    def mark_due(self, keys: Iterable[LaneKey], at: float) -> None:
        """Make existing lanes due at `at` or earlier and let `mark` grow; unknown lanes are made."""

    def claim(self, portal: str, now: float, *, limit: int, lease_until: float, token: str) -> list[LaneRow]:
        """Lease due lanes whose lease is free, longest due first; returns them as leased."""

    def has_due(self, portal: str, now: float) -> bool:
        """Whether a claim would find a lane."""

    def due_lanes(self, portal: str, now: float | None = None) -> int:
        """How many lanes are due (by `now`, or at all)."""

    def iter_lanes(self, *, portal: str = "", state: str = "", limit: int = 1000) -> list[LaneRow]:
        """For faces: lanes by portal and state, longest waiting first."""

    # deliveries
    def delivery(self, key: str) -> DeliveryRow | None:
        """By key."""

    def deliveries(self, keys: Iterable[LaneKey], *, open_only: bool = True) -> dict[LaneKey, list[DeliveryRow]]:
        """Per lane, oldest first."""

    def put_delivery(self, row: DeliveryRow) -> None:
        """Insert or replace by key; sets `row.id`."""

    def list_deliveries(self, *, portal: str = "", states: Sequence[str] = (), limit: int = 1000) -> list[DeliveryRow]:
        """For faces, oldest first."""

    def delivery_by_id(self, delivery_id: int) -> DeliveryRow | None:
        """By number, as shown to operators."""

    def count_deliveries(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many."""

    # evidence, raw bytes, quarantine
    def append_leaves(self, leaves: Sequence[LeafRow]) -> None:
        """Append; never changed afterwards."""

    def leaves(self, *, after: int = 0, limit: int = 1000) -> list[tuple[int, LeafRow]]:
        """Numbered leaves in the order they were written, from behind number `after`."""

    def put_raw(self, rows: Sequence[RawRow]) -> list[int]:
        """Insert; gives their numbers in order."""

    def raw(self, raw_id: int) -> RawRow | None:
        """By number."""

    def expire_raw(self, now: float, *, limit: int = 10_000) -> int:
        """Remove raw bytes whose day has come, but none that an open quarantine still needs; says how many."""

    def put_quarantine(self, row: QuarantineRow) -> int:
        """Insert, or count up an open one of the same portal, external id, cause and digest."""

    def quarantined_raw(self, quarantine_id: int, raw_id: int) -> None:
        """Say which raw bytes a quarantine keeps."""

    def quarantine(self, quarantine_id: int) -> QuarantineRow | None:
        """By number."""

    def list_quarantine(self, *, portal: str = "", state: str = "open", limit: int = 1000) -> list[QuarantineRow]:
        """Oldest first."""

    def quarantine_of(self, portal: str, external_id: str) -> list[QuarantineRow]:
        """Open ones of one record."""

    def close_quarantine(self, quarantine_id: int, state: str) -> None:
        """`replayed` or `dropped`."""

    # calls on us and their files
    def inbound_versions(self, portal: str, endpoint: str, key: str) -> list[InboundRow]:
        """Every content told under one key, in the order it was first told."""

    def put_inbound(self, row: InboundRow) -> int:
        """Insert or replace by (portal, endpoint, key, digest); gives its number."""

    def inbound_again(self, number: int, at: float) -> None:
        """Count a repeat."""

    def inbound_owed(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Calls that were answered with success and that the engine has not taken in yet, oldest first."""

    def inbound_placeable(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Of the calls that found no place, those whose dossier is known by now, oldest first."""

    def inbound_unplaced(self, portal: str, *, limit: int = 200) -> list[InboundRow]:
        """Calls about a dossier that was not known when they were taken in, oldest first."""

    def inbound_of(self, dossier_id: str) -> list[InboundRow]:
        """Calls about one dossier, oldest first."""

    def is_told(self, dossier_id: str) -> bool:
        """Whether any call is about this dossier."""

    def list_inbound(self, *, portal: str = "", state: str = "", after: int = 0, limit: int = 1000) -> list[InboundRow]:
        """For faces, oldest first, from behind number `after`."""

    def count_inbound(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many calls."""

    def put_files(self, rows: Sequence[FileRow]) -> None:
        """Insert or replace by id; a row without a dossier takes none away."""

    def file(self, file_id: str) -> FileRow | None:
        """By id."""

    def files_of_call(self, portal: str, key: str) -> list[FileRow]:
        """Files that came with the calls of one key."""

    def files_of(self, dossier_id: str) -> list[FileRow]:
        """Files of one dossier."""

    def expired_files(self, now: float, *, limit: int = 1000) -> list[FileRow]:
        """Files whose day has come, but none that a delivery still needs."""

    def list_files(self, *, after: str = "", limit: int = 1000) -> list[FileRow]:
        """All, in key order, from behind one."""

    def drop_files(self, ids: Iterable[str]) -> None:
        """Forget files; their bytes are removed by the caller. An address works again if the file comes back."""

    # files of other portals
    def put_wanted(self, rows: Sequence[WantedFileRow]) -> None:
        """Insert or replace by (dossier, portal, reference)."""

    def wanted_of(self, dossier_id: str) -> list[WantedFileRow]:
        """What one dossier's deliveries have needed, in key order."""

    def due_wanted(self, portal: str, now: float, *, limit: int = 100) -> list[WantedFileRow]:
        """Files to be fetched from a portal by now: urgent ones first, then the longest waiting."""

    def list_wanted(self, *, portal: str = "", states: Sequence[str] = (), limit: int = 1000) -> list[WantedFileRow]:
        """By portal and states, oldest wish first."""

    def count_wanted(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many files are waited for or were given up; those held are not counted."""

    def put_links(self, rows: Sequence[FileLinkRow]) -> None:
        """Insert; an address that was given before stays as it is."""

    def file_link(self, token: str) -> FileLinkRow | None:
        """By the last part of its address."""

    # stages and receipts
    def stages_of(self, dossier_ids: Iterable[str], *, portal: str = "") -> dict[str, list[StageRow]]:
        """Dossier id -> its hand-overs, in key order; dossiers without any are left out."""

    def owe_stages(self, rows: Sequence[StageRow]) -> None:
        """Insert; a hand-over that is known stays as it is."""

    def put_stages(self, rows: Sequence[StageRow]) -> None:
        """Insert or replace by (dossier, portal, route)."""

    def drop_stage(self, row: StageRow) -> None:
        """Forget a hand-over that never was."""

    def list_stages(
        self, *, portal: str = "", open_only: bool = True, quiet_since: float | None = None, limit: int = 1000
    ) -> list[StageRow]:
        """For faces, longest owed first; with `quiet_since` only those of which nothing became known after it."""

    def open_stage_portals(self) -> set[str]:
        """Portals that have a stage which has not ended."""

    def put_receipt(self, row: ReceiptRow) -> bool:
        """Insert; false when there is one of this dossier, portal, route, fact and subject already."""

    def receipt(self, number: int) -> ReceiptRow | None:
        """By number."""

    def receipts_of(self, dossier_id: str) -> list[ReceiptRow]:
        """Oldest first."""

    # inboxes
    def offer(self, row: NoticeRow, *, anew: bool = False) -> None:
        """Put an item at the end of its portal's inbox; one that is there already stays where it is, but for `anew`."""

    def items(
        self, portal: str, *, after: int = 0, waiting: bool = False, limit: int = 100
    ) -> list[tuple[NoticeRow, DeliveryRow]]:
        """Items of one portal behind number `after`, oldest first; only those that still wait, or all."""

    def last_offered(self) -> int:
        """The highest number that any item has had, whether it is still there or was lost with a store; 0 for none."""

    def item(self, portal: str, name: str) -> tuple[NoticeRow, DeliveryRow] | None:
        """By name; another portal's item is none."""

    def due_notices(self, portal: str, now: float, *, limit: int = 100) -> list[NoticeRow]:
        """Notices whose time has come, in the order of their items."""

    def put_notice(self, row: NoticeRow) -> None:
        """Note what became of a notice."""

    def count_notices(self, portal: str) -> dict[str, int]:
        """State -> how many."""

    def blank_collected(self, portal: str, before: float, *, limit: int = 1000) -> int:
        """Remove the content of items that were settled before an instant; says of how many."""

    def put_access_key(self, row: AccessKeyRow) -> None:
        """Insert or replace by id."""

    def access_key(self, key_id: str) -> AccessKeyRow | None:
        """By id, revoked or not."""

    def access_keys(self) -> Sequence[AccessKeyRow]:
        """All, oldest first."""

    # per portal, cursors, runs, settings, catalogue
    def portal(self, name: str) -> PortalRow:
        """The row, made with defaults when absent."""

    def put_portal(self, row: PortalRow) -> None:
        """Replace."""

    def cursor(self, portal: str, job: str) -> str | None:
        """How far a job has come."""

    def put_cursor(self, portal: str, job: str, value: str | None) -> None:
        """Moves together with the data (I1)."""

    def put_run(self, row: RunRow) -> int:
        """Insert or replace; gives its number."""

    def list_runs(self, *, portal: str = "", limit: int = 50) -> list[RunRow]:
        """Newest first."""

    def setting(self, name: str) -> str | None:
        """A value of the whole store: epoch, pause of everything."""

    def put_setting(self, name: str, value: str) -> None:
        """Replace."""

    def put_catalogue(self, name: str, portal: str, version: str, rows: Sequence[Json], at: float) -> None:
        """Store a dated version of a list; older versions stay."""

    def catalogue_number(self, name: str, portal: str) -> int | None:
        """Number of the newest version; another list has another one."""

    def catalogue(self, name: str, portal: str) -> tuple[str, list[Json]] | None:
        """Newest version and its rows."""

    def counts(self) -> dict[str, int]:
        """Rows per table, for status and for the proof of rest (I6)."""

    def iter_dossiers(self, *, limit: int = 1000, after: str = "") -> Iterator[DossierRow]:
        """All dossiers in key order, in slices."""


class Store(Protocol):
    """Durable state."""

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a savepoint; return its value after COMMIT.

        Raises:
            StoreError: The store is full, locked for too long or corrupt; nothing of `work` was kept.
        """

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a consistent snapshot; it must not write."""

    def close(self) -> None:
        """Finish what was submitted and give back the files."""


class Vault(Protocol):
    """Seals and opens bytes under one key per owner (a dossier id, or `quarantine:N`)."""

    def ensure(self, owners: Iterable[str]) -> None:
        """Make missing keys, durable before the sealed bytes are committed."""

    def seal(self, owner: str, plain: bytes) -> bytes:
        """AES-256-GCM; the owner is bound in. An erased owner raises `KeyError`."""

    def seal_many(self, items: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """`seal` for a whole page of (owner, plain bytes) at once."""

    def open(self, owner: str, sealed: bytes) -> bytes:
        """The plain bytes."""

    def blind(self, text: str) -> str:
        """A keyed hash of an identifier, for linking without showing it."""
