"""The adapter of kind `civil_status` keeps the promises of every adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery
from adapters.civil_status.adapter import CivilStatusAdapter
from adapters.civil_status.simulator import build
from adapters.conformance import AdapterConformance, Bench, BenchFile, Held, bench_context
from adapters.simulation import FaultPlan, SimulatorServer
from schemas.clock import SystemClock


class Restless(SystemClock):
    """The machine's clock, but waiting between tries takes no time."""

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


class CivilStatusBench(Bench):
    """A ministry over a real socket that is known to leave out what it does not have, and takes supplements."""

    ordered = False
    secrets = ("gateway-key", "gateway-secret", "000000000001")

    def __init__(self) -> None:
        secrets = dict(zip(("${JUSTICE_KEY}", "${JUSTICE_SECRET}"), self.secrets, strict=False))
        self.simulator = build({"client_id": self.secrets[0], "client_secret": self.secrets[1], "supplements": True})
        self.server = SimulatorServer(self.simulator, faults=FaultPlan(delay_s=1.0, drip_s=2.0))
        self.server.start()
        self.clock = Restless()
        self.known = Held()
        context = bench_context(
            "justice",
            clock=self.clock,
            known=self.known,
            secret=secrets.__getitem__,
            call_timeout_s=0.5,
            open_stored=self.stored,
        )
        options = {
            "base_url": self.server.url,
            "client_id": "${JUSTICE_KEY}",
            "client_secret": "${JUSTICE_SECRET}",
            "province_code": "96",
            "omission_means_absent": True,
            "supplement": "push_again",
        }
        self.adapter = CivilStatusAdapter(context, options)

    @property
    def kind(self) -> str:
        """Its name."""
        return "civil_status"

    def seed(self, count: int, text: str = "") -> list[str]:
        """Dossiers that stand at the ministry and that we still expect news of."""
        first = len(self.known.open)
        made = [f"000.00.01.H96-261101-{number:04d}" for number in range(first, first + count)]
        for number in made:
            self.simulator.act("create", {"number": number, "state": "3", "note": text})
        self.known.open += made
        return made

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        """A push; for a supplement its dossier stands at the ministry and wants papers."""
        number = f"000.00.02.H96-261101-{tag}"
        if operation == "supplement" and not self._holds(number):
            self.simulator.act("create", {"number": number, "state": "2"})
        body = {
            "maDonVi": "H96.1",
            "module": "1.001193",
            "maHoSoLT": "",
            "maHoSoMCDT": number,
            "ngayTiepNhan": "01/11/2026 09:00:00",
            "data": orjson.dumps({"nycHoTen": text, "nycSoGiayToTuyThan": self.secrets[2]}).decode(),
            "fileDinhKem": [],
        }
        return Delivery(
            key=f"{operation}-{tag}",
            key_uuid="7d1f1d6e-0000-5000-8000-000000000001",
            portal="justice",
            operation=operation,
            klass=self.adapter.abilities.operations[operation].klass,
            external_id="",
            body=orjson.dumps(body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        """How often the ministry took this content."""
        return len(self._taken(delivery))

    def with_files(self, delivery: Delivery, files: Sequence[BenchFile]) -> Delivery:
        """The push with papers that name stored files."""
        papers = [{"tenGiayTo": file.name, "lienThongTep": file.reference} for file in files]
        return replace(delivery, body=orjson.dumps(orjson.loads(delivery.body) | {"fileDinhKem": papers}))

    def held_files(self, delivery: Delivery) -> list[tuple[str, str]]:
        """The papers as the ministry keeps them."""
        number = orjson.loads(delivery.body)["maHoSoMCDT"]
        held = [one for one in self.simulator.screen("dossiers", {}) if one["number"] == number]
        return [(paper["tenTepDinhKem"], paper["sha256"]) for one in held for paper in one["papers"]]

    def held_text(self, delivery: Delivery) -> str | None:
        """The name as the ministry holds it."""
        (taken,) = self._taken(delivery)
        return str(orjson.loads(taken["content"]["data"])["nycHoTen"])

    def unknown_id(self) -> str:
        """Nobody's number."""
        return "000.00.01.H96-261101-9999"

    def _taken(self, delivery: Delivery) -> list[dict[str, Any]]:
        sent = orjson.loads(delivery.body)
        effects = self.simulator.book.effects(key=sent["maHoSoMCDT"])
        return [
            effect
            for effect in effects
            if effect["effect"] == delivery.operation and effect["content"]["data"] == sent["data"]
        ]

    def _holds(self, number: str) -> bool:
        return any(dossier["number"] == number for dossier in self.simulator.screen("dossiers", {}))


class TestCivilStatus(AdapterConformance):
    """The suite, on a fresh bench for each check."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        """One ministry and its adapter."""
        bench = CivilStatusBench()
        yield bench
        bench.close()
