"""A national portal over a real socket and an adapter that talks to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, PortalContext
from adapters.npsp.adapter import NpspAdapter
from adapters.npsp.simulator import NpspSimulator, build
from adapters.simulation import FaultPlan, SimClock, SimulatorServer
from schemas.clock import ManualClock, SystemClock

NUMBER = "H56.14-261101-00001"
PASSWORD = "simulated-password"
DOSSIER: dict[str, Any] = {
    "MaHoSo": NUMBER,
    "MaTTHC": "1.001193",
    "TenTTHC": "Thủ tục đăng ký khai sinh",
    "ChuHoSo": "CÔNG DÂN THỬ NGHIỆM 01",
    "LoaiDoiTuong": "1",
    "SoGiayToChuHoSo": "012345000000",
    "NgayNopHoSo": "20261101080000",
    "NgayTiepNhan": "20261101083000",
    "NgayHenTra": "20261105170000",
    "TrangThaiHoSo": "2",
    "HinhThuc": "0",
    "DonViXuLy": "Ủy ban nhân dân xã",
}
ROW: dict[str, Any] = {
    "MaHoSo": NUMBER,
    "NguoiXuLy": "CÁN BỘ THỬ NGHIỆM 01",
    "ChucDanh": "",
    "ThoiDiemXuLy": "20261101083000",
    "PhongBanXuLy": "",
    "NoiDungXuLy": "Tiếp nhận",
    "TrangThai": "2",
    "NgayBatDau": "",
    "NgayKetThucTheoQuyDinh": "",
}


class Budget:
    """Counts calls and never waits."""

    taken = 0

    def take(self, calls: int = 1) -> None:
        self.taken += calls


class Sessions:
    """One token for all threads, refreshed once; counts logins."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.lifetime_s = 0.0
        self.logins = 0
        self._lock = threading.Lock()

    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        with self._lock:
            if self.token is None or self.token == stale:
                self.logins += 1
                self.token, self.lifetime_s = login()
            return self.token


@dataclass
class Known:
    """What the gateway holds."""

    open: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def list_digests(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        return {one: self.digests[one] for one in external_ids if one in self.digests}

    def open_records(self) -> Iterator[str]:
        return iter(self.open)

    def any_record(self) -> str | None:
        return self.open[0] if self.open else None


@dataclass
class Bench:
    """A simulated portal, an adapter, and what both know."""

    server: SimulatorServer
    simulator: NpspSimulator
    adapter: NpspAdapter
    known: Known
    sessions: Sessions
    secrets: dict[str, str]
    clock: ManualClock | SystemClock

    def delivery(self, operation: str, body: Any, **more: Any) -> Delivery:
        """A frozen request."""
        append = operation == "progress"
        settings: dict[str, Any] = {"attempt": 1, "send_by": self.clock.monotonic() + 60} | more
        return Delivery(
            key=f"k-{operation}",
            key_uuid="7d1f1d6e-0000-5000-8000-000000000001",
            portal="national",
            operation=operation,
            klass=DeliveryClass.APPEND if append else DeliveryClass.SNAPSHOT,
            external_id="",
            body=orjson.dumps(body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            **settings,
        )

    def insert(self, **changes: Any) -> Any:
        return self.adapter.push(self.delivery("insert", DOSSIER | changes))

    def update(self, **changes: Any) -> Any:
        return self.adapter.push(self.delivery("update", DOSSIER | changes))

    def progress(self, *rows: dict[str, Any]) -> Any:
        return self.adapter.push(self.delivery("progress", [ROW | row for row in rows or ({},)]))

    def probe(self, operation: str = "insert") -> Any:
        body = [ROW] if operation == "progress" else DOSSIER
        return self.adapter.probe(self.delivery(operation, body))

    def act(self, verb: str, **arguments: Any) -> Any:
        return self.simulator.act(verb, arguments)

    def effects(self) -> list[str]:
        return [effect["effect"] for effect in self.simulator.book.effects()]

    def seed(self, **changes: Any) -> None:
        self.act("seed_dossier", content=DOSSIER | changes)


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> Iterator[MakeBench]:
    """Build a portal with switches and an adapter with options; stopped at the end, without a defect."""
    open_benches: list[Bench] = []

    def make(
        switches: dict[str, Any] | None = None,
        clock: ManualClock | SystemClock | None = None,
        faults: FaultPlan | None = None,
        **options: Any,
    ) -> Bench:
        clock = clock or SystemClock()
        simulator = build(switches or {})
        server = SimulatorServer(simulator, faults=faults, clock=SimClock(source=clock)).start()
        known, sessions, secrets = Known(), Sessions(), {"${NPSP_PASSWORD}": PASSWORD}
        context = PortalContext(
            portal="national",
            clock=clock,
            budget=Budget(),
            sessions=sessions,
            known=known,
            secret=lambda reference: secrets[reference],
            call_timeout_s=5.0,
            agency_code="H56",
        )
        settings: dict[str, Any] = {"base_url": server.url, "username": "H56", "password": "${NPSP_PASSWORD}"}
        settings |= {"read_tries": 1} | options
        bench = Bench(server, simulator, NpspAdapter(context, settings), known, sessions, secrets, clock)
        open_benches.append(bench)
        return bench

    yield make
    for bench in open_benches:
        bench.adapter.close()
        bench.server.stop()
    assert [bench.server.defects for bench in open_benches if bench.server.defects] == []


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A portal without oddities."""
    return make_bench()


def wait_until(done: Callable[[], bool], within_s: float = 5.0) -> None:
    """Poll for something another thread does."""
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.005)
