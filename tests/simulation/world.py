"""The province of the simulation: the portals of `tests/unit/sync/portals.py`, which here can also be slow and late.

`book` holds every effect a portal saw, in order. Effects of a call that was given up may land later, but before
`settle_s` is over: that is what the setting promises.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from adapters.base import Cursor, Delivery, Outcome, OutcomeKind, Page, RawRecord, Repeat
from gateway.store.sqlite import SqliteStore
from gateway.sync.engine import Engine
from schemas.errors import PortalUnavailableError
from tests.simulation.crew import SteppedStore, pause
from tests.simulation.shelves import LINKS, Shelves
from tests.unit.sync.portals import Faulty, Mirror, instant
from tests.unit.sync.world import World, config

PORTALS = ("province", "national", "justice")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one call did at a portal; `cause` is its key without dossier and epoch."""

    portal: str
    operation: str
    code: str
    cause: str
    key: str
    rows: tuple[tuple[str, str], ...] = ()
    """Progress rows: status and time as shown."""


def cause_of(key: str) -> str:
    """What a key stands for, whichever epoch gave it: class and cause event."""
    return key.split("/", 2)[2].rsplit("@", 1)[0]


class SlowWorld(World):
    """A world whose portals take their time, and two engines that share one store."""

    def __init__(self, folder: Path, chance: random.Random, *, files: bool = False) -> None:
        self.chance = chance
        self.shelves: Shelves | None = None
        self.book: list[Effect] = []
        self.wrong: list[str] = []
        self.late: list[tuple[float, Callable[[], Outcome]]] = []
        raw = config()
        for portal in raw["portals"].values():
            portal["breaker"] = {"failures": 50}
        if files:
            raw["portals"]["national"]["inbound"] = {"files_at": LINKS}
        super().__init__(folder, raw, chance.choice([Repeat.REFUSED_AS_DUPLICATE, Repeat.SAFE, Repeat.UNKNOWN]))
        rows = chance.choice([1, 2, 10])
        operations = self.national.abilities.operations
        operations = {**operations, "progress": replace(operations["progress"], rows_per_call=rows)}
        self.national.abilities = replace(self.national.abilities, operations=operations)
        for portal in (self.province, self.national, self.justice):
            self._slow(portal)
        if files:
            self.shelves = Shelves(self, random.Random(chance.random()))
            self.restart()
        self.live()

    def open(self) -> None:
        """Start the gateway: two processes over one store."""
        super().open()
        self.engines = (self.engine, Engine(self.shop))

    def new_store(self, path: Path) -> SqliteStore:
        """The store with pauses in it."""
        return SteppedStore(path)

    def tick(self, seconds: float = 1.0) -> float:
        """Move the clock; what was on its way lands at its instant."""
        end = self.now() + seconds
        while self.late and min(at for at, _ in self.late) <= end:
            at, effect = min(self.late, key=lambda found: found[0])
            self.late.remove((at, effect))
            super().tick(max(at - self.now(), 0.0))
            effect()
        return super().tick(end - self.now())

    # portals
    def _slow(self, portal: Any) -> None:
        push, fetch, reading = portal.push, portal.fetch, portal._reading
        portal.failing = 0

        def slow_push(delivery: Delivery) -> Outcome:
            pause("before the first byte")
            if self.clock.monotonic() > delivery.send_by:
                return Outcome(OutcomeKind.RETRY, "not sent: too late")
            outcome = self._late(portal, delivery, push) or self._now(portal, delivery, push)
            pause("after the effect")
            return outcome

        def slow_fetch(external_id: str) -> RawRecord | None:
            found: RawRecord | None = fetch(external_id)
            pause("after a reading")
            return found

        def failing() -> None:
            if portal.failing:
                portal.failing -= 1
                raise PortalUnavailableError(portal.name, "not opened", sent=False)
            reading()

        portal.push, portal.fetch, portal._reading = slow_push, slow_fetch, failing
        if portal is not self.province:
            portal.pull = lambda cursor: self._polled(portal, cursor)

    def _polled(self, portal: Any, cursor: Cursor | None) -> Iterator[Page]:
        """Only what the gateway knows of is polled."""
        portal._reading()
        codes = list(portal.shown if isinstance(portal, Mirror) else portal.states)
        known = self.store.read(lambda tx: tx.records(portal.name, codes))
        yield Page(tuple(portal.record(code) for code in codes if code in known), None)

    def _late(self, portal: Faulty, delivery: Delivery, push: Callable[[Delivery], Outcome]) -> Outcome | None:
        if not portal.faults or portal.faults[0] != "late":
            return None
        portal.faults.pop(0)

        def land() -> Outcome:
            kept, portal.faults = portal.faults, []
            outcome = self._now(portal, delivery, push)
            portal.faults = kept
            return outcome

        self.late.append((self.now() + self.chance.uniform(1.0, 90.0), land))
        return Outcome(OutcomeKind.UNKNOWN, "no answer")

    def _now(self, portal: Faulty, delivery: Delivery, push: Callable[[Delivery], Outcome]) -> Outcome:
        before = self._size(portal)
        outcome = push(delivery)
        if self._size(portal) > before:
            self._enter(delivery)
        return outcome

    def _size(self, portal: Faulty) -> int:
        if portal is self.province:
            return sum(len(folder.log) for folder in self.province.folders.values())
        return len(self.national.writes) if portal is self.national else len(self.justice.pushes)

    def _enter(self, delivery: Delivery) -> None:
        """Write an effect into the book, and what may never happen into the list of wrongs."""
        body: Any = orjson.loads(delivery.body)
        rows = tuple((row["status"], row["at"]) for row in body) if delivery.operation == "progress" else ()
        code = str(delivery.external_id)
        cause = cause_of(delivery.key)
        made = Effect(delivery.portal, delivery.operation, code, cause, delivery.key, rows)
        there = code in self.national.shown or any(row["code"] in self.national.shown for row in body if rows)
        for row in rows:
            if any(row in held.rows for held in self.book if held.code == code):
                self.wrong.append(f"I3: a row twice, {code} {row}")
        if rows and (not there or list(rows) != sorted(rows, key=lambda row: row[1])):
            self.wrong.append(f"I4: rows out of order or before the first snapshot, {code} {rows}")
        if delivery.operation in ("action", "amend", "declare"):
            twice = [held for held in self.book if (held.portal, held.cause, held.code) == (made.portal, cause, code)]
            harmless = self.justice.abilities.operations.get(delivery.operation)
            if twice and not (harmless and harmless.repeat is Repeat.SAFE):
                self.wrong.append(f"I3: a command twice, {code} {cause}")
        self.book.append(made)

    # what people do
    def rolled_back(self, reference: str) -> bool:
        """An officer makes an older act current again; the log says so."""
        folder = self.province.folders[reference]
        acts = [row for row in folder.log if row["id"] in folder.acts and row["id"] != folder.detail["act"]]
        if not acts:
            return False
        old, now = self.chance.choice(acts), self.tick(7)
        folder.detail.update(act=old["id"], status=old["status"], at=old["at"])
        self.province.number += 1
        row = {
            "id": str(self.province.number),
            "at": instant(now),
            "status": old["status"],
            "note": "trả lại bước trước",
        }
        folder.log.append({**row, "officer": "CÁN BỘ 01"})
        return True
