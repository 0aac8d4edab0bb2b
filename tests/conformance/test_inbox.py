"""The inbox keeps the promises of an adapter: nobody is called, nothing is delivered by offering it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest

from adapters.base import Delivery, DeliveryClass, OutcomeKind, Presence
from adapters.conformance import AdapterConformance, Bench, bench_context
from adapters.conformance.receiving import AT, ReceiverBench, ReceiverConformance, Sample, request
from adapters.inbox.adapter import InboxAdapter
from adapters.inbox.receiver import ReportReceiver, request_body
from schemas.clock import SystemClock

PERSON = "CÔNG DÂN THỬ NGHIỆM 01"
OFFERED = "the ministry collects it: offering calls nobody and delivers nothing"
CALLS_NOBODY = (
    "test_a_ping_changes_nothing_and_fails_as_a_portal_error",
    "test_a_healthy_portal_delivers_once",
    "test_the_same_key_twice_has_the_effect_its_operation_declares",
    "test_a_refused_connection_is_retry",
    "test_text_written_arrives_letter_for_letter",
    "test_a_probe_tells_what_its_operation_declares",
    "test_eight_threads_share_one_adapter",
    "test_files_arrive_byte_for_byte_under_their_names",
    "test_a_repeat_with_files_is_equal_on_the_wire",
    "test_nothing_is_sent_without_a_file_it_names",
)


class InboxBench(Bench):
    kind = "inbox"
    secrets = (PERSON,)
    exempt = dict.fromkeys(CALLS_NOBODY, OFFERED)

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.adapter = InboxAdapter(bench_context("health", clock=self.clock), {})

    def seed(self, count: int, text: str = "") -> list[str]:
        raise AssertionError("nothing can be read from this kind")

    def delivery(self, operation: str, tag: str = "a", text: str = "", *, send_by_s: float = 60.0) -> Delivery:
        return Delivery(
            key=f"k-{operation}-{tag}",
            key_uuid=f"00000000-0000-5000-8000-{hash((operation, tag)) % 10**12:012}",
            portal="health",
            operation=operation,
            klass=DeliveryClass.COMMAND,
            external_id=f"H99-{tag}",
            body=orjson.dumps({"dossier_code": f"H99-{tag}", "applicant": {"name": PERSON}, "note": text}),
            planned_at=datetime(2026, 11, 1, tzinfo=UTC),
            attempt=1,
            send_by=self.clock.monotonic() + send_by_s,
        )

    def effects(self, delivery: Delivery) -> int:
        return 0


class TestInboxConformance(AdapterConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = InboxBench()
        yield bench
        bench.close()


def test_offering_is_neither_delivered_nor_a_call() -> None:
    bench = InboxBench()
    able = bench.adapter.abilities
    assert able.collected
    for operation in able.operations:
        delivery = bench.delivery(operation)
        outcome = bench.adapter.push(delivery)
        assert (outcome.kind, outcome.proof, outcome.answer) == (OutcomeKind.OFFERED, "", b"")
        assert outcome.external_id == delivery.external_id
        assert bench.adapter.probe(delivery).presence is Presence.CANNOT_TELL
    bench.close()


def test_the_abilities_are_those_of_a_ministry() -> None:
    bench = InboxBench()
    assert set(bench.adapter.abilities.commands) == {"declare", "amend", "supplement", "cancel"}
    assert [name for name, one in bench.adapter.abilities.operations.items() if one.creates] == ["declare"]
    bench.close()


def report(**told: object) -> bytes:
    said = {"status": "completed", "occurred_at": "2026-11-01T00:00:00+00:00", "note": PERSON, **told}
    return request_body("H99-1", "done-0001", said)


SCAN = base64.b64encode(b"%PDF-1.7 giay phep").decode()
SAMPLE = Sample(
    "report",
    request(report(results=[{"name": "Giấy phép", "content": SCAN}])),
    repeats=[request(report(results=[{"name": "Giấy phép", "content": SCAN}]), at=AT)],
    changes=[request(report(status="accepted")), request(report(note="khác")), request(report())],
)


class TestReports(ReceiverConformance):
    @pytest.fixture
    def called(self) -> ReceiverBench:
        return ReceiverBench((ReportReceiver(),), [SAMPLE], secrets=[PERSON, SCAN, "H99-1", "done-0001"])
