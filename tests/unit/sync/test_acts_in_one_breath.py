"""Two acts within a second are two events, also when one was never seen as the current act (S4)."""

from __future__ import annotations

from gateway.sync.timeline import Entry, events
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


def entry(kind: str, number: int, wire: str, at: float) -> Entry:
    """An act or a log row; every word here is `in_progress` to us."""
    return {
        "id": f"province|r|{kind}:{number}",
        "portal": "province",
        "record": "r",
        "stage": "",
        "kind": kind,
        "status": "in_progress",
        "wire": wire,
        "at": at,
        "pos": number,
        "heard": 1.0,
    }


def test_rows_of_one_second_attach_in_the_portals_own_words_only() -> None:
    """Acts have whole seconds: both rows lie in the second of the one act that was seen."""
    seen = entry("act", 500, "in_progress", 100.0)
    rows = [entry("log", 900, "in_progress", 100.2), entry("log", 901, "forwarded", 100.7)]
    told = events([seen, *rows])
    assert [event.wire for event in told] == ["in_progress", "forwarded"]
    assert told[0].ids == {seen["id"], rows[0]["id"]}
