"""Promises about uncertain calls, leases and keys that only show when something goes wrong at the wrong moment."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Delivery, Operation, Outcome, OutcomeKind, ProbeStrength, Repeat
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.store.rows import DossierRow, LaneKey, LaneRow
from gateway.sync import outcomes
from gateway.sync.case import KEY_SPACE, Case
from gateway.sync.dossiers import Held, view_of
from gateway.sync.lane import Lane
from gateway.sync.plan import Desk, plan
from gateway.sync.route import Target
from gateway.sync.worker import LaneWorker
from tests.integration.engine import evidence
from tests.unit.sync.world import START, World

CODE = "H99-261102-00001"


def opened(world: World, status: str = "accepted", **fields: str) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status=status, **fields)


def moved(world: World, status: str) -> None:
    world.province.act("r1", status, at=world.tick(10))


def sent_by(world: World) -> list[Delivery]:
    """Every call to the national portal as its adapter got it."""
    told: list[Delivery] = []
    push = world.national.push

    def listening(delivery: Delivery) -> Outcome:
        told.append(delivery)
        return push(delivery)

    world.national.push = listening  # type: ignore[method-assign]
    return told


def test_s15_a_call_that_did_not_work_keeps_its_key_when_it_is_tried_again(world: World) -> None:
    opened(world)
    told = sent_by(world)
    world.national.faults = ["busy", "busy"]
    world.rest()
    inserts = [delivery for delivery in told if delivery.operation == "insert"]
    assert len(inserts) == 3
    assert len({delivery.key for delivery in inserts}) == 1
    assert len({delivery.key_uuid for delivery in inserts}) == 1
    assert [delivery.attempt for delivery in inserts] == [1, 2, 3]
    assert inserts[0].key_uuid == str(uuid.uuid5(KEY_SPACE, inserts[0].key))


def test_s21_a_repeat_is_the_same_bytes_under_the_same_key(world: World) -> None:
    opened(world)
    told = sent_by(world)
    world.national.faults = ["cut"]
    world.engine.pull("province")
    world.engine.deliver("national")
    moved(world, "completed")
    world.engine.pull("province")
    world.tick(15)
    world.engine.deliver("national")
    first, second = [delivery for delivery in told if delivery.operation == "insert"]
    assert (first.key, first.body) == (second.key, second.body)


def test_s27_keys_given_after_a_restore_carry_the_new_epoch(world: World) -> None:
    opened(world)
    world.rest()
    kept = backup(world.folder / "store.db", world.folder / "backup", world.clock.now())
    world.close()
    restore(kept, world.folder / "store.db", world.clock.now(), actor="an officer")
    world.open()
    told = sent_by(world)
    for name in world.config.portals:
        world.engine.reconcile(name)
        world.engine.adopt(name, START.timestamp() - 3600, actor="an officer")
    world.tick(10)
    moved(world, "completed")
    world.rest()
    assert told
    assert all(delivery.key.endswith("@2") for delivery in told)


def test_s21_an_unknown_act_is_not_asked_about_before_it_has_settled(world: World) -> None:
    """An answer of "not there" says nothing while the call may still be on its way."""
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.province.faults = ["cut"]
    world.tick()
    world.engine.pull("justice")
    world.engine.deliver("province")
    (unknown,) = world.deliveries("unknown")
    for _ in range(4):
        world.tick(20)
        world.engine.deliver("province")
    assert [row.key for row in world.deliveries("unknown")] == [unknown.key], "80 s of 100 have passed"
    world.tick(25)
    world.engine.deliver("province")
    assert not world.deliveries("unknown")
    world.rest()
    assert [row["status"] for row in world.province.folders["r1"].log].count("completed") == 1


def test_s21_a_presence_probe_proves_a_create_and_never_an_update(world: World) -> None:
    update = Operation("update", world.national.abilities.operations["update"].klass, "dossier",
                       Repeat.UNKNOWN, ProbeStrength.PRESENCE)  # fmt: skip
    operations = {**world.national.abilities.operations, "update": update}
    world.national.abilities = replace(world.national.abilities, operations=operations)
    opened(world)
    world.rest()
    moved(world, "completed")
    world.national.faults = ["cut"]
    world.rest(rounds=40, every_s=60)
    assert world.national.shown[CODE]["status"] == "completed", "being there did not prove the update"
    leaves = world.store.read(lambda tx: tx.leaves(limit=1000))
    assert any(b'"state":"unproven"' in leaf.canonical for _, leaf in leaves)


def test_s25_no_call_is_begun_that_could_outlive_its_lease(world: World) -> None:
    """A slow portal: every call takes most of its time; the lane is given back in time and claimed anew."""
    opened(world, "submitted")
    for status in ("accepted", "in_progress", "halted", "in_progress", "completed"):
        moved(world, status)
    timeout_s = world.config.portals["national"].call_timeout_s
    over: list[float] = []
    push = world.national.push

    def slow(delivery: Delivery) -> Outcome:
        lease = world.lane("national").lease_until
        latest = world.now() + (delivery.send_by - world.clock.monotonic()) + timeout_s / 2
        over.append(latest - lease)
        outcome = push(delivery)
        world.tick(timeout_s - 0.5)
        return outcome

    world.national.push = slow  # type: ignore[method-assign]
    operations = world.national.abilities.operations
    one_row = {**operations, "progress": replace(operations["progress"], rows_per_call=1)}
    world.national.abilities = replace(world.national.abilities, operations=one_row)
    world.rest(rounds=40)
    assert len(over) >= 7
    assert max(over) <= 0.0, "sent by its instant, it is over before the lease is"


@pytest.mark.parametrize(("first", "second"), [("completed", "returned")])
def test_s18_an_older_update_confirmed_late_is_not_taken_for_the_newest(world: World, first: str, second: str) -> None:
    opened(world)
    world.rest()
    moved(world, first)
    world.rest()
    (older,) = [row for row in world.deliveries("delivered") if row.operation == "update"]
    moved(world, second)
    world.national.faults = ["busy"] * 3
    world.engine.pull("province")
    world.engine.deliver("national")

    def late(tx: Tx) -> None:
        row = tx.delivery(older.key)
        assert row is not None
        row.open, row.state = True, "unknown"
        tx.put_delivery(row)
        yes = Outcome(OutcomeKind.DELIVERED, "late")
        outcomes.record(tx, world.shop, world.shop.portals["national"], older.key, yes, attempt=1, first_unknown=True)

    world.store.write(late)
    world.rest()
    assert world.national.shown[CODE]["status"] == second


def test_s26_an_event_before_the_line_is_never_the_cause_of_a_command(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.province.open("r1", at=START.timestamp() - 90_000, code=CODE, status="forwarded", procedure="2.000001")
    world.live(START.timestamp() - 10)
    world.rest()
    world.province.act("r1", "in_progress", at=world.tick(10))
    world.rest()
    assert world.rows(CODE) == ["in_progress"]
    assert world.justice.pushes == []
    world.province.act("r1", "forwarded", at=world.tick(10))
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]
    world.close()


def test_s27_a_ministry_is_still_heard_about_a_declaration_of_the_gap(world: World) -> None:
    """What the restored store cannot vouch for may stand there all the same, and may still be answered."""
    kept = backup(world.folder / "store.db", world.folder / "backup", world.clock.now())
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]
    world.close()
    world.tick()
    restore(kept, world.folder / "store.db", world.clock.now(), actor="an officer")
    world.open()
    world.engine.pull("province")
    for name in world.config.portals:
        world.engine.reconcile(name)
        world.engine.adopt(name, START.timestamp() - 3600, actor="an officer")
    world.engine.deliver("justice")
    assert [row.portal for row in world.deliveries("unproven") if row.klass == "command"] == ["justice"]
    assert world.store.read(lambda tx: tx.records("justice", [CODE]))[CODE].dossier_id
    world.tick(10)
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]
    assert world.province.folders["r1"].detail["status"] == "completed"


def test_s09_a_dossier_born_at_a_portal_is_not_told_to_it_again(world: World) -> None:
    """Before the province has spoken, the portal that submitted handles: its own events make no rows there."""
    said = {"id": "national|r|time:1", "portal": "national", "record": CODE, "stage": "", "kind": "time",
            "status": "submitted", "wire": "submitted", "at": 50.0, "pos": 0, "heard": 50.0}  # fmt: skip
    row = DossierRow("d1", dossier_code=CODE, national_code=CODE, handler="province", timeline=[said])
    view = view_of(row, Held(), world.config)
    assert [event.portal for event in view.owned()] == ["national"]
    lane = Lane(LaneRow("national", "d1"))
    lane.show("present", {}, ours=False)
    target = Target("national", mirror=world.config.routes[0])
    desk = Desk(world.national.abilities, line=0.0, now=100.0, drift_tries=3, adopt="unique")
    assert plan(view, lane, target, desk, None).steps == ()


def test_s01_a_later_number_is_an_alias_and_replaces_nothing(world: World) -> None:
    opened(world)
    push = world.national.push
    numbers = iter([CODE, "000.00.00.G22-261102-000002"])

    def numbering(delivery: Delivery) -> Outcome:
        outcome = push(delivery)
        return replace(outcome, number=next(numbers)) if delivery.operation != "progress" else outcome

    world.national.push = numbering  # type: ignore[method-assign]
    world.engine.pull("province")
    world.engine.deliver("national", limit=1)
    moved(world, "completed")
    world.engine.pull("province")
    world.engine.deliver("national", limit=1)
    assert next(numbers, "") == "", "both numbers were told"
    (dossier,) = world.store.read(lambda tx: tx.iter_dossiers(limit=10))
    assert dossier.national_code == CODE


def test_s20_not_allowed_is_tried_again_while_the_portal_still_offers_it(world: World) -> None:
    """A 405 says little: as long as a fresh reading allows the act, it is tried a set number of times, then parked."""
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.province.folders["r1"].allowed = ("completed",)
    world.justice.states[CODE] = ("completed", "")
    push = world.province.push
    answers = [Outcome(OutcomeKind.REFUSED, "not allowed", code="405", not_allowed=True)] * 2

    def stubborn(delivery: Delivery) -> Outcome:
        return answers.pop() if answers else push(delivery)

    world.province.push = stubborn  # type: ignore[method-assign]
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "completed"
    assert not world.deliveries("parked")


def test_s20_not_allowed_again_and_again_waits_for_a_person(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.province.folders["r1"].allowed = ("completed",)
    world.justice.states[CODE] = ("completed", "")
    tries: list[str] = []

    def never(delivery: Delivery) -> Outcome:
        tries.append(delivery.key)
        return Outcome(OutcomeKind.REFUSED, "not allowed", code="405", not_allowed=True)

    world.province.push = never  # type: ignore[method-assign]
    world.rest()
    assert len(tries) == world.config.portals["province"].retry.refusals
    assert len(world.deliveries("parked")) == 1


def test_s13_a_number_learned_at_one_portal_wakes_the_other_lanes(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    push = world.national.push
    world.national.push = lambda delivery: replace(push(delivery), number="000.00.00.G22-1")  # type: ignore[method-assign]
    world.engine.pull("province")
    world.engine.deliver("justice")
    assert world.lane("justice").due_at is None
    world.engine.deliver("national")
    assert world.lane("justice").due_at is not None


def test_s13_the_lane_whose_own_answer_told_the_number_is_looked_at_again(world: World) -> None:
    """Its copy went without the number for ever, where no row is owed after it."""
    world.national.abilities = replace(world.national.abilities, append=None)
    opened(world)
    push = world.national.push
    calls: list[str] = []

    def numbering(delivery: Delivery) -> Outcome:
        calls.append(delivery.operation)
        return replace(push(delivery), number="000.00.00.G22-1")

    world.national.push = numbering  # type: ignore[method-assign]
    world.engine.pull("province")
    world.engine.deliver("national", limit=1)
    assert calls == ["insert", "update"]


def test_s13_news_between_an_empty_plan_and_giving_the_lane_back_stays_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleared then, a newer event stored in between was never looked at again."""
    opened(world)
    world.rest()
    world.store.write(lambda tx: tx.mark_due([LaneKey("national", world.lane("national").dossier_id)], 0.0))
    give_back = LaneWorker._rest

    def news_first(worker: LaneWorker, case: Case, waits: object) -> None:
        monkeypatch.undo()
        moved(world, "completed")
        world.engine.pull("province")
        give_back(worker, case, waits)

    monkeypatch.setattr(LaneWorker, "_rest", news_first)
    world.engine.deliver("national", limit=1)
    assert world.lane("national").due_at is not None
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"


