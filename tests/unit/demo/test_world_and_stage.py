"""The demo's world is drawn from its seed, and its stage is as hard as it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from adapters.npsp.caller.citizens import Submitting, number_of
from adapters.registry import simulator
from adapters.simulation.faults import FAULT_KINDS
from gateway.config_file import load
from gateway.demo.catalogue import JUSTICE, TRANSPORT
from gateway.demo.oracle import Books
from gateway.demo.oracle import figures as figures_of
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
    assert {"accept", "deny", "rollback", "goto", "amend", "request_supplement", "justice_refuse", "cancel"} <= verbs
    acts = [sum(not verb.startswith("wait_") for verb, _ in life.acts) for life in lives(1000, 1)]
    assert min(acts) >= 1
    assert max(acts) <= 8


def test_some_are_submitted_online_each_under_its_own_number() -> None:
    found = lives(100, 1, 50)
    online = [life for life in found if life.number]
    assert len(found) == 150
    assert len({life.number for life in online}) == 50
    assert [life for life in found if not life.number] == lives(100, 1), "the others live as they would without them"
    verbs = {verb for life in lives(0, 1, 500) for verb, _ in life.acts}
    assert {"citizen_pays", "citizen_supplements", "citizen_withdraws", "transport_refuse", "justice_advance"} <= verbs


def test_the_simulated_portal_gives_them_those_numbers() -> None:
    (life,) = lives(0, 1, 1)
    assert number_of(Submitting(), life.place) == life.number


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


def test_the_manual_names_every_figure_of_the_demo(project_root: Path) -> None:
    manual = (project_root / "docs" / "operating.md").read_text("utf-8")
    section = manual.partition("### The demo")[2].partition("## The configuration")[0]
    empty: dict[str, Any] = {name: {} if name == "national_calls" else [] for name in Books.__dataclass_fields__}
    found = set(Outcome(told=figures_of(Books(**empty))).as_json()) - {"dossiers", "seed", "faults", "findings"}
    assert {name for name in found if f"`{name}`" not in section} == set()
