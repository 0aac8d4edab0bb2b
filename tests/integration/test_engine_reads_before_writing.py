"""Reads that come before a write, at portals that fail: they count and wait, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

from tests.unit.sync.world import World

CODE = "H99-261102-00001"


def test_a_failed_look_before_the_first_snapshot_waits_and_is_made_again(tmp_path: Path) -> None:
    """The count of tries was keyed by an enum, which no store could write: the whole run of deliveries ended."""
    world = World(tmp_path)
    world.live()
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.national.down = True
    world.engine.pull("province")
    assert world.engine.deliver("national").counts["read_failed"] == 1
    assert "try 2 after a failure" in world.lane("national").reason
    world.national.down = False
    world.rest()
    assert world.national.shown[CODE]["status"] == "accepted"
    world.close()
