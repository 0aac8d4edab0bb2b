"""The adapter in memory as tests of the engine use it: pages, scripted outcomes, officers, outages."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters import registry
from adapters.base import Delivery, DeliveryClass, Outcome, OutcomeKind, UnreadableRecord
from adapters.conformance import MemoryAdapter, MemoryPortal, bench_context
from schemas.errors import PortalUnavailableError

ACCEPTED = {"id": "D1", "status": "accepted"}
DONE = {"id": "D1", "status": "completed"}


def delivery(operation: str, body: Any, klass: DeliveryClass = DeliveryClass.SNAPSHOT, key: str = "k1") -> Delivery:
    return Delivery(
        key=key,
        key_uuid=key,
        portal="ca_mau",
        operation=operation,
        klass=klass,
        external_id="",
        body=orjson.dumps(body),
        planned_at=datetime(2026, 11, 2, tzinfo=UTC),
        attempt=1,
        send_by=time.monotonic() + 60,
    )


def test_pages_come_as_they_were_given_and_officers_work_after_them() -> None:
    adapter = MemoryAdapter("moc", pages=[[ACCEPTED], [ACCEPTED, DONE]])
    adapter.portal.put({"id": "D2"})
    pages = list(adapter.pull(None))
    assert [[record.external_id for record in page.records] for page in pages] == [["D1"], ["D1", "D1"], ["D2"]]
    assert [page.next_cursor for page in pages] == ["1", "3", "4"]
    assert list(adapter.pull("4")) == []


def test_what_it_received_is_there_to_look_at() -> None:
    adapter = MemoryAdapter("ca_mau")
    assert adapter.push(delivery("write", ACCEPTED)).kind is OutcomeKind.DELIVERED
    adapter.push(delivery("append", [{"id": "D1", "row": 1}, {"id": "D1", "row": 2}], DeliveryClass.APPEND))
    assert adapter.received == [ACCEPTED, {"id": "D1", "row": 1}, {"id": "D1", "row": 2}]
    assert adapter.portal.book.count("D1", "append") == 2


def test_an_outcome_is_scripted_with_or_without_its_effect() -> None:
    adapter = MemoryAdapter("ca_mau")
    lost = Outcome(OutcomeKind.UNKNOWN, "the answer was lost")
    adapter.portal.answer_next(lost, effect=True)
    adapter.portal.answer_next(lost, effect=False)
    assert [adapter.push(delivery("write", ACCEPTED)) for _ in range(2)] == [lost, lost]
    assert adapter.received == [ACCEPTED]


def test_a_command_changes_the_record_and_is_heard_back() -> None:
    adapter = MemoryAdapter("ca_mau", pages=[[ACCEPTED]])
    adapter.push(delivery("act", {"id": "D1", "status": "completed"}, DeliveryClass.COMMAND))
    (page,) = adapter.pull("1")
    assert page.records[0].parts["dossier"] == DONE  # type: ignore[union-attr]


def test_an_officer_may_refuse_a_command() -> None:
    no = Outcome(OutcomeKind.REFUSED, "not allowed now", code="405", not_allowed=True)
    portal = MemoryPortal("ca_mau", pages=[[ACCEPTED]], on_command=lambda record, body: no)
    adapter = MemoryAdapter(bench_context("ca_mau"), portal=portal)
    assert adapter.push(delivery("act", DONE, DeliveryClass.COMMAND)) is no
    assert adapter.received == []


def test_records_that_cannot_be_read_pass_through() -> None:
    bad = UnreadableRecord("D9", b"\xff", "not text", datetime(2026, 1, 1, tzinfo=UTC))
    adapter = MemoryAdapter("moc", pages=[[bad, ACCEPTED]])
    (page,) = adapter.pull(None)
    assert isinstance(page.records[0], UnreadableRecord)
    assert page.records[0].read_at > bad.read_at


def test_a_portal_that_is_down_refuses_all_and_two_adapters_share_one_portal() -> None:
    portal = MemoryPortal("moc", pages=[[ACCEPTED]])
    first, second = (MemoryAdapter(bench_context("moc"), portal=portal) for _ in range(2))
    portal.is_down = True
    assert first.push(delivery("write", DONE)).kind is OutcomeKind.RETRY
    with pytest.raises(PortalUnavailableError):
        list(second.pull(None))
    portal.is_down = False
    first.push(delivery("write", DONE))
    record = second.fetch("D1")
    assert record is not None
    assert record.parts["dossier"] == DONE


def test_the_registry_builds_it_from_options() -> None:
    adapter = registry.build("memory", bench_context("moc"), {"key_field": "MaHoSo", "commands": {}})
    assert adapter.abilities.commands == {}
    assert registry.options_model("memory").model_fields["key_field"].default == "id"
