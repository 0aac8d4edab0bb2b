"""What went wrong once, told as stories: each names the rule that was broken, and stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Delivery, EventIdentity, Outcome, OutcomeKind, RawRecord
from gateway.store.backup import backup
from gateway.store.base import Tx
from gateway.store.restore import restore
from gateway.store.rows import LaneKey, QuarantineRow, RecordRow
from gateway.sync import outcomes
from gateway.sync.lane import Lane
from gateway.sync.operate import NotFoundError
from tests.unit.sync.world import START, World, config

CODE, OTHER = "H99-261102-00001", "H99-261102-00002"
LINE = START.timestamp() - 3600


def opened(world: World, status: str = "accepted", **fields: str) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status=status, **fields)


def moved(world: World, status: str, **more: str) -> None:
    world.province.act("r1", status, at=world.tick(10), **more)


def restored(world: World, kept: Path) -> None:
    """The store is lost; a backup takes its place, is compared, and sends again."""
    world.close()
    world.tick()
    restore(kept, world.folder / "store.db", world.clock.now(), actor="an officer")
    world.open()
    world.engine.pull("province")
    for name in world.config.portals:
        world.engine.reconcile(name)
        world.engine.adopt(name, LINE, actor="an officer")


def saved(world: World) -> Path:
    kept = backup(world.folder / "store.db", world.folder / f"kept{world.now():.0f}", world.clock.now())
    world.tick()
    return kept


def damaged(world: World, dossier_id: str) -> bytes:
    """The sealed part of a dossier is spoilt; gives what it was."""

    def spoil(tx: Tx) -> bytes:
        row = tx.dossiers([dossier_id])[dossier_id]
        was, row.sealed = row.sealed, row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        tx.put_dossiers([row])
        return was

    return world.store.write(spoil)


def test_s04_and_s26_a_rollback_heard_after_the_adopt_line_is_news_though_its_act_is_old(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.province.open("r1", at=START.timestamp() - 90_000, code=CODE, status="accepted")
    old = dict(world.province.folders["r1"].detail)
    world.province.act("r1", "completed", at=START.timestamp() - 80_000)
    world.engine.pull("province")
    world.live(START.timestamp() - 10)
    world.rest()
    assert not world.national.writes, "everything is older than the line"
    world.province.folders["r1"].detail.update(old)
    world.rest()
    assert world.national.shown[CODE]["status"] == "accepted"
    assert world.rows(CODE) == ["accepted"]
    world.close()


def test_s04_going_back_to_an_act_that_was_never_seen_current_is_heard_too(world: World) -> None:
    """Two acts between two sweeps, then the officer takes the later one back and the log says nothing."""
    opened(world)
    moved(world, "in_progress")
    between = dict(world.province.folders["r1"].detail)
    moved(world, "completed")
    world.rest()
    world.province.folders["r1"].detail.update(between)
    world.rest()
    assert world.national.shown[CODE]["status"] == "in_progress"
    assert world.rows(CODE) == ["accepted", "in_progress", "completed", "in_progress"]


def test_s04_an_act_entered_late_with_an_older_time_is_no_going_back(world: World) -> None:
    opened(world)
    moved(world, "completed")
    world.rest()
    world.province.act("r1", "in_progress", at=START.timestamp() - 60)
    world.rest()
    row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    assert [entry["nth"] for entry in row.timeline if entry["kind"] == "act"] == [1, 1]


def in_conflict(world: World) -> None:
    """A handler without ids of its own says two things of one moment."""
    world.province.abilities = replace(world.province.abilities, identity=EventIdentity.TIME)
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.province.folders["r1"].log.clear()
    world.rest()
    world.province.folders["r1"].detail["status"] = "halted"
    for _ in range(3):
        world.round()


def test_s07_a_conflict_is_kept_shown_and_held_until_the_owner_speaks_again(world: World) -> None:
    in_conflict(world)
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert (held.cause, held.owner) == ("conflict", "province")
    assert "accepted, halted" in held.reason
    assert "replay" in held.next_step
    lane = world.lane("national")
    assert (lane.state, "two statuses" in lane.reason) == ("parked", True)
    assert [write[0] for write in world.national.writes if write[0] != "progress"] == ["insert"]
    assert sorted(world.rows(CODE)) == ["accepted", "halted"], "both are true, and both are told"
    world.province.act("r1", "completed", at=world.tick(10), logged=False)
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    assert not world.store.read(lambda tx: tx.list_quarantine())


def test_s07_a_person_who_has_looked_ends_a_conflict(world: World) -> None:
    in_conflict(world)
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert held.id is not None
    assert world.operator.replay(held.id, "an officer") == "replayed"
    world.rest()
    row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    assert row.flags == ()
    assert world.national.shown[CODE]["status"] == row.status
    assert not world.store.read(lambda tx: tx.list_quarantine())


def test_s11_a_key_copied_into_another_act_is_that_officers_own_event(world: World) -> None:
    """He quotes our note, key and all; the command was settled by the act that carried it first."""
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    ours = world.province.folders["r1"].detail["note"]
    assert "[lt:" in ours
    moved(world, "forwarded", note=ours)
    world.rest()
    assert world.justice.pushes == [("declare", CODE), ("amend", CODE)], "his own forwarding goes to the ministry"
    assert [row.state for row in world.deliveries() if row.portal == "province"] == ["delivered"]
    assert world.rows(CODE) == ["in_progress", "completed", "in_progress"]


def test_s20_no_guard_is_read_in_a_maintenance_window_and_the_command_waits(tmp_path: Path) -> None:
    raw = config()
    raw["portals"]["province"]["maintenance"] = [{"starts": "09:00", "ends": "10:00"}]
    world = World(tmp_path, raw)
    world.live()
    opened(world, "forwarded", procedure="2.000001")
    world.engine.pull("province")
    world.tick(3600)
    reads = world.province.reads
    world.engine.deliver("justice")
    assert world.province.reads == reads, "the handler rests"
    assert not world.justice.pushes
    assert not [row for row in world.deliveries() if row.portal == "justice"], "no attempt was noted"
    assert world.lane("justice").due_at is not None
    world.tick(3600)
    world.engine.deliver("justice")
    assert world.justice.pushes == [("declare", CODE)]
    world.close()


def test_s24_a_late_yes_after_a_person_freed_the_row_keeps_it_from_being_sent_again(world: World) -> None:
    opened(world)
    world.national.faults = ["", "lost"]
    world.rest()
    (unproven,) = world.deliveries("unproven")
    assert unproven.id is not None
    world.operator.confirm(unproven.id, arrived=False, actor="an officer")
    portal, yes = world.shop.portals["national"], Outcome(OutcomeKind.DELIVERED, "late")
    world.store.write(
        lambda tx: outcomes.record(tx, world.shop, portal, unproven.key, yes, attempt=1, first_unknown=True)
    )
    world.rest()
    assert world.rows(CODE) == ["accepted"]


def test_s24_an_answer_that_came_while_the_call_was_taken_over_is_not_undone(world: World) -> None:
    """The next worker saw the call begun, the first one's yes was stored, then the next wrote "unknown" over it."""
    opened(world)
    world.engine.pull("province")
    push, write = world.national.push, world.store.write
    answered: list[Outcome] = []

    def frozen(delivery: object) -> Outcome:
        answered.append(push(delivery))  # type: ignore[arg-type]
        raise SystemExit

    world.national.push = frozen  # type: ignore[method-assign]
    try:
        world.engine.deliver("national")
    except SystemExit:
        world.national.push = push  # type: ignore[method-assign]
    (begun,) = world.deliveries("begun")
    world.tick(41)
    writes: list[int] = []

    def yes_in_between(work: object) -> object:
        writes.append(1)
        if len(writes) == 2:
            portal = world.shop.portals["national"]
            write(
                lambda tx: outcomes.record(
                    tx, world.shop, portal, begun.key, answered[0], attempt=1, first_unknown=False
                )
            )
        return write(work)  # type: ignore[arg-type]

    world.store.write = yes_in_between  # type: ignore[method-assign, assignment]
    world.engine.deliver("national")
    world.store.write = write  # type: ignore[method-assign]
    assert not world.open_deliveries()
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE)]


