"""The adapter in memory keeps the promises of a real one, in each way an operation may repeat and be probed."""

import itertools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, ProbeStrength, Repeat
from adapters.conformance import AdapterConformance, Bench, MemoryAdapter, MemoryPortal, bench_context

VARIANTS: dict[str, dict[str, Any]] = {
    "as_delivered": {},
    "careful": {
        "operations": [
            {
                "name": "insert",
                "klass": "snapshot",
                "message": "dossier",
                "repeat": "refused_as_duplicate",
                "probe": "presence",
                "creates": True,
            },
            {"name": "update", "klass": "snapshot", "message": "dossier", "repeat": "safe", "probe": "none"},
            {"name": "push", "klass": "snapshot", "message": "dossier", "repeat": "moves_dates", "probe": "content"},
            {"name": "append", "klass": "append", "message": "event", "repeat": "appends", "probe": "content"},
        ],
        "create": "insert",
        "update": "update",
        "commands": {},
    },
    "write_only": {"pulls": False, "fetches": False, "catalogues": [], "opens_files": False},
}


class MemoryBench(Bench):
    kind = "memory"
    secrets = ("CÁN BỘ THỬ NGHIỆM 01",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.portal = MemoryPortal("memory")
        context = bench_context("memory")
        self.clock = context.clock
        self.adapter = MemoryAdapter(context, {"page_size": 3} | options, portal=self.portal)
        self._numbers = itertools.count(1)

    def seed(self, count: int, text: str = "") -> list[str]:
        return [self.portal.put({"id": f"R{next(self._numbers)}", "note": text}) for _ in range(count)]

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        klass = self.adapter.abilities.operations[operation].klass
        key = f"D-{tag}"
        body: dict[str, Any] = {"id": key, "note": text, "officer": self.secrets[0]}
        if klass is DeliveryClass.COMMAND and key not in self.portal.records:
            self.portal.put({"id": key})
        unique = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{operation}/{tag}/{text}"))
        return Delivery(
            key=unique,
            key_uuid=unique,
            portal="memory",
            operation=operation,
            klass=klass,
            external_id=key,
            body=orjson.dumps([body] if klass is DeliveryClass.APPEND else body),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=time.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        known = self.portal.book.effects(key=delivery.external_id)
        return sum(entry["content"]["key_uuid"] == delivery.key_uuid for entry in known)

    def held_text(self, delivery: Delivery) -> str | None:
        return str(self.portal.book.effects(key=delivery.external_id)[-1]["content"]["content"]["note"])

    def hurt(self, fault: str, *, on: str = "", before: bool | None = None) -> bool:
        self.portal.faults.script(fault, on=on, before=before)
        return True

    def go_down(self) -> None:
        self.portal.is_down = True

    def come_up(self) -> None:
        self.portal.is_down = False

    def empty_catalogue(self, name: str) -> bool:
        self.portal.catalogues[name] = []
        return True


@pytest.mark.parametrize("variant", VARIANTS)
class TestMemoryConformance(AdapterConformance):
    @pytest.fixture
    def bench(self, variant: str) -> Iterator[Bench]:
        bench = MemoryBench(VARIANTS[variant])
        yield bench
        bench.close()


def test_every_way_to_repeat_and_to_probe_is_among_the_variants() -> None:
    adapters = [MemoryBench(options).adapter for options in VARIANTS.values()]
    operations = [operation for adapter in adapters for operation in adapter.abilities.operations.values()]
    assert {operation.repeat for operation in operations} == set(Repeat)
    assert {operation.probe for operation in operations} == set(ProbeStrength)
