"""The timeline of a dossier: a grow-only set of entries, and everything that follows from it (sync.md S3 to S7).

An entry is a plain JSON object, because it is stored as one:

- `id`: unique in the dossier, built from portal, record and the origin's own identity
- `portal`, `record`: who said it, about which of its records; `stage`: "" or the portal that handles the stage
- `kind`: `act`, `log`, `own`, `time` or `bare` (where its identity comes from, S4)
- `status` (canonical or ""), `wire`, `sub`: what it says; "" makes it a note
- `at`: own time in seconds; `us`: true when it is the time of our hearing
- `pos`: own number for order at equal times; `nth`: n-th time the act became current
- `heard`: start of the reading that gave these attributes; `first`: of the first that named it
- `cause`: key of our command, if it made this event
- `since`: for a state timed by us, the reading before it
- `was`: statuses it had before a correction
- `base`: true for the first state of a bare-state source (S26)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, NotRequired, TypedDict

from gateway.sync.acts import ATTACH_WITHIN_S, attach, first_heard

_REST_OF_SECOND = 0.999_999


class Entry(TypedDict):
    """One stored entry; see the module's text."""

    id: str
    portal: str
    record: str
    stage: str
    kind: str
    status: str
    wire: str
    sub: NotRequired[str]
    at: float
    us: NotRequired[bool]
    pos: int
    nth: NotRequired[int]
    heard: float
    first: NotRequired[float]
    cause: NotRequired[str]
    base: NotRequired[bool]
    since: NotRequired[float]
    was: NotRequired[list[str]]


class Event(NamedTuple):
    """An entry that counts, with the ids of the log rows that tell of the same act."""

    id: str
    ids: frozenset[str]
    portal: str
    record: str
    stage: str
    status: str
    wire: str
    sub: str
    at: float
    timed_by_us: bool
    cause: str
    baseline: bool
    news_at: float = 0.0
    """When it is news: its own time, or for an act that became current again without a row, when it was heard."""
    since: float = 0.0
    """The earliest it can have happened: for what is timed by us the reading before, else `news_at`."""

    def known_in(self, ids: Iterable[str]) -> bool:
        """Whether a ledger holds this event under any of its ids."""
        return not self.ids.isdisjoint(ids)


_ID = itemgetter("id")

Merged = tuple[list[Entry], list[Entry], list[Entry]]
"""A union of two sets of entries: all, those added, those corrected."""


def merge(old: Sequence[Entry], new: Iterable[Entry]) -> Merged:
    """Union of two sets of entries: (all, added, corrected).

    A known id with other attributes is a correction: the newer reading's attributes hold (S5); the order of
    merging does not matter.
    """
    by_id = {entry["id"]: entry for entry in old}
    added, corrected = [], []
    for entry in new:
        known = by_id.get(entry["id"])
        if known is None:
            by_id[entry["id"]] = entry
            added.append(entry)
        else:
            newer, older = (entry, known) if entry["heard"] > known["heard"] else (known, entry)
            mended = _with_history(newer, older)
            by_id[entry["id"]] = mended
            if newer is entry and _says(entry) != _says(known):
                corrected.append(mended)
    return sorted(by_id.values(), key=_ID), added, corrected


def _with_history(newer: Entry, older: Entry) -> Entry:
    """The newer attributes, remembering every status the entry ever had: its log row may still tell the older one."""
    was = {*newer.get("was", ()), *older.get("was", ()), older["status"]} - {newer["status"]}
    mended = newer.copy()
    first = min(first_heard(newer), first_heard(older))
    if first < mended["heard"]:
        mended["first"] = first
    if was:
        mended["was"] = sorted(was)
    return mended


def _says(entry: Entry) -> tuple[object, ...]:
    return entry["status"], entry["wire"], entry.get("sub", ""), entry["at"], entry.get("cause", "")


def events(entries: Sequence[Entry], stage: str = "") -> list[Event]:
    """The entries of a stage that count, per portal in order of own time, own number and position (S6)."""
    counted, attached = _counted(_of_stage(entries, stage))
    made = [(entry, _event(entry, attached.get(entry["id"], ()))) for entry in counted]
    made.sort(key=lambda pair: (*_place(pair[0], attached.get(pair[0]["id"], ())), pair[0]["id"]))
    return _each_cause_once([event for _, event in made])


def _each_cause_once(found: list[Event]) -> list[Event]:
    """A key of ours made one act, the first that carries it; whoever quotes it later speaks for himself."""
    taken: set[str] = set()
    for place, event in enumerate(found):
        if event.cause in taken:
            found[place] = event._replace(cause="")
        elif event.cause:
            taken.add(event.cause)
    return found


