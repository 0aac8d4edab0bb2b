"""A province, a ministry and the national portal on sockets, with a whole gateway between them."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.civil_status.simulator import build as build_justice
from adapters.npsp.simulator import build as build_national
from adapters.opencps.simulator import build as build_province
from adapters.simulation import SimulatorServer
from gateway.bootstrap import Gateway, open_gateway
from gateway.config import Config
from gateway.store.rows import DeliveryRow, LaneRow

PORTALS = ("province", "justice", "national")
SECRETS = {
    "PROVINCE_PASSWORD": "simulated-password",
    "NATIONAL_PASSWORD": "simulated-password",
    "JUSTICE_ID": "simulated-client",
    "JUSTICE_SECRET": "simulated-secret",
}
BIRTH = "1.001193"
"""The procedure that is forwarded to the ministry of justice."""
WORDS = {
    "receiving": "1", "new": "2", "denied": "3", "processing": "4", "interoperating": "4", "waiting": "5",
    "paying": "6", "releasing": "9", "posting": "9", "done": "10",
}  # fmt: skip
"""What the national portal calls a state of the province: a table of the test's own, not the mappings'."""


def configuration(folder: Path, urls: Mapping[str, str], pace: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of minutes shrunk to parts of a second; the code is the same."""
    pace = {
        "environment": "test",
        "call_timeout_s": 5.0,
        "settle_s": 5.1,
        "retry": {"base_s": 0.02, "max_s": 0.2, "jitter": 0.2},
        "budget": {"calls_per_s": 1e6, "burst": 1000},
        "breaker": {"failures": 1000},
        "max_writes_per_sweep": 1_000_000,
        **pace,
    }
    swept = [{"name": "rest", "every_s": 0.001, "by": ["submit"], "whole": True}]
    return {
        "environment": "test",
        "province": {"agency_code": "H99"},
        "store": {
            "path": str(folder / "store.db"),
            "key_ring": str(folder / "keys.ring"),
            "files": str(folder / "files"),
            "journal": str(folder / "journal"),
        },
        "portals": {
            "province": {
                **pace,
                "kind": "opencps",
                "mapping": "opencps/v2-2020",
                "options": {
                    "base_url": urls["province"],
                    "group_id": 35166,
                    "username": "lienthong",
                    "password": "${PROVINCE_PASSWORD}",
                    "tiers": swept,
                    "since": (datetime.now(UTC) - timedelta(days=90)).date().isoformat(),
                    "max_window_rows": 1000,
                    "page_size": 1000,
                    "records_per_page": 200,
                },
            },
            "national": {
                **pace,
                "kind": "npsp",
                "mapping": "npsp/v2-2024",
                "options": {
                    "base_url": urls["national"],
                    "agency_code": "H99",
                    "username": "H56",
                    "password": "${NATIONAL_PASSWORD}",
                },
            },
            "justice": {
                **pace,
                "kind": "civil_status",
                "mapping": "civil_status/g2-2024",
                "options": {
                    "base_url": urls["justice"],
                    "province_code": "96",
                    "client_id": "${JUSTICE_ID}",
                    "client_secret": "${JUSTICE_SECRET}",
                    "modules": {BIRTH: "LTKS"},
                    "batch": 50,
                    "omission_means_absent": True,
                },
            },
        },
        "ownership": {"handlers": ["province"]},
        "routes": [
            {"name": "everything", "to": "national"},
            {
                "name": "births",
                "to": "justice",
                "kind": "forward",
                "when": {"procedures": [f"{BIRTH}*"], "wires": ["interoperating"]},
                "results": {"completed": {"act": "completed", "from": ["interoperating"]}},
            },
        ],
    }


class Town:
    """Three simulated portals and a gateway; `gateway` may be closed and opened again."""

    def __init__(self, folder: Path, **pace: float) -> None:
        self.folder = folder
        self.province = build_province({})
        self.national = build_national({})
        self.justice = build_justice({})
        simulators = {"province": self.province, "national": self.national, "justice": self.justice}
        self.servers = {name: SimulatorServer(one).start() for name, one in simulators.items()}
        self.raw = configuration(folder, {name: server.url for name, server in self.servers.items()}, pace)
        self.gateway: Gateway
        self.pool = ThreadPoolExecutor(4)
        self.open()

    def open(self) -> None:
        """Start the gateway."""
        self.gateway = open_gateway(Config.model_validate(self.raw), environ=SECRETS, rng=random.Random(7))

    def close(self) -> None:
        """Stop everything; a defect of a simulator fails the test."""
        self.gateway.close()
        self.pool.shutdown()
        for server in self.servers.values():
            server.stop()
            assert server.defects == []

    # the portals
    def seed(self, count: int, *, both: bool = True, until_days: float = 1.0) -> list[str]:
        """Old dossiers that stand at the province, and at the national portal if `both`; gives their references."""
        made = self.province.act("seed_many", {"count": count, "until_days": until_days, "days": 30})
        references: list[str] = made["referenceUids"]
        if both:
            for record in self.records():
                self.national.act("seed_dossier", {"content": shown(record)})
        return references

    def records(self) -> list[dict[str, Any]]:
        """What the province holds, as its screen shows it."""
        held: Any = self.province.screen("records", {})
        return list(held.values()) if isinstance(held, dict) else list(held)

    def effects(self, since: int = 0) -> list[dict[str, Any]]:
        """What the national portal's book saw since an effect's number."""
        return self.national.book.effects(since)

    def number(self, reference: str) -> str:
        """The dossier number the province gave."""
        return str(next(row["dossierNo"] for row in self.records() if row["referenceUid"] == reference))

    # the gateway
    def pull(self) -> None:
        """Read everything."""
        for name in PORTALS:
            if self.gateway.portals[name].pulls:
                report = self.gateway.engine.pull(name)
                assert report.reason in ("", "this portal is not read"), report

    def adopt(self, line: float) -> None:
        """Draw the line at every portal."""
        for name in PORTALS:
            self.gateway.engine.adopt(name, line, actor="test")

    def round(self) -> int:
        """Wake every job once; gives the calls made."""
        self.pull()
        for fetcher in self.gateway.fetchers.values():
            fetcher.run()
        return sum(self.gateway.engine.deliver(name, pool=self.pool).counts["sent"] for name in PORTALS)

    def rest(self, rounds: int = 30) -> int:
        """Rounds until nothing is due or open; gives how many."""
        for number in range(1, rounds + 1):
            sent = self.round()
            if not sent and not self.owed() and not self.deliveries("begun", "unknown"):
                return number
            time.sleep(0.05)
        raise AssertionError([(lane.state, lane.reason) for lane in self.owed()][:5])

    def owed(self) -> list[LaneRow]:
        """Lanes that are due."""
        lanes = self.gateway.store.read(lambda tx: tx.iter_lanes(limit=1_000_000))
        return [lane for lane in lanes if lane.due_at is not None]

    def deliveries(self, *states: str) -> list[DeliveryRow]:
        """Deliveries in these states."""
        return self.gateway.store.read(lambda tx: tx.list_deliveries(states=states, limit=1_000_000))


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """How somebody else once entered a dossier of the province at the national portal."""
    return {
        "MaHoSo": record["dossierNo"],
        "MaTTHC": record["serviceCode"],
        "TenTTHC": record["serviceName"],
        "ChuHoSo": record["applicantName"],
        "LoaiDoiTuong": "1",
        "SoGiayToChuHoSo": record["applicantIdNo"],
        "TrangThaiHoSo": WORDS.get(record["dossierStatus"], "4"),
    }
