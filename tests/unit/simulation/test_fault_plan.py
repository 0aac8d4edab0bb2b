"""Which call is hurt and how: seeded, fair among kinds, one outage, stoppable."""

from collections import Counter
from itertools import pairwise

import pytest

from adapters.simulation import FAULT_KINDS, GENERAL_FAULTS, FaultPlan, Outage
from adapters.simulation.faults import EXPIRY_GAP


def faults_of(plan: FaultPlan, calls: int, kind: str = "write", supported: tuple[str, ...] = FAULT_KINDS) -> list[str]:
    strikes = [plan.decide(call, kind, supported) for call in range(1, calls + 1)]
    return [strike.fault if strike else "" for strike in strikes]


def test_equal_seeds_hurt_equal_calls() -> None:
    first, second = (faults_of(FaultPlan(seed=7, rate=0.3), 400) for _ in range(2))
    assert first == second
    assert first != faults_of(FaultPlan(seed=8, rate=0.3), 400)


def test_the_rate_is_kept() -> None:
    hurt = sum(map(bool, faults_of(FaultPlan(seed=1, rate=0.25), 4000)))
    assert 900 < hurt < 1100


def test_every_kind_gets_its_share_before_any_gets_more() -> None:
    counts = Counter(filter(None, faults_of(FaultPlan(seed=3, rate=0.5), 1000)))
    assert set(counts) == set(FAULT_KINDS)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_only_faults_that_fit_the_protocol_and_the_call_strike() -> None:
    plain = faults_of(FaultPlan(rate=1.0), 100, supported=GENERAL_FAULTS)
    assert not {"wrong_namespace", "expired_session"} & set(plain)
    assert "expired_session" not in faults_of(FaultPlan(rate=1.0), 100, kind="login")
    assert not any(faults_of(FaultPlan(rate=1.0, calls=["progress"]), 50))
    assert all(faults_of(FaultPlan(rate=1.0, calls=["progress"]), 50, kind="progress"))


def test_pages_and_noise_come_before_and_after_the_effect() -> None:
    plan = FaultPlan(seed=5, rate=1.0, kinds=["html_200", "garbage"])
    strikes = [plan.decide(call, "write", FAULT_KINDS) for call in range(40)]
    seen = {(strike.fault, strike.before) for strike in strikes if strike}
    assert seen == {("html_200", True), ("html_200", False), ("garbage", True), ("garbage", False)}


def test_a_refusal_of_too_many_never_has_an_effect() -> None:
    plan = FaultPlan(seed=5, rate=1.0, kinds=["too_many_429", "unavailable_503", "reset_before"])
    strikes = [plan.decide(call, "write", FAULT_KINDS) for call in range(30)]
    assert all(strike is not None and strike.before for strike in strikes)


def test_an_outage_of_calls_takes_that_many() -> None:
    faults = faults_of(FaultPlan(outage=Outage(after_calls=5, calls=20)), 40)
    assert faults == [""] * 5 + ["outage"] * 20 + [""] * 15


def test_an_outage_of_seconds_is_one_strike_that_says_how_long() -> None:
    plan = FaultPlan(outage=Outage(after_calls=2, seconds=1.5))
    strikes = [plan.decide(call, "read", FAULT_KINDS) for call in range(1, 6)]
    assert [strike and (strike.fault, strike.lasts_s, strike.before) for strike in strikes] == [
        None,
        None,
        ("outage", 1.5, False),
        None,
        None,
    ]


def test_a_script_hurts_the_next_fitting_call_once() -> None:
    plan = FaultPlan()
    plan.script("reset_after", on="progress")
    plan.script("empty_200", on="effect")
    kinds = ["login", "read", "write", "progress", "progress"]
    strikes = [plan.decide(call, kind, ()) for call, kind in enumerate(kinds)]
    assert [strike and strike.fault for strike in strikes] == [None, None, "empty_200", "reset_after", None]


def test_stop_ends_everything() -> None:
    plan = FaultPlan(rate=1.0, outage=Outage(after_calls=0, calls=9))
    plan.script("refuse")
    plan.change({"stop": True})
    assert not any(faults_of(plan, 50))


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="unknown fault kinds \\['flood'\\]; known: refuse"):
        FaultPlan(kinds=["flood"])
    with pytest.raises(ValueError, match="flood"):
        FaultPlan().change({"kinds": ["flood"]})


def test_a_session_just_renewed_is_not_lost_again() -> None:
    """Two in a row would look like a refused login, after which nobody tries for minutes."""
    plan = FaultPlan(rate=1.0, kinds=["expired_session", "garbage"])
    struck = [strike.fault for call in range(1, 200) if (strike := plan.decide(call, "read", FAULT_KINDS))]
    lost = [place for place, fault in enumerate(struck) if fault == "expired_session"]
    assert len(lost) > 10
    assert min(later - earlier for earlier, later in pairwise(lost)) >= EXPIRY_GAP
