"""Two acts within a second are two events, also when one was never seen as the current act (S4)."""

from __future__ import annotations

from tests.unit.sync.world import World

CODE = "H99-261102-00001"


def test_an_act_of_the_same_status_a_second_later_is_told_by_its_log_row(world: World) -> None:
    """Worked on, handed to another agency a second later, finished while nobody looked."""
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.province.act("r1", "in_progress", at=world.tick(10))
    world.rest()
    world.province.act("r1", "forwarded", at=world.now() + 1)
    world.province.act("r1", "completed", at=world.tick(20))
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress", "in_progress", "completed"]


def test_a_log_row_in_the_acts_own_words_is_no_second_event(world: World) -> None:
    world.province.open("r1", at=world.tick(), code=CODE, status="accepted")
    world.province.act("r1", "forwarded", at=world.tick(10))
    world.rest()
    assert world.rows(CODE) == ["accepted", "in_progress"]
