"""A call that was just judged is not unsealed and read again; nothing depends on its being remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.receiving import InboundCall, InboundRequest, Question, Unreadable
from gateway.inbound.fresh import LARGEST, MOST, Fresh
from gateway.inbound.take_in import Taker
from tests.unit.inbound.telling import Push, Told


class CountingPush(Push):
    """The national portal's receiver, which counts how often it reads."""

    reads = 0

    def read(self, request: InboundRequest) -> InboundCall | Question | Unreadable:
        self.reads += 1
        return super().read(request)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Told]:
    world = Told(tmp_path, CountingPush())
    world.live()
    world.taker = Taker(world.engine, world.store, world.vault, world.receivers, world.desk.fresh)
    yield world
    world.close()


def test_a_call_is_read_once_and_taken_in_as_it_was_read(world: Told) -> None:
    world.tell()
    world.rest()
    assert world.receiver.reads == 1  # type: ignore[attr-defined]
    assert world.province.made == ["N1"]


def test_a_call_that_nobody_remembers_is_read_from_its_bytes_and_says_the_same(world: Told) -> None:
    world.tell("N1")
    world.tell("N2")
    world.desk.fresh.take(1)
    world.rest()
    assert world.receiver.reads == 3  # type: ignore[attr-defined]
    rows = world.store.read(lambda tx: list(tx.dossiers([row.dossier_id for row in tx.list_inbound()]).values()))
    first, second = rows
    assert len(first.timeline) == len(second.timeline) > 0
    assert replace(first, id="", national_code="", dossier_code="", timeline=[], sealed=b"", version=0) == replace(
        second, id="", national_code="", dossier_code="", timeline=[], sealed=b"", version=0
    )


def test_no_more_is_remembered_than_has_room(world: Told) -> None:
    call = world.receiver.read(
        InboundRequest("POST", "", {}, {}, b'{"code": "N1", "national": "N1"}', world.clock.now())
    )
    assert isinstance(call, InboundCall)
    fresh = Fresh()
    for number in range(MOST + 10):
        fresh.put(number, call)
    large = replace(call, record=replace(call.record, raw=b"x" * (LARGEST + 1)))
    fresh.put(1000, large)
    kept = [number for number in (*range(MOST + 10), 1000) if fresh.take(number) is not None]
    assert kept == list(range(10, MOST + 10))
    assert fresh.take(20) is None
