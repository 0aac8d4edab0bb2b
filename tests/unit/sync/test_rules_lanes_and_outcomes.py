"""S10 to S27: what a lane owes, what a class may do, and what becomes of an uncertain call."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.base import Delivery, DeliveryClass, Outcome, OutcomeKind, ProbeStrength, Repeat
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.store.rows import LaneKey
from gateway.sync import outcomes
from gateway.sync.attempts import LeaseLostError
from gateway.sync.worker import LaneWorker
from tests.unit.sync.portals import instant
from tests.unit.sync.world import START, World, config

CODE = "H99-261102-00001"


def opened(world: World, status: str = "accepted", **fields: str) -> None:
    """One dossier stands at the province."""
    world.province.open("r1", at=world.tick(), code=CODE, status=status, **fields)


def moved(world: World, status: str) -> None:
    """An officer acts."""
    world.province.act("r1", status, at=world.tick(10))


def test_s10_no_snapshot_overwrites_a_request_that_is_not_decided(world: World) -> None:
    """A citizen's withdrawal was overwritten before the province had answered it."""
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    moved(world, "in_progress")
    world.province.faults = ["busy", "busy"]
    world.round()
    world.round()
    assert world.national.shown[CODE]["status"] == "withdrawal_requested"
    assert "not decided" in world.lane("national").reason
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"
    assert world.national.shown[CODE]["status"] == "withdrawal_requested"
    assert world.rows(CODE) == ["accepted", "in_progress", "withdrawal_requested"]


def test_s11_an_event_that_our_command_caused_causes_no_command(tmp_path: Path) -> None:
    raw = config()
    raw["routes"][1]["when"] = {"procedures": ["2.*"], "statuses": ["in_progress", "completed"]}
    world = World(tmp_path, raw)
    world.live()
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "completed"
    assert world.justice.pushes == [("declare", CODE)]
    world.close()


def test_s11_our_key_read_back_settles_the_command(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.province.faults = ["lost"]
    world.round()
    world.round()
    world.round()
    acts = [row["status"] for row in world.province.folders["r1"].log]
    assert acts.count("completed") == 1
    (done,) = [row for row in world.deliveries("delivered") if row.klass == "command" and row.portal == "province"]
    assert done.reason == "our key was read back"
    world.rest()
    assert [row["status"] for row in world.province.folders["r1"].log].count("completed") == 1


def test_s12_a_rival_that_rewrites_its_copy_is_corrected_a_set_number_of_times(world: World) -> None:
    opened(world)
    world.national.sweep = [CODE]
    world.national.shown.clear()
    world.engine.pull("province")
    world.engine.deliver("national")
    for _ in range(8):
        world.tick(300)
        world.national.shown[CODE]["status"] = "halted"
        world.engine.pull("national")
        world.tick(1)
        world.engine.deliver("national")
    updates = [write for write in world.national.writes if write[0] == "update"]
    assert len(updates) == world.config.portals["national"].drift_tries
    assert world.lane("national").state == "drift_given_up"
    moved(world, "completed")
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"


def test_s13_news_stored_while_a_lane_is_worked_is_looked_at_again(world: World) -> None:
    opened(world)
    world.engine.pull("province")
    push = world.national.push

    def push_while_news_comes(delivery: Delivery) -> Outcome:
        outcome = push(delivery)
        if delivery.operation == "insert":
            moved(world, "completed")
            world.tick(1)
            world.engine.pull("province")
        return outcome

    world.national.push = push_while_news_comes  # type: ignore[method-assign]
    world.engine.deliver("national")
    assert world.lane("national").due_at is None
    assert world.national.shown[CODE]["status"] == "completed"
    assert world.rows(CODE) == ["accepted", "completed"]


def test_s14_a_claimed_lane_whose_worker_died_before_begin_leaves_nothing_uncertain(world: World) -> None:
    opened(world)
    world.engine.pull("province")
    now = world.now()
    world.store.write(lambda tx: tx.claim("national", now, limit=3, lease_until=now + 40, token="dead"))
    world.restart()
    world.tick(41)
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]
    assert not world.deliveries("unknown", "unproven")


