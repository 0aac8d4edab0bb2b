"""The timers of a hand-over, as a table: partner, procedure and route -> by when each fact must be known, and why."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import Config
from gateway.sync.stages import Fact
from gateway.sync.timers import shortest_h, timers

BIRTH, CAR = "1.001193.000.00.00.H99", "2.002288"
DEFAULTS = {"sent": (24, ""), "received": (24, "")}
PARTNER = "portals.justice.timers"
ROUTE = "routes[1].timers"


def config(route: Any = (), partner: Any = ()) -> Config:
    portal = {"kind": "k", "mapping": "m"}
    return Config.model_validate(
        {
            "environment": "demo",
            "province": {"agency_code": "H99"},
            "portals": {"province": portal, "justice": {**portal, "timers": partner}},
            "ownership": {"handlers": ["province"]},
            "routes": [
                {"name": "all", "to": "province"},
                {"name": "births", "to": "justice", "kind": "forward", "timers": route},
            ],
        }
    )


CASES: dict[str, tuple[Any, Any, str, dict[str, tuple[float, str]]]] = {
    "nobody says anything": ((), (), BIRTH, {}),
    "the partner": ((), {"accepted_within_h": 8}, BIRTH, {"accepted": (8, PARTNER)}),
    "the route": ({"accepted_within_h": 4}, (), BIRTH, {"accepted": (4, ROUTE)}),
    "the route wins": ({"accepted_within_h": 4}, {"accepted_within_h": 8}, BIRTH, {"accepted": (4, ROUTE)}),
    "fact by fact": (
        {"accepted_within_h": 4},
        {"accepted_within_h": 8, "completed_within_h": 72},
        BIRTH,
        {"accepted": (4, ROUTE), "completed": (72, PARTNER)},
    ),
    "no timer is an answer too": (
        {"accepted_within_h": None, "sent_within_h": None},
        {"accepted_within_h": 8},
        BIRTH,
        {"sent": (0, "")},
    ),
    "a list: the first that holds": (
        (),
        [{"procedures": ["1.001193*"], "accepted_within_h": 2}, {"accepted_within_h": 24}],
        BIRTH,
        {"accepted": (2, f"{PARTNER}[0]")},
    ),
    "a list: the first does not hold": (
        (),
        [{"procedures": ["1.001193*"], "accepted_within_h": 2}, {"accepted_within_h": 24}],
        CAR,
        {"accepted": (24, f"{PARTNER}[1]")},
    ),
    "a list: fact by fact": (
        (),
        [{"procedures": ["1.*", "3.*"], "accepted_within_h": 2}, {"accepted_within_h": 24, "received_within_h": 1}],
        BIRTH,
        {"received": (1, f"{PARTNER}[1]"), "accepted": (2, f"{PARTNER}[0]")},
    ),
    "a rule of the route for others only": (
        [{"procedures": ["9.*"], "accepted_within_h": 1}],
        {"accepted_within_h": 8},
        BIRTH,
        {"accepted": (8, PARTNER)},
    ),
    "no timer for some": (
        (),
        [{"procedures": ["1.*"], "received_within_h": None}, {"received_within_h": 5}],
        BIRTH,
        {"received": (0, "")},
    ),
    "a dossier without a procedure": ((), {"procedures": ["1.*"], "accepted_within_h": 8}, "", {}),
}


@pytest.mark.parametrize(("route", "partner", "procedure", "said"), CASES.values(), ids=CASES)
def test_partner_procedure_and_route_give_the_timers(
    route: Any, partner: Any, procedure: str, said: dict[str, tuple[float, str]]
) -> None:
    made = config(route, partner)
    found = timers(made, "justice", procedure, made.routes[1])
    wanted = {name: pair for name, pair in {**DEFAULTS, **said}.items() if pair[0]}
    assert {fact.value: (timer.within_h, timer.because) for fact, timer in found.items()} == wanted


def test_rules_that_are_written_out_and_read_again_say_the_same() -> None:
    made = config({"accepted_within_h": None}, [{"procedures": ["1.*"], "completed_within_h": 2}])
    again = Config.model_validate(made.model_dump(by_alias=True))
    assert timers(again, "justice", BIRTH, again.routes[1]) == timers(made, "justice", BIRTH, made.routes[1])
    assert again == made


def test_a_stage_whose_route_is_gone_keeps_the_timers_of_its_partner() -> None:
    made = config({"accepted_within_h": 4}, {"accepted_within_h": 8})
    assert timers(made, "justice", BIRTH, None)[Fact.ACCEPTED].within_h == 8


def test_the_shortest_time_of_any_rule_is_known() -> None:
    assert shortest_h(config()) == 24
    assert shortest_h(config([{"procedures": ["9.*"], "completed_within_h": 0.5}], {"accepted_within_h": 8})) == 0.5
