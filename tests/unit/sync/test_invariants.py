"""What must always hold (design.md 10): rest, exits, nothing deleted, blank, moved or sent unasked."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Delivery, Outcome, Page
from gateway.store.rows import DeliveryRow, LaneRow
from gateway.sync.pages import PageWriter
from schemas.errors import StoreError
from tests.integration.engine import evidence
from tests.unit.sync.world import START, World, config

CODE = "H99-261102-00001"
FAULTS = ("", "", "lost", "cut", "busy", "no")


def opened(world: World, name: str = "r1", code: str = CODE, status: str = "accepted", **fields: str) -> None:
    world.province.open(name, at=world.tick(), code=code, status=status, **fields)


def kept(world: World) -> dict[str, list[Any]]:
    """Every row of the tables that must not move at rest."""
    with closing(sqlite3.connect(world.folder / "store.db")) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - three fixed names
            for table in ("dossier", "delivery", "leaf")
        }


# I1
def test_i1_a_page_that_cannot_be_stored_moves_no_cursor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three pages finds a full disk; the next pull goes on behind the first."""
    for number in range(3):
        opened(world, f"r{number}", f"H99-261102-{number:05}", person=f"{number:06}000000")
    asked: list[str | None] = []

    def paged(cursor: str | None) -> Any:
        asked.append(cursor)
        for number in range(int(cursor or 0), 3):
            yield Page((world.province.record(f"r{number}"),), str(number + 1))

    store = PageWriter.store
    room = iter([True, False])

    def filling(*page: Any) -> Any:
        stored = store(*page)
        if not next(room):
            raise StoreError("no room left")
        return stored

    monkeypatch.setattr(world.province, "pull", paged)
    with monkeypatch.context() as small_disk:
        small_disk.setattr(PageWriter, "store", filling)
        with pytest.raises(StoreError):
            world.engine.pull("province")
    assert world.store.read(lambda tx: tx.cursor("province", "pull")) == "1"
    assert len(kept(world)["dossier"]) == 1
    assert len(kept(world)["leaf"]) == 1 + 3, "a leaf for the record, and one for each line drawn"
    assert world.engine.pull("province").new == 2
    assert asked == [None, "1"]
    assert len(kept(world)["dossier"]) == 3


# I6
@pytest.mark.parametrize("seed", range(6))
def test_i6_it_comes_to_rest_and_then_writes_nothing(world: World, seed: int) -> None:
    lot = random.Random(seed)
    play(world, lot)
    world.province.faults = world.national.faults = world.justice.faults = []
    assert world.rest(rounds=40, every_s=60) <= 20
    before, written = kept(world), (list(world.national.writes), list(world.justice.pushes), world.province.number)
    for _ in range(5):
        world.tick(4000)
        assert world.round() == 0
    assert kept(world) == before
    assert (world.national.writes, world.justice.pushes, world.province.number) == written


def play(world: World, lot: random.Random, steps: int = 25) -> None:
    """Officers, a ministry, faults and wakes in an order drawn by lot; I7 is looked at after every step."""
    world.national.sweep = []
    names = ["r1", "r2"]
    opened(world, "r1", CODE, "forwarded", procedure="2.000001")
    opened(world, "r2", "H99-261102-00002", person="000000000002")
    for _ in range(steps):
        match lot.randrange(6):
            case 0:
                world.province.act(
                    lot.choice(names), lot.choice(["in_progress", "forwarded", "halted"]), at=world.tick()
                )
            case 1 if world.justice.states:
                world.justice.states[lot.choice(list(world.justice.states))] = (
                    lot.choice(["accepted", "completed"]),
                    "",
                )
            case 2:
                portal = lot.choice([world.province, world.national, world.justice])
                portal.faults = [lot.choice(FAULTS) for _ in range(3)]
            case 3:
                world.engine.pull(lot.choice(["province", "justice"]))
            case _:
                world.engine.deliver(lot.choice(["province", "national", "justice"]))
        world.tick(lot.choice([0.5, 12.0, 70.0]))
        every_state_has_an_exit(world)


# I7
def every_state_has_an_exit(world: World) -> None:
    lanes = {(lane.portal, lane.dossier_id): lane for lane in world.store.read(lambda tx: tx.iter_lanes(limit=1000))}
    for lane in lanes.values():
        _lane_has_an_exit(lane)
    for row in world.deliveries():
        _delivery_has_an_exit(row, lanes[row.portal, row.dossier_id])


def _lane_has_an_exit(lane: LaneRow) -> None:
    if lane.due_at is None and not lane.lease_token:
        assert lane.state in ("calm", "waiting", "parked", "drift_given_up"), lane
        assert (lane.state == "calm") == (lane.reason == ""), "what waits says for what"
    else:
        assert lane.due_at is not None


def _delivery_has_an_exit(row: DeliveryRow, lane: LaneRow) -> None:
    if row.state in ("begun", "unknown"):
        assert row.open
        assert lane.due_at is not None, "somebody looks at what is uncertain"
        assert row.state == "begun" or row.next_at is not None
    else:
        assert not row.open
        assert row.state in ("delivered", "refused", "thawed", "superseded", "parked", "unproven", "unheard")
        assert row.reason or row.state == "delivered", f"{row.state} says why"


@pytest.mark.parametrize("seed", range(6, 12))
def test_i7_every_state_has_an_exit_and_a_person_finds_it(world: World, seed: int) -> None:
    play(world, random.Random(seed), steps=40)
    world.province.faults = world.national.faults = world.justice.faults = []
    for row in world.deliveries("parked", "unproven"):
        assert row.id is not None
        world.operator.confirm(row.id, arrived=True, actor="an officer")
    world.rest(rounds=40, every_s=60)
    assert not world.deliveries("parked")


