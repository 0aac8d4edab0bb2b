"""Reading one window of `GET /dossiers` until it can be believed.

Offsets run over a live index sorted by a key that is not unique, and the total comes from another query
(provincial.md 1.4): one page that holds all is one query and is believed when its length is the total; anything else is
read until two readings agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.opencps.calls import Calls
from adapters.opencps.options import Options
from adapters.opencps.rows import JsonObject, blanked, number
from adapters.opencps.windows import Window
from schemas.errors import PortalContractError


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
        return self._page(window, statuses, 0)

    def read(self, window: Window, statuses: tuple[str, ...], first: list[JsonObject], total: int) -> Listing:
        """All rows of a window whose first page was just read.

        Raises:
            PortalContractError: A row lies outside the window: the filter was ignored.
        """
        if len(first) == total <= self._options.page_size:
            return Listing(self._keyed(window, first), total, agreed=True)
        rows = self._keyed(window, first + self._rest(window, statuses, first, total))
        everything, agreed = dict(rows), False
        for _ in range(self._options.readings - 1):
            page, total = self._page(window, statuses, 0)
            again = self._keyed(window, page + self._rest(window, statuses, page, total))
            everything |= again
            if agreed := again.keys() == rows.keys():
                break
            rows = again
        return Listing(everything, total, agreed)

    def _rest(self, window: Window, statuses: tuple[str, ...], first: list[JsonObject], total: int) -> list[JsonObject]:
        """The pages after the first, overlapping, because rows shift while we read."""
        rows: list[JsonObject] = []
        size, start = self._options.page_size, self._options.page_size - self._options.overlap
        if len(first) > size:  # the portal gave everything
            return rows
        while start + self._options.overlap < total:
            page, total = self._page(window, statuses, start)
            rows += page
            if not page:
                break
            start += size - self._options.overlap
        return rows

    def _page(self, window: Window, statuses: tuple[str, ...], start: int) -> tuple[list[JsonObject], int]:
        params: dict[str, Any] = {"start": start, "end": start + self._options.page_size, **window.filters()}
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
        keyed: dict[str, JsonObject] = {}
        for row in rows:
            if not window.holds(row, self._options.window_slack_h):
                raise PortalContractError(
                    self._calls.context.portal, f"a row lies outside its {window.by} window: the filter was ignored"
                )
            key = key_of(row)
            if key in keyed and keyed[key].get("dossierId") != row.get("dossierId"):
                key = f"{key}#{row.get('dossierId')}"
            keyed[key] = row
        return keyed


def key_of(row: JsonObject) -> str:
    """The reference as the portal shows it, or the primary key of a row that has none."""
    uid = row.get("referenceUid")
    return uid.strip() if isinstance(uid, str) and uid.strip() else str(number(row.get("dossierId")))
