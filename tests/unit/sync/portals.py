"""Two portals in memory for the engine's tests: a desk that handles dossiers and a mirror that must show them.

They keep what real portals are like: the desk has acts and a log, the mirror neither lists rows nor removes doubles.
`faults` is a list that each write takes from the front: "lost" does the work and loses the answer, "cut" loses the
question, "busy" is known not to have worked, "no" is a refusal, "never" is a refusal for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    DeliveryClass,
    EventIdentity,
    FileStream,
    Operation,
    Outcome,
    OutcomeKind,
    Page,
    Presence,
    Probe,
    ProbeStrength,
    RawRecord,
    Repeat,
)
from schemas.clock import ManualClock
from schemas.errors import PortalContractError, PortalUnavailableError

OPENCPS = "opencps/test"


def instant(at: float) -> str:
    """The desk's own words for an instant."""
    return datetime.fromtimestamp(at, UTC).isoformat()


class Faulty:
    """Takes faults from the front of a list."""

    def __init__(self, name: str, clock: ManualClock) -> None:
        self.name = name
        self.clock = clock
        self.faults: list[str] = []
        self.down = False
        self.reads = 0

    def _outcome(self, effect: Any) -> Outcome:
        fault = self.faults.pop(0) if self.faults else ""
        if self.down or fault == "busy":
            return Outcome(OutcomeKind.RETRY, "not opened")
        if fault == "cut":
            return Outcome(OutcomeKind.UNKNOWN, "no answer")
        if fault in ("no", "never"):
            return Outcome(OutcomeKind.REFUSED, "a word", code="-1", final=fault == "never")
        outcome: Outcome = effect()
        if fault == "lost":
            return Outcome(OutcomeKind.UNKNOWN, "no answer")
        return outcome

    def _reading(self) -> None:
        self.reads += 1
        if self.down:
            raise PortalUnavailableError(self.name, "not opened", sent=False)

    def catalogue(self, name: str) -> CatalogueList:
        raise PortalContractError(self.name, "no catalogues here")

    def open_file(self, ref: str) -> FileStream:
        raise PortalContractError(self.name, "no files here")

    def ping(self) -> datetime | None:
        self._reading()
        return None

    def close(self) -> None:
        return None


@dataclass
class Folder:
    """One dossier at the desk."""

    detail: dict[str, Any]
    log: list[dict[str, Any]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] | None = None


class Desk(Faulty):
    """A portal that handles dossiers: acts with ids, a log, actions."""

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name, clock)
        self.folders: dict[str, Folder] = {}
        self.number = 100
        action = Operation("action", DeliveryClass.COMMAND, "action", Repeat.UNKNOWN, ProbeStrength.CONTENT)
        self.abilities = Abilities(
            operations={"action": action},
            pulls=True,
            fetches=True,
            commands={"act": "action"},
            identity=EventIdentity.ACT,
        )

    def open(self, reference: str, *, at: float, status: str = "submitted", **fields: Any) -> None:
        """An officer or a citizen opens a dossier."""
        self.folders[reference] = Folder(
            {"reference": reference, "procedure": "1.000001", "person": "000000000001", **fields}
        )
        self.act(reference, status, at=at)

    def act(self, reference: str, status: str, *, at: float, note: str = "", logged: bool = True) -> None:
        """One act of an officer."""
        self.number += 1
        folder = self.folders[reference]
        state = {"act": str(self.number), "status": status, "at": instant(at), "note": note, "officer": "CÁN BỘ 01"}
        folder.detail.update(state)
        folder.acts.append(str(self.number))
        if logged:
            self._row(folder, state)

    def _row(self, folder: Folder, state: Mapping[str, Any]) -> None:
        row = {"id": str(self.number), "at": state["at"], "status": state["status"], "note": state["note"]}
        folder.log.append({**row, "officer": "CÁN BỘ 01"})

    def record(self, reference: str) -> RawRecord:
        """One dossier as it is read."""
        folder = self.folders[reference]
        parts = {"dossier": dict(folder.detail), "log": [dict(row) for row in folder.log]}
        return RawRecord(
            reference,
            parts,
            orjson.dumps(parts),
            self.clock.now(),
            allowed=folder.allowed,
            guard={"log": len(folder.log)},
        )

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        self._reading()
        yield Page(tuple(self.record(reference) for reference in self.folders), None)

    def fetch(self, external_id: str) -> RawRecord | None:
        self._reading()
        return self.record(external_id) if external_id in self.folders else None

    def push(self, delivery: Delivery) -> Outcome:
        def work() -> Outcome:
            command = orjson.loads(delivery.body)
            self.act(delivery.external_id, command["status"], at=self.clock.now().timestamp(), note=command["note"])
            return Outcome(OutcomeKind.DELIVERED, "done", proof="act id")

        return self._outcome(work)

    def probe(self, delivery: Delivery) -> Probe:
        self._reading()
        folder = self.folders[delivery.external_id]
        seen = any(delivery.key_uuid in row["note"] for row in folder.log)
        untouched = len(folder.log) == delivery.guard.get("log")
        found = Presence.PRESENT if seen else Presence.ABSENT if untouched else Presence.CANNOT_TELL
        return Probe(found, "read the log", self.clock.now())


