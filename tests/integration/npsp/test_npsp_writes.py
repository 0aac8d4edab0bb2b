"""Writes to the national portal over a real socket: what each answer comes to, and what the portal then holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import OutcomeKind, Presence
from adapters.simulation import FaultPlan
from schemas.clock import ManualClock
from schemas.errors import PortalContractError, PortalUnavailableError

NUMBER = "H56.14-261101-00001"
Make = Callable[..., Any]


def test_an_insert_an_update_and_progress_arrive_as_frozen(bench: Any) -> None:
    assert bench.insert().kind is OutcomeKind.DELIVERED
    updated = bench.update(TrangThaiHoSo="4")
    assert (updated.kind, updated.external_id) == (OutcomeKind.DELIVERED, NUMBER)
    assert updated.proof == "code=0 text~thành công"
    assert bench.progress({}, {"ThoiDiemXuLy": "20261102090000", "TrangThai": "4"}).kind is OutcomeKind.DELIVERED
    assert bench.effects() == ["create", "update", "progress", "progress"]
    assert [row["ThoiDiemXuLy"] for row in bench.simulator.screen(f"progress/{NUMBER}", {})] == [
        "20261101083000",
        "20261102090000",
    ]
    assert bench.sessions.logins == 1


@pytest.mark.parametrize("form", ["number", "text", "double_zero", "spaced"])
@pytest.mark.parametrize("key", ["error_code", "errorCode", "response_code"])
def test_npsp_01_08_success_in_every_spelling_is_delivered(make_bench: Make, form: str, key: str) -> None:
    bench = make_bench({"code_form": form, "code_key": key})
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.insert().duplicate


@pytest.mark.parametrize("form", ["missing", "null"])
def test_npsp_01_a_write_without_a_code_is_unknown(make_bench: Make, form: str) -> None:
    bench = make_bench({"code_form": form})
    bench.sessions.token = bench.simulator.desk._open()
    outcome = bench.insert()
    assert (outcome.kind, outcome.final) == (OutcomeKind.UNKNOWN, False)
    assert bench.effects() == ["create"]


@pytest.mark.parametrize("code", [0, 3, -3, "0", "3", "-3"])
def test_npsp_02_03_a_second_insert_is_a_duplicate_and_creates_nothing(make_bench: Make, code: Any) -> None:
    bench = make_bench({"duplicate_code": code})
    assert bench.insert().kind is OutcomeKind.DELIVERED
    again = bench.insert()
    assert (again.kind, again.duplicate, again.code) == (OutcomeKind.REFUSED, True, str(int(code)))
    assert bench.effects() == ["create"]


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/html"])
def test_npsp_04_progress_answered_in_plain_text_is_delivered(make_bench: Make, kind: str) -> None:
    bench = make_bench({"plain_text": ["progress"], "content_type": kind})
    bench.seed()
    assert bench.progress().kind is OutcomeKind.DELIVERED
    refused = bench.progress({"MaHoSo": "H56.14-261101-99999"})
    assert (refused.kind, refused.final) == (OutcomeKind.REFUSED, True)
    assert bench.effects() == ["seed", "progress"]


def test_npsp_04_json_served_as_a_page_is_read(make_bench: Make) -> None:
    bench = make_bench({"content_type": "text/html; charset=utf-8", "byte_order_mark": True})
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.adapter.fetch(NUMBER) is not None


@pytest.mark.parametrize("wrapping", ["string", "message", "response"])
def test_npsp_05_doubly_encoded_answers_are_read(make_bench: Make, wrapping: str) -> None:
    bench = make_bench({"wrapping": wrapping})
    assert bench.adapter.fetch(NUMBER) is None
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.insert().duplicate
    assert bench.adapter.fetch(NUMBER) is not None


def test_npsp_03_an_update_of_an_unknown_dossier_is_refused_for_good(bench: Any) -> None:
    outcome = bench.update()
    assert (outcome.kind, outcome.final, outcome.duplicate) == (OutcomeKind.REFUSED, True, False)
    assert bench.effects() == []


def test_an_update_of_an_unknown_dossier_may_create_it_by_switch(make_bench: Make) -> None:
    bench = make_bench({"update_unknown": "create"})
    assert bench.update().kind is OutcomeKind.DELIVERED
    assert bench.effects() == ["create"]


def test_a_failure_in_unknown_words_is_refused_but_not_for_good(make_bench: Make) -> None:
    bench = make_bench({"duplicate_code": -9})
    bench.seed()
    outcome = bench.insert()
    assert (outcome.kind, outcome.final, outcome.duplicate) == (OutcomeKind.REFUSED, False, False)


def test_npsp_21_23_an_unanswered_progress_call_is_unknown_and_a_repeat_would_double(bench: Any) -> None:
    bench.seed()
    bench.server.faults.script("reset_after", on="progress")
    lost = bench.progress()
    assert lost.kind is OutcomeKind.UNKNOWN
    assert bench.probe("progress").presence is Presence.CANNOT_TELL
    assert bench.progress().kind is OutcomeKind.DELIVERED
    assert bench.simulator.screen(f"record/{NUMBER}", {})["doubled_rows"] == 1


def test_npsp_23_a_progress_call_that_holds_one_bad_row_changes_nothing(bench: Any) -> None:
    bench.seed()
    outcome = bench.progress({}, {"TrangThai": ""})
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert bench.effects() == ["seed"]


def test_npsp_23_more_than_ten_rows_are_refused_by_the_portal(bench: Any) -> None:
    bench.seed()
    rows = [{"ThoiDiemXuLy": f"202611010830{second:02}"} for second in range(11)]
    assert bench.adapter.abilities.operations["progress"].rows_per_call == 10
    assert bench.progress(*rows[:10]).kind is OutcomeKind.DELIVERED
    assert bench.progress(*rows).kind is OutcomeKind.REFUSED


def test_npsp_21_a_dossier_accepted_and_its_progress_refused_are_two_outcomes(bench: Any) -> None:
    assert bench.insert().kind is OutcomeKind.DELIVERED
    assert bench.progress({"NguoiXuLy": "x" * 51}).kind is OutcomeKind.REFUSED
    assert bench.effects() == ["create"]


@pytest.mark.parametrize(
    "change",
    [
        {"TrangThaiHoSo": ""},
        {"TrangThaiHoSo": "0"},
        {"TrangThaiHoSo": True},
        {"TrichYeuHoSo": "ă" * 1001},
        {"NgayHenTra": "2026-11-05"},
        {"NgayHenTra": "20261105"},
        {"TaiLieuNop": [{"TenTepDinhKem": "x" * 4001}]},
        {"TaiLieuNop": [{"IsDeleted": False}]},
        {"DanhSachGiayToKetQua": [{"TenGiayTo": "x" * 2001}]},
    ],
)
def test_npsp_24_25_what_does_not_fit_the_contract_is_refused(bench: Any, change: dict[str, Any]) -> None:
    outcome = bench.insert(**change)
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True), outcome
    assert bench.effects() == []


@pytest.mark.parametrize("name", ["ă" * 900, "Nguyễn 'Văn' \"A\"\r\n<b>&amp;</b>", "\u202e\U0001f600", "Đ" + "ạ" * 3])
def test_npsp_25_long_names_quotes_and_markup_survive(bench: Any, name: str) -> None:
    assert bench.insert(TenTTHC=name, ChuHoSo=name).kind is OutcomeKind.DELIVERED
    held = bench.simulator.screen(f"record/{NUMBER}", {})["dossier"]
    assert (held["TenTTHC"], held["ChuHoSo"]) == (name, name)


@pytest.mark.parametrize("due", ["", None])
def test_npsp_12_13_a_dossier_without_a_due_date_is_sent_as_it_is(bench: Any, due: str | None) -> None:
    assert bench.insert(NgayHenTra=due).kind is OutcomeKind.DELIVERED
    assert bench.simulator.screen(f"record/{NUMBER}", {})["dossier"]["NgayHenTra"] == due
    assert bench.effects() == ["create"]


def test_npsp_30_dates_in_any_order_are_passed_on_and_every_one_shown_is_remembered(bench: Any) -> None:
    assert bench.insert(NgayTiepNhan="20991231000000").kind is OutcomeKind.DELIVERED
    assert bench.update(NgayTiepNhan="20261101083000").kind is OutcomeKind.DELIVERED
    assert [dates["NgayTiepNhan"] for dates in bench.simulator.screen("dates", {})[NUMBER]] == [
        "20991231000000",
        "20261101083000",
    ]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset_before", OutcomeKind.UNKNOWN),
        ("reset_after", OutcomeKind.UNKNOWN),
        ("truncate", OutcomeKind.UNKNOWN),
        ("html_200", OutcomeKind.UNKNOWN),
        ("garbage", OutcomeKind.UNKNOWN),
        ("too_many_429", OutcomeKind.RETRY),
        ("unavailable_503", OutcomeKind.UNKNOWN),
        ("expired_session", OutcomeKind.DELIVERED),
    ],
)
@pytest.mark.parametrize("operation", ["insert", "update", "progress"])
def test_each_fault_of_a_write_comes_to_its_outcome(bench: Any, operation: str, fault: str, kind: OutcomeKind) -> None:
    if operation != "insert":
        bench.seed()
    assert bench.adapter.ping() is not None
    bench.server.faults.script(fault, on="effect" if fault != "expired_session" else "")
    outcome = getattr(bench, operation)()
    assert outcome.kind is kind, outcome
    assert (outcome.not_before_s is not None) == (fault == "too_many_429") or fault == "unavailable_503"


def test_a_connection_that_cannot_be_opened_is_known_not_to_have_worked(bench: Any) -> None:
    bench.server.go_down(5)
    assert bench.insert().kind is OutcomeKind.RETRY


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "truncate", "html_200", "garbage", "unavailable_503"])
def test_a_login_that_breaks_before_a_write_leaves_the_write_unsent(bench: Any, fault: str) -> None:
    bench.server.faults.script(fault, on="login")
    outcome = bench.insert()
    assert (outcome.kind, outcome.auth) == (OutcomeKind.RETRY, False), outcome
    assert bench.effects() == []
    assert bench.insert().kind is OutcomeKind.DELIVERED


def test_a_login_that_breaks_between_refusal_and_repeat_leaves_the_write_unsent(bench: Any) -> None:
    bench.seed()
    assert bench.progress().kind is OutcomeKind.DELIVERED
    bench.act("expire_sessions")
    bench.server.faults.script("html_200", on="login")
    assert bench.progress().kind is OutcomeKind.RETRY
    assert bench.effects() == ["seed", "progress"]


def test_nothing_is_sent_after_the_send_by_instant(make_bench: Make, manual_clock: ManualClock) -> None:
    bench = make_bench(clock=manual_clock)
    late = bench.adapter.push(bench.delivery("insert", {"MaHoSo": NUMBER}, send_by=manual_clock.monotonic() - 1))
    assert late.kind is OutcomeKind.RETRY
    assert bench.effects() == []
    assert "write" not in {call["kind"] for call in bench.simulator.screen("calls", {})}


def test_an_insert_is_proved_by_the_look_up_and_a_failed_question_proves_nothing(bench: Any) -> None:
    assert bench.probe().presence is Presence.ABSENT
    bench.server.faults.script("reset_after", on="write")
    assert bench.insert().kind is OutcomeKind.UNKNOWN
    found = bench.probe()
    assert (found.presence, found.external_id) == (Presence.PRESENT, NUMBER)
    assert bench.probe("update").presence is Presence.CANNOT_TELL
    bench.server.faults.script("html_200", on="read")
    with pytest.raises(PortalContractError):
        bench.probe()
    bench.server.faults.script("unavailable_503", on="read")
    with pytest.raises(PortalUnavailableError):
        bench.probe()


def test_nothing_personal_is_in_an_outcome(bench: Any) -> None:
    outcomes = [bench.insert(), bench.insert(), bench.update(LoaiDoiTuong="CÔNG DÂN THỬ NGHIỆM 01"), bench.progress()]
    shown = json.dumps([[o.reason, o.excerpt, o.proof, o.code] for o in outcomes], ensure_ascii=False)
    assert "CÔNG DÂN" not in shown
    assert "012345000000" not in shown
    assert "simulated-password" not in shown


def test_faults_of_every_kind_leave_the_portal_and_the_outcomes_in_agreement(make_bench: Make) -> None:
    """What was called delivered is there once; what was called refused or retry is not."""
    plan = FaultPlan(7, 0.35, delay_s=0.01, drip_s=0.02, drip_every_s=0.005, refuse_s=0.001)
    bench = make_bench(faults=plan)
    outcomes = {}
    for number in range(300):
        code = f"H56.14-261101-{number:05}"
        outcomes[code] = bench.insert(MaHoSo=code).kind
    held = set(bench.simulator.holdings.dossiers)
    assert {code for code, kind in outcomes.items() if kind is OutcomeKind.DELIVERED} <= held
    assert not {code for code, kind in outcomes.items() if kind in (OutcomeKind.RETRY, OutcomeKind.REFUSED)} & held
    assert len(bench.effects()) == len(held)
    assert set(plan.counts()) >= {"reset_after", "html_200", "truncate", "garbage", "expired_session"}
