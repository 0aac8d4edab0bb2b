"""A provincial portal on a socket, its officers, and an adapter that reads and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import orjson
import pytest

from adapters.base import Delivery, Page, RawRecord, UnreadableRecord
from adapters.conformance import Held, bench_context
from adapters.opencps.adapter import OpencpsAdapter
from adapters.opencps.operations import ABILITIES
from adapters.opencps.simulator import OpencpsSimulator, build
from adapters.simulation import SimulatorServer
from mappings.loader import load
from schemas.clock import ManualClock

TIERS = [
    {"name": "recent", "every_s": 60, "by": ["submit", "receive", "finish"], "days": 7},
    {"name": "open", "every_s": 60, "statuses": ["receiving", "new", "processing", "interoperating", "waiting"]},
    {"name": "rest", "every_s": 86_400, "whole": True},
]
VOCABULARY = load("opencps/v2-2020")


class Province:
    """One portal with an adapter; `password` is what our configuration says."""

    def __init__(self, switches: dict[str, Any], options: dict[str, Any]) -> None:
        self.simulator: OpencpsSimulator = build(switches)
        self.server = SimulatorServer(self.simulator).start()
        self.clock = ManualClock(datetime.now(UTC))
        self.known = Held()
        self.password = "simulated-password"
        self.context = bench_context(
            "ca_mau", clock=self.clock, secret=lambda _: self.password, known=self.known, call_timeout_s=5.0
        )
        self.options: dict[str, Any] = {
            "base_url": self.server.url, "group_id": 35166, "username": "lienthong", "tiers": TIERS,
            "password": "${OPENCPS_PASSWORD}", "since": "2020-01-01", "read_tries": 1,
        } | options  # fmt: skip
        self.adapter = OpencpsAdapter(self.context, self.options)

    def act(self, verb: str, uid: str = "", **arguments: Any) -> Any:
        if uid:
            arguments["referenceUid"] = uid
        return self.simulator.act(verb, arguments)

    def create(self, **arguments: Any) -> str:
        return str(self.act("create_dossier", **arguments)["referenceUid"])

    def pull(self, cursor: str | None = None) -> list[Page]:
        """Read and remember, as the gateway stores page by page."""
        pages = []
        for page in self.adapter.pull(cursor):
            for record in page.records:
                if isinstance(record, RawRecord):
                    self.known.digests[record.external_id] = record.list_digest
            pages.append(page)
        return pages

    def delivery(self, operation: str, uid: str, body: dict[str, Any], **changes: Any) -> Delivery:
        record = self.adapter.fetch(uid) if uid and operation == "action" else None
        values: dict[str, Any] = {
            "key": f"{operation}-{uid}",
            "key_uuid": str(uuid5(NAMESPACE_OID, operation + uid)),
            "portal": "ca_mau",
            "operation": operation,
            "klass": ABILITIES.operations[operation].klass,
            "external_id": uid,
            "body": orjson.dumps(body),
            "planned_at": self.clock.now(),
            "attempt": 1,
            "send_by": self.clock.monotonic() + 60,
            "guard": record.guard if record else {},
        }
        return Delivery(**(values | changes))

    def values(self, uid: str) -> dict[str, Any]:
        """The dossier in our words."""
        record = self.adapter.fetch(uid)
        assert record is not None
        return VOCABULARY.messages["dossier"].normalise(record.parts["dossier"]).values

    def close(self) -> None:
        self.adapter.close()
        self.server.stop()
        assert self.server.defects == []


def records(pages: list[Page]) -> list[RawRecord]:
    return [record for page in pages for record in page.records if isinstance(record, RawRecord)]


def unreadable(pages: list[Page]) -> list[UnreadableRecord]:
    return [record for page in pages for record in page.records if isinstance(record, UnreadableRecord)]


def read_ids(pages: list[Page]) -> list[str]:
    return [record.external_id for record in records(pages)]


Make = Callable[..., Province]


@pytest.fixture
def make() -> Iterator[Make]:
    """Build provinces: `make(switches, **options)`."""
    made: list[Province] = []

    def build_one(switches: dict[str, Any] | None = None, **options: Any) -> Province:
        made.append(Province(switches or {}, options))
        return made[-1]

    yield build_one
    for province in made:
        province.close()


@pytest.fixture
def province(make: Make) -> Province:
    return make()