def test_s13_news_between_the_last_call_and_its_outcome_stays_due(world: World) -> None:
    """Outcome and rest are one commit: what was stored while the call was under way is not taken for planned."""
    opened(world)
    push = world.national.push
    calls: list[str] = []

    def news_after(delivery: Delivery) -> Outcome:
        outcome = push(delivery)
        calls.append(delivery.operation)
        if len(calls) == 2:  # the dossier, then its rows: the last that is owed
            moved(world, "completed")
            world.engine.pull("province")
        return outcome

    world.national.push = news_after  # type: ignore[method-assign]
    world.engine.pull("province")
    world.engine.deliver("national", limit=1)
    assert world.national.shown[CODE]["status"] == "completed"
    assert world.lane("national").due_at is None
    assert len(calls) > 2


def test_s24_a_late_yes_gives_back_no_lane_that_is_somebody_elses(world: World) -> None:
    """Its plan would be empty with that; yet who has the lease now may have begun a call."""
    opened(world)
    world.engine.pull("province")
    push = world.national.push

    def taken_over(delivery: Delivery) -> Outcome:
        outcome = push(delivery)
        row = world.lane("national")
        row.lease_token, row.lease_until = "another worker", world.now() + 600
        world.store.write(lambda tx: tx.put_lanes([row]))
        return outcome

    world.national.push = taken_over  # type: ignore[method-assign]
    for _ in range(2):  # the dossier, then its rows
        world.engine.deliver("national", limit=1)
        assert (world.lane("national").lease_token, world.lane("national").due_at is None) == ("another worker", False)
        world.tick(700)
    assert [row.state for row in world.deliveries("delivered")] == ["delivered"] * 2


