"""Fetching what deliveries wait for from the portal that holds it: each file by itself, in bounded time.

A file is on disk before its row is stored, and row, wish, leaf and due lanes are stored together. Whoever dies in
between leaves bytes that nobody names, which upkeep removes, and a wish that is taken up again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from adapters.base import FileStream
from gateway.evidence.leaf import LeafRow, leaf
from gateway.inbound.files import FileRefusedError, FileStore
from gateway.inbound.files import Held as HeldFile
from gateway.log import get_logger
from gateway.store.base import Tx
from gateway.store.rows import DossierRow, FileRow, Json, LaneKey, WantedFileRow
from gateway.sync.case import Workshop
from gateway.sync.context import LOGIN_REFUSED
from gateway.sync.dossiers import Held
from gateway.sync.files import LISTS, version_of
from gateway.sync.portal import Portal
from gateway.vault import SealError
from schemas.errors import (
    PortalAuthError,
    PortalError,
    PortalRefusedError,
    PortalUnavailableError,
    RecordInvalidError,
    StoreError,
)

AT_ONCE = 4
"""Files of one portal fetched side by side, so that a slow one holds up no other."""
BATCH = 16
CHUNK = 64 * 1024
CALLS_PER_FILE = 4
"""A file may take as long as this many whole calls; then it is tried again later."""
LEAST_TRIES = 3  # of a file that could not be asked for in time: the gateway itself may have stood still for long
STOOD_STILL_S = 600.0
OF_THE_PORTAL = (None, 429, 502, 503, 504)
"""Statuses that say something of the portal; with any other one it is up, and only this file is not to be had."""
_SHA256_DIGITS = 64

log = get_logger()


class NotHadError(Exception):
    """A file did not come. `final`: asking again is of no use. `moot`: nobody needs it any more."""

    def __init__(
        self, reason: str, *, final: bool = False, moot: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.moot = moot
        self.retry_after_s = retry_after_s


class StoppingError(Exception):
    """Nothing more is asked for in this run: the process ends, or the login was refused."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one run came to; `reason` says why nothing was asked for."""

    reason: str
    counts: Counter[str]