# I8
@pytest.mark.parametrize("seed", range(12, 18))
def test_i8_each_change_has_its_leaf_and_no_chain_has_a_gap(world: World, seed: int) -> None:
    play(world, random.Random(seed), steps=40)
    evidence.check(world.store)
    world.restart()
    world.province.faults = world.national.faults = world.justice.faults = []
    world.rest(rounds=40, every_s=60)
    leaves = evidence.check(world.store)
    assert {leaf["kind"] for leaf in leaves} >= {"observation", "attempt", "outcome"}


# I10
def test_i10_nothing_is_deleted_because_it_disappeared(world: World) -> None:
    opened(world)
    world.rest()
    before, rows = kept(world)["dossier"], list(world.national.rows)
    folder = world.province.folders.pop("r1")
    world.rest()
    report = world.engine.reconcile("province")
    assert [(found.what, found.dossier_code) for found in report.differences] == [("disappeared", CODE)]
    world.rest()
    assert kept(world)["dossier"] == before
    assert CODE in world.national.shown
    assert world.national.rows == rows
    world.province.folders["r1"] = folder
    assert world.engine.reconcile("province").differences == []


def test_i10_a_record_that_cannot_be_read_has_not_disappeared(world: World) -> None:
    opened(world)
    world.rest()
    world.province.folders["r1"].detail["status"] = "no such word"
    report = world.engine.reconcile("province")
    assert (report.differences, report.unreadable) == ([], 1)


def test_i10_a_dossier_gone_at_the_mirror_is_named_and_not_made_again_by_itself(world: World) -> None:
    opened(world)
    world.rest()
    world.national.shown.clear()
    report = world.engine.reconcile("national")
    assert [(found.what, found.dossier_code) for found in report.differences] == [("disappeared", CODE)]


# I11
def test_i11_what_is_not_known_is_left_out_and_never_blank(world: World) -> None:
    opened(world)
    world.rest()
    shown = world.national.shown[CODE]
    assert "name" not in shown
    assert "due" not in shown
    assert [name for name, value in shown.items() if value in ("", None)] == []


def test_i11_a_required_value_that_is_missing_waits_by_name_for_this_dossier_only(world: World) -> None:
    world.province.open("r1", at=world.tick(), status="accepted")
    opened(world, "r2", "H99-261102-00002", person="000000000002")
    world.rest()
    assert list(world.national.shown) == ["H99-261102-00002"]
    assert "number" in world.lane("national").reason


# I12
def test_i12_no_retry_moves_a_legal_date(world: World) -> None:
    opened(world, received="2026-11-02T08:00:00+07:00", due="2026-11-20T17:00:00+07:00")
    told: list[bytes] = []
    push = world.national.push

    def listening(delivery: Delivery) -> Outcome:
        told.append(delivery.body)
        return push(delivery)

    world.national.push = listening  # type: ignore[method-assign]
    world.national.faults = ["cut", "lost", "busy", "lost"]
    world.rest(rounds=40, every_s=40)
    world.province.act("r1", "completed", at=world.tick(86_400))
    world.national.faults = ["lost", "cut"]
    world.rest(rounds=40, every_s=40)
    dates = {body[body.index(b'"received"') :].split(b",")[0] for body in told if b'"received"' in body}
    assert dates == {b'"received":"2026-11-02T08:00:00+07:00"'}
    assert world.national.shown[CODE]["due"] == "2026-11-20T17:00:00+07:00"


# I13
def test_i13_a_paused_portal_hears_nothing_until_it_is_resumed(world: World) -> None:
    opened(world)
    world.operator.pause("national", "an officer", "a move of offices")
    world.round()
    assert world.engine.deliver("national").reason.startswith("paused: a move of offices (an officer")
    world.operator.pause("*", "an officer", "all hands")
    world.operator.resume("national", "an officer")
    assert world.engine.deliver("national").reason.startswith("everything is paused")
    assert world.national.writes == []
    world.operator.resume("*", "an officer")
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]


def test_i13_nothing_is_sent_to_a_portal_of_another_environment(tmp_path: Path) -> None:
    raw = config()
    raw["portals"]["national"]["environment"] = "production"
    world = World(tmp_path, raw)
    world.live()
    opened(world)
    world.round()
    assert world.engine.deliver("national").reason == "portal is of production, we are test"
    assert world.national.writes == []
    world.close()


def test_i13_a_sweep_that_wants_too_many_writes_stops_and_asks(tmp_path: Path) -> None:
    raw = config()
    raw["portals"]["national"]["max_writes_per_sweep"] = 3
    world = World(tmp_path, raw)
    world.live()
    for number in range(5):
        opened(world, f"r{number}", f"H99-261102-{number:05}", person=f"{number:06}000000")
    report = world.engine.pull("province")
    assert report.braked == ("national",)
    assert world.engine.deliver("national").reason.startswith("paused: one sweep of province")
    assert world.national.writes == []
    world.operator.resume("national", "an officer")
    world.rest()
    assert len(world.national.shown) == 5
    world.close()


def test_i13_a_portal_that_is_watched_hears_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("province", "justice"):
        world.engine.adopt(name, START.timestamp() - 3600, actor="test")
    opened(world)
    world.round()
    assert world.engine.deliver("national").reason.startswith("mode is watch")
    assert world.national.writes == []
    world.close()
