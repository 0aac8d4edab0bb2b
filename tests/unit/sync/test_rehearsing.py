"""`route simulate`: what other rules would do, without writing anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config
from tests.unit.sync.test_interlinked import CODE, FORWARDED, TODAY, Joint, alone, forwarded, joint


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Joint]:
    made = Joint(tmp_path, alone())
    made.live()
    forwarded(made)
    fields = {"procedure": "1.000001", "received": "2026-10-01T01:00:00Z", "person": "000000000003"}
    made.province.open("r3", at=made.tick(), code="H99-261102-00003", status="accepted", **fields)
    made.rest()
    yield made
    made.close()


def test_the_rules_in_force_change_nothing_that_they_have_done(world: Joint) -> None:
    found = world.engine.rehearse("2026-09-01")
    assert (found.looked_at, found.dossiers) == (2, ())


def test_a_ministry_more_gains_the_dossiers_and_would_be_sent_them(world: Joint) -> None:
    before = world.store.read(lambda tx: tx.counts())
    found = world.engine.rehearse("2026-09-01", Config.model_validate(joint()))
    assert (found.gains, found.loses, found.sends) == ({"transport": 1}, {}, {"transport declare": 1})
    assert [(one.dossier_code, one.day) for one in found.dossiers] == [(CODE, "2026-11-02")]
    assert world.store.read(lambda tx: tx.counts()) == before
    assert world.others["transport"].pushes == []


def test_only_dossiers_of_the_day_and_later_are_judged(world: Joint) -> None:
    assert world.engine.rehearse("2026-10-02").looked_at == 1
    assert world.engine.rehearse(TODAY[:10]).looked_at == 1
    assert world.engine.rehearse("2026-11-03").looked_at == 0


def test_a_procedure_that_moves_leaves_what_is_open_where_it_is(world: Joint) -> None:
    raw = joint(groups={})
    moved = {key: value for key, value in raw["routes"][2].items() if key != "group"}
    raw["routes"] = [raw["routes"][0], {**moved, "when": FORWARDED}]
    found = world.engine.rehearse("2026-09-01", Config.model_validate(raw))
    assert found.sends == {}
    assert found.gains == {}
    assert found.loses == {"justice": 1}, "nothing leads there any more: keep the route with a last day"


def test_a_dossier_that_has_ended_would_not_be_handed_over(world: Joint) -> None:
    world.act("halted")
    world.rest()
    assert world.engine.rehearse("2026-09-01", Config.model_validate(joint())).sends == {}


def test_what_lies_before_a_portals_line_would_not_be_sent(world: Joint) -> None:
    world.operator.pause("transport", "an officer", "drawing the line anew")
    world.engine.adopt("transport", world.now() + 3600, actor="an officer")
    found = world.engine.rehearse("2026-09-01", Config.model_validate(joint()))
    assert (found.gains, found.sends) == ({}, {})


def test_a_mirror_taken_away_loses_every_dossier(world: Joint) -> None:
    raw = alone()
    raw["routes"] = raw["routes"][1:]
    assert world.engine.rehearse("2026-09-01", Config.model_validate(raw)).loses == {"national": 2}


def test_a_portal_that_is_not_live_yet_is_judged_as_if_adopted_on_that_day(tmp_path: Path) -> None:
    made = Joint(tmp_path, alone())
    forwarded(made)
    made.engine.pull("province")
    found = made.engine.rehearse("2026-11-02")
    assert found.gains == {"justice": 1, "national": 1}
    assert made.engine.rehearse("2026-11-02", made.config).dossiers == ()
    made.close()


def under(world: Joint, **changes: Any) -> None:
    """As after a start with other rules."""
    raw = joint()
    raw["portals"]["transport"] = {**raw["portals"]["transport"], **changes}
    world.config = Config.model_validate(raw)
    world.restart()


def test_changed_rules_are_applied_to_dossiers_at_rest(world: Joint) -> None:
    """They held for new ones only, though the rehearsal said that these would be sent."""
    under(world)
    world.rest()
    assert world.others["transport"].pushes == []
    done = world.operator.apply_rules("2026-09-01", "an officer")
    assert (done.due, done.braked) == ({"transport": 1}, ())
    world.rest()
    assert world.others["transport"].pushes == [("declare", CODE)]
    assert world.operator.apply_rules("2026-09-01", "an officer").due == {}
    acts = [leaf.canonical for _, leaf in world.store.read(lambda tx: tx.leaves()) if b"apply_rules" in leaf.canonical]
    assert len(acts) == 1
    assert b"an officer" in acts[0]


def test_changed_rules_that_want_too_much_stop_and_ask(world: Joint) -> None:
    fields = {"procedure": "2.000001", "received": TODAY, "person": "000000000004"}
    world.province.open("r4", at=world.tick(), code="H99-261102-00004", status="accepted", **fields)
    world.province.act("r4", "forwarded", at=world.tick(10))
    world.rest()
    under(world, max_writes_per_sweep=1)
    done = world.operator.apply_rules("2026-09-01", "an officer")
    assert (done.due, done.braked) == ({"transport": 2}, ("transport",))
    world.round()
    assert world.others["transport"].pushes == []
    world.operator.resume("transport", "an officer")
    for _ in range(3):
        world.round()
        world.tick(30)
    assert len(world.others["transport"].pushes) == 2
