"""Random interlinked lives: lost answers, restarts, pauses, ministries in any order; at rest all ends agree."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.sync.stages import Fact, at_of
from schemas.status import STAGE_DONE, STAGE_ENDS
from tests.integration.engine import evidence
from tests.unit.sync.test_interlinked import CODE, MINISTRIES, Joint, Province, forwarded, joint

FAULTS = ("lost", "cut", "busy")
WORDS = ("in_progress", "supplement_requested", "completed", "completed", "not_accepted")


def lived(world: Joint, rng: random.Random, steps: int) -> None:
    """A dossier is handed on; everything then happens in any order."""
    forwarded(world)
    for _ in range(steps):
        step = rng.choice(("say", "say", "fault", "round", "round", "restart", "pause", "resume", "supply"))
        name = rng.choice(MINISTRIES)
        if step == "say" and CODE in world.ministry(name).states:
            if world.ministry(name).states[CODE][0] not in STAGE_ENDS:
                world.said(name, rng.choice(WORDS), f"lời của {name}")
        elif step == "fault":
            rng.choice((world.province, world.national, world.ministry(name))).faults.append(rng.choice(FAULTS))
        elif step == "round":
            world.round()
            world.tick(rng.choice((1, 30, 150)))
        elif step == "restart":
            world.restart()
        elif step in ("pause", "resume"):
            world.tick()
            route = f"to {name}"
            world.operator.pause(route, "an officer", "a while") if step == "pause" else None
            world.operator.resume(route, "an officer") if step == "resume" else None
        elif step == "supply" and world.at_province() == "supplement_requested":
            world.act("forwarded", note="đã bổ sung")


def come_to_rest(world: Joint) -> None:
    """Faults end, brakes are let go, a person settles what only a person can, officers supply what is asked for."""
    for portal in (world.province, world.national, *map(world.ministry, MINISTRIES)):
        portal.faults.clear()
    for name in MINISTRIES:
        world.tick()
        world.operator.resume(f"to {name}", "an officer")
    for _ in range(6):
        world.rest(rounds=40, every_s=60)
        for row in world.deliveries("parked", "unproven"):
            assert row.id is not None
            world.operator.confirm(row.id, arrived=row.portal != "province", actor="an officer")
        if world.at_province() == "supplement_requested":
            world.act("forwarded", note="đã bổ sung")
    world.rest(rounds=40, every_s=60)


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    """Makes a live world; closed at the end."""
    made: list[Joint] = []

    def make(raw: dict[str, Any]) -> Joint:
        made.append(Joint(tmp_path, raw))
        made[-1].live()
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_all_ends_agree_at_last(province: Province, seed: int) -> None:
    world, rng = province(joint()), random.Random(seed)
    lived(world, rng, steps=40)
    come_to_rest(world)
    _agree(world)
    _facts_fit(world)
    evidence.check(world.store)
    calls = world.justice.pushes + world.others["transport"].pushes, len(world.national.writes)
    world.rest()
    assert (world.justice.pushes + world.others["transport"].pushes, len(world.national.writes)) == calls


def _agree(world: Joint) -> None:
    """Province and national portal show one status, and it is the one that the ministries' words call for."""
    status, offices = world.at_province(), [world.ministry(name) for name in MINISTRIES]
    words = [office.states[CODE][0] if CODE in office.states else "" for office in offices]
    shown = world.national.shown[CODE]["status"]
    assert shown == ("in_progress" if status == "forwarded" else status)
    if status == "forwarded":
        assert not all(word in STAGE_DONE for word in words), "all have ended well and nobody said so"
        assert "not_accepted" not in words, "a refusal nobody heard"
    if status == "completed":
        assert all(word in STAGE_DONE for word in words)
    acts = Counter(row["status"] for row in world.province.folders["r1"].log)
    assert max(acts["completed"], acts["not_accepted"]) <= 1


def _facts_fit(world: Joint) -> None:
    """Each ministry got the dossier once; its facts are what it said, and each has one receipt."""
    for name in MINISTRIES:
        if CODE not in world.ministry(name).states:
            assert world.at_province() == "not_accepted", "decided before this ministry was asked"
            continue
        stage = world.stage(name)
        word = world.ministry(name).states[CODE][0]
        assert [verb for verb, _ in world.ministry(name).pushes].count("declare") == 1
        assert (stage.completed_at is not None) == (word in STAGE_ENDS)
        assert stage.received_at is not None
        known = [at for fact in (Fact.RECEIVED, Fact.ACCEPTED, Fact.COMPLETED) if (at := at_of(stage, fact))]
        assert known
        rows = world.store.read(lambda tx, at=name: [r for r in tx.receipts_of("d0001") if r.portal == at])
        subjects = [(row.fact, orjson.loads(row.statement)["proof"]["of"]) for row in rows]
        assert len(subjects) == len(set(subjects))
        assert {fact for fact, _ in subjects} >= {"received"} | ({"completed"} if stage.completed_at else set())
