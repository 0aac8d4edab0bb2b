"""Which log rows tell of which acts: both are of one handling, seen through two windows of a portal (sync.md S4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.sync.timeline import Entry

ATTACH_WITHIN_S = 2.0
"""A log row within this many seconds of an act is that act's own row: act times have whole seconds."""


def attach(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Act id -> its log rows (S4). All rows of the act's own second are its own; else one within two seconds is.

    An act that became current again has no time of its own: of the rows that say the same and were heard no later, the
    latest that no other act has claimed is its row. What is left over are acts of their own.
    """
    acts = [entry for entry in entries if entry["kind"] == "act"]
    rows = [entry for entry in entries if entry["kind"] == "log"] if acts else []
    found: dict[str, list[Entry]] = {}
    if not rows:
        return found
    timed = [act for act in acts if act.get("nth", 1) == 1]
    left = _claim(rows, timed, found, _in_its_second, many=True)
    if left:
        left = _claim(left, timed, found, _near, many=False)
    if len(timed) < len(acts):
        _attach_again([act for act in acts if act.get("nth", 1) > 1], left, found)
    return found


def _attach_again(acts: Sequence[Entry], left: list[Entry], found: dict[str, list[Entry]]) -> None:
    """Give each act that became current again the latest row that fits it and is left."""
    for act in sorted(acts, key=lambda entry: (first_heard(entry), entry["id"])):
        heard = [row for row in left if _became_again(row, act)]
        if heard:
            last = max(heard, key=lambda row: (row["at"], row["id"]))
            found[act["id"]] = [last]
            left.remove(last)


def _claim(
    rows: Sequence[Entry],
    acts: Sequence[Entry],
    found: dict[str, list[Entry]],
    fits: Callable[[Entry, Entry], bool],
    *,
    many: bool,
) -> list[Entry]:
    """Give rows to the nearest acts they fit; gives those left over."""
    left = []
    for row in sorted(rows, key=lambda entry: (entry["at"], entry["id"])):
        near = [act for act in acts if (many or act["id"] not in found) and fits(row, act) and _same_word(row, act)]
        if near:
            best = min(near, key=lambda act: (abs(act["at"] - row["at"]), act["id"]))
            found.setdefault(best["id"], []).append(row)
        else:
            left.append(row)
    return left


def _same_word(row: Entry, act: Entry) -> bool:
    if row["record"] != act["record"] or row["status"] not in (act["status"], *act.get("was", ())):
        return False
    return not (row["status"] == act["status"] and _other_words(row, act))


def _in_its_second(row: Entry, act: Entry) -> bool:
    return 0.0 <= row["at"] - act["at"] < 1.0


def _near(row: Entry, act: Entry) -> bool:
    return abs(act["at"] - row["at"]) <= ATTACH_WITHIN_S


def _became_again(row: Entry, act: Entry) -> bool:
    return _same_word(row, act) and row["at"] >= act["at"] and first_heard(row) <= first_heard(act)


def _other_words(row: Entry, act: Entry) -> bool:
    """Whether the portal's own words for the two differ."""
    return bool(row["wire"]) and bool(act["wire"]) and row["wire"] != act["wire"]


def first_heard(entry: Entry) -> float:
    """When the entry was heard for the first time."""
    return entry.get("first", entry["heard"])
