"""One pass over the tiers that are due: windows in, pages out (provincial.md 1.4, section 6)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from adapters.ahead import in_order
from adapters.base import Page, RawRecord, UnreadableRecord
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls
from adapters.opencps.lists import Listing, Lists
from adapters.opencps.options import Options, Tier
from adapters.opencps.reading import Reader
from adapters.opencps.rows import JsonObject
from adapters.opencps.windows import Progress, Tour, begin, is_due, portal_day
from schemas.errors import PortalError

SEEN_PER_PAGE = 2000
STRAYS = 100
"""How many dossiers that left the list of open ones are looked up in one tour."""


_Changed = tuple[str, str, str]
"""Key, external id and digest of a row."""


@dataclass(slots=True)
class _Basket:
    """What was looked at and not yet handed over; `total` grows window by window."""

    seen: list[str] = field(default_factory=list)
    total: int = 0

    def take(self) -> tuple[str, ...]:
        seen, self.seen = tuple(self.seen), []
        return seen


class Sweep:
    """One pull: every window of every tier that is due, each page with the cursor that belongs to it."""

    def __init__(self, calls: Calls, reader: Reader, options: Options) -> None:
        self._calls = calls
        self._reader = reader
        self._options = options
        self._lists = Lists(calls, options)

    def run(self, cursor: str | None) -> Iterator[Page]:
        """Yield pages; the last one's cursor remembers when each tier is due again.

        Raises:
            PortalAuthError: The login is refused; asked before the sweep and again before its end is believed.
            PortalError: The portal cannot be read; what was yielded stands, the rest follows from the last cursor.
        """
        progress = Progress.read(cursor)
        portal_now = self._calls.prove_login().server_date
        here = self._calls.context.clock.now()
        days = sorted((portal_day(here), portal_day(portal_now or here)))
        for tier in self._options.tiers:
            if not progress.backfilled and not tier.whole:
                continue
            tour = progress.tours.get(tier.name)
            if tour is None or (not tour.todo and here.timestamp() >= tour.due_at):
                tour = begin(tier, self._options, here.timestamp(), days[0], days[-1])
                progress.tours[tier.name] = tour
            yield from self._tour(tier, tour, progress, here.timestamp())

    def _tour(self, tier: Tier, tour: Tour, progress: Progress, now: float) -> Iterator[Page]:
        basket, met = _Basket(), set[str]()
        whole_tour = bool(tour.todo) and tour.fresh
        tour.fresh = False
        before = progress.write()
        while is_due(tour, tier, now, hurry=not progress.backfilled):
            listing = self._split(tier, tour)
            if listing is None:
                continue
            tour.clean = tour.clean and listing.agreed
            basket.total += listing.total
            met.update(listing.rows)
            yield from self._window(listing, tour, progress, basket)
            if len(basket.seen) >= SEEN_PER_PAGE:
                yield self._so_far(progress, basket)
            if not tour.todo:
                if tier.statuses and whole_tour:
                    yield from self._strays(met, progress)
                yield self._end(tier, tour, progress, basket)
                return
        if progress.write() != before:  # not at the end, but further than the last stored cursor
            yield self._so_far(progress, basket)

    def _so_far(self, progress: Progress, basket: _Basket) -> Page:
        """A page of what was seen; windows count as read only while the login holds: a guest's are empty."""
        self._calls.prove_login()
        return Page((), progress.write(), basket.take(), basket.total)

    def _split(self, tier: Tier, tour: Tour) -> Listing | None:
        """Read the window at hand, or put its halves in its place when it holds too much."""
        window = tour.next_window()
        first, total = self._lists.first_page(window, tier.statuses)
        halves = window.halves()
        if total > self._options.max_window_rows and halves is not None:
            tour.todo[-1:] = [halves[1].pack(), halves[0].pack()]
            return None
        return self._lists.read(window, tier.statuses, first, total)

    def _window(self, listing: Listing, tour: Tour, progress: Progress, basket: _Basket) -> Iterator[Page]:
        """Read what changed in a window. Until its last page the cursor still names it: resuming reads it again.

        What was read before the portal failed is handed over first, so that a poor line still moves on.
        """
        changed = self._changed(listing.rows, basket)
        records: list[RawRecord | UnreadableRecord] = []
        with closing(self._records(changed)) as found:
            try:
                for record in found:
                    if record is not None:
                        records.append(record)
                    if len(records) >= self._options.records_per_page:
                        yield Page(tuple(records), progress.write(), basket.take(), basket.total)
                        records = []
            except PortalError:
                if records:
                    yield Page(tuple(records), progress.write(), basket.take(), basket.total)
                raise
        tour.todo.pop()
        if records:
            yield Page(tuple(records), progress.write(), basket.take(), basket.total)

    def _records(self, changed: list[_Changed]) -> Generator[RawRecord | UnreadableRecord | None]:
        name = f"read:{self._calls.context.portal}"
        return in_order(self._record, changed, self._options.readers, name=name)

    def _record(self, changed: _Changed) -> RawRecord | UnreadableRecord | None:
        key, external_id, digest = changed
        if "#" in key:
            read_at = self._calls.context.clock.now()
            return UnreadableRecord(key, b"{}", "two dossiers of this portal have one reference", read_at)
        return self._reader.record_or_reason(key, external_id, digest)

    def _changed(self, rows: dict[str, JsonObject], basket: _Basket) -> list[_Changed]:
        """(key, external id, digest) of rows that differ from the last stored reading; the others were seen."""
        spellings = [*rows, *(wire.other_spelling(key) for key in rows)]
        known = self._calls.context.known.list_digests(spellings)
        changed = []
        for key, row in rows.items():
            digest = wire.list_digest(row, self._options.volatile, by_modified=self._options.by_modified)
            external_id = self._known_as(key, row, rows, known.get(wire.other_spelling(key)), digest, key in known)
            if known.get(external_id) == digest:
                basket.seen.append(external_id)
            else:
                changed.append((key, external_id, digest))
        return changed

    def _known_as(
        self, key: str, row: JsonObject, rows: dict[str, JsonObject], other_digest: str | None, digest: str, known: bool
    ) -> str:
        """The id we know a row by: its key, or the same without or with the prefix if it is the same dossier."""
        other = wire.other_spelling(key)
        if known or other_digest is None or other in rows:
            return key
        if other_digest == digest:
            return other
        found = self._reader.detail(other)
        return other if found is None or found.get("dossierId") == row.get("dossierId") else key

    def _strays(self, met: set[str], progress: Progress) -> Iterator[Page]:
        """Look up dossiers we expect news of that the list of open ones no longer shows."""
        known = self._calls.context.known.open_records()
        strays = (one for one in known if one not in met and wire.other_spelling(one) not in met)
        records = [self._reader.record_or_reason(one, one, "") for one in [*islice(strays, STRAYS)]]
        held = tuple(record for record in records if record is not None)
        if held:
            yield Page(held, progress.write())

    def _end(self, tier: Tier, tour: Tour, progress: Progress, basket: _Basket) -> Page:
        """The last page of a tour: a whole sweep counts only if the login still holds and every window agreed."""
        self._calls.prove_login()
        complete = tier.whole and tour.clean
        progress.backfilled = progress.backfilled or tier.whole
        return Page((), progress.write(), basket.take(), basket.total, sweep_complete=complete)
