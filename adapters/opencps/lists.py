"""Reading one window of `GET /dossiers` until it can be believed.

Offsets run over a live index sorted by a key that is not unique, and the total comes from another query
(provincial.md 1.4). Rows cannot shift inside one query, so a window is asked for in one go where it is not too large,
and believed when as many rows came as were counted and fewer than were asked for; anything else is read page by page
until readings agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.opencps.calls import Calls
from adapters.opencps.options import Options
from adapters.opencps.rows import JsonObject, blanked, number, reference
from adapters.opencps.windows import Window
from schemas.errors import PortalContractError, PortalUnavailableError

IN_ONE_GO = 2000
"""Rows asked for in one call at most, where a single day holds more than a page."""
ODD_ROWS = 2
"""So many rows outside their window are the index's oddity; more than these and than those inside: no filter."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a window by key, secrets blanked; `agreed` tells whether they can be taken for all there are."""

    rows: dict[str, JsonObject]
    total: int
    agreed: bool


class Lists:
    """Lists of one portal."""

    def __init__(self, calls: Calls, options: Options) -> None:
        self._calls = calls
        self._options = options

    def first_page(self, window: Window, statuses: tuple[str, ...]) -> tuple[list[JsonObject], int]:
        """The first page of a window and the total of the portal's count."""
        return self._page(window, statuses, 0, self._options.page_size)

    def read(self, window: Window, statuses: tuple[str, ...], first: list[JsonObject], total: int) -> Listing:
        """All rows of a window whose first page was just read.

        Raises:
            PortalContractError: Most rows lie outside the window: the filter was ignored.
        """
        size = self._options.page_size
        if _is_whole(first, total, size):
            return Listing(self._keyed(window, first), total, agreed=True)
        rows, counted = self._in_one_go(window, statuses, total)
        if len(rows) > len(first) and _is_whole(rows, counted, total + size):
            return Listing(self._keyed(window, rows), counted, agreed=True)
        return self._page_by_page(window, statuses, self._keyed(window, [*first, *rows]))

    def _in_one_go(self, window: Window, statuses: tuple[str, ...], total: int) -> tuple[list[JsonObject], int]:
        """As many rows as the total says and a page more, by one query, and its total; no rows where that is too much.

        No more rows than a page mean that the portal cuts there, and prove nothing.
        """
        end = total + self._options.page_size
        if end > IN_ONE_GO:
            return [], total
        try:
            return self._page(window, statuses, 0, end)
        except (PortalUnavailableError, PortalContractError):
            return [], total

    def _page_by_page(self, window: Window, statuses: tuple[str, ...], found: dict[str, JsonObject]) -> Listing:
        """Rows of all readings together; agreed when two equal ones account for the total, or three do not."""
        everything, agreed, equal = dict(found), False, 0
        before: set[str] = set()
        for _ in range(self._options.readings):
            rows, total = self._reading(window, statuses)
            again = self._keyed(window, rows)
            everything |= again
            equal = equal + 1 if again.keys() == before else 1
            before = set(again)
            if agreed := equal > (1 if len(everything) >= total else 2):
                break
        return Listing(everything, total, agreed)

    def _reading(self, window: Window, statuses: tuple[str, ...]) -> tuple[list[JsonObject], int]:
        """Every page once, overlapping because rows shift while we read, until a page brings nothing new.

        A page may hold fewer rows than were asked for, and the count may say fewer than there are: neither is the end.
        """
        rows: list[JsonObject] = []
        seen: set[str] = set()
        start, size = 0, self._options.page_size
        while True:
            page, total = self._page(window, statuses, start, start + size)
            keys = {key_of(row) for row in page}
            rows += page
            if keys <= seen:
                return rows, total
            seen |= keys
            start += max(1, len(page) - self._options.overlap)

    def _page(self, window: Window, statuses: tuple[str, ...], start: int, end: int) -> tuple[list[JsonObject], int]:
        params: dict[str, Any] = {"start": start, "end": end, **window.filters()}
        if self._options.agency:
            params["agency"] = self._options.agency
        if statuses:
            params["status"] = ",".join(statuses)
        answer = self._calls.read("/dossiers", params=params)
        rows, total = answer.get("data", [] if answer.get("total") == 0 else None), answer.get("total")
        rows = [] if rows is None and number(total) == 0 and total is not None else rows
        if not isinstance(rows, list) or total is None or not all(isinstance(row, dict) for row in rows):
            raise PortalContractError(self._calls.context.portal, "the list has no total and rows")
        return [blanked(row) for row in rows], number(total)

    def _keyed(self, window: Window, rows: list[JsonObject]) -> dict[str, JsonObject]:
        """Rows by reference, each once; two dossiers under one reference get keys of their own."""
        outside = sum(not window.holds(row, self._options.window_slack_h) for row in rows)
        if outside > max(ODD_ROWS, len(rows) - outside):
            raise PortalContractError(
                self._calls.context.portal, f"rows lie outside their {window.by} window: the filter was ignored"
            )
        keyed: dict[str, JsonObject] = {}
        for row in rows:
            key = key_of(row)
            if key in keyed and keyed[key].get("dossierId") != row.get("dossierId"):
                key = f"{key}#{row.get('dossierId')}"
            keyed[key] = row
        return keyed


def _is_whole(rows: list[JsonObject], total: int, asked: int) -> bool:
    """Whether one query gave all there is: as many as were counted, and not cut off where we asked it to end."""
    return len(rows) == total != asked


def key_of(row: JsonObject) -> str:
    """The reference as the portal shows it, or the primary key of a row that has none to ask by."""
    return reference(row) or str(number(row.get("dossierId")))
