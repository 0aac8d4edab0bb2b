"""The national portal's adapter keeps every promise, through the envelope and through both facades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass
from adapters.conformance import AdapterConformance, Bench, BenchFile, Held, bench_context
from adapters.npsp.adapter import NpspAdapter
from adapters.npsp.simulator import build
from adapters.simulation import FaultPlan, SimulatorServer
from schemas.clock import SystemClock

PASSWORD = "simulated-password"
TEXT_FIELD = {"insert": "GhiChu", "update": "GhiChu", "progress": "NoiDungXuLy"}


class BriefClock(SystemClock):
    """Waits between tries are short, yet longer than a door stays shut."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(max(seconds, 0.03), 0.05))


class NpspBench(Bench):
    """The simulated portal behind one profile."""

    kind = "npsp"
    server: SimulatorServer
    secrets = (PASSWORD, "CÔNG DÂN THỬ NGHIỆM 01", "012345000000")

    def __init__(self, profile: str) -> None:
        self.clock = BriefClock()
        self.simulator = build({"lookup_extra": {"GhiChu": "GHICHU"}})
        faults = FaultPlan(delay_s=0.5, drip_s=0.6, drip_every_s=0.05)
        self.server = SimulatorServer(self.simulator, faults=faults).start()
        self.known = Held()
        context = bench_context(
            "national", clock=self.clock, secret=lambda _: PASSWORD, known=self.known, call_timeout_s=0.25
        )
        options: dict[str, Any] = {"base_url": self.server.url, "profile": profile, "poll": True, "poll_batch": 3}
        if profile.startswith("v"):
            options |= {"username": "H56", "password": "${NPSP_PASSWORD}"}
        self.adapter = NpspAdapter(context, options)

    def seed(self, count: int, text: str = "") -> list[str]:
        numbers = [f"H96-261101-{len(self.known.open) + place:05}" for place in range(count)]
        for number in numbers:
            self.simulator.act("seed_dossier", {"content": _dossier(number, text)})
        self.known.open += numbers
        return numbers

    def hurt(self, fault: str, *, on: str = "", before: bool | None = None) -> bool:
        """The next fault waits until a door shut by the last one is open again."""
        while self.server.is_down:
            self.clock.sleep(0)
        return super().hurt(fault, on=on, before=before)

    def unknown_id(self) -> str:
        return "H96-261101-99999"

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        number = f"H96-{tag}"
        held = self.simulator.holdings.dossiers
        if operation != "insert" and number not in held:
            self.simulator.act("seed_dossier", {"content": _dossier(number, "")})
        body: Any = [_row(number, text)] if operation == "progress" else _dossier(number, text)
        return Delivery(
            key=f"k-{operation}-{tag}",
            key_uuid="7d1f1d6e-0000-5000-8000-000000000001",
            portal="national",
            operation=operation,
            klass=DeliveryClass.APPEND if operation == "progress" else DeliveryClass.SNAPSHOT,
            external_id="",
            body=orjson.dumps(body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        wire = orjson.loads(delivery.body)
        content = wire[0] if isinstance(wire, list) else wire
        effects = self.simulator.book.effects(key=content["MaHoSo"])
        return sum(one["content"] == content and one["call"] > 0 for one in effects)

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery:
        rows = [{"TenGiayTo": file.name, "DuongDanTepTinKetQua": self.stored.address(file)} for file in files]
        return replace(delivery, body=orjson.dumps(orjson.loads(delivery.body) | {"DanhSachGiayToKetQua": rows}))

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        number = orjson.loads(delivery.body)["MaHoSo"]
        self.simulator.act("fetch_files", {"MaHoSo": number})
        return [(file["shown"], file["sha256"]) for file in self.simulator.screen(f"files/{number}", {}) or ()]

    def held_text(self, delivery: Delivery) -> str | None:
        wire = orjson.loads(delivery.body)
        held = self.simulator.holdings.dossiers[(wire[0] if isinstance(wire, list) else wire)["MaHoSo"]]
        record = held.progress[-1] if delivery.operation == "progress" else held.content
        return str(record[TEXT_FIELD[delivery.operation]])

    def empty_catalogue(self, name: str) -> bool:
        if name != "procedures":
            return False
        self.simulator.act("hide_procedures", {})
        return True


def _dossier(number: str, text: str) -> dict[str, Any]:
    return {
        "MaHoSo": number,
        "MaTTHC": "1.001193",
        "ChuHoSo": "CÔNG DÂN THỬ NGHIỆM 01",
        "SoGiayToChuHoSo": "012345000000",
        "LoaiDoiTuong": "1",
        "NgayTiepNhan": "20261101083000",
        "TrangThaiHoSo": "2",
        "DonViXuLy": "Ủy ban nhân dân xã",
        "GhiChu": text,
    }


def _row(number: str, text: str) -> dict[str, Any]:
    return {
        "MaHoSo": number,
        "NguoiXuLy": "CÁN BỘ THỬ NGHIỆM 01",
        "ThoiDiemXuLy": "20261101083000",
        "NoiDungXuLy": text,
        "TrangThai": "2",
    }


@pytest.mark.parametrize("bench", ["v2-2024", "facade-get-wrapped", "facade-bare-array"], indirect=True)
class TestNpspConformance(AdapterConformance):
    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest) -> Iterator[Bench]:
        bench = NpspBench(request.param)
        yield bench
        bench.close()
        assert bench.server.defects == []