def test_s14_and_s25_a_begun_call_taken_over_is_unknown_and_waits_until_it_settled(world: World) -> None:
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
    (begun,) = world.deliveries("begun")
    world.tick(41)
    world.engine.deliver("national")
    (unknown,) = world.deliveries("unknown")
    assert unknown.key == begun.key
    assert not world.national.writes
    world.tick(99)
    world.engine.deliver("national")
    assert not world.national.writes
    world.tick(2)
    world.engine.deliver("national")
    assert world.national.writes[0] == ("insert", CODE)


def test_s15_bytes_of_a_call_that_did_not_work_are_planned_anew(world: World) -> None:
    opened(world)
    world.national.faults = ["busy"]
    world.engine.pull("province")
    world.engine.deliver("national")
    moved(world, "completed")
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    assert [write[0] for write in world.national.writes] == ["insert", "progress", "progress"]


def test_s15_bytes_of_an_unknown_call_stay_frozen(world: World) -> None:
    opened(world)
    world.national.faults = ["cut"]
    world.engine.pull("province")
    world.engine.deliver("national")
    moved(world, "completed")
    world.tick(15)
    world.engine.pull("province")
    world.engine.deliver("national")
    assert world.national.shown[CODE]["status"] == "accepted"
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"


def test_s16_a_stuck_lane_holds_up_nobody_else_and_a_stuck_row_no_snapshot(world: World) -> None:
    opened(world)
    world.province.open("r2", at=world.tick(), code="H99-261102-00002", status="accepted")
    world.rest()
    world.national.faults = ["", "never"]
    moved(world, "in_progress")
    world.rest()
    (parked,) = world.deliveries("parked")
    moved(world, "completed")
    world.province.act("r2", "completed", at=world.tick(10))
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    assert world.rows(CODE) == ["accepted"]
    assert world.rows("H99-261102-00002") == ["accepted", "completed"]
    assert "person" in world.lane("national").reason
    assert parked.id is not None
    world.operator.retry(parked.id, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress", "completed"]


def test_s17_a_status_that_must_never_be_skipped_is_handed_over_as_a_command(tmp_path: Path) -> None:
    raw = config()
    raw["routes"][1]["when"] = {"procedures": ["2.*"], "statuses": ["supplement_requested", "completed"]}
    world = World(tmp_path, raw, repeat=Repeat.SAFE)
    world.live()
    opened(world, "accepted", procedure="2.000001")
    for status in ("supplement_requested", "in_progress", "completed"):
        moved(world, status)
    world.rest()
    assert [verb for verb, _ in world.justice.pushes] == ["declare", "amend"]
    world.close()


def test_s18_a_snapshot_is_level_triggered_and_the_newest_wins(world: World) -> None:
    opened(world)
    world.rest()
    for status in ("in_progress", "supplement_requested", "completed"):
        moved(world, status)
    world.rest()
    assert [write[0] for write in world.national.writes].count("update") == 1
    assert world.national.shown[CODE]["status"] == "completed"


def test_s18_the_shadow_moves_only_for_the_newest_snapshot_begun(world: World) -> None:
    opened(world)
    world.rest()
    (first,) = [row for row in world.deliveries("delivered") if row.klass == "snapshot"]
    moved(world, "completed")
    world.rest()
    before = world.lane("national").doc["shadow"]

    def late(tx: Tx) -> None:
        row = tx.delivery(first.key)
        assert row is not None
        row.open, row.state = True, "unknown"
        tx.put_delivery(row)
        yes = Outcome(OutcomeKind.DELIVERED, "late")
        outcomes.record(tx, world.shop, world.shop.portals["national"], first.key, yes, attempt=1, first_unknown=True)

    world.store.write(late)
    assert world.lane("national").doc["shadow"] == before


def test_s19_rows_go_once_in_time_order_after_the_first_snapshot(world: World) -> None:
    opened(world, "submitted")
    for status in ("accepted", "in_progress"):
        moved(world, status)
    world.national.faults = ["busy"]
    world.rest()
    assert [write[0] for write in world.national.writes] == ["insert", "progress", "progress", "progress"]
    assert world.rows(CODE) == ["submitted", "accepted", "in_progress"]


def test_s19_a_row_heard_late_follows_with_its_true_time(world: World) -> None:
    opened(world)
    late_at = world.tick(10)
    moved(world, "completed")
    world.rest()
    state = {"act": "50", "status": "in_progress", "at": late_at, "note": "", "officer": ""}
    world.province._row(world.province.folders["r1"], {**state, "at": world.province.folders["r1"].detail["at"]})
    world.province.folders["r1"].log[-1].update(id="5000", at=instant(late_at))
    world.tick()
    report = world.engine.pull("province")
    assert report.decisions["late"] == 1
    world.rest()
    assert world.rows(CODE) == ["accepted", "completed", "in_progress"]
    assert world.national.rows[-1]["at"].endswith("08:00:11+07:00")


def test_s19_a_refused_call_is_repeated_row_by_row_and_only_the_bad_row_is_parked(world: World) -> None:
    opened(world, "submitted")
    moved(world, "accepted")
    moved(world, "in_progress")
    push = world.national.push

    def picky(delivery: Delivery) -> Outcome:
        if delivery.operation == "progress" and b'"accepted"' in delivery.body:
            return Outcome(OutcomeKind.REFUSED, "không hợp lệ", final=True)
        return push(delivery)

    world.national.push = picky  # type: ignore[method-assign]
    world.rest()
    assert world.rows(CODE) == ["submitted"]
    (parked,) = world.deliveries("parked")
    assert len(parked.members) == 1
    assert parked.id is not None
    world.operator.drop(parked.id, actor="an officer", reason="not wanted there")
    world.rest()
    assert world.rows(CODE) == ["submitted", "in_progress"]


def test_s20_a_command_whose_owner_has_moved_on_ends_superseded(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    moved(world, "halted")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "halted"
    (gone,) = world.deliveries("superseded")
    assert "halted" in gone.reason
    world.rest()
    assert len(world.deliveries("superseded")) == 1


def test_s20_an_officer_who_acts_between_plan_and_send_is_seen_by_the_guard(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.tick()
    world.engine.pull("justice")
    moved(world, "halted")
    world.engine.deliver("province")
    assert world.province.folders["r1"].detail["status"] == "halted"
    assert len(world.deliveries("superseded")) == 1


def test_s20_not_allowed_is_decided_by_reading_again(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.province.folders["r1"].allowed = ("in_progress",)
    world.rest()
    (parked,) = world.deliveries("parked")
    assert "does not offer it" in parked.reason
    world.province.folders["r1"].allowed = ("completed",)
    assert parked.id is not None
    world.operator.retry(parked.id, actor="an officer")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "completed"


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_s21_an_unknown_insert_is_repeated_and_a_duplicate_of_ours_proves_it(world: World, fault: str) -> None:
    opened(world)
    world.national.faults = [fault]
    world.rest()
    assert [write for write in world.national.writes if write[0] == "insert"] == [("insert", CODE)]
    assert world.rows(CODE) == ["accepted"]
    assert world.national.shown[CODE]["status"] == "accepted"


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_s21_an_unknown_action_is_asked_before_it_is_sent_again(world: World, fault: str) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.province.faults = [fault]
    world.rest()
    assert [row["status"] for row in world.province.folders["r1"].log].count("completed") == 1


def test_s21_a_log_that_moved_on_proves_no_absence(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.province.faults = ["cut"]
    world.tick()
    world.engine.pull("justice")
    world.engine.deliver("province")
    world.province.act("r1", "in_progress", at=world.tick(5), note="một việc khác")
    world.rest()
    assert "completed" not in [row["status"] for row in world.province.folders["r1"].log]
    (unproven,) = world.deliveries("unproven")
    assert "cannot" in unproven.reason or "asked 3 times" in unproven.reason


def test_s22_different_bytes_wait_even_after_a_repeat_was_confirmed(world: World) -> None:
    """An old update still travelling landed on a newer one."""
    opened(world)
    world.rest()
    moved(world, "in_progress")
    world.national.faults = ["lost"]
    world.engine.pull("province")
    world.engine.deliver("national")
    world.tick(15)
    world.engine.deliver("national")
    assert not world.deliveries("unknown")
    moved(world, "completed")
    world.engine.pull("province")
    world.engine.deliver("national")
    assert world.national.shown[CODE]["status"] == "in_progress"
    assert "on its way" in world.lane("national").reason
    world.tick(100)
    world.engine.deliver("national")
    assert world.national.shown[CODE]["status"] == "completed"


def test_s23_a_row_nobody_can_vouch_for_ends_unproven_and_is_never_repeated_by_itself(world: World) -> None:
    opened(world)
    world.national.faults = ["", "cut"]
    world.rest()
    (unproven,) = world.deliveries("unproven")
    moved(world, "completed")
    world.rest()
    assert world.rows(CODE) == ["completed"]
    assert unproven.id is not None
    world.operator.confirm(unproven.id, arrived=False, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["completed", "accepted"]


def test_s23_a_person_who_saw_it_there_settles_it_for_good(world: World) -> None:
    opened(world)
    world.national.faults = ["", "lost"]
    world.rest()
    (unproven,) = world.deliveries("unproven")
    assert unproven.id is not None
    world.operator.confirm(unproven.id, arrived=True, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted"]
    assert world.deliveries("delivered")[-1].by_person == "an officer"


def test_s23_later_rows_wait_until_the_uncertain_one_has_settled(world: World) -> None:
    opened(world)
    world.national.faults = ["", "cut"]
    world.engine.pull("province")
    world.engine.deliver("national")
    moved(world, "completed")
    world.engine.pull("province")
    world.engine.deliver("national")
    assert world.rows(CODE) == []
    assert world.national.shown[CODE]["status"] == "completed"


def test_s24_a_refused_repeat_says_nothing_about_the_first_attempt(world: World) -> None:
    opened(world)
    world.rest()
    moved(world, "completed")
    world.national.faults = ["lost", "", "no"]
    world.engine.pull("province")
    world.engine.deliver("national")
    world.tick(15)
    world.engine.deliver("national")
    assert world.lane("national").doc["shadow"]["state"] == "unknown"
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"


def test_s24_a_late_yes_makes_unproven_delivered(world: World) -> None:
    opened(world)
    world.national.faults = ["", "lost"]
    world.rest()
    (unproven,) = world.deliveries("unproven")
    portal = world.shop.portals["national"]
    yes = Outcome(OutcomeKind.DELIVERED, "late")
    world.store.write(
        lambda tx: outcomes.record(tx, world.shop, portal, unproven.key, yes, attempt=1, first_unknown=True)
    )
    assert not world.deliveries("unproven")
    world.rest()
    assert world.rows(CODE) == ["accepted"]


def test_s25_a_worker_whose_lease_is_gone_sends_nothing(world: World) -> None:
    opened(world)
    world.engine.pull("province")
    now = world.now()
    (lane,) = world.store.write(lambda tx: tx.claim("national", now, limit=1, lease_until=now + 40, token="old"))
    world.tick(41)
    later = world.now()
    world.store.write(lambda tx: tx.claim("national", later, limit=1, lease_until=later + 40, token="new"))
    worker = LaneWorker(world.shop, world.shop.portals["national"], world.engine._guard, lane)
    worker._lease_ends = float("inf")
    worker.work()
    assert worker.counts["lease_lost"] == 1
    assert not world.national.writes
    assert issubclass(LeaseLostError, Exception)


def test_s26_nothing_is_sent_in_watch_and_nothing_older_than_the_line_ever(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.province.open("r1", at=START.timestamp() - 90_000, code=CODE, status="accepted")
    world.province.open("r2", at=START.timestamp() - 90_000, code="H99-261101-00002", status="accepted")
    world.round()
    assert not world.national.writes
    world.live(START.timestamp() - 10)
    world.rest()
    assert not world.national.writes
    moved(world, "completed")
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]
    assert world.rows(CODE) == ["completed"]
    world.close()


def test_s26_an_old_event_heard_after_the_line_is_still_old(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.live(START.timestamp())
    world.province.open("r1", at=START.timestamp() - 90_000, code=CODE, status="accepted")
    moved(world, "in_progress")
    world.rest()
    assert world.rows(CODE) == ["in_progress"]
    world.close()


def test_s26_the_first_state_of_a_bare_source_is_baseline_unless_we_put_it_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.live()
    opened(world, "forwarded", procedure="2.000001", person="000000000002")
    world.justice.faults = ["busy"] * 3
    world.round()
    world.justice.states[CODE] = ("completed", "old story")
    world.store.write(lambda tx: tx.put_setting("note", "the ministry knew it before us"))
    world.round()
    assert world.province.folders["r1"].detail["status"] == "forwarded"
    world.close()


def test_s27_a_restored_store_sends_nothing_of_the_gap_again(world: World) -> None:
    opened(world)
    world.rest()
    kept = backup(world.folder / "store.db", world.folder / "backup", world.clock.now())
    moved(world, "in_progress")
    world.rest()
    moved(world, "completed")
    world.rest()
    rows = list(world.national.rows)
    world.close()
    world.tick()
    restore(kept, world.folder / "store.db", world.clock.now(), actor="an officer")
    world.open()
    world.round()
    assert world.national.rows == rows
    for name in world.config.portals:
        world.engine.reconcile(name)
        world.engine.adopt(name, START.timestamp() - 3600, actor="an officer")
    world.rest()
    assert world.national.rows == rows
    listed = {member for row in world.deliveries("unproven") for member in row.members}
    assert len(listed) == 2
    moved(world, "returned")
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress", "completed", "returned"]
    assert world.national.shown[CODE]["status"] == "returned"


def test_the_three_classes_are_planned_from_what_the_rules_say(world: World) -> None:
    able = world.national.abilities.operations
    assert able["insert"].klass is DeliveryClass.SNAPSHOT
    assert able["progress"].probe is ProbeStrength.NONE
    assert world.store.read(lambda tx: tx.lanes([LaneKey("national", "none")])) == {}


def test_a_mistake_of_ours_in_one_lane_stops_no_other(world: World) -> None:
    opened(world)
    world.province.open("r2", at=world.tick(), code="H99-261102-00002", status="accepted")
    push = world.national.push

    def broken(delivery: Delivery) -> Outcome:
        if delivery.external_id == CODE:
            raise TypeError("a mistake")
        return push(delivery)

    world.national.push = broken  # type: ignore[method-assign]
    world.engine.pull("province")
    report = world.engine.deliver("national")
    assert report.counts["failed"] == 1
    assert world.rows("H99-261102-00002") == ["accepted"]
    assert "TypeError" in world.lane("national").reason
    world.national.push = push  # type: ignore[method-assign]
    world.rest()
    assert world.rows(CODE) == ["accepted"]
    assert [write for write in world.national.writes if write[0] == "insert"].count(("insert", CODE)) == 1


def test_a_superseded_request_releases_the_snapshot_that_waited_for_it(world: World) -> None:
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    world.tick()
    world.engine.pull("national")
    moved(world, "returned")
    world.tick(3)
    world.engine.pull("province")
    world.engine.deliver("national")
    world.engine.deliver("province")
    world.rest()
    assert world.national.shown[CODE]["status"] == "returned"


def test_a_request_heard_before_its_handler_has_spoken_waits_for_it(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted", agency="H99")
    world.rest()
    world.national.sweep = [CODE]
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"


def test_what_comes_back_while_a_declaration_is_uncertain_is_no_new_dossier(world: World) -> None:
    world.justice.faults = ["lost"]
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "completed"
    assert len(list(world.store.read(lambda tx: list(tx.iter_dossiers())))) == 1


def test_a_ministry_that_speaks_of_a_strange_dossier_is_set_aside_once(world: World) -> None:
    world.justice.states["H01-260101-00009"] = ("completed", "")
    for _ in range(3):
        world.round()
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert held.cause == "unplaced"
    assert world.store.read(lambda tx: tx.counts())["raw"] == 1


def test_a_cut_insert_whose_repeat_is_refused_is_looked_for_and_inserted(world: World) -> None:
    opened(world)
    world.national.faults = ["cut", "no"]
    world.rest()
    assert world.national.shown[CODE]["status"] == "accepted"
    assert world.rows(CODE) == ["accepted"]


def test_a_record_that_vanished_at_the_mirror_is_put_there_again(world: World) -> None:
    opened(world)
    world.rest()
    world.national.shown.clear()
    moved(world, "completed")
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    assert world.rows(CODE) == ["accepted", "completed"]


def test_a_pause_in_the_middle_of_a_lane_is_seen_before_the_next_call(world: World) -> None:
    opened(world)
    world.engine.pull("province")
    push = world.national.push

    def first(delivery: Delivery) -> Outcome:
        world.operator.pause("national", "an officer", "stop")
        return push(delivery)

    world.national.push = first  # type: ignore[method-assign]
    world.engine.deliver("national")
    assert world.national.writes == [("insert", CODE)]
    world.national.push = push  # type: ignore[method-assign]
    world.operator.resume("national", "an officer")
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]


def test_a_gap_event_that_a_person_says_did_not_arrive_is_sent(world: World) -> None:
    opened(world)
    world.rest()
    kept = backup(world.folder / "store.db", world.folder / "backup", world.clock.now())
    moved(world, "in_progress")
    world.tick(20)
    world.close()
    restore(kept, world.folder / "store.db", world.clock.now(), actor="an officer")
    world.open()
    world.round()
    for name in world.config.portals:
        world.engine.reconcile(name)
        world.engine.adopt(name, START.timestamp() - 3600, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted"]
    for row in world.deliveries("unproven"):
        assert row.id is not None
        world.operator.confirm(row.id, arrived=False, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress"]


def test_one_route_can_be_paused_alone(tmp_path: Path) -> None:
    raw = config()
    raw["routes"][0]["name"] = "copies to the national portal"
    world = World(tmp_path, raw)
    world.live()
    world.operator.pause("copies to the national portal", "an officer", "a rule is being mended")
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    assert not world.national.writes
    assert world.justice.pushes == [("declare", CODE)]
    world.operator.resume("copies to the national portal", "an officer")
    world.rest()
    assert world.rows(CODE) == ["in_progress"]
    world.close()


def test_a_quarantined_record_is_replayed_once_it_can_be_read(world: World) -> None:
    opened(world)
    world.rest()
    moved(world, "a word nobody knows")
    world.round()
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert held.id is not None
    assert b"a word nobody knows" in world.operator.raw_of(held.id)
    assert world.operator.replay(held.id, "an officer") == "still unreadable"
    assert len(world.store.read(lambda tx: tx.list_quarantine())) == 1
    for place in (world.province.folders["r1"].detail, world.province.folders["r1"].log[-1]):
        place["status"] = "completed"
    world.tick()
    assert world.operator.replay(held.id, "an officer") == "replayed"
    assert not world.store.read(lambda tx: tx.list_quarantine())
    world.rest()
    assert world.rows(CODE) == ["accepted", "completed"]


def test_s10_a_request_that_was_answered_stays_until_the_answer_is_heard(world: World) -> None:
    """Between the act and the next reading the older status overwrote the citizen's withdrawal once."""
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    moved(world, "in_progress")
    world.engine.pull("national")
    world.engine.pull("province")
    world.engine.deliver("province")
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"
    world.engine.deliver("national")
    assert world.national.shown[CODE]["status"] == "withdrawal_requested"
    world.tick()
    world.rest()
    assert world.national.shown[CODE]["status"] == "withdrawal_requested"


def test_s10_an_answer_that_is_never_heard_holds_nothing_back_for_long(world: World) -> None:
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    moved(world, "in_progress")
    world.engine.pull("national")
    world.engine.pull("province")
    world.engine.deliver("province")
    for seconds, shown in ((90, "withdrawal_requested"), (20, "in_progress")):
        world.tick(seconds)
        world.engine.deliver("national")
        assert world.national.shown[CODE]["status"] == shown
