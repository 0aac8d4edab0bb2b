"""A small portal over a real socket, its adapter and bench: what the suite is tried on.

JSON reads by position, writes with a session token, `{"code": 0, "text": "thành công"}` as the only yes.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    FileUse,
    JsonValue,
    Operation,
    Outcome,
    OutcomeKind,
    Page,
    PortalContext,
    Presence,
    Probe,
    ProbeStrength,
    RawRecord,
    Repeat,
)
from adapters.conformance import Bench, BenchFile, bench_context
from adapters.http import HttpClient, HttpReply, nothing_sent_yet, outcome_of
from adapters.simulation import GENERAL_FAULTS, FaultPlan, Reply, Request, Simulator, SimulatorServer
from schemas.errors import PortalAuthError, PortalContractError, PortalError

PASSWORD = "mat-khau-thu-nghiem"
YES = {"code": 0, "text": "Cập nhật thành công"}
OPERATIONS = (
    Operation(
        "insert", DeliveryClass.SNAPSHOT, "dossier", Repeat.REFUSED_AS_DUPLICATE, ProbeStrength.PRESENCE, creates=True
    ),
    Operation("update", DeliveryClass.SNAPSHOT, "dossier", Repeat.SAFE, ProbeStrength.CONTENT),
    Operation("progress", DeliveryClass.APPEND, "event", Repeat.APPENDS, ProbeStrength.NONE, rows_per_call=10),
    Operation("act", DeliveryClass.COMMAND, "command", Repeat.UNKNOWN, ProbeStrength.CONTENT, files=FileUse.CONTENT),
)


class ToyPortal(Simulator):
    """Records in order, sessions, a catalogue."""

    kind = "toy"
    faults_supported = (*GENERAL_FAULTS, "expired_session")

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[str]] = {}
        self.sessions: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.papers: dict[str, list[tuple[str, str]]] = {}
        self.catalogue: list[JsonValue] = [{"code": "1.001193"}]

    def describe(self, request: Request) -> str:
        return "login" if request.path == "/login" else super().describe(request)

    def expire_sessions(self) -> None:
        with self.lock:
            self.sessions.clear()

    def answer(self, request: Request) -> Reply:
        with self.lock:
            if request.path == "/login":
                return self._log_in(request)
            if request.headers.get("authorization") not in self.sessions:
                return Reply.json({"code": 401, "text": "phiên hết hạn"}, 401)
            if request.method == "POST":
                return self._write(request.path.removeprefix("/"), request)
            return self._read(request)

    def _log_in(self, request: Request) -> Reply:
        if request.json() != {"password": PASSWORD}:
            return Reply.json({"code": 401, "text": "sai mật khẩu"}, 401)
        token = secrets.token_hex(16)
        self.sessions.add(token)
        return Reply.json({"token": token})

    def _read(self, request: Request) -> Reply:
        if request.path == "/catalogue":
            return Reply.json(self.catalogue)
        if request.path == "/records":
            start = int(request.first("after", "0"))
            return Reply.json(list(self.records.values())[start : start + 3])
        if request.path.startswith("/file/"):
            return Reply(200, self.files[request.path.removeprefix("/file/")], content_type="application/pdf")
        if (found := self.records.get(request.path.removeprefix("/record/"))) is None:
            return Reply.json({"code": 404}, 404)
        return Reply.json(found | {"notes": self.notes.get(found["id"], [])})

    def _write(self, effect: str, request: Request) -> Reply:
        body = request.json()
        key = (body[0] if isinstance(body, list) else body)["id"]
        if effect == "insert" and key in self.records:
            return Reply.json({"code": 409, "text": "Thêm mới không thành công: đã tồn tại"})
        if effect in ("insert", "update"):
            self.records[key] = body
        if effect == "act":
            self.notes.setdefault(key, []).append(body["note"])
            papers = ((paper["name"], b64decode(paper["content"])) for paper in body.get("papers", ()))
            held = self.papers.setdefault(key, [])
            held += [(name, hashlib.sha256(content).hexdigest()) for name, content in papers]
            self.papers[key] = list(dict.fromkeys(held))
        self.book.record(effect, key, body, at=request.at, call=request.call)
        return Reply.json(YES)


class ToyAdapter:
    """What a good adapter of this portal is; the broken ones change one thing each."""

    def __init__(self, context: PortalContext, base_url: str) -> None:
        self.context, self.base_url = context, base_url
        self.http = HttpClient(
            context.portal, base_url, clock=context.clock, deadline_s=context.call_timeout_s, pool_size=8
        )

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            operations={operation.name: operation for operation in OPERATIONS},
            pulls=True,
            fetches=True,
            catalogues=("procedures",),
            create="insert",
            update="update",
            append="progress",
            commands={"act": "act"},
            identity=EventIdentity.OWN_ID,
            opens_files=True,
        )

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        position = int(cursor or 0)
        while rows := self.rows(self.get("records", after=position)):
            began = self.context.clock.now()
            position += len(rows)
            yield Page(tuple(self.record(row, began) for row in rows), str(position))

    def fetch(self, external_id: str) -> RawRecord | None:
        began = self.context.clock.now()
        reply = self.get(f"record/{external_id}")
        return None if reply.status == 404 else self.record(reply.json(), began)

    def push(self, delivery: Delivery) -> Outcome:
        try:
            reply = self.post(delivery)
            return self.judge(reply)
        except PortalError as error:
            return outcome_of(error)
        except LookupError:
            return Outcome(OutcomeKind.REFUSED, "one of its files is not kept", final=True)

    def probe(self, delivery: Delivery) -> Probe:
        now = self.context.clock.now()
        strength = self.abilities.operations[delivery.operation].probe
        if strength is ProbeStrength.NONE:
            return Probe(Presence.CANNOT_TELL, "no trace", now)
        found = self.fetch(orjson.loads(delivery.body)["id"])
        return Probe(Presence.PRESENT if found and self.shows(found, delivery) else Presence.ABSENT, "asked", now)

    def catalogue(self, name: str) -> CatalogueList:
        reply = self.get("catalogue")
        version = hashlib.sha256(reply.body).hexdigest()
        return CatalogueList(name, version, tuple(self.rows(reply)), reply.body, self.context.clock.now())

    def open_file(self, ref: str) -> FileStream:
        token = self.context.sessions.get_or_refresh(self.log_in)
        headers = {"Authorization": token}
        reply = self.http.request("GET", f"file/{ref}", headers=headers, accept=("application/pdf",))
        if reply.media_type != "application/pdf" or not reply.body:
            raise PortalContractError(self.context.portal, "not a file")
        return FileStream(io.BytesIO(reply.body), reply.media_type, len(reply.body))

    def ping(self) -> datetime | None:
        return self.get("records", after=0).server_date

    def close(self) -> None:
        self.http.close()

    def record(self, row: Any, began: datetime) -> RawRecord:
        if not isinstance(row, dict) or "id" not in row:
            raise PortalContractError(self.context.portal, "not a record")
        return RawRecord(row["id"], {"dossier": row}, orjson.dumps(row), began)

    def rows(self, reply: HttpReply) -> list[Any]:
        rows = reply.json()
        if not isinstance(rows, list):
            raise PortalContractError(self.context.portal, "not a list")
        return rows

    def shows(self, found: RawRecord, delivery: Delivery) -> bool:
        body, held = orjson.loads(delivery.body), found.parts["dossier"]
        if delivery.operation == "update":
            return bool(body.items() <= held.items())
        return delivery.operation == "insert" or body["note"] in held["notes"]

    def judge(self, reply: HttpReply) -> Outcome:
        said = reply.json()
        if not isinstance(said, dict) or "code" not in said:
            raise PortalContractError(self.context.portal, "an answer without a code")
        if said == YES:
            return Outcome(OutcomeKind.DELIVERED, "done", code="0", proof="code=0 thành công", answer=reply.body)
        duplicate = said["code"] == 409
        return Outcome(OutcomeKind.REFUSED, "refused", code=str(said["code"]), duplicate=duplicate, answer=reply.body)

    def get(self, path: str, **params: Any) -> HttpReply:
        return self.with_session(lambda token: self.call("GET", path, token, params=params, idempotent=True))

    def post(self, delivery: Delivery) -> HttpReply:
        return self.with_session(
            lambda token: self.call(
                "POST", delivery.operation, token, content=self.body(delivery), send_by=delivery.send_by
            )
        )

    def body(self, delivery: Delivery) -> bytes:
        sent = orjson.loads(delivery.body)
        if not isinstance(sent, dict) or "papers" not in sent:
            return delivery.body
        return orjson.dumps(sent | {"papers": [self.paper(row) for row in sent["papers"]]})

    def paper(self, row: dict[str, str]) -> dict[str, str]:
        return {"name": row["name"], "content": b64encode(self.stored(row["reference"])).decode()}

    def stored(self, reference: str) -> bytes:
        assert self.context.open_stored is not None
        return self.context.open_stored(reference).stream.read()

    def call(self, method: str, path: str, token: str, **more: Any) -> HttpReply:
        self.context.budget.take()
        return self.http.request(method, path, headers={"Authorization": token}, accept=("application/json",), **more)

    def with_session(self, call: Any) -> HttpReply:
        with nothing_sent_yet():
            token = self.context.sessions.get_or_refresh(self.log_in)
        reply: HttpReply = call(token)
        if reply.status == 401:
            with nothing_sent_yet():
                token = self.context.sessions.get_or_refresh(self.log_in, stale=token)
            reply = call(token)
        if reply.status == 401:
            raise PortalAuthError(self.context.portal, "the session is not accepted", sent=False)
        return reply

    def log_in(self) -> tuple[str, float]:
        reply = self.http.request("POST", "login", json={"password": self.context.secret("${TOY_PASSWORD}")})
        if reply.status == 401:
            raise PortalAuthError(self.context.portal, "the password is not accepted", sent=False)
        return reply.json()["token"], 3600.0


class ToyBench(Bench):
    """One toy adapter, whole or broken, at one toy portal."""

    kind = "toy"
    secrets = (PASSWORD,)

    def __init__(self, adapter: type[ToyAdapter] = ToyAdapter) -> None:
        self.portal = ToyPortal()
        plan = FaultPlan(delay_s=0.3, drip_s=0.4, drip_every_s=0.02)
        self.server = SimulatorServer(self.portal, faults=plan).start()
        context = bench_context("toy", secret=lambda reference: PASSWORD, call_timeout_s=0.15, open_stored=self.stored)
        self.clock = context.clock
        self.adapter = adapter(context, self.server.url)

    def seed(self, count: int, text: str = "") -> list[str]:
        with self.portal.lock:
            made = [f"R{len(self.portal.records) + n:04}" for n in range(count)]
            self.portal.records.update({key: {"id": key, "note": text} for key in made})
        return made

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        key = f"{operation}/{tag}/{text}"
        unique = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
        note = f"{text} [lt:{unique}]" if operation == "act" else text
        body = {"id": f"D-{tag}", "note": note, "officer": "CÁN BỘ"}
        if operation == "act":
            self.portal.records.setdefault(f"D-{tag}", {"id": f"D-{tag}", "note": ""})
        return Delivery(
            key=key,
            key_uuid=unique,
            portal="toy",
            operation=operation,
            klass={known.name: known.klass for known in OPERATIONS}[operation],
            external_id=f"D-{tag}",
            body=orjson.dumps([body] if operation == "progress" else body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=time.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        content = orjson.loads(delivery.body)
        known = self.portal.book.effects(key=delivery.external_id)
        return sum(entry["content"] == content and entry["effect"] == delivery.operation for entry in known)

    def held_text(self, delivery: Delivery) -> str | None:
        content = self.portal.book.effects(key=delivery.external_id)[-1]["content"]
        return str((content[0] if isinstance(content, list) else content)["note"])

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery:
        papers = [{"name": file.name, "reference": file.reference} for file in files]
        return replace(delivery, body=orjson.dumps(orjson.loads(delivery.body) | {"papers": papers}))

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        return list(self.portal.papers.get(delivery.external_id, []))

    def portal_file(self, file: BenchFile) -> str:
        self.portal.files[file.reference] = file.content
        return file.reference

    def empty_catalogue(self, name: str) -> bool:
        self.portal.catalogue = []
        return True


def checks(suite: type) -> Mapping[str, Any]:
    """Every check of a suite by name."""
    return {name: getattr(suite, name) for name in dir(suite) if name.startswith("test_")}
