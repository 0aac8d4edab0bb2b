"""The run log holds every count of deliveries, in few rows; that deliveries end otherwise is noted at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.runner.runs import DeliveryRuns
from gateway.sync.deliver import DeliverReport
from tests.unit.sync.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def delivered(sent: int, reason: str = "") -> DeliverReport:
    return DeliverReport("national", claimed=sent, counts=Counter(delivered=sent) if sent else Counter(), reason=reason)


def test_a_hundred_deliveries_are_two_rows_and_all_are_counted(world: World) -> None:
    runs = DeliveryRuns(world.shop.portals["national"], world.store)
    for _ in range(100):
        runs.add(delivered(1), world.now())
    runs.write_down()
    rows = world.store.read(lambda tx: tx.list_runs(portal="national"))
    assert sum(row.counts["delivered"] for row in rows) == 100
    assert len(rows) == 2
    assert world.store.read(lambda tx: tx.portal("national")).heard_at is not None


def test_nothing_done_is_noted_by_nobody(world: World) -> None:
    runs = DeliveryRuns(world.shop.portals["national"], world.store)
    runs.add(delivered(0), world.now())
    runs.write_down()
    assert world.store.read(lambda tx: tx.list_runs()) == []


def test_why_nothing_may_be_sent_is_noted_once_and_that_it_may_again_once(world: World) -> None:
    runs = DeliveryRuns(world.shop.portals["national"], world.store)
    for reason in ("", "paused: a move", "paused: a move", "", ""):
        runs.add(delivered(0, reason), world.now())
    assert [row.reason for row in world.store.read(lambda tx: tx.list_runs())] == ["", "paused: a move"]
