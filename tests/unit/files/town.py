"""A province, a ministry and the national portal that keep files: the test world with shelves."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from adapters.base import Delivery, FileStream, FileUse, Operation, Outcome
from gateway.inbound.stored import StoredFiles
from gateway.store.rows import FileRow, WantedFileRow
from schemas.errors import PortalAuthError, PortalRefusedError, PortalUnavailableError
from tests.unit.sync.portals import Desk, Faulty, Ministry, Mirror
from tests.unit.sync.world import START, World, config

PDF = "%PDF-1.7 Giấy khai sinh của CÔNG DÂN THỬ NGHIỆM 01".encode() * 5000
CODE = "H99-261102-00001"
T0 = START.timestamp()
LINKS = "http://127.0.0.1:8443/in/national/downloadfile"


class Shelf(Faulty):
    """Files of a portal by reference; `trouble`, taken from the front: away no cut html slow other login odd noise."""

    shelf: dict[str, bytes]
    trouble: list[str]
    opened: list[str]

    def begin(self) -> None:
        """Empty shelves."""
        self.shelf, self.trouble, self.opened = {}, [], []
        self.abilities: Any = replace(self.abilities, opens_files=True)

    def open_file(self, ref: str) -> FileStream:
        self._reading()
        self.opened.append(ref)
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "away":
            raise PortalUnavailableError(self.name, "not opened", sent=False)
        if trouble == "login":
            raise PortalAuthError(self.name, "no such user", sent=True)
        if trouble == "odd":
            raise PortalUnavailableError(self.name, "answered 403, which may be anything", status=403)
        if trouble == "no" or ref not in self.shelf:
            raise PortalRefusedError(self.name, "no such file", code="404")
        lies = {"html": b"<html>login</html>", "other": b"%PDF-other", "noise": self.noise(len(self.shelf[ref]))}
        data = lies.get(trouble, self.shelf[ref])
        stream: Any = io.BytesIO(data[:-9] if trouble == "cut" else data)
        if trouble == "slow":
            stream = _Slow(stream, self)
        return FileStream(stream, "application/pdf", len(self.shelf[ref]) if trouble == "cut" else len(data))

    def noise(self, length: int) -> bytes:
        """Bytes that show nothing, others at each call."""
        return (b"\x00noise %d " % len(self.opened)).ljust(length, b".")

    def row(self, ref: str, name: str, data: bytes = PDF, **fields: Any) -> dict[str, Any]:
        """Put a file on the shelf; gives the row of a record that names it."""
        self.shelf[ref] = data
        return {"ref": ref, "name": name, "size": len(data), **fields}


class _Slow(io.RawIOBase):
    def __init__(self, stream: io.BytesIO, portal: Faulty) -> None:
        self._stream, self._portal = stream, portal

    def read(self, size: int = -1) -> bytes:
        self._portal.clock.advance(30)
        return self._stream.read(size)


class Receives:
    """What a portal got: the bytes behind every reference of every write, as `open_stored` gives them."""

    got: list[dict[str, str]]
    bodies: list[tuple[str, dict[str, Any]]]
    town: Town

    def take(self, delivery: Delivery) -> None:
        """Read what a write names, as an adapter does at the wire."""
        body = orjson.loads(delivery.body)
        if isinstance(body, list):
            return
        listed = [*body.get("papers", ()), *_list(body.get("results"))]
        opened = {row["name"]: self.town.open_stored(row["ref"]) for row in listed if row.get("ref")}
        self.got.append({name: hashlib.sha256(one.stream.read()).hexdigest() for name, one in opened.items()})
        self.bodies.append((delivery.operation, body))


def _list(value: Any) -> list[dict[str, Any]]:
    return json.loads(value) if isinstance(value, str) else list(value or ())


class Province(Shelf, Receives, Desk):
    def push(self, delivery: Delivery) -> Outcome:
        if not self.faults:
            self.take(delivery)
        return super().push(delivery)


class Justice(Shelf, Receives, Ministry):
    """Its results hang on the states it shows."""

    results: dict[str, list[dict[str, Any]]]

    def record(self, code: str) -> Any:
        shown = super().record(code)
        wire = {**shown.parts["state"], "results": self.results.get(code, [])}
        return replace(shown, parts={"state": wire}, raw=orjson.dumps(wire))

    def push(self, delivery: Delivery) -> Outcome:
        if not self.faults:
            self.take(delivery)
        return super().push(delivery)


class National(Mirror):
    """Gets addresses."""


def using(portal: Any, files: FileUse) -> None:
    """Declare what becomes of the files of every write but rows."""
    able = portal.abilities

    def one(operation: Operation) -> Operation:
        return operation if operation.name == "progress" else replace(operation, files=files)

    portal.abilities = replace(able, operations={name: one(found) for name, found in able.operations.items()})


def town_config(**changes: Any) -> dict[str, Any]:
    """The test province; the national portal is told where it reaches us."""
    raw = config(**changes)
    raw["portals"]["national"]["inbound"] = {"files_at": LINKS}
    raw["server"] = {"listen": "127.0.0.1:8443"}
    return raw


class Town(World):
    """`province`, `justice` and `national` with files; adopted."""

    province: Province
    justice: Justice

    def __init__(self, folder: Path, raw: dict[str, Any] | None = None) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, raw or town_config())
        self.close()
        self.province = Province("province", self.clock)
        self.justice = Justice("justice", self.clock)
        self.national = National("national", self.clock)
        for portal in (self.province, self.justice):
            portal.begin()
            portal.got, portal.bodies, portal.town = [], [], self
            using(portal, FileUse.CONTENT)
        self.justice.results = {}
        using(self.national, FileUse.LINK)
        self.open()
        self.live()

    def open_stored(self, ref: str) -> FileStream:
        """As an adapter gets it."""
        return StoredFiles(tuple(self.config.portals), self.store, self.files)(ref)

    def born(self, *papers: dict[str, Any], status: str = "forwarded") -> None:
        """A dossier at the province, handed on to the ministry."""
        self.province.open("r1", at=self.tick(), code=CODE, procedure="2.000001", status=status, papers=list(papers))

    def completed(self, *results: dict[str, Any]) -> None:
        """The ministry has ended its stage."""
        self.justice.states[CODE] = ("completed", "Đã đăng ký")
        self.justice.results[CODE] = list(results)

    def wanted(self) -> list[WantedFileRow]:
        """Every wish."""
        return self.store.read(lambda tx: tx.wanted_of("d0001"))

    def kept(self) -> list[FileRow]:
        """Every file."""
        return self.store.read(lambda tx: tx.files_of("d0001"))

    def read(self, row: FileRow) -> bytes:
        """Its bytes."""
        return b"".join(self.files.open(row))


def shown(town: Town) -> list[dict[str, Any]]:
    """The rows of results at the national portal."""
    return list(town.national.shown[CODE].get("results", []))
