"""The demo's world is drawn from its seed, and its stage is as hard as it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from adapters.registry import simulator
from adapters.simulation.faults import FAULT_KINDS
from gateway.config_file import load
from gateway.demo.catalogue import JUSTICE, TRANSPORT
from gateway.demo.outcome import Kill, Outcome
from gateway.demo.page import page, picture
from gateway.demo.stage import LADDER, OUTAGE_STEPS, Stage, outage_s
from gateway.demo.world import lives


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    assert lives(50, 7) == lives(50, 7)
    assert lives(50, 7) != lives(50, 8)


def test_each_ministry_takes_a_stage_of_fifteen_in_a_hundred() -> None:
    found = Counter(life.procedure.ministry for life in lives(1000, 1))
    assert abs(found[TRANSPORT] - 150) <= 5
    assert abs(found[JUSTICE] - 150) <= 5


def test_lives_are_of_all_sorts() -> None:
    verbs = {verb for life in lives(1000, 1) for verb, _ in life.acts}
    assert {"accept", "deny", "rollback", "goto", "amend", "request_supplement", "ministry_refuse", "cancel"} <= verbs
    acts = [sum(not verb.startswith("wait_") for verb, _ in life.acts) for life in lives(1000, 1)]
    assert min(acts) >= 1
    assert max(acts) <= 8


def test_nobody_in_it_exists() -> None:
    for life in lives(1000, 1):
        person = life.birth["person"]
        assert person["applicantName"].startswith("CÔNG DÂN THỬ NGHIỆM")
        assert person["applicantIdNo"].endswith("000000")
        assert len(person["applicantIdNo"]) == 12
        assert person["contactEmail"].endswith("@example.invalid")


def test_the_generated_configuration_is_one_a_gateway_takes(tmp_path: Path) -> None:
    stage = Stage("heavy", 1, 100)
    path = stage.write({portal["name"]: "http://127.0.0.1:1" for portal in stage.simulators()}, tmp_path)
    config = load(path)
    assert config.environment == "demo"
    assert {portal.environment for portal in config.portals.values()} == {"demo"}


def test_an_outage_lasts_twenty_steps_of_the_ladder() -> None:
    steps = [min(LADDER["base_s"] * LADDER["factor"] ** step, LADDER["max_s"]) for step in range(OUTAGE_STEPS)]
    assert outage_s() >= sum(steps) * (1 + LADDER["jitter"]) - 1e-9


def test_heavy_faults_hurt_every_portal_with_every_kind_that_fits_it() -> None:
    stage = Stage("heavy", 1, 100)
    for portal in stage.simulators():
        assert stage.hurting(portal["name"], 0)["rate"] >= 0.2
        assert "kinds" not in portal["faults"], "left out: every kind"
        assert set(simulator(portal["kind"], portal["options"]).faults_supported) <= set(FAULT_KINDS)


def test_the_page_shows_what_is_wrong_and_escapes_it() -> None:
    outcome = Outcome(3, 1, "heavy", lost=1, findings=["lost <b>"], kills=[Kill(1.0, {"national": 2}, {})])
    text = page(outcome)
    assert "lost &lt;b&gt;" in text
    assert "national 2" in text
    assert not outcome.good
    assert picture(outcome).startswith("<svg")