class Fetcher:
    """Fetches files of one portal. One run at a time."""

    def __init__(self, shop: Workshop, portal: Portal, files: FileStore) -> None:
        self._shop = shop
        self._portal = portal
        self._files = files
        self._locked_out = threading.Event()
        """The login was refused: nothing more is asked in this run, so that the account is not locked."""

    def run(self, closed: str = "") -> Fetched:
        """Ask once for each file that is due; `closed` says why nothing may be asked now."""
        counts: Counter[str] = Counter()
        while rows := self._due():
            reason = closed or self._closed()
            if reason:
                return Fetched(reason, counts + self._too_long(rows, reason))
            self._locked_out.clear()
            with ThreadPoolExecutor(min(AT_ONCE, len(rows)), thread_name_prefix=f"file:{self._portal.name}") as pool:
                counts.update(pool.map(self._safely, rows))
            if self._locked_out.is_set():
                return Fetched(LOGIN_REFUSED, counts)
        return Fetched("", counts)

    def _due(self) -> list[WantedFileRow]:
        return self._shop.store.read(lambda tx: tx.due_wanted(self._portal.name, self._shop.now(), limit=BATCH))

    def _too_long(self, rows: Sequence[WantedFileRow], reason: str) -> Counter[str]:
        """Files of a portal that may not be asked: nobody waits for them for ever, only twice as long."""
        late = [row for row in rows if self._patience_ends(row) + self._patience_s() <= self._shop.now()]
        return Counter(self._not_had(row, NotHadError(reason, final=True)) for row in late)

    def _closed(self) -> str:
        resting = self._portal.resting(self._shop.clock.now())
        return resting or ("" if self._portal.awake() else "still not answering")

    def _patience_s(self) -> float:
        return self._shop.config.store.file_patience_h * 3600.0

    def _patience_ends(self, row: WantedFileRow) -> float:
        return row.first_at + self._patience_s()

    def _safely(self, row: WantedFileRow) -> str:
        """Fetch one file; gives the state its wish is left in. A mistake in one must not stop the others (I5)."""
        try:
            return self._one(row)
        except StoppingError:
            return "stopping"
        except StoreError:
            raise
        except Exception as error:
            log.error("file_failed", portal=row.portal, dossier=row.dossier_id, exc_info=error)
            return self._not_had(row, NotHadError(f"an error of the gateway itself ({type(error).__name__})"))

    def _one(self, row: WantedFileRow) -> str:
        if self._portal.stopping.is_set() or self._locked_out.is_set():
            raise StoppingError
        try:
            dossier, told = self._told(row)
            file = self._placed(self._hold(row, told), told)
        except NotHadError as error:
            return self._not_had(row, error)
        return self._had(dossier, row, file)

    def _placed(self, held: HeldFile, told: Json) -> FileRow:
        try:
            _compare(held.row, told)
            (file,) = self._files.place([held])
        except StoreError as error:
            raise NotHadError(str(error)) from error
        except NotHadError:
            self._files.let_go([held])
            raise
        return file

    def _told(self, row: WantedFileRow) -> tuple[DossierRow, Json]:
        """The dossier and the row of its portal's record that names this file now."""
        dossier = self._shop.store.read(lambda tx: tx.dossiers([row.dossier_id])).get(row.dossier_id)
        if dossier is None:
            raise NotHadError("its dossier is gone", moot=True)
        try:
            facts = Held.open(dossier, self._shop.vault).facts.get(row.portal, {})
        except (KeyError, SealError):
            raise NotHadError("its dossier was erased", moot=True) from None
        for told in (told for name in LISTS for told in facts.get(name) or ()):
            if told.get("reference") == row.ref and version_of(told) == row.version:
                return dossier, told
        raise NotHadError("its record names it no more", moot=True)

    def _hold(self, row: WantedFileRow, told: Json) -> HeldFile:
        store, name = self._shop.config.store, str(told.get("name") or "")

        def once() -> HeldFile:
            return self._files.hold(
                row.portal,
                row.dossier_id,
                row.ref,
                name,
                self._chunks(row.ref),
                cap=store.file_mib * 1024 * 1024,
                at=self._shop.now(),
                days=store.file_days,
                owner=row.dossier_id,
            )

        try:
            return self._files.believed(name, once)
        except PortalAuthError as error:
            self._locked_out.set()
            raise NotHadError(f"{LOGIN_REFUSED}: {error.reason}") from error
        except PortalError as error:
            if isinstance(error, PortalUnavailableError) and error.status in OF_THE_PORTAL:
                self._portal.breaker.failed(error.reason)
            refused = isinstance(error, PortalRefusedError)
            raise NotHadError(error.reason, final=refused, retry_after_s=error.retry_after_s) from error
        except RecordInvalidError as error:
            raise NotHadError(error.reason, final=isinstance(error, FileRefusedError)) from error
        except KeyError:
            raise NotHadError("its dossier was erased", moot=True) from None
        except StoreError as error:
            raise NotHadError(str(error)) from error

    def _chunks(self, ref: str) -> Iterator[bytes]:
        clock = self._shop.clock
        ends = clock.monotonic() + self._portal.config.call_timeout_s * CALLS_PER_FILE
        try:
            opened: FileStream = self._portal.adapter.open_file(ref)
        except KeyError as error:  # the adapter's, not the vault's word that the dossier was erased
            raise NotHadError("a secret is not set, or an error of the gateway itself") from error
        count = 0
        with opened.stream as stream:
            while chunk := stream.read(CHUNK):
                count += len(chunk)
                if clock.monotonic() > ends:
                    raise NotHadError("it came too slowly")
                if self._portal.stopping.is_set():
                    raise StoppingError
                yield chunk
        if opened.size is not None and count != opened.size:
            raise NotHadError("it came cut short")
        self._portal.breaker.worked()

    def _had(self, dossier: DossierRow, row: WantedFileRow, file: FileRow) -> str:
        shop = self._shop
        file.dossier_id = dossier.id

        def keep(tx: Tx) -> list[str] | None:
            now, wish = shop.now(), _same(tx, row)
            if wish is None:
                return None
            wish.state, wish.file_id, wish.next_at, wish.reason = "held", file.id, None, ""
            wish.doc = {"digest": file.sha256, "size": file.size, "media_type": file.media_type}
            tx.put_files([file])
            tx.put_wanted([wish])
            named = {"id": file.id, "sha256": file.sha256, "size": file.size}
            tx.append_leaves([leaf("file", now, dossier_id=dossier.id, portal=row.portal, state="held", files=[named])])
            return _lanes_due(tx, wish, now)

        due = shop.store.write(keep)
        if due is None:
            return "stale"
        log.info("file_fetched", portal=row.portal, dossier=dossier.id, bytes=file.size, tries=row.tries + 1)
        self._wake(due)
        return "held"

    def _not_had(self, row: WantedFileRow, error: NotHadError) -> str:
        shop = self._shop
        now = shop.now()
        stood_still = row.tries + 1 < LEAST_TRIES and now - (row.next_at or now) > STOOD_STILL_S
        gives_up = error.final or (self._patience_ends(row) <= now and not stood_still)
        state = "let_go" if error.moot else "given_up" if gives_up else "wanted"
        wait = error.retry_after_s or self._portal.ladder(row.tries + 1, shop.spread())

        def note(tx: Tx) -> list[str]:
            wish = _same(tx, row)
            if wish is None:
                return []
            wish.tries, wish.reason, wish.state = wish.tries + 1, error.reason, state
            wish.next_at = now + wait if state == "wanted" else None
            if error.moot:
                wish.version = ""  # if it is named again, it is asked for again
            tx.put_wanted([wish])
            if state == "wanted":
                return _lanes_due(tx, wish, now) if wish.tries == 1 else []
            tx.append_leaves([_left(row, state, error.reason, wish.tries, now)])
            return _lanes_due(tx, wish, now)

        self._wake(shop.store.write(note))
        log.warning(
            "file_not_fetched",
            portal=row.portal,
            dossier=row.dossier_id,
            reason=error.reason,
            tries=row.tries + 1,
            state=state,
        )
        return state

    def _wake(self, portals: list[str]) -> None:
        for portal in portals:
            self._shop.wake(portal)