class Mirror(Faulty):
    """The national portal in small: insert once, update in full, rows appended for ever, presence only."""

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name, clock)
        self.shown: dict[str, dict[str, Any]] = {}
        self.rows: list[dict[str, Any]] = []
        self.writes: list[tuple[str, str]] = []
        one, two = DeliveryClass.SNAPSHOT, DeliveryClass.APPEND
        presence, none = ProbeStrength.PRESENCE, ProbeStrength.NONE
        self.abilities = Abilities(
            operations={
                "insert": Operation("insert", one, "dossier", Repeat.REFUSED_AS_DUPLICATE, presence, creates=True),
                "update": Operation("update", one, "dossier", Repeat.SAFE, none),
                "progress": Operation("progress", two, "progress", Repeat.APPENDS, none, rows_per_call=10),
            },
            polls=True,
            fetches=True,
            create="insert",
            update="update",
            append="progress",
            identity=EventIdentity.BARE,
        )
        self.sweep: list[str] = []

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        self._reading()
        yield Page(tuple(self.record(code) for code in self.sweep), None)

    def record(self, code: str) -> RawRecord:
        """One dossier as it is looked up."""
        shown = {"code": code, "status": self.shown[code]["status"]}
        return RawRecord(code, {"lookup": shown}, orjson.dumps(shown), self.clock.now())

    def fetch(self, external_id: str) -> RawRecord | None:
        self._reading()
        return self.record(external_id) if external_id in self.shown else None

    def push(self, delivery: Delivery) -> Outcome:
        return self._outcome(lambda: self._work(delivery))

    def _work(self, delivery: Delivery) -> Outcome:
        body = orjson.loads(delivery.body)
        if delivery.operation == "progress":
            self.rows += body
            self.writes += [("progress", row["code"]) for row in body]
            return Outcome(OutcomeKind.DELIVERED, "thành công")
        if delivery.operation == "insert" and body["code"] in self.shown:
            return Outcome(OutcomeKind.REFUSED, "đã tồn tại", duplicate=True, final=True)
        if delivery.operation == "update" and body["code"] not in self.shown:
            return Outcome(OutcomeKind.REFUSED, "không tồn tại", final=True)
        self.shown[body["code"]] = body
        self.writes.append((delivery.operation, body["code"]))
        return Outcome(OutcomeKind.DELIVERED, "thành công", number=body["code"], external_id=body["code"])

    def probe(self, delivery: Delivery) -> Probe:
        self._reading()
        there = delivery.external_id in self.shown
        return Probe(Presence.PRESENT if there else Presence.ABSENT, "looked up", self.clock.now())


class Ministry(Faulty):
    """Handles a stage forwarded to it; its bare state is polled."""

    def __init__(self, name: str, clock: ManualClock, repeat: Repeat = Repeat.REFUSED_AS_DUPLICATE) -> None:
        super().__init__(name, clock)
        self.states: dict[str, tuple[str, str]] = {}
        self.pushes: list[tuple[str, str]] = []
        command, presence = DeliveryClass.COMMAND, ProbeStrength.PRESENCE
        self.abilities = Abilities(
            operations={
                "declare": Operation("declare", command, "push", repeat, presence, creates=True),
                "amend": Operation("amend", command, "push", Repeat.SAFE, presence),
            },
            polls=True,
            commands={"declare": "declare", "amend": "amend"},
            identity=EventIdentity.BARE,
        )

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        self._reading()
        yield Page(tuple(self.record(code) for code in self.states), None)

    def record(self, code: str) -> RawRecord:
        """The state of one stage."""
        status, note = self.states[code]
        wire = {"code": code, "status": status, "note": note}
        return RawRecord(code, {"state": wire}, orjson.dumps(wire), self.clock.now())

    def fetch(self, external_id: str) -> RawRecord | None:
        self._reading()
        return self.record(external_id) if external_id in self.states else None

    def push(self, delivery: Delivery) -> Outcome:
        return self._outcome(lambda: self._work(delivery))

    def _work(self, delivery: Delivery) -> Outcome:
        code = orjson.loads(delivery.body)["code"]
        if delivery.operation == "declare" and code in self.states:
            return Outcome(OutcomeKind.REFUSED, "đã được tiếp nhận", duplicate=True, final=True)
        self.states.setdefault(code, ("accepted", ""))
        self.pushes.append((delivery.operation, code))
        return Outcome(OutcomeKind.DELIVERED, "1", external_id=code)

    def probe(self, delivery: Delivery) -> Probe:
        self._reading()
        there = delivery.external_id in self.states
        return Probe(Presence.PRESENT if there else Presence.ABSENT, "asked", self.clock.now())
