"""Pushes: what the ministry took, what it had already, what it refused, and what nobody can know."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from adapters.base import OutcomeKind, Presence
from adapters.simulation import FaultPlan
from schemas.errors import PortalError

NUMBER = "000.00.01.H96-261101-0001"


def test_a_push_is_delivered_and_stands_in_the_ministrys_book(ministry: Any) -> None:
    bench = ministry({"units": {"H96.1": "27001"}}, units=("27001",))
    outcome = bench.adapter.push(bench.delivery())
    assert (outcome.kind, outcome.external_id, outcome.duplicate) == (OutcomeKind.DELIVERED, NUMBER, False)
    assert "status=1" in outcome.proof
    (effect,) = bench.effects("declare")
    assert effect["key"] == NUMBER
    assert (effect["content"]["maDonVi"], effect["content"]["module"]) == ("27001", "LTKS")
    assert orjson.loads(effect["content"]["data"]) == {"nycHoTen": "CÔNG DÂN THỬ NGHIỆM 01"}


@pytest.mark.parametrize("form", ["plain", "upper", "nfd", "upper_nfd"], ids=lambda form: f"R01-{form}")
def test_already_received_means_there_in_any_case_and_unicode_form(ministry: Any, form: str) -> None:
    bench = ministry(text_form=form)
    bench.adapter.push(bench.delivery())
    outcome = bench.adapter.push(bench.delivery(attempt=2))
    assert (outcome.kind, outcome.duplicate) == (OutcomeKind.DELIVERED, True)
    assert outcome.external_id == NUMBER
    assert len(bench.effects("declare")) == 1


def test_already_received_at_the_first_attempt_is_flagged_for_the_engine_to_judge(ministry: Any) -> None:
    bench = ministry()
    bench.act("create", number=NUMBER)
    outcome = bench.adapter.push(bench.delivery(attempt=1))
    assert (outcome.kind, outcome.duplicate) == (OutcomeKind.DELIVERED, True)
    assert bench.effects("declare") == []


@pytest.mark.parametrize("form", ["text", "int", "bool", "missing"], ids=lambda form: f"R02-{form}")
def test_a_status_of_any_type_is_read(ministry: Any, form: str) -> None:
    bench = ministry(status_form=form, units=("H96.1",))
    assert bench.adapter.push(bench.delivery()).kind is OutcomeKind.DELIVERED
    again = bench.adapter.push(bench.delivery())
    assert (again.kind, again.duplicate) == (OutcomeKind.DELIVERED, True)
    wrong = bench.adapter.push(bench.delivery("000.00.01.H96-261101-0002", wire={"maDonVi": "H96.9"}))
    assert (wrong.kind, wrong.code, wrong.final) == (OutcomeKind.REFUSED, "106", True)


@pytest.mark.parametrize("status", [200, 400, 422])
def test_a_business_error_is_read_whatever_its_http_status(ministry: Any, status: int) -> None:
    bench = ministry(business_status=status)
    outcome = bench.adapter.push(bench.delivery(wire={"data": "<hoTich/>"}))
    assert (outcome.kind, outcome.code, outcome.final) == (OutcomeKind.REFUSED, "302", True)


@pytest.mark.parametrize("after_effect", [False, True], ids=["R14-before", "R14-after"])
def test_a_failing_back_end_leaves_a_push_unknown_and_the_repeat_settles_it(ministry: Any, after_effect: bool) -> None:
    bench = ministry()
    bench.act("soap_fault", calls=1, after_effect=after_effect)
    first = bench.adapter.push(bench.delivery())
    assert first.kind is OutcomeKind.UNKNOWN
    second = bench.adapter.push(bench.delivery(attempt=2))
    assert (second.kind, second.duplicate) == (OutcomeKind.DELIVERED, after_effect)
    assert len(bench.effects("declare")) == 1


def test_an_agency_or_procedure_without_a_code_is_refused_before_anything_is_sent(ministry: Any) -> None:
    bench = ministry({"units": {"H96.2": "27002"}})
    outcome = bench.adapter.push(bench.delivery())
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert "options.units" in outcome.reason
    outcome = bench.adapter.push(bench.delivery(wire={"maDonVi": "H96.2", "module": "1.004222"}))
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert "options.modules" in outcome.reason
    assert bench.server.seen == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset_before", "unknown"),
        ("reset_after", "unknown"),
        ("truncate", "unknown"),
        ("html_200", "unknown"),
        ("garbage", "unknown"),
        ("unavailable_503", "unknown"),
        ("too_many_429", "retry"),
    ],
)
def test_a_fault_on_a_push_is_never_taken_for_an_answer(ministry: Any, fault: str, kind: str) -> None:
    faults = FaultPlan(seed=1)
    bench = ministry(faults=faults)
    bench.adapter.ping()
    faults.script(fault, on="write")
    outcome = bench.adapter.push(bench.delivery())
    assert outcome.kind == kind
    assert bench.adapter.push(bench.delivery(attempt=2)).kind is OutcomeKind.DELIVERED
    assert len(bench.effects("declare")) == 1


def test_a_ministry_that_cannot_be_reached_leaves_a_push_unsent(ministry: Any) -> None:
    bench = ministry({"base_url": "http://127.0.0.1:1"})
    assert bench.adapter.push(bench.delivery()).kind is OutcomeKind.RETRY


def test_nothing_is_sent_after_the_send_by_instant(ministry: Any) -> None:
    bench = ministry()
    bench.adapter.ping()
    outcome = bench.adapter.push(bench.delivery(send_by=time.monotonic() - 1))
    assert outcome.kind is OutcomeKind.RETRY
    assert bench.effects("declare") == []


@pytest.mark.parametrize(
    ("options", "omit", "presence"),
    [
        ({}, True, Presence.CANNOT_TELL),
        ({"omission_means_absent": True}, True, Presence.ABSENT),
        ({}, False, Presence.ABSENT),
    ],
    ids=["R04-omitted", "R04-omitted-and-known-to-mean-absent", "R04-said-not-found"],
)
def test_a_probe_finds_a_pushed_dossier_and_tells_absence_only_where_the_ministry_does(
    ministry: Any, options: dict[str, Any], omit: bool, presence: Presence
) -> None:
    bench = ministry(options, omit_unknown=omit)
    assert bench.adapter.probe(bench.delivery()).presence is presence
    bench.adapter.push(bench.delivery())
    probe = bench.adapter.probe(bench.delivery())
    assert (probe.presence, probe.external_id) == (Presence.PRESENT, NUMBER)


def test_a_supplement_is_an_operation_only_where_the_options_allow_it(ministry: Any) -> None:
    assert set(ministry().adapter.abilities.commands) == {"declare"}
    bench = ministry({"supplement": "push_again"}, supplements=True)
    assert set(bench.adapter.abilities.commands) == {"declare", "supplement"}
    bench.declare(NUMBER)
    bench.act("supplement", number=NUMBER)
    outcome = bench.adapter.push(bench.delivery(operation="supplement"))
    assert outcome.kind is OutcomeKind.DELIVERED
    assert len(bench.effects("supplement")) == 1
    assert bench.states() == {NUMBER: "3"}


def test_a_supplement_that_the_ministry_takes_for_a_repeat_is_refused_and_cannot_be_asked_for(ministry: Any) -> None:
    bench = ministry({"supplement": "push_again"})
    bench.declare(NUMBER)
    outcome = bench.adapter.push(bench.delivery(operation="supplement"))
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert bench.adapter.probe(bench.delivery(operation="supplement")).presence is Presence.CANNOT_TELL


def test_under_heavy_faults_every_dossier_arrives_once_and_is_heard_of(ministry: Any) -> None:
    kinds = ("reset_before", "reset_after", "truncate", "html_200", "garbage", "unavailable_503", "too_many_429")
    faults = FaultPlan(seed=7, rate=0.4, kinds=(*kinds, "expired_session"))
    bench = ministry(faults=faults)
    numbers = [f"000.00.01.H96-261101-{order:04d}" for order in range(60)]
    for number in numbers:
        attempt = 1
        while bench.adapter.push(bench.delivery(number, attempt=attempt)).kind is not OutcomeKind.DELIVERED:
            attempt += 1
            assert attempt < 30
    assert sorted(effect["key"] for effect in bench.effects("declare")) == numbers
    assert bench.simulator.book.duplicates == 0
    bench.known.open = numbers
    cursor, heard = None, {}
    for _ in range(20):
        try:
            for page in bench.adapter.pull(cursor):
                cursor = page.next_cursor
                heard |= bench.states([page])
        except PortalError:
            continue
    assert heard == dict.fromkeys(numbers, "1")
    assert set(faults.counts()) == {*kinds, "expired_session"}


def test_no_outcome_shows_an_identity_number(ministry: Any) -> None:
    bench = ministry(duplicate_words="Hồ sơ của 000000000001 đã được tiếp nhận")
    bench.declare(NUMBER)
    outcome = bench.adapter.push(bench.delivery())
    assert "000000000001" not in repr(outcome).replace(repr(outcome.answer), "")