def _compare(file: FileRow, told: Json) -> None:
    """What came against what its record says of it."""
    digest = str(told.get("digest") or "").casefold()
    if len(digest) == _SHA256_DIGITS and digest != file.sha256:
        raise NotHadError("another file came than its record names")
    if told.get("size") and int(told["size"]) != file.size:
        raise NotHadError("it came with another size than its record names")


def _same(tx: Tx, row: WantedFileRow) -> WantedFileRow | None:
    """The wish as it stands, if it is still the one that was taken up."""
    held = next((one for one in tx.wanted_of(row.dossier_id) if (one.portal, one.ref) == (row.portal, row.ref)), None)
    return held if held is not None and (held.state, held.version) == ("wanted", row.version) else None


def _left(row: WantedFileRow, state: str, reason: str, tries: int, now: float) -> LeafRow:
    return leaf("file", now, dossier_id=row.dossier_id, portal=row.portal, state=state, reason=reason, tries=tries)


def _lanes_due(tx: Tx, row: WantedFileRow, now: float) -> list[str]:
    """Whoever waits for files of this dossier looks again, once: when none of this portal's is still to be tried first.

    Else a copy would be sent again for each; what is sent once does not wait for files that only copies get.
    """
    siblings = [one for one in tx.wanted_of(row.dossier_id) if one.portal == row.portal]
    if any(one.state == "wanted" and not one.tries and (one.urgent or not row.urgent) for one in siblings):
        return []
    lanes = tx.lanes_of([row.dossier_id]).get(row.dossier_id, [])
    tx.mark_due([LaneKey(lane.portal, row.dossier_id) for lane in lanes], now)
    return [lane.portal for lane in lanes]
