"""A portal that collects: nothing is called, the delivery is offered, and its acknowledgement delivers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Delivery, Outcome, OutcomeKind, Repeat
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, LaneKey, StageRow
from gateway.sync import outcomes
from gateway.sync.lane import Lane
from gateway.sync.stages import Fact, Timer, late
from tests.unit.sync.portals import Ministry
from tests.unit.sync.world import START, World

T0 = START.timestamp()


class Collects(Ministry):
    """A ministry that comes for its dossiers."""

    def __init__(self, world: World) -> None:
        super().__init__("justice", world.clock, Repeat.SAFE)
        self.abilities = replace(self.abilities, collected=True)
        self.offers = 0

    def push(self, delivery: Delivery) -> Outcome:
        self.offers += 1
        return Outcome(OutcomeKind.OFFERED, "waits in the inbox", external_id=delivery.external_id)


@pytest.fixture
def collecting(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.justice = Collects(world)
    world.restart()
    world.live()
    world.province.open("R1", at=T0 - 60, procedure="2.000001", code="H99-1")
    world.province.act("R1", "forwarded", at=T0 - 30)
    world.round()
    yield world
    world.close()


def offered(world: World) -> DeliveryRow:
    (row,) = world.deliveries("offered")
    return row


def collected(world: World) -> DeliveryRow:
    (row,) = [row for row in world.deliveries("delivered") if row.portal == "justice"]
    return row


def acknowledge(world: World, row: DeliveryRow, outcome: Outcome | None = None) -> str:
    yes = outcome or Outcome(OutcomeKind.DELIVERED, "collected", proof="acknowledgement 1")
    portal = world.shop.portals["justice"]
    ended = world.store.write(
        lambda tx: outcomes.record(tx, world.shop, portal, row.key, yes, attempt=len(row.attempts), first_unknown=False)
    )
    return ended.state


def test_an_offer_is_not_delivered_and_its_bytes_stay_frozen(collecting: World) -> None:
    row = offered(collecting)
    assert row.open
    assert row.sealed_body
    assert row.next_at is None
    assert collecting.shop.portals["justice"].breaker.state["failures"] == 0
    items = collecting.store.read(lambda tx: tx.items("justice", waiting=True))
    assert [(notice.item, held.key) for notice, held in items] == [(row.key_uuid, row.key)]


def test_an_offer_comes_to_rest_and_is_not_made_again(collecting: World) -> None:
    for _ in range(10):
        collecting.round()
        collecting.tick(3600)
    assert collecting.justice.offers == 1  # type: ignore[attr-defined]
    lane = collecting.lane("justice")
    assert (lane.due_at, lane.state) == (None, "calm")


def test_its_acknowledgement_delivers_it_and_its_content_stays_readable(collecting: World) -> None:
    row = offered(collecting)
    assert acknowledge(collecting, row) == "delivered"
    held = collected(collecting)
    assert held.sealed_body
    assert not held.open
    assert Lane(collecting.lane("justice")).commands()[row.cause]["state"] == "delivered"
    assert acknowledge(collecting, row) == "delivered"
    assert collected(collecting).attempts == held.attempts


def test_a_later_command_is_offered_behind_one_that_nobody_has_collected(collecting: World) -> None:
    """The ministry finds the amendment behind the declaration; neither waits for the other."""
    collecting.tick(60)
    collecting.province.act("R1", "forwarded", at=collecting.now(), note="bổ sung")
    collecting.rest()
    items = collecting.store.read(lambda tx: tx.items("justice"))
    assert [held.operation for _, held in items] == ["declare", "amend"]
    assert [held.state for _, held in items] == ["offered", "offered"]


def test_after_a_restore_the_same_item_is_offered_again_and_stands_where_it_stood(collecting: World) -> None:
    row = offered(collecting)

    def as_restored(tx: Tx) -> None:
        row.state = "begun"
        tx.put_delivery(row)
        tx.mark_due([LaneKey("justice", row.dossier_id)], collecting.now())

    collecting.store.write(as_restored)
    for _ in range(8):
        collecting.round()
        collecting.tick(60)
    assert offered(collecting).key == row.key
    assert len(collecting.store.read(lambda tx: tx.items("justice"))) == 1


def test_a_refused_item_waits_for_a_person(collecting: World) -> None:
    row = offered(collecting)
    no = Outcome(OutcomeKind.REFUSED, "refused by its ministry", code="refused", excerpt="không thuộc", final=True)
    assert acknowledge(collecting, row, no) == "parked"
    assert collecting.store.read(lambda tx: tx.items("justice", waiting=True)) == []
    (dossier,) = collecting.store.read(lambda tx: list(tx.iter_dossiers()))
    assert {entry["portal"] for entry in dossier.timeline} == {"province"}


def stages(world: World) -> list[StageRow]:
    return world.store.read(lambda tx: tx.list_stages())


def test_what_lies_in_an_inbox_was_sent_and_its_receipt_is_waited_for(collecting: World) -> None:
    """Only its acknowledgement said that it was sent: a ministry that never came was never late."""
    row = offered(collecting)
    (stage,) = stages(collecting)
    assert (stage.sent_at, stage.received_at) == (row.attempts[-1]["ended_at"], None)
    assert stage.doc["proof"]["sent"]["by"] == "offered"
    missed = late(stage, {Fact.RECEIVED: Timer(24.0, "justice")}, collecting.now() + 25 * 3600)
    assert missed is not None
    assert missed.fact is Fact.RECEIVED
    acknowledge(collecting, row)
    (stage,) = stages(collecting)
    assert stage.doc["proof"]["received"]["by"] == "acknowledgement"


def test_what_a_person_takes_back_from_an_inbox_is_not_waited_for(collecting: World) -> None:
    row = offered(collecting)
    collecting.operator.drop(row.id or 0, "an officer", "withdrawn")
    assert stages(collecting) == []


def test_an_acknowledgement_is_written_down_though_its_route_is_gone(collecting: World) -> None:
    row = offered(collecting)
    left = tuple(route for route in collecting.config.routes if route.to != "justice")
    collecting.config = collecting.config.model_copy(update={"routes": left})
    collecting.restart()
    assert acknowledge(collecting, row) == "delivered"
    (stage,) = stages(collecting)
    assert stage.received_at is not None
    receipts = collecting.store.read(lambda tx: tx.receipts_of(row.dossier_id))
    assert [one.fact for one in receipts] == ["received"]


def test_an_amendment_taken_back_leaves_the_hand_over_that_still_waits(collecting: World) -> None:
    collecting.tick(60)
    collecting.province.act("R1", "forwarded", at=collecting.now(), note="bổ sung")
    collecting.rest()
    (amend,) = [row for row in collecting.deliveries("offered") if row.operation == "amend"]
    collecting.operator.drop(amend.id or 0, "an officer", "not needed")
    assert len(stages(collecting)) == 1