def test_s15_news_between_plan_and_begin_is_planned_before_anything_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(world)
    told = sent_by(world)
    world.engine.pull("province")
    begin = LaneWorker._begin

    def news_first(worker: LaneWorker, *planned: Any) -> Delivery | None:
        monkeypatch.undo()
        moved(world, "completed")
        world.engine.pull("province")
        return begin(worker, *planned)

    monkeypatch.setattr(LaneWorker, "_begin", news_first)
    world.engine.deliver("national")
    assert b'"completed"' in told[0].body, "the first bytes ever sent know the news"


def test_i13_a_brake_pulled_between_plan_and_begin_still_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(world)
    world.engine.pull("province")
    begin = LaneWorker._begin

    def brake_first(worker: LaneWorker, *planned: Any) -> Delivery | None:
        monkeypatch.undo()
        world.operator.pause("national", "an officer", "stop")
        return begin(worker, *planned)

    monkeypatch.setattr(LaneWorker, "_begin", brake_first)
    world.engine.deliver("national")
    assert world.national.writes == []
    world.operator.resume("national", "an officer")
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]


def test_i9_what_a_portal_quotes_of_a_person_is_blanked_before_it_is_kept(world: World) -> None:
    opened(world, name="Hoàng Thử Nghiệm Chim Yến")
    quoted = "Không nhận hồ sơ của HOÀNG THỬ NGHIỆM CHIM YẾN, số 000000000001: thiếu giấy tờ"
    world.national.push = lambda delivery: Outcome(  # type: ignore[method-assign]
        OutcomeKind.REFUSED, "refused", code="-1", excerpt=quoted, final=True
    )
    world.rest()
    (parked,) = world.deliveries("parked")
    assert parked.excerpt == "Không nhận hồ sơ của …, số …: thiếu giấy tờ"


def test_i8_a_call_whose_worker_is_gone_becomes_unknown_with_a_leaf(world: World) -> None:
    opened(world)
    world.engine.pull("province")

    def die(delivery: Delivery) -> Outcome:
        raise SystemExit(delivery.key)

    push = world.national.push
    world.national.push = die  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.engine.deliver("national")
    world.national.push = push  # type: ignore[method-assign]
    world.restart()
    world.tick(41)
    world.engine.deliver("national")
    (unknown,) = world.deliveries("unknown")
    leaves = evidence.check(world.store)
    assert [leaf["kind"] for leaf in leaves if leaf.get("key") == unknown.key] == ["attempt", "outcome"]
    assert leaves[-1]["outcome"] == "unknown"