def test_s08_an_answer_that_came_during_a_look_knows_better_than_the_look(world: World) -> None:
    """The look began before our call had landed; its "absent" is older than the yes stored meanwhile."""
    opened(world)
    world.engine.pull("province")
    fetch, told = world.national.fetch, []
    push = world.national.push

    def meanwhile(external_id: str) -> RawRecord | None:
        found = fetch(external_id)
        world.tick(5)

        def answered(tx: Tx) -> None:
            row = tx.lanes([LaneKey("national", "d0001")])[LaneKey("national", "d0001")]
            Lane(row).show("known", {"state.status": "another"}, ours=True)
            Lane(row).last_ended = world.now()
            tx.put_lanes([row])

        world.store.write(answered)
        return found

    def listening(delivery: Delivery) -> Outcome:
        told.append(delivery.operation)
        return push(delivery)

    world.national.fetch, world.national.push = meanwhile, listening  # type: ignore[method-assign]
    world.engine.deliver("national")
    assert told[0] == "update", "it is there already"


def test_t1_a_record_whose_dossier_cannot_be_opened_is_set_aside_and_the_page_goes_on(world: World) -> None:
    opened(world)
    world.province.open("r2", at=world.tick(), code=OTHER, status="accepted")
    world.rest()
    was = damaged(world, "d0001")
    moved(world, "completed")
    world.province.act("r2", "completed", at=world.tick(5))
    world.tick()
    world.engine.pull("province")
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert (held.cause, held.external_id) == ("sealed", "r1")
    world.engine.deliver("national")
    assert world.national.shown[OTHER]["status"] == "completed"

    def mend(tx: Tx) -> None:
        row = tx.dossiers(["d0001"])["d0001"]
        row.sealed = was
        tx.put_dossiers([row])

    world.store.write(mend)
    assert held.id is not None
    assert world.operator.replay(held.id, "an officer") == "replayed"
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"


