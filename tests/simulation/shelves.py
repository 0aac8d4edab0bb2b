"""Files in a random life: portals that keep some, at times away or cut, and what each write had of them at the wire."""

from __future__ import annotations

import hashlib
import io
import json
import random
from dataclasses import replace
from typing import Any

import orjson

from adapters.base import Delivery, FileStream, FileUse, Operation, Outcome, RawRecord
from gateway.inbound.stored import StoredFiles
from schemas.errors import PortalUnavailableError
from tests.simulation.crew import pause
from tests.unit.sync.world import World

LINKS = "http://127.0.0.1:8443/in/national/downloadfile"
SIZE = 200_000


def bytes_of(ref: str) -> bytes:
    """The file behind a reference: always the same."""
    return b"%PDF-1.7 " + hashlib.sha256(ref.encode()).hexdigest().encode() * (SIZE // 64)


def row(ref: str) -> dict[str, Any]:
    """How a record names it."""
    return {"ref": ref, "name": f"{ref}.pdf", "size": len(bytes_of(ref))}


class Shelves:
    """Gives the portals of a world files. `wrong` tells what may never happen."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.calm = False
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.wrong: list[str] = []
        uses = {world.province: FileUse.CONTENT, world.justice: FileUse.CONTENT, world.national: FileUse.LINK}
        for portal, use in uses.items():
            self._equip(portal, use)
        record = world.justice.record

        def with_results(code: str) -> RawRecord:
            shown = record(code)
            wire = {**shown.parts["state"], "results": self.results.get(code, [])}
            return replace(shown, parts={"state": wire}, raw=orjson.dumps(wire))

        world.justice.record = with_results  # type: ignore[method-assign]  # the ministry of other lives has no files

    def _equip(self, portal: Any, use: FileUse) -> None:
        def used(operation: Operation) -> Operation:
            return operation if operation.name == "progress" else replace(operation, files=use)

        operations = {name: used(operation) for name, operation in portal.abilities.operations.items()}
        opens = use is FileUse.CONTENT
        portal.abilities = replace(portal.abilities, operations=operations, opens_files=opens)
        push = portal.push

        def taking(delivery: Delivery) -> Outcome:
            if use is FileUse.CONTENT:
                self._take(delivery)
            outcome: Outcome = push(delivery)
            return outcome

        portal.push = taking
        portal.open_file = lambda ref: self._open(portal.name, ref)

    def _open(self, portal: str, ref: str) -> FileStream:
        pause("before a file is opened")
        trouble = "" if self.calm else self._chance.choice(["", "", "", "away", "cut"])
        if trouble == "away":
            raise PortalUnavailableError(portal, "not opened", sent=False)
        data = bytes_of(ref)
        return FileStream(io.BytesIO(data[:-1] if trouble == "cut" else data), "application/pdf", len(data))

    def _take(self, delivery: Delivery) -> None:
        """What an adapter does at the wire: every file a frozen body names is there, whole."""
        body = orjson.loads(delivery.body)
        results = body.get("results") or []
        for one in [*body.get("papers", ()), *(json.loads(results) if isinstance(results, str) else results)]:
            if not one.get("ref"):
                self.wrong.append(f"files: {delivery.key} went without {one['name']}")
                continue
            opened = StoredFiles(("province", "national", "justice"), self._world.store, self._world.files)(one["ref"])
            if opened.stream.read() != bytes_of(str(one["name"]).removesuffix(".pdf")):
                self.wrong.append(f"files: {delivery.key} carried other bytes as {one['name']}")

    def without_address(self) -> list[str]:
        """Rows at the national portal that should show an address of ours."""
        shown = self._world.national.shown.values()
        rows = [one for record in shown for name in ("papers", "results") for one in record.get(name, ())]
        return [one["name"] for one in rows if not str(one.get("url", "")).startswith(LINKS)]
