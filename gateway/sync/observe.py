"""What does a reading say that this portal had not said before? (sync.md S4, S5, S8, S26)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from adapters.base import EventIdentity
from gateway.store.rows import Json, RecordRow
from gateway.sync.reading import Reading, Saying
from gateway.sync.timeline import Entry

AGAIN = 1_000_000_000_000
"""Positions above this are of acts that became current again: after every own number, in the order seen."""


class Observation(NamedTuple):
    """`entries` carry identities (new or known: the union decides); `texts` are their personal texts by entry id.

    `counts` replaces the record's counters. `stale` readings say nothing (S8). `changed` tells whether anything but
    volatile fields differs from the last reading.
    """

    counts: Json
    entries: Sequence[Entry] = ()
    texts: Mapping[str, Json] = MappingProxyType({})
    stale: bool = False
    changed: bool = True


def observe(reading: Reading, seen: RecordRow | None, identity: EventIdentity, stage: str, ours: bool) -> Observation:
    """Name what a reading says. `ours` tells that we created the record there, so its first state is news (S26)."""
    counts = dict(seen.counts) if seen else {}
    if seen is not None and reading.read_at < seen.read_at and not reading.partial:
        return Observation(counts, stale=True, changed=False)
    if seen is not None and seen.digest == reading.digest and seen.dossier_id:
        return Observation(counts, changed=False)
    naming = _Naming(reading, stage, counts, seen.read_at if seen else 0.0)
    entries = naming.log_rows(reading.log)
    texts = {entry["id"]: said.text for entry, said in zip(entries, reading.log, strict=True)}
    if reading.state is not None:
        entry = naming.state(reading.state, identity, first=seen is None or not seen.digest, ours=ours)
        if entry is not None:
            entries.append(entry)
            texts[entry["id"]] = reading.state.text
    return Observation(counts, entries, texts)


class _Naming:
    """Gives entries their identity; `counts` is moved along."""

    def __init__(self, reading: Reading, stage: str, counts: Json, before: float) -> None:
        self._before = before
        self._heard = reading.read_at
        self._portal, self._record = reading.portal, reading.external_id
        self._head = f"{reading.portal}|{reading.external_id}|"
        self._stage = stage
        self._counts = counts

    def log_rows(self, log: Sequence[Saying]) -> list[Entry]:
        entry = self._entry
        return [entry(f"log:{said.own_id}", "log", said, _number(said.own_id)) for said in log]

    def state(self, said: Saying, identity: EventIdentity, *, first: bool, ours: bool) -> Entry | None:
        if identity is EventIdentity.ACT and said.own_id not in ("", "0"):
            return self._act(said)
        if said.own_id and identity in (EventIdentity.OWN_ID, EventIdentity.BARE):  # what is told may carry an id
            return self._entry(f"own:{said.own_id}", "own", said, _number(said.own_id))
        if identity is not EventIdentity.BARE and said.at is not None:
            return self._entry(f"time:{said.status}:{said.at:.3f}", "time", said, 0)
        return self._bare(said, first=first, ours=ours)

    def _act(self, said: Saying) -> Entry:
        acts: dict[str, int] = self._counts.setdefault("acts", {})
        if self._counts.get("act") != said.own_id:
            acts[said.own_id] = acts.get(said.own_id, int(self._was_current_before(said, acts))) + 1
            self._counts["act"] = said.own_id
            self._counts["pos"] = self._counts.get("pos", 0) + 1
            self._counts["last_at"] = max(self._counts.get("last_at", 0.0), said.at or 0.0)
        nth = acts[said.own_id]
        entry = self._entry(f"act:{said.own_id}:{nth}", "act", said, _number(said.own_id))
        entry["nth"] = nth
        if nth > 1:
            entry["at"] = max(entry["at"], self._counts["last_at"])
            entry["pos"] = AGAIN + self._counts["pos"]
        return entry

    def _was_current_before(self, said: Saying, acts: Mapping[str, int]) -> bool:
        """Whether an act first seen current now is older than one seen before: it was current between two readings."""
        newest = max((_number(own_id) for own_id in acts), default=-1)
        return _number(said.own_id) <= newest and (said.at or 0.0) < self._counts.get("last_at", 0.0)

    def _bare(self, said: Saying, *, first: bool, ours: bool) -> Entry | None:
        if self._counts.get("last") == [said.status, said.wire]:
            return None
        number = self._counts.get("n", 0) + 1
        self._counts["n"], self._counts["last"] = number, [said.status, said.wire]
        entry = self._entry(f"bare:{number}", "bare", said, number)
        entry["at"], entry["us"], entry["since"] = self._heard, True, self._before
        if first and not ours:
            entry["base"] = True
        return entry

    def _entry(self, own: str, kind: str, said: Saying, pos: int) -> Entry:
        _, status, wire, sub, at, _, cause = said
        entry: Entry = {
            "id": self._head + own,
            "portal": self._portal,
            "record": self._record,
            "stage": self._stage,
            "kind": kind,
            "status": status,
            "wire": wire,
            "at": self._heard if at is None else at,
            "pos": pos,
            "heard": self._heard,
        }
        if at is None:
            entry["us"] = True
        if sub:
            entry["sub"] = sub
        if cause:
            entry["cause"] = cause
        return entry


def _number(own_id: str) -> int:
    return int(own_id) if own_id.isascii() and own_id.isdigit() else 0
