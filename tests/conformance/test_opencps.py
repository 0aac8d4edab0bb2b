"""The provincial portal's adapter keeps every promise, over real sockets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
import pytest

from adapters.base import Delivery
from adapters.conformance import AdapterConformance, Bench, BenchFile, Held, bench_context
from adapters.opencps.adapter import OpencpsAdapter
from adapters.opencps.identity import reference_of
from adapters.opencps.operations import ABILITIES, ACTS
from adapters.opencps.simulator import build
from adapters.simulation import FaultPlan, SimulatorServer
from schemas.clock import SystemClock

PASSWORD = "simulated-password"
AT_MS = 1_793_500_200_000
TIERS = [
    {"name": "recent", "every_s": 0.000001, "by": ["submit", "receive"], "days": 7},
    {"name": "rest", "every_s": 0.000001, "whole": True},
]


class OpencpsBench(Bench):
    """The simulated portal; rows are found by date windows, so pages have no order of their own."""

    kind = "opencps"
    ordered = False
    secrets = (PASSWORD, "CÔNG DÂN THỬ NGHIỆM 01", "096001000000")

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.simulator = build({})
        faults = FaultPlan(delay_s=0.5, drip_s=0.6, drip_every_s=0.05, refuse_s=0.0005)
        self.server = SimulatorServer(self.simulator, faults=faults).start()
        self.known = Held()
        context = bench_context("ca_mau", clock=self.clock, secret=lambda _: PASSWORD, known=self.known,
                                call_timeout_s=0.25, open_stored=self.stored)  # fmt: skip
        options: dict[str, Any] = {
            "base_url": self.server.url, "group_id": 35166, "username": "lienthong", "password": "${OPENCPS_PASSWORD}",
            "tiers": TIERS, "records_per_page": 3, "read_tries": 1,
        }  # fmt: skip
        self.adapter = OpencpsAdapter(context, options)

    def seed(self, count: int, text: str = "") -> list[str]:
        made = [
            self.simulator.act("create_dossier", {"form": {"dossierNote": text}})["referenceUid"] for _ in range(count)
        ]
        self.known.open += made
        return made

    def unknown_id(self) -> str:
        return reference_of("nobody's")

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        uid = reference_of(tag)
        body: dict[str, Any]
        match operation:
            case "action":
                self._ready(uid)
                body = {"actionCode": "1100", "actionNote": text}
            case "supplement":
                self._ready(uid, "request_supplement")
                body = {"actionCode": "2001", "actionNote": text}
            case "confirm_payment":
                self._ready(uid, "accept", "request_payment")
                body = {"actionCode": "2101", "actionNote": text}
            case "inform":
                self._ready(uid)
                body = {"dossierNo": f"H99.19-261101-{tag}", "dueDate": str(AT_MS + len(text) * 1000)}
            case "create":
                body = _dossier(text) | {"originDossierNo": tag}
            case _:
                body = _dossier(text) | {"referenceUid": uid, "dossierStatus": "processing", "receiveDate": str(AT_MS)}
        return Delivery(
            key=f"k-{operation}-{tag}",
            key_uuid=str(uuid5(NAMESPACE_OID, operation + tag + text)),
            portal="ca_mau",
            operation=operation,
            klass=ABILITIES.operations[operation].klass,
            external_id=uid if operation in (*ACTS, "inform") else "",
            body=orjson.dumps(body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + send_by_s,
            guard=self._guard(uid) if operation in ACTS else {},
        )

    def _ready(self, uid: str, *work: str) -> None:
        if self.simulator.shelf.by_uid(uid) is None:
            self.simulator.act("create_dossier", {"referenceUid": uid})
            for verb in work:
                self.simulator.act(verb, {"referenceUid": uid})

    def _guard(self, uid: str) -> dict[str, int]:
        dossier = self.simulator.shelf.by_uid(uid)
        assert dossier is not None
        return {"newest_log": dossier.logs[-1].log_id, "action_id": dossier.action_id}

    def effects(self, delivery: Delivery) -> int:
        body = orjson.loads(delivery.body)
        key = body.get("referenceUid") or delivery.external_id or reference_of(body["originDossierNo"])
        effect = "action" if delivery.operation in ACTS else delivery.operation
        done = [one for one in self.simulator.book.effects(key=key) if one["effect"] == effect and one["call"]]
        text = {"action": "actionNote", "inform": "dueDate"}.get(effect, "dossierNote")
        return sum(body[text] in one["content"][text] for one in done)

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery:
        papers = [{"reference": file.reference, "displayName": file.name} for file in files]
        body = orjson.loads(delivery.body) | {"lienThongTep": orjson.dumps(papers).decode()}
        return replace(delivery, body=orjson.dumps(body))

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        key = delivery.external_id or reference_of(orjson.loads(delivery.body)["originDossierNo"])
        return [(file["displayName"], file["sha256"]) for file in self.simulator.screen(f"files/{key}", {}) or ()]

    def portal_file(self, file: BenchFile) -> str:
        (uid,) = self.seed(1)
        content = b64encode(file.content).decode()
        made = self.simulator.act("add_file", {"referenceUid": uid, "name": file.name, "base64": content})
        return f"{uid}/{made['fileUid']}"

    def held_text(self, delivery: Delivery) -> str | None:
        body = orjson.loads(delivery.body)
        if delivery.operation == "inform":
            return None
        dossier = self.simulator.shelf.by_uid(
            body.get("referenceUid") or delivery.external_id or reference_of(body["originDossierNo"])
        )
        assert dossier is not None
        return dossier.actions[-1].note if delivery.operation in ACTS else dossier.note


def _dossier(text: str) -> dict[str, Any]:
    return {
        "serviceCode": "1.013234",
        "govAgencyCode": "H99.19",
        "applicantName": "CÔNG DÂN THỬ NGHIỆM 01",
        "applicantIdNo": "096001000000",
        "dossierNote": text,
        "submitDate": str(AT_MS - 86_400_000),
    }


class TestOpencpsConformance(AdapterConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = OpencpsBench()
        yield bench
        bench.close()
        assert bench.server is not None
        assert bench.server.defects == []
