"""A command is judged by what its owner shows now, not by what we heard a while ago (S20)."""

from __future__ import annotations

from pathlib import Path

from tests.unit.sync.world import World

CODE = "H99-261102-00001"


def test_a_result_is_not_superseded_by_a_status_the_province_has_already_left(tmp_path: Path) -> None:
    """The papers came and the ministry decided before we had read the province again: its result was dropped."""
    world = World(tmp_path)
    world.live()
    world.province.open("r1", at=world.tick(), code=CODE, status="forwarded", procedure="2.000001")
    world.rest()
    world.justice.states[CODE] = ("supplement_requested", "")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "supplement_requested"
    world.province.act("r1", "forwarded", at=world.tick(10))
    world.justice.states[CODE] = ("completed", "")
    world.engine.pull("justice")
    world.engine.deliver("province")
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "completed"
    world.close()


def test_an_act_that_cannot_hear_its_owner_waits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.live()
    world.province.open("r1", at=world.tick(), code=CODE, status="forwarded", procedure="2.000001")
    world.rest()
    world.province.act("r1", "returned", at=world.tick(10))
    world.engine.pull("province")
    world.justice.states[CODE] = ("completed", "")
    world.engine.pull("justice")
    world.province.down = True
    report = world.engine.deliver("province")
    assert (report.counts["read_failed"], report.counts["superseded"]) == (1, 0)
    world.province.down = False
    world.rest()
    assert world.province.folders["r1"].detail["status"] == "returned"
    world.close()
