"""The two facades seen in front of the portal: bare arrays, reads by GET, answers in text (npsp.md 3.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import OutcomeKind, Presence, ProbeStrength
from schemas.errors import PortalContractError, PortalRefusedError

NUMBER = "H56.14-261101-00001"
Make = Callable[..., Any]


@pytest.fixture(params=["facade-get-wrapped", "facade-bare-array"])
def facade(request: pytest.FixtureRequest, make_bench: Make) -> Any:
    return make_bench({"code_form": "text"}, profile=request.param, username="", password=None)


def test_a_facade_takes_writes_without_a_login(facade: Any) -> None:
    assert facade.insert().kind is OutcomeKind.DELIVERED
    assert facade.insert().duplicate
    assert facade.update(TrangThaiHoSo="4").kind is OutcomeKind.DELIVERED
    assert facade.progress().kind is OutcomeKind.DELIVERED
    assert facade.effects() == ["create", "update", "progress"]
    assert facade.sessions.logins == 0


def test_npsp_05_reads_by_get_are_json_text_inside_message(make_bench: Make) -> None:
    bench = make_bench(profile="facade-get-wrapped", username="", password=None)
    assert bench.adapter.fetch(NUMBER) is None
    assert bench.probe().presence is Presence.ABSENT
    bench.seed()
    assert bench.adapter.fetch(NUMBER).parts["lookup"]["MAHOSO"] == NUMBER
    assert bench.adapter.catalogue("procedure:1.001193").rows[0]["MATTHC"] == "1.001193"
    assert {call["method"] for call in bench.simulator.screen("calls", {})} <= {"GET"}


@pytest.mark.parametrize("shape", ["missing", "null", "object", "string"])
def test_npsp_06_a_facade_cannot_hide_a_misshapen_result(make_bench: Make, shape: str) -> None:
    bench = make_bench({"read_shape": shape}, profile="facade-get-wrapped", username="", password=None)
    with pytest.raises(PortalContractError):
        bench.adapter.fetch(NUMBER)


def test_npsp_27_a_facade_that_answers_text_is_judged_by_its_words(make_bench: Make) -> None:
    switches = {"plain_text": ["insert", "update", "progress"], "content_type": "text/plain"}
    bench = make_bench(switches, profile="facade-bare-array", username="", password=None)
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.insert().duplicate
    refused = bench.update(MaHoSo="H56-unknown")
    assert (refused.kind, refused.final) == (OutcomeKind.REFUSED, True)


def test_npsp_27_a_facade_that_swallows_the_answer_leaves_it_unknown(make_bench: Make) -> None:
    switches = {"plain_text": ["insert", "progress"], "success_text": "đã gửi"}
    bench = make_bench(switches, profile="facade-bare-array", username="", password=None)
    assert bench.insert().kind is OutcomeKind.UNKNOWN
    assert bench.progress().kind is OutcomeKind.UNKNOWN


def test_a_facade_that_takes_only_writes_says_so(make_bench: Make) -> None:
    bench = make_bench(profile="facade-bare-array", username="", password=None)
    abilities = bench.adapter.abilities
    assert (abilities.fetches, abilities.polls, abilities.catalogues) == (False, False, ())
    assert abilities.operations["insert"].probe is ProbeStrength.NONE
    assert bench.probe().presence is Presence.CANNOT_TELL
    with pytest.raises(PortalRefusedError):
        bench.adapter.fetch(NUMBER)
    with pytest.raises(PortalRefusedError):
        bench.adapter.catalogue("agencies")
    assert bench.adapter.ping() is not None


def test_the_facades_paths_are_settings(make_bench: Make) -> None:
    paths = {"read": "lgsp/doc", "insert": "lgsp/moi", "update": "lgsp/sua", "progress": "lgsp/tiendo"}
    bench = make_bench({"facade": paths}, facade=paths, profile="facade-get-wrapped", username="", password=None)
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.progress().kind is OutcomeKind.DELIVERED
    assert bench.adapter.fetch(NUMBER) is not None
