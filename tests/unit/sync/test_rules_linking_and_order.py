"""S1 to S9: whose dossier it is, what an event is, and in which order events count."""

from __future__ import annotations

import pytest

from gateway.store.rows import DossierRow, RecordRow
from gateway.sync import timeline
from gateway.sync.link import Candidates, Link, link
from gateway.sync.reading import Reading
from gateway.sync.timeline import Entry
from tests.unit.sync.world import World

CODE = "H99-261102-00001"
HANDLERS = {"": "province"}


def reading(external_id: str = "x1", **changes: object) -> Reading:
    """A reading of the national portal."""
    values: dict[str, object] = {
        "portal": "national",
        "external_id": external_id,
        "read_at": 1.0,
        "facts": {},
        "state": None,
        "log": (),
        "digest": "d",
        "list_digest": "",
        "national_code": "",
        "dossier_code": "",
        "reference": "",
        "procedure_code": "1.000001",
        "agency_code": "H99",
        "applicant": "",
        "unknown": (),
        "removed": False,
        "allowed": None,
    }
    return Reading(**{**values, **changes})  # type: ignore[arg-type]


def candidates(**changes: object) -> Candidates:
    """No candidates but those given."""
    values: dict[str, object] = {"record": None, "by_reference": (), "by_number": (), "by_code": (), "others": {}}
    return Candidates(**{**values, **changes})  # type: ignore[arg-type]


def dossier(dossier_id: str = "d1", **changes: object) -> DossierRow:
    """A dossier with a code and an applicant."""
    row = DossierRow(dossier_id, dossier_code=CODE, procedure_code="1.000001", agency_code="H99", applicant_hash="a")
    for name, value in changes.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize(
    ("seen", "held", "hashed", "expected"),
    [
        (reading(), candidates(by_reference=(RecordRow("p", "x1", "d1"),)), "", (Link.KNOWN, ("d1",))),
        (reading(national_code=CODE), candidates(by_number=(dossier(),)), "", (Link.KNOWN, ("d1",))),
        (reading(dossier_code=CODE), candidates(by_code=(dossier(),)), "a", (Link.KNOWN, ("d1",))),
        (reading(dossier_code=CODE), candidates(by_code=(dossier(),)), "other", (Link.NEW, ())),
        (reading(dossier_code=CODE), candidates(by_code=(dossier(),)), "", (Link.NEW, ())),
        (reading(dossier_code=CODE), candidates(by_code=(dossier(procedure_code="9.000009"),)), "a", (Link.NEW, ())),
        (reading(dossier_code=CODE), candidates(by_code=(dossier(agency_code="H98"),)), "a", (Link.NEW, ())),
        (reading(), candidates(), "a", (Link.NEW, ())),
        (
            reading(national_code=CODE, dossier_code=CODE),
            candidates(by_number=(dossier("d1"),), by_code=(dossier("d2"),)),
            "a",
            (Link.DOUBT, ("d1", "d2")),
        ),
        (
            reading(national_code=CODE),
            candidates(by_number=(dossier(),), others={"d1": ("x0",)}),
            "",
            (Link.DOUBT, ("d1",)),
        ),
        (reading(), candidates(record=RecordRow("national", "x1", "d1")), "", (Link.KNOWN, ("d1",))),
        (
            reading(national_code=CODE),
            candidates(record=RecordRow("national", "x1", "d1"), by_number=(dossier("d2"),)),
            "",
            (Link.DOUBT, ("d1", "d2")),
        ),
    ],
)
def test_s01_a_record_links_by_identifiers_only(
    seen: Reading, held: Candidates, hashed: str, expected: tuple[Link, tuple[str, ...]]
) -> None:
    linked = link(seen, held, hashed)
    assert (linked.link, linked.dossier_ids) == expected