def test_t2_a_lane_whose_dossier_cannot_be_opened_is_shown_and_the_others_go_on(world: World) -> None:
    opened(world)
    world.province.open("r2", at=world.tick(), code=OTHER, status="accepted")
    world.engine.pull("province")
    damaged(world, "d0001")
    report = world.engine.deliver("national")
    assert report.counts["failed"] == 1
    assert "cannot be opened" in world.lane("national").reason
    assert world.lane("national").due_at is not None
    assert world.rows(OTHER) == ["accepted"]


def test_t2_frozen_bytes_that_cannot_be_opened_are_no_attempt(world: World) -> None:
    opened(world)
    world.national.faults = ["cut"]
    world.engine.pull("province")
    world.engine.deliver("national")
    (unknown,) = world.deliveries("unknown")

    def spoil(tx: Tx) -> None:
        unknown.sealed_body = unknown.sealed_body[:-1] + bytes([unknown.sealed_body[-1] ^ 1])
        tx.put_delivery(unknown)

    world.store.write(spoil)
    for _ in range(3):
        world.tick(70)
        world.engine.deliver("national")
    (still,) = world.deliveries("unknown")
    assert len(still.attempts) == 1, "what was never sent is not noted as sent"
    assert "cannot be opened" in world.lane("national").reason


def test_s02_a_lane_made_after_the_doubt_sends_nothing_either(world: World) -> None:
    opened(world, procedure="2.000001")
    world.rest()
    world.province.open("r2", at=world.tick(), code=CODE, status="accepted", procedure="2.000001")
    world.tick(2)
    world.engine.pull("province")
    assert [row.cause for row in world.store.read(lambda tx: tx.list_quarantine())] == ["doubt"]
    moved(world, "forwarded")
    world.round()
    world.round()
    assert world.lane("justice").dossier_id == "d0001"
    assert not world.justice.pushes
    assert "doubt" in world.lane("justice").reason
    del world.province.folders["r2"]
    world.operator.unlink("province", "r2", actor="an officer")
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]


