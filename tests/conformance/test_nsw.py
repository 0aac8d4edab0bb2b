"""The ministry's adapter keeps every promise, whatever the ministry answers to repeats."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from adapters.base import Delivery, DeliveryClass
from adapters.conformance import AdapterConformance, Bench, BenchFile, bench_context
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.simulator import build
from adapters.simulation import FaultPlan, SimulatorServer
from schemas.clock import SystemClock


class NswBench(Bench):
    """A simulated ministry of one habit."""

    kind = "nsw"
    secrets = ("CÔNG DÂN THỬ NGHIỆM 01", "001000000000")

    def __init__(self, repeat_answer: str, attachments: str) -> None:
        self.attachments = attachments
        self.clock = SystemClock()
        self.simulator = build({"repeat_answer": repeat_answer})
        faults = FaultPlan(delay_s=0.5, drip_s=0.6, drip_every_s=0.05, refuse_s=0.0005)
        self.server = SimulatorServer(self.simulator, faults=faults).start()
        context = bench_context("ministry", clock=self.clock, call_timeout_s=0.25, open_stored=self.stored)
        self.adapter = NswAdapter(context, {"base_url": self.server.url, "attachments": attachments})

    def seed(self, count: int, text: str = "") -> list[str]:
        raise AssertionError("nothing can be read from this kind")

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        code = f"H96-{tag}"
        if operation != "declare":
            self.simulator.act("seed", {"dossier_code": code, "owner": "H96", "document_year": 2026})
        return Delivery(
            key=f"k-{operation}-{tag}",
            key_uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{operation}/{tag}/{text}")),
            portal="ministry",
            operation=operation,
            klass=DeliveryClass.COMMAND,
            external_id="",
            body=_forward(code, text).encode(),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        effects = self.simulator.book.effects()
        return sum(one["content"]["message_id"] == delivery.key_uuid for one in effects)

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery:
        rows = "".join(
            f"<Attachment><AttachmentName>{file.name}</AttachmentName>"
            + (f"<Url>{self.stored.address(file)}</Url>" if self.attachments == "link" else "")
            + f"<StoredFile>{file.reference}</StoredFile></Attachment>"
            for file in files
        )
        end = "</DossierForward>"
        body = delivery.body.decode().replace(end, f"<AttachmentList>{rows}</AttachmentList>{end}")
        return replace(delivery, body=body.encode())

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        code = delivery.body.decode().partition("<DossierCode>")[2].partition("<")[0]
        held = [one for one in self.simulator.screen("dossiers", {}) if one["dossier_code"] == code]
        if held and self.attachments == "link":
            held = [self.simulator.act("fetch_files", {"dossier_code": code})]
        papers = [paper for one in held for paper in one["papers"]]
        return [(p["AttachmentName"], p.get("ContentDigest") or p["fetched"]["sha256"]) for p in papers]

    def held_text(self, delivery: Delivery) -> str | None:
        (effect,) = [one for one in self.simulator.book.effects() if one["content"]["message_id"] == delivery.key_uuid]
        return str(effect["content"]["forward"]["Note"])


def _forward(code: str, text: str) -> str:
    note = f"<Note>{escape(text)}</Note>" if text else ""
    return (
        f"<DossierForward><DossierCode>{code}</DossierCode><ProcedureCode>1.001193</ProcedureCode><Applicant>"
        "<Name>CÔNG DÂN THỬ NGHIỆM 01</Name><IdentityNumber>001000000000</IdentityNumber></Applicant>"
        f"<ReceivedDate>2026-11-01 08:30:00</ReceivedDate>{note}</DossierForward>"
    )


HABITS = [("ack", "content"), ("reject", "link"), ("mixed", "metadata")]


@pytest.mark.parametrize("bench", HABITS, ids=[habit for habit, _ in HABITS], indirect=True)
class TestNswConformance(AdapterConformance):
    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest) -> Iterator[Bench]:
        bench = NswBench(*request.param)
        yield bench
        bench.close()
        assert bench.server is not None
        assert bench.server.defects == []