def _of_stage(entries: Sequence[Entry], stage: str) -> list[Entry]:
    """What was said of a stage, notes apart.

    A refusal to make a dossier names no record and has our time: it holds until its portal shows a record, whose times
    are of another clock (S6).
    """
    said = [entry for entry in entries if entry["stage"] == stage and entry["status"]]
    if all(entry["record"] for entry in said):
        return said
    shown = {entry["portal"] for entry in said if entry["record"]}
    return [entry for entry in said if entry["record"] or entry["portal"] not in shown]


def _counted(mine: Sequence[Entry]) -> tuple[Sequence[Entry], dict[str, list[Entry]]]:
    """The entries of a stage that are no log row of another, and the rows of each act."""
    attached = attach(mine)
    if not attached:
        return mine, attached
    taken = {row["id"] for rows in attached.values() for row in rows}
    return [entry for entry in mine if entry["id"] not in taken], attached


def _place(entry: Entry, rows: Sequence[Entry]) -> tuple[float, int]:
    """Where an entry stands: its instant, then its number.

    Acts have whole seconds and numbers of their own, log rows have finer instants and other numbers; the two are not
    comparable. So an act whose log row is known stands where that row does, and one without stands at the end of its
    second, because it was seen current. Two acts in one second are common: accepted, and handed on.
    """
    if rows:
        last = max(rows, key=lambda row: (row["at"], row["pos"]))
        return max(entry["at"], last["at"]), last["pos"]
    if entry["kind"] == "act" and entry["at"].is_integer():
        return entry["at"] + _REST_OF_SECOND, entry["pos"]
    return entry["at"], entry["pos"]


def _event(entry: Entry, rows: Sequence[Entry]) -> Event:
    at, cause = entry["at"], entry.get("cause", "")
    again = entry.get("nth", 1) > 1
    if rows:
        cause = cause or next((row["cause"] for row in rows if "cause" in row), "")
        if again:
            at = max(at, *(row["at"] for row in rows))
    news_at = max(at, first_heard(entry)) if again and not rows else at
    return Event(
        entry["id"],
        frozenset((entry["id"], *(row["id"] for row in rows))),
        entry["portal"],
        entry["record"],
        entry["stage"],
        entry["status"],
        entry["wire"],
        entry.get("sub", ""),
        at,
        entry.get("us", False),
        cause,
        entry.get("base", False),
        news_at,
        entry.get("since", news_at),
    )


def handler_of(entries: Sequence[Entry], handlers: Mapping[str, str], stage: str = "") -> str:
    """Who handles the stage: its handler once it has spoken, before that whoever submitted (S6)."""
    handler = handlers.get(stage, "")
    portals = set()
    for entry in entries:
        if entry["stage"] == stage and entry["status"]:
            if entry["portal"] == handler:
                return handler
            portals.add(entry["portal"])
    return min(portals, default=handler)


def current(entries: Sequence[Entry], handlers: Mapping[str, str], stage: str = "") -> Event | None:
    """The last event of the portal that handles the stage, or None."""
    if not entries:
        return None
    handler = handler_of(entries, handlers, stage)
    mine = _of_stage(entries, stage)
    last_at = max([entry["at"] for entry in mine if entry["portal"] == handler], default=None)
    if last_at is None:
        return None
    own, attached = _own(_end(mine, last_at), handler)
    if not own:  # all rows of another's acts
        own, attached = _own(mine, handler)
    if not own:
        return None
    last = own[0]
    if len(own) > 1:
        last = max(own, key=lambda entry: (*_place(entry, attached.get(entry["id"], ())), entry["id"]))
    return _event(last, attached.get(last["id"], ()))


def _own(mine: Sequence[Entry], portal: str) -> tuple[list[Entry], dict[str, list[Entry]]]:
    counted, attached = _counted(mine)
    return [entry for entry in counted if entry["portal"] == portal], attached


def _end(entries: Sequence[Entry], last_at: float) -> Sequence[Entry]:
    """The entries from `last_at` back to a silence longer than an act and its row may be apart: no row before it
    belongs to an act behind it, so the last event is among them. All entries where an act became current again, for
    its row may stand anywhere.
    """
    if max([entry.get("nth", 1) for entry in entries]) > 1:
        return entries
    silence = ATTACH_WITHIN_S + 1.0
    near = [entry for entry in entries if entry["at"] >= last_at - silence]
    while True:
        since = min([entry["at"] for entry in near]) - silence
        more = [entry for entry in entries if entry["at"] >= since]
        if len(more) == len(near):
            return near
        near = more


def contradiction(entries: Sequence[Entry], handlers: Mapping[str, str], stage: str = "") -> bool:
    """Two statuses of one owner at one moment with nothing to order them (S7)."""
    handler = handler_of(entries, handlers, stage)
    own = [entry for entry in entries if entry["stage"] == stage and entry["portal"] == handler and entry["status"]]
    last = max((entry["at"] for entry in own), default=None)
    same = [entry for entry in own if entry["at"] == last and entry["kind"] in ("time", "own")]
    return len({(entry["pos"]) for entry in same}) < len({(entry["pos"], entry["status"]) for entry in same})