def test_i7_a_harmless_call_that_is_never_answered_is_not_repeated_for_ever(tmp_path: Path) -> None:
    raw = config()
    raw["portals"]["national"]["retry"]["unanswered"] = 6
    world = World(tmp_path, raw)
    world.live()
    opened(world)
    world.national.faults = ["cut"] * 50
    world.rest(rounds=40, every_s=60)
    (parked,) = world.deliveries("parked")
    assert (len(parked.attempts), parked.reason) == (6, "sent 6 times and never answered")
    assert "person" in world.lane("national").reason
    world.national.faults.clear()
    assert parked.id is not None
    world.operator.retry(parked.id, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted"]
    world.close()


def test_s26_a_watched_portal_can_be_tried_with_a_line_before_one_is_drawn(tmp_path: Path) -> None:
    """What `adopt --dry-run` and `sync --dry-run --from` name is what is sent once the line is drawn, and no more."""
    world = World(tmp_path)
    world.province.open("r2", at=START.timestamp() - 90_000, code=OTHER, status="accepted")
    opened(world)
    moved(world, "in_progress")
    world.round()
    assert world.engine.preview() == []
    line = START.timestamp() - 10
    tried = world.engine.preview(["national"], line=line)
    assert [(write.dossier_code, write.operation, write.members) for write in tried] == [
        (CODE, "insert", 1),
        (CODE, "progress", 2),
    ]
    assert "state.status" in tried[0].fields
    report = world.engine.adopt("national", line, actor="an officer", dry_run=True)
    assert report.writes == tuple(tried)
    assert world.national.writes == []
    assert world.store.read(lambda tx: tx.portal("national")).mode == "watch"
    world.live(line)
    assert world.engine.preview(["national"], line=0.0) == tried, "a live portal keeps its own line"
    world.rest()
    assert world.national.writes == [("insert", CODE), ("progress", CODE), ("progress", CODE)]
    world.close()


def doubted(world: World) -> None:
    """An officer has entered a dossier for the second time."""
    opened(world)
    world.rest()
    world.province.open("r2", at=world.tick(), code=CODE, status="accepted")
    world.tick(2)
    world.engine.pull("province")


def test_s02_a_person_cannot_link_a_second_live_record_of_a_portal(world: World) -> None:
    doubted(world)
    with pytest.raises(NotFoundError, match="unlink that first"):
        world.operator.link("province", "r2", "d0001", actor="an officer")
    assert [row.cause for row in world.store.read(lambda tx: tx.list_quarantine())] == ["doubt"]
    world.operator.unlink("province", "r1", actor="an officer")
    world.operator.link("province", "r2", "d0001", actor="an officer")
    assert world.store.read(lambda tx: tx.records("province", ["r2"]))["r2"].dossier_id == "d0001"


def test_s02_a_persons_word_ends_the_doubt_of_every_dossier_it_was_about(world: World) -> None:
    """Its identifiers named two dossiers; the person says it is of the second, and both may send again."""
    opened(world)
    world.province.open("r2", at=world.tick(), code=OTHER, status="accepted", national=OTHER)
    world.rest()
    world.national.shown["x9"] = {"code": CODE, "status": "accepted"}
    world.store.write(lambda tx: tx.put_records([_claims_both(tx)]))
    world.operator.link("national", "x9", "d0002", actor="an officer")
    rows = world.store.read(lambda tx: tx.dossiers(["d0001", "d0002"]))
    assert [row.flags for row in rows.values()] == [(), ()]


def _claims_both(tx: Tx) -> RecordRow:
    """A record in doubt between two dossiers, as storing its page leaves it."""
    rows = tx.dossiers(["d0001", "d0002"]).values()
    for row in rows:
        row.flags = (*row.flags, "doubt:national/x9")
    tx.put_dossiers(list(rows))
    for record in tx.records("national", [CODE, OTHER]).values():
        record.removed = True
        tx.put_records([record])
    return RecordRow("national", "x9", counts={"doubt": ["d0001", "d0002"]})


def test_s02_a_doubt_is_closed_however_many_others_are_open(world: World) -> None:
    doubted(world)
    others = [QuarantineRow("province", f"z{number}", "doubt", "another", None, 1.0) for number in range(1_005)]

    def many(tx: Tx) -> None:
        (first,) = tx.list_quarantine()
        assert first.id is not None
        tx.close_quarantine(first.id, "dropped")
        for row in others:
            tx.put_quarantine(row)
        first.id, first.state = None, "open"
        tx.put_quarantine(first)

    world.store.write(many)
    del world.province.folders["r2"]
    world.operator.unlink("province", "r2", actor="an officer")
    assert not world.store.read(lambda tx: tx.quarantine_of("province", "r2"))


def test_s27_after_a_restore_an_act_is_recalled_by_the_lost_key_and_not_done_again(world: World) -> None:
    """The ministry's result was entered in the gap, then an officer forwarded the dossier once more."""
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    kept = saved(world)
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    moved(world, "forwarded")
    restored(world, kept)
    world.tick()
    world.engine.pull("justice")
    world.engine.deliver("province")
    told = [row.reason for row in world.deliveries() if row.portal == "province"]
    assert [row["status"] for row in world.province.folders["r1"].log].count("completed") == 1, told


def test_s27_the_key_of_every_lost_epoch_is_asked_for(world: World) -> None:
    """The same backup is restored twice; what the first life sent carries the first epoch's key."""
    opened(world, "forwarded", procedure="2.000001")
    world.rest()
    kept = saved(world)
    world.justice.states[CODE] = ("completed", "")
    world.rest()
    moved(world, "forwarded")
    for _ in range(2):
        restored(world, kept)
    world.tick()
    world.engine.pull("justice")
    world.engine.deliver("province")
    assert [row["status"] for row in world.province.folders["r1"].log].count("completed") == 1


def test_s27_each_row_of_the_gap_is_listed_by_itself_so_that_a_person_can_answer(world: World) -> None:
    """One had been sent before the store was lost, one had not even been heard."""
    opened(world)
    world.rest()
    kept = saved(world)
    moved(world, "in_progress")
    world.rest()
    moved(world, "completed")
    restored(world, kept)
    world.engine.deliver("national")
    listed = world.deliveries("unproven")
    assert [len(row.members) for row in listed] == [1, 1]
    for row in listed:
        assert row.id is not None
        sent = row.members[0].endswith(":102:1") or row.members[0].endswith("log:102")
        world.operator.confirm(row.id, arrived=sent, actor="an officer")
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress", "completed"]


def test_s10_an_unproven_answer_still_protects_the_citizens_wish(world: World) -> None:
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    world.province.faults = ["cut"]
    world.tick()
    world.engine.pull("national")
    world.engine.deliver("province")
    world.province.folders["r1"].log.append({"id": "900", "at": world.province.folders["r1"].detail["at"], "note": "x"})
    for _ in range(20):
        world.tick(60)
        world.round()
    (unproven,) = world.deliveries("unproven")
    assert unproven.portal == "province"
    assert world.national.shown[CODE]["status"] == "withdrawal_requested", "nobody has answered the citizen yet"
    assert unproven.id is not None
    world.operator.confirm(unproven.id, arrived=False, actor="an officer")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"


def test_s10_the_repeat_of_an_uncertain_update_waits_for_the_answer_to_a_wish(world: World) -> None:
    opened(world)
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    moved(world, "in_progress")
    world.national.faults = ["cut"]
    world.engine.pull("province")
    world.engine.deliver("national")
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    world.tick(2)
    world.engine.pull("national")
    world.tick(30)
    world.engine.deliver("national")
    assert world.national.shown[CODE]["status"] == "withdrawal_requested"
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"
    assert not world.open_deliveries()


def test_s16_no_amendment_goes_out_before_somebody_knows_of_the_declaration(world: World) -> None:
    kept = saved(world)
    opened(world, "forwarded", procedure="2.000001")
    restored(world, kept)
    world.engine.deliver("justice")
    (unproven,) = world.deliveries("unproven")
    moved(world, "forwarded")
    world.rest()
    assert not world.justice.pushes
    assert "declaration" in world.lane("justice").reason
    assert unproven.id is not None
    world.operator.confirm(unproven.id, arrived=False, actor="an officer")
    world.rest()
    assert world.justice.pushes == [("declare", CODE)]


def test_i8_attempts_that_did_not_work_stay_with_a_command_that_ends_superseded(world: World) -> None:
    opened(world, "forwarded", procedure="2.000001")
    world.justice.faults = ["busy"]
    world.engine.pull("province")
    world.engine.deliver("justice")
    moved(world, "in_progress")
    moved(world, "forwarded")
    world.rest()
    (ended,) = [row for row in world.deliveries("superseded") if row.portal == "justice"]
    assert [attempt["outcome"] for attempt in ended.attempts] == ["retry"]
