"""A ministry on a real socket and an adapter that talks to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Delivery, DeliveryClass, PortalContext
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.holdings import Switches
from adapters.nsw.simulator import NswSimulator
from adapters.simulation import FaultPlan, Reply, Request, SimulatorServer
from schemas.clock import SystemClock
from tests.unit.xmldsig.makers import XmlSec

PLANNED_AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
FORWARD = """<DossierForward><DossierCode>{code}</DossierCode><ProcedureCode>1.001193</ProcedureCode>\
<Applicant><Name>CÔNG DÂN THỬ NGHIỆM 01</Name><IdentityNumber>001000000000</IdentityNumber></Applicant>\
<ReceivedDate>2026-11-20 08:00:00</ReceivedDate><DueDate>2026-12-20 17:00:00</DueDate></DossierForward>"""


class _Budget:
    taken = 0

    def take(self, calls: int = 1) -> None:
        self.taken += calls


class _NothingKnown:
    def list_digests(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        return {}

    def open_records(self) -> Iterator[str]:
        return iter(())

    def any_record(self) -> str | None:
        return None


class _NoSessions:
    def get_or_refresh(self, login: Callable[[], tuple[str, float]], *, stale: str | None = None) -> str:
        return login()[0]


def context(timeout_s: float = 5.0) -> PortalContext:
    """What the gateway gives an adapter."""
    return PortalContext(
        portal="ministry",
        clock=SystemClock(),
        budget=_Budget(),
        sessions=_NoSessions(),
        known=_NothingKnown(),
        secret=lambda reference: "",
        call_timeout_s=timeout_s,
        agency_code="H96",
    )


def delivery(code: str = "000.00.04.H96-261120-0001", **changes: Any) -> Delivery:
    """A declaration of a dossier, frozen; its key comes from operation and dossier."""
    operation = changes.get("operation", "declare")
    values: dict[str, Any] = {
        "key": f"ministry/{code}/{operation}",
        "key_uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{code}/{operation}")),
        "portal": "ministry",
        "operation": operation,
        "klass": DeliveryClass.COMMAND,
        "external_id": "",
        "body": FORWARD.format(code=code).encode(),
        "planned_at": PLANNED_AT,
        "attempt": 1,
        "send_by": SystemClock().monotonic() + 60,
    }
    return Delivery(**(values | changes))


class Recorded(NswSimulator):
    """Keeps every request as it came."""

    def __init__(self, switches: Switches) -> None:
        super().__init__(switches)
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return super().answer(request)


@dataclass
class Ministry:
    """The running simulator, with ways to make an adapter for it."""

    simulator: Recorded
    server: SimulatorServer
    made: list[NswAdapter]

    def adapter(self, timeout_s: float = 5.0, **options: Any) -> NswAdapter:
        adapter = NswAdapter(context(timeout_s), {"base_url": self.server.url} | options)
        self.made.append(adapter)
        return adapter

    @staticmethod
    def delivery(code: str = "000.00.04.H96-261120-0001", **changes: Any) -> Delivery:
        """A declaration of a dossier, frozen."""
        return delivery(code, **changes)

    def quirk(self, name: str, times: int = 1) -> None:
        self.simulator.act("next", {"quirk": name, "times": times})

    @property
    def requests(self) -> list[Request]:
        return [request for request in self.simulator.requests if request.method == "POST"]

    @property
    def effects(self) -> list[dict[str, Any]]:
        return self.simulator.book.effects()


@pytest.fixture
def ministry() -> Iterator[Ministry]:
    """A ministry without faults that acknowledges repeats."""
    simulator = Recorded(Switches(repeat_answer="ack"))
    with SimulatorServer(simulator, faults=FaultPlan(delay_s=0.3, drip_s=0.4)) as server:
        world = Ministry(simulator, server, [])
        yield world
        for adapter in world.made:
            adapter.close()
    assert server.defects == []


@pytest.fixture
def xmlsec(tmp_path: Path) -> XmlSec:
    """`xmlsec1`, which the set-up installs."""
    return XmlSec(tmp_path)