def test_s01_the_number_first_accepted_is_the_national_number_for_life(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    world.province.folders["r1"].detail["code"] = "H99-261102-00777"
    world.province.act("r1", "in_progress", at=world.tick(5))
    world.rest()
    row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    assert row.national_code == CODE
    assert list(world.national.shown) == [CODE]
    assert {row["code"] for row in world.national.rows} == {CODE}


def test_s01_without_a_number_the_lane_waits_and_invents_nothing(world: World) -> None:
    world.province.open("r1", at=world.tick())
    world.rest()
    assert not world.national.writes
    assert "number" in world.lane("national").reason


def test_s02_a_second_live_record_is_quarantined_and_the_lanes_in_doubt_send_nothing(world: World) -> None:
    """An officer re-entered a citizen's dossier."""
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted", agency="H99")
    world.rest()
    sent = list(world.national.writes)
    world.province.open("r2", at=world.tick(), code=CODE, status="in_progress", agency="H99")
    world.round()
    (held,) = world.store.read(lambda tx: tx.list_quarantine())
    assert (held.cause, held.external_id) == ("doubt", "r2")
    assert "d0001" in held.reason
    world.province.act("r1", "completed", at=world.tick(5))
    world.round()
    world.round()
    assert world.national.writes == sent
    assert "doubt" in world.lane("national").reason
    world.operator.unlink("province", "r2", actor="an officer")
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    (parked,) = world.deliveries("parked")
    assert parked.dossier_id != "d0001"
    assert "not unique" in parked.reason


def test_s03_unlink_forgets_nothing_and_link_brings_it_back(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.province.act("r1", "in_progress", at=world.tick(5))
    world.rest()
    before = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    rows = list(world.national.rows)
    world.operator.unlink("province", "r1", actor="an officer")
    assert not world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"].timeline
    world.operator.link("province", "r1", "d0001", actor="an officer")
    world.rest()
    after = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    assert {entry["id"] for entry in after.timeline} == {entry["id"] for entry in before.timeline}
    assert world.national.rows == rows


def test_s04_acts_between_two_sweeps_are_heard_from_the_log(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE)
    for status in ("accepted", "in_progress", "supplement_requested", "in_progress", "completed"):
        world.province.act("r1", status, at=world.tick(10))
    world.rest()
    assert world.rows(CODE) == [
        "submitted",
        "accepted",
        "in_progress",
        "supplement_requested",
        "in_progress",
        "completed",
    ]


def test_s04_a_rollback_is_an_event_though_its_act_was_seen_before(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    old = dict(world.province.folders["r1"].detail)
    world.province.act("r1", "completed", at=world.tick(10), logged=False)
    world.rest()
    world.province.folders["r1"].detail.update(old)
    world.rest()
    assert world.rows(CODE) == ["accepted", "completed", "accepted"]
    assert world.national.shown[CODE]["status"] == "accepted"


def test_s04_a_log_row_of_a_known_act_is_not_a_second_event(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.province.act("r1", "in_progress", at=world.tick(10))
    world.rest()
    world.province.act("r1", "completed", at=world.tick(10))
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress", "completed"]


def test_s04_a_log_row_without_a_status_is_a_note(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    row = {"id": "900", "at": world.province.folders["r1"].detail["at"], "note": "đã gọi điện", "officer": "CÁN BỘ 02"}
    world.province.folders["r1"].log.append(row)
    world.rest()
    assert world.rows(CODE) == ["accepted"]


def test_s05_a_correction_mends_the_snapshot_and_sends_no_row_again(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    world.province.folders["r1"].log.clear()
    world.province.folders["r1"].detail["status"] = "halted"
    world.tick()
    report = world.engine.pull("province")
    assert report.decisions["correction"] == 1
    world.rest()
    assert world.national.shown[CODE]["status"] == "halted"
    assert world.rows(CODE) == ["accepted"]


def entry(number: int, status: str, at: float, portal: str = "province", **more: object) -> Entry:
    """An act of the province, or a request of the national portal."""
    return {
        "id": f"{portal}|r|act:{number}:1",
        "portal": portal,
        "record": "r",
        "stage": "",
        "kind": "act",
        "status": status,
        "wire": status,
        "at": at,
        "pos": number,
        "heard": 1.0,
        **more,
    }  # type: ignore[return-value]


def test_s06_a_fast_clock_elsewhere_changes_no_status() -> None:
    """A withdrawal timed a year ahead by the national portal is a request, never the status."""
    acts = [entry(1, "accepted", 100.0), entry(2, "returned", 200.0)]
    asked = entry(1, "withdrawal_requested", 1e9, portal="national")
    now = timeline.current([*acts, asked], HANDLERS)
    assert now is not None
    assert now.status == "returned"


def test_s06_before_the_handler_has_spoken_the_submitter_handles() -> None:
    asked = entry(1, "submitted", 50.0, portal="national")
    now = timeline.current([asked], HANDLERS)
    assert now is not None
    assert now.portal == "national"
    later = timeline.current([asked, entry(1, "accepted", 10.0)], HANDLERS)
    assert later is not None
    assert later.portal == "province"


def test_s06_a_request_becomes_a_command_to_the_handler(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    world.national.sweep = [CODE]
    world.rest()
    world.national.shown[CODE]["status"] = "withdrawal_requested"
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "withdrawal_requested"
    assert world.rows(CODE) == ["accepted", "withdrawal_requested"]


def test_s07_going_back_is_adopted_and_from_the_end_it_is_flagged(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="returned")
    world.rest()
    world.province.act("r1", "in_progress", at=world.tick(10))
    world.rest()
    row = world.store.read(lambda tx: tx.dossiers(["d0001"]))["d0001"]
    assert (row.status, row.flags) == ("in_progress", ("reopened",))
    assert world.national.shown[CODE]["status"] == "in_progress"


def test_s07_two_statuses_of_one_owner_at_one_moment_are_a_conflict() -> None:
    same = [
        entry(0, "accepted", 100.0, kind="time", id="province|r|time:accepted:100"),
        entry(0, "halted", 100.0, kind="time", id="province|r|time:halted:100"),
    ]
    assert timeline.contradiction(same, HANDLERS)
    assert not timeline.contradiction([entry(1, "accepted", 100.0), entry(2, "halted", 100.0)], HANDLERS)


def test_s08_a_reading_begun_before_the_last_stored_one_is_dropped(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    old = world.province.record("r1")
    world.tick(5)
    world.province.act("r1", "completed", at=world.now())
    world.rest()
    puller = world.engine._pullers["province"]
    stored = puller._store([puller.arrival(old)], None, None)
    assert stored.stale == 1
    world.rest()
    assert world.national.shown[CODE]["status"] == "completed"
    assert world.rows(CODE) == ["accepted", "completed"]


def test_s08_a_reading_older_than_the_last_attempt_is_no_drift(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    old = world.national.record(CODE)
    world.province.act("r1", "completed", at=world.tick(5))
    world.rest()
    sent = list(world.national.writes)
    puller = world.engine._pullers["national"]
    puller._store([puller.arrival(old)], None, None)
    world.rest()
    assert world.national.writes == sent


def test_s09_nothing_is_sent_back_to_the_origin(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.rest()
    assert [row["id"] for row in world.province.folders["r1"].log] == ["101"]


def test_s09_what_we_put_there_ourselves_is_neither_drift_nor_a_request(world: World) -> None:
    """The province withdraws a dossier, reopens it, and the national portal still shows our own older word."""
    world.province.open("r1", at=world.tick(), code=CODE, status="withdrawal_requested")
    world.national.sweep = [CODE]
    world.engine.pull("province")
    world.engine.deliver("national")
    world.province.act("r1", "in_progress", at=world.tick(10))
    world.tick()
    assert not world.engine.pull("national").decisions["drift"]
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "in_progress"
    assert world.national.shown[CODE]["status"] == "in_progress"
    assert [write[0] for write in world.national.writes if write[0] != "progress"] == ["insert", "update"]


def test_s02_a_person_may_vouch_for_a_record_that_was_never_ours(world: World) -> None:
    world.national.shown[CODE] = {"code": CODE, "status": "accepted"}
    world.config = world.config.model_copy(
        update={"portals": {n: p.model_copy(update={"adopt": "never"}) for n, p in world.config.portals.items()}}
    )
    world.restart()
    world.province.open("r1", at=world.tick(), code=CODE, status="in_progress")
    world.rest()
    (parked,) = world.deliveries("parked")
    assert parked.id is not None
    assert world.national.shown[CODE]["status"] == "accepted"
    world.operator.confirm(parked.id, arrived=True, actor="an officer")
    world.rest()
    assert world.national.shown[CODE]["status"] == "in_progress"
