"""A province to which the national portal pushes: the test world with an intake, and a desk that can make dossiers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from adapters.base import (
    Delivery,
    DeliveryClass,
    Operation,
    Outcome,
    OutcomeKind,
    Presence,
    Probe,
    ProbeStrength,
    RawRecord,
    Repeat,
)
from adapters.receiving import (
    InboundCall,
    InboundFile,
    InboundReply,
    InboundRequest,
    Question,
    Reception,
    Unreadable,
    Verdict,
)
from gateway.inbound.answers import Answers
from gateway.inbound.files import FileStore
from gateway.inbound.intake import Desk as IntakeDesk
from gateway.inbound.intake import Intake
from gateway.inbound.journal import Journal
from gateway.inbound.replay import replay
from gateway.inbound.take_in import Taker
from tests.unit.sync.portals import Desk, instant
from tests.unit.sync.world import World, config

CODES = {Verdict.NEW: 0, Verdict.REPEATED: 1, Verdict.CHANGED: 1}


class Push:
    """A receiver in small: JSON, `code` names the dossier, 0 once, then 1, -1 for no."""

    name = "push"
    paths = ("push",)
    methods = ("POST",)
    patience_s = 5.0

    def __init__(self, *, repeats_first_answer: bool = False) -> None:
        self.repeats_first_answer = repeats_first_answer

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return Unreadable("not JSON")
        if not isinstance(body, dict) or not body.get("code"):
            return Unreadable("no code")
        if "ask" in body:
            return Question(body["ask"], {"id": body.get("id", ""), "dossier_code": body["code"]})
        files = tuple(
            InboundFile(f"file {n}", file["name"], content=file["text"].encode())
            for n, file in enumerate(body.pop("files", ()))
        )
        paid = "paid" in body
        body["act"] = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
        parts: Mapping[str, Any] = {"state": body} if paid else {"dossier": body}
        record = RawRecord(body["code"], parts, request.body, request.at, partial=paid)
        digest = body["act"]
        alarm = "the same key with other content" if self.repeats_first_answer else ""
        return InboundCall(
            body["code"], digest, record, procedure=body.get("procedure", ""), files=files, change_alarm=alarm
        )

    def reply(self, request: InboundRequest, reception: Reception) -> InboundReply:
        if reception.verdict is Verdict.ANSWERED:
            return InboundReply(repr(reception.found).encode(), "text/plain")
        said = {"error_code": CODES.get(reception.verdict, -1), "message": reception.reason}
        if self.repeats_first_answer:
            said["at"] = reception.at.isoformat()
        return InboundReply(orjson.dumps(said))


class MakingDesk(Desk):
    """A desk that makes a dossier when it is asked to, under a name of its own."""

    def __init__(self, name: str, clock: Any) -> None:
        super().__init__(name, clock)
        make = Operation(
            "create", DeliveryClass.COMMAND, "dossier", Repeat.MOVES_DATES, ProbeStrength.PRESENCE, creates=True
        )
        self.abilities = self.abilities.__class__(
            operations={**self.abilities.operations, "create": make},
            pulls=True,
            fetches=True,
            commands={**self.abilities.commands, "create_dossier": "create"},
            identity=self.abilities.identity,
        )
        self.made: list[str] = []
        self.agencies: list[str] = []

    def push(self, delivery: Delivery) -> Outcome:
        if delivery.operation != "create":
            return super().push(delivery)

        def work() -> Outcome:
            wanted = orjson.loads(delivery.body)
            self.made.append(wanted["code"])
            self.agencies.append(wanted.get("agency", ""))
            name = f"ref-{wanted['code']}"
            at = self.clock.now().timestamp()
            self.open(name, at=at, status="accepted", code=wanted["code"], national=wanted["code"])
            return Outcome(OutcomeKind.DELIVERED, "made", proof="200", external_id=name)

        return self._outcome(work)

    def probe(self, delivery: Delivery) -> Probe:
        if delivery.operation != "create":
            return super().probe(delivery)
        name = f"ref-{orjson.loads(delivery.body)['code']}"
        there = name in self.folders
        return Probe(Presence.PRESENT if there else Presence.ABSENT, "looked", self.clock.now(), name if there else "")


class Told(World):
    """The test province, told of dossiers by the national portal."""

    def __init__(
        self, folder: Path, receiver: Push | None = None, births: tuple[str, ...] = ("national",), **changes: Any
    ) -> None:
        self.receiver = receiver or Push()
        self.heard: list[str] = []
        raw = config(**changes)
        raw["ownership"] = {**raw["ownership"], "births": list(births)}
        raw["store"] = {"files": str(folder / "files"), "journal": str(folder / "journal"), "file_mib": 1}
        folder.mkdir(exist_ok=True)
        super().__init__(folder, raw)

    def open(self) -> None:
        if not isinstance(self.province, MakingDesk):
            self.province: MakingDesk = MakingDesk("province", self.clock)
        super().open()
        files = FileStore(Path(self.config.store.files), self.vault)
        answers = Answers(self.config, self.store, self.vault, files, self.clock)
        self.journal = Journal(Path(self.config.store.journal), self.vault)
        self.receivers = {"national": {"push": self.receiver}}
        self.desk = IntakeDesk(
            self.config,
            self.store,
            self.vault,
            files,
            self.journal,
            self.shop.portals,
            self.clock,
            answers,
            self.heard.append,
        )
        self.intake = Intake(self.desk)
        self.taker = Taker(self.engine, self.store, self.vault, self.receivers)

    def close(self) -> None:
        self.journal.close()
        super().close()

    def tell(self, code: str = "N1", **fields: Any) -> dict[str, Any]:
        """One call by the national portal; gives its answer."""
        fields.setdefault("person", "000000000001")
        fields.setdefault("procedure", "1.000001")
        fields.setdefault("national", code)
        fields.setdefault("status", "submitted")
        fields.setdefault("at", instant(self.now()))
        answer: dict[str, Any] = orjson.loads(self.tell_raw(orjson.dumps({"code": code, **fields})).body)
        return answer

    def tell_raw(self, body: bytes) -> InboundReply:
        request = InboundRequest("POST", "", {}, {"content-type": "application/json"}, body, self.clock.now())
        return self.intake.receive("national", self.receiver, request)

    def replay(self) -> int:
        return replay(self.desk, self.receivers)

    def calls(self) -> list[tuple[str, int, str]]:
        """(key, version, state) of every kept call."""
        return [(row.key, row.version, row.state) for row in self.store.read(lambda tx: tx.list_inbound())]

    def round(self) -> int:
        """Wake every job once, the one that takes calls in among them."""
        return self.taker.run("national") + super().round()
