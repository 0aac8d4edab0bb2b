"""The ministry's adapter keeps every promise, whatever the ministry answers to repeats."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from adapters.base import Delivery, DeliveryClass
from adapters.conformance import AdapterConformance, Bench, bench_context
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.simulator import build
from adapters.simulation import FaultPlan, SimulatorServer
from schemas.clock import SystemClock


class NswBench(Bench):
    """A simulated ministry of one habit."""

    kind = "nsw"
    secrets = ("CÔNG DÂN THỬ NGHIỆM 01", "001000000000")

    def __init__(self, repeat_answer: str) -> None:
        self.clock = SystemClock()
        self.simulator = build({"repeat_answer": repeat_answer})
        faults = FaultPlan(delay_s=0.5, drip_s=0.6, drip_every_s=0.05, refuse_s=0.0005)
        self.server = SimulatorServer(self.simulator, faults=faults).start()
        context = bench_context("ministry", clock=self.clock, call_timeout_s=0.25)
        self.adapter = NswAdapter(context, {"base_url": self.server.url})

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


@pytest.mark.parametrize("bench", ["ack", "reject", "mixed"], indirect=True)
class TestNswConformance(AdapterConformance):
    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest) -> Iterator[Bench]:
        bench = NswBench(request.param)
        yield bench
        bench.close()
        assert bench.server is not None
        assert bench.server.defects == []
