"""A ministry over a real socket and an adapter that asks it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, Page, PortalContext, RawRecord
from adapters.civil_status.adapter import CivilStatusAdapter
from adapters.civil_status.simulator import CivilStatusSimulator, build
from adapters.simulation import FaultPlan, SimClock, SimulatorServer
from schemas.clock import SystemClock

KEY, SECRET = "gateway", "p&ss w/rd"
NUMBER = "000.00.01.H96-261101-0001"


class Restless(SystemClock):
    """The machine's clock, but waiting takes no time."""

    def sleep(self, seconds: float) -> None:
        self.waited_s = getattr(self, "waited_s", 0.0) + seconds


class Budget:
    """Counts calls and never waits."""

    taken = 0

    def take(self, calls: int = 1) -> None:
        self.taken += calls


class Sessions:
    """One token; counts logins."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.lifetime_s = 0.0
        self.logins = 0

    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        if self.token is None or self.token == stale:
            self.logins += 1
            self.token = None
            self.token, self.lifetime_s = login()
        return self.token


@dataclass
class Known:
    """What the gateway holds: open numbers and the digests of stored readings."""

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
    """A simulated ministry, an adapter, and what both know."""

    server: SimulatorServer
    simulator: CivilStatusSimulator
    known: Known
    sessions: Sessions
    budget: Budget
    adapter: CivilStatusAdapter

    def delivery(self, number: str = NUMBER, *, operation: str = "declare", **more: Any) -> Delivery:
        """A frozen push; `wire` replaces fields of its body, the rest fields of the delivery."""
        body = {
            "maDonVi": "H96.1",
            "module": "1.001193.000.00.00.H96",
            "maHoSoLT": "",
            "maHoSoMCDT": number,
            "ngayTiepNhan": "01/11/2026 09:00:00",
            "data": '{"nycHoTen":"CÔNG DÂN THỬ NGHIỆM 01"}',
            "fileDinhKem": [],
        }
        wire = orjson.dumps(body | more.pop("wire", {}))
        settings: dict[str, Any] = {"attempt": 1, "send_by": time.monotonic() + 60, "external_id": ""} | more
        return Delivery(
            key=f"k-{number}",
            key_uuid="7d1f1d6e-0000-5000-8000-000000000001",
            portal="justice",
            operation=operation,
            klass=DeliveryClass.COMMAND,
            body=wire,
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            **settings,
        )

    def declare(self, *numbers: str, module: str = "1.001193") -> None:
        """Push dossiers and expect news of them."""
        for number in numbers:
            outcome = self.adapter.push(self.delivery(number, wire={"module": module}))
            assert outcome.kind == "delivered", outcome
            self.known.open.append(number)

    def act(self, verb: str, **arguments: Any) -> Any:
        """An officer's act, or a switch."""
        return self.simulator.act(verb, arguments)

    def switch(self, **settings: Any) -> None:
        """Change how the ministry behaves."""
        self.simulator.act("switch", settings)

    def pages(self, cursor: str | None = None) -> list[Page]:
        """One pull, with the digests of its records kept as the gateway would."""
        pages = list(self.adapter.pull(cursor))
        for page in pages:
            for record in page.records:
                if isinstance(record, RawRecord):
                    self.known.digests[record.external_id] = record.list_digest
        return pages

    def states(self, pages: list[Page] | None = None) -> dict[str, str]:
        """Number -> wire state of the records in pages."""
        chosen = self.pages() if pages is None else pages
        return {
            record.external_id: record.parts["state"]["trangThai"]
            for page in chosen
            for record in page.records
            if isinstance(record, RawRecord)
        }

    def effects(self, effect: str) -> list[dict[str, Any]]:
        """Effects of one sort in the ministry's book."""
        return [entry for entry in self.simulator.book.effects() if entry["effect"] == effect]

    def calls(self, kind: str = "read") -> int:
        """How many calls of a sort the ministry saw."""
        return sum(1 for call in self.server.seen if call == kind)


class CountingServer(SimulatorServer):
    """A server that remembers the sorts of calls it was asked for."""

    def __init__(self, simulator: CivilStatusSimulator, faults: FaultPlan | None) -> None:
        self.seen: list[str] = []
        answer = simulator.answer

        def counted(request: Any) -> Any:
            self.seen.append(simulator.describe(request))
            return answer(request)

        simulator.answer = counted  # type: ignore[method-assign]
        super().__init__(simulator, faults=faults)


@pytest.fixture
def ministry() -> Iterator[Callable[..., Bench]]:
    """Builds benches: `options` are the adapter's, everything else switches of the simulator."""
    benches: list[Bench] = []

    def make(options: Mapping[str, Any] | None = None, faults: FaultPlan | None = None, **switches: Any) -> Bench:
        clock = switches.pop("clock", SimClock())
        simulator = build({"client_id": KEY, "client_secret": SECRET, "clock": clock, **switches})
        server = CountingServer(simulator, faults)
        server.start()
        secrets = {"${JUSTICE_KEY}": KEY, "${JUSTICE_SECRET}": SECRET}
        known, sessions, budget = Known(), Sessions(), Budget()
        context = PortalContext("justice", Restless(), budget, sessions, known, secrets.__getitem__, call_timeout_s=5.0)
        settings = {
            "base_url": server.url,
            "client_id": "${JUSTICE_KEY}",
            "client_secret": "${JUSTICE_SECRET}",
            "province_code": "96",
            **(options or {}),
        }
        benches.append(Bench(server, simulator, known, sessions, budget, CivilStatusAdapter(context, settings)))
        return benches[-1]

    yield make
    for bench in benches:
        bench.adapter.close()
        bench.server.stop()
