"""The search index behind `GET /dossiers`: behind the database, sorted by a key that is not unique."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from adapters.opencps.simulated.dates import day_text, index_time
from adapters.opencps.simulated.entity import Dossier

DATES = {
    "ReceiveDate": "received_at",
    "SubmitDate": "submitted_at",
    "ReleaseDate": "released_at",
    "FinishDate": "finished_at",
    "DueDate": "due_at",
}
_TEXTS = {"applicantName": "name", "applicantIdNo": "number", "dossierNo": "dossier_no"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One dossier as indexed."""

    dossier_id: int
    created: str
    dates: Mapping[str, str]
    status: str
    sub_status: str
    agency: str
    service: str
    originality: int
    online: bool
    step: str
    dossier_no: str
    number: str
    name: str
    dossier: Dossier
    frozen: bytes


class SearchIndex:
    """`render` turns a dossier into its row's bytes: when it is indexed if the index lags, else when asked for."""

    def __init__(self, render: Callable[[Dossier], bytes], *, lags: bool, shift_h: float, half_range: str) -> None:
        self._render = render
        self._lags = lags
        self._shift_h = shift_h
        self._half_range = half_range
        self._entries: dict[int, Entry] = {}
        self._waiting: dict[int, tuple[float, Dossier | None]] = {}
        self._sorted: dict[str, list[tuple[str, int]]] = {}
        self.version = 0

    def changed(self, dossier_id: int, dossier: Dossier | None, visible: float) -> None:
        """A dossier changed or went (None); the list shows it from monotonic instant `visible` on."""
        known = self._waiting.get(dossier_id)
        self._waiting[dossier_id] = (min(visible, known[0]) if known else visible, dossier)

    def refresh(self, now: float) -> None:
        """Index what is due."""
        if not self._waiting:
            return
        due = [dossier_id for dossier_id, (visible, _) in self._waiting.items() if visible <= now]
        for dossier_id in due:
            _, dossier = self._waiting.pop(dossier_id)
            if dossier is None:
                self._entries.pop(dossier_id, None)
            else:
                self._entries[dossier_id] = self._entry(dossier)
        if due:
            self.version += 1
            self._sorted.clear()

    def _entry(self, dossier: Dossier) -> Entry:
        return Entry(
            dossier.dossier_id,
            index_time(dossier.created_at, self._shift_h),
            {name: index_time(getattr(dossier, at), self._shift_h) for name, at in DATES.items()},
            dossier.status,
            dossier.sub_status,
            dossier.agency_code,
            dossier.service_code,
            dossier.originality,
            dossier.online,
            dossier.step,
            dossier.dossier_no,
            dossier.applicant.number,
            dossier.applicant.name,
            dossier,
            self._render(dossier) if self._lags else b"",
        )

    def row(self, entry: Entry) -> bytes:
        """The row of an entry as JSON, without what depends on the caller."""
        return entry.frozen or self._render(entry.dossier)

    def find(self, query: Mapping[str, str]) -> list[Entry]:
        """Entries that match the filters, by creation time; filters of another shape are dropped."""
        chosen: Iterable[Entry] = self._entries.values()
        ranges = []
        for name in DATES:
            low, high = day_text(query.get(f"from{name}", "")), day_text(query.get(f"to{name}", ""))
            if low or high:
                ranges.append((name, *self._bounds(low, high)))
        if ranges:
            chosen = self._between(*ranges[0])
        for name, low, high in ranges[1:]:
            chosen = [entry for entry in chosen if low <= entry.dates[name] <= high]
        chosen = [entry for entry in chosen if _matches(entry, query)]
        chosen.sort(key=lambda entry: entry.created, reverse=query.get("order") == "true")
        return chosen

    def _bounds(self, low: str, high: str) -> tuple[str, str]:
        """Both ends of a range; a missing upper end is the bare text 235959 (provincial.md section 6)."""
        start = f"{low}000000" if low else "00000000000000"
        if high:
            return start, f"{high}235959"
        return start, "00000000235959" if self._half_range == "empty" else "99999999999999"

    def _between(self, name: str, low: str, high: str) -> list[Entry]:
        keys = self._sorted.get(name)
        if keys is None:
            keys = self._sorted[name] = sorted((entry.dates[name], key) for key, entry in self._entries.items())
        if low > high:
            return []
        start, end = bisect_left(keys, (low, 0)), bisect_right(keys, (high, 2**63))
        return [self._entries[key] for stamp, key in keys[start:end] if stamp != "0"]


def _matches(entry: Entry, query: Mapping[str, str]) -> bool:
    for name, value in (("status", entry.status), ("substatus", entry.sub_status), ("step", entry.step)):
        if (wanted := query.get(name)) and value not in wanted.split(","):
            return False
    agency = query.get("agency", "")
    if agency not in ("", "all") and entry.agency not in agency.split(","):
        return False
    if (service := query.get("service")) and entry.service != service:
        return False
    if (online := query.get("online")) and entry.online != (online == "true"):
        return False
    if (originality := query.get("originality")) and str(entry.originality) not in originality.split(","):
        return False
    return all(query[name] in getattr(entry, own) for name, own in _TEXTS.items() if query.get(name))
