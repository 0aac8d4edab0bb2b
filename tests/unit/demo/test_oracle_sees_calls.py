"""The oracle judges calls on the gateway by their callers' books: right ones pass, every planted wrong is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.demo.oracle import Books, Oracle, figures, told_at
from tests.unit.demo.test_oracle_sees_what_is_planted import AT, before, effect, legal, record, spoken, wire

Plain = dict[str, Any]
NUMBER, LOCAL, UID = "000.00.00.G22-261102-00001", "H99.13-261123-00003", "uid-pushed"
KEY, WORDS = "100-1-2026", "thiếu chữ ký"


def call(of: str, said: int | str, began_s: float, fault: str = "") -> Plain:
    what = "payment" if of == "payment" else "push"
    return {"what": what, "of": of, "said": said, "fault": fault, "began_s": began_s, "ended_s": began_s + 0.5}


def submitted() -> Plain:
    return {
        "MaHoSo": NUMBER,
        "MaTTHC": "1.002861",
        "MaDonVi": "H99.13",
        "ChuHoSo": "Công dân thử nghiệm 01",
        "SoGiayToChuHoSo": "096000000000",
        "TrichYeuHoSo": "Hồ sơ thử nghiệm",
        "NgayNopHoSo": wire(AT["create"]),
    }


def called_back(function: str, reason: str = "", *, attempts: tuple[tuple[str, str], ...] = (("99", "a"),)) -> Plain:
    tried = [{"function": said, "answer": digest} for said, digest in attempts]
    return {"key": KEY, "function": function, "reason": reason, "attempts": tried,
            "acknowledged": any(said == "99" for said, _ in attempts)}  # fmt: skip


ACTS = (
    ("5000", "cancelling", ""),
    ("2001", "processing", ""),
    ("2101", "processing", ""),
    ("3301", "unresolved", WORDS),
)


def after() -> Plain:
    """Submitted online, told six times, made once, paid, supplemented, withdrawn, and refused by the ministry."""
    held = before()
    shown = record(LOCAL, "unresolved") | {
        "originDossierNo": NUMBER,
        "serviceCode": "1.002861",
        "govAgencyCode": "H99.13",
    }
    held["province_records"][UID] = shown
    held["province_legal"][UID] = legal()
    made = {"status": "receiving"}
    forwarded = {"status": "interoperating", "actionCode": "3200"}
    held["province_effects"] += [
        effect(2, "create", UID, AT["create"], made, 4),
        effect(3, "file", UID, AT["create"], {"referenceUid": "file-1", "status": "receiving"}, 5),
        effect(4, "file", UID, AT["result"], {"referenceUid": "file-2", "status": "waiting"}, 6),
        effect(5, "action", UID, AT["forward"], forwarded),
        *(
            effect(
                6 + place, "action", UID, AT["result"], {"status": status, "actionCode": code, "actionNote": words}, 6
            )
            for place, (code, status, words) in enumerate(ACTS)
        ),
    ]
    rows = [("1", AT["create"], ""), ("4", AT["forward"], ""), ("7", AT["result"], ""), ("4", AT["result"], ""),
            ("4", AT["result"], ""), ("8", AT["result"], WORDS)]  # fmt: skip
    progress = [{"TrangThai": code, "ThoiDiemXuLy": wire(at), "NoiDungXuLy": text} for code, at, text in rows]
    copied = submitted() | {
        "TrangThaiHoSo": "8",
        "DonViXuLy": "Sở Tư pháp",
        "NgayTiepNhan": wire(AT["accept"]),
        "NgayHenTra": "20261124081002",
        "SoDienThoai": "0900000000",
    }
    held["national_records"][NUMBER] = {"dossier": copied, "dates": [], "progress": progress}
    held["national_effects"].append(effect(2, "online", NUMBER, AT["create"], submitted()))
    held["national_calls"] = {
        NUMBER: [
            call("submission", "silence", 1.0, "cut_inside"),
            call("submission", 0, 2.0),
            call("submission", 1, 2.1),
            call("again", 1, 3.0),
            call("changed", 1, 4.0),
            call("supplement", 1, 5.0),
            call("withdrawal", "http 503", 6.0),
            call("withdrawal", 1, 7.0),
            call("payment", 1, 8.0),
            call("payment", 1, 9.0),
        ]
    }
    held["transport_dossiers"] = [{"key": KEY, "dossier_code": NUMBER, "declarations": []}]
    forward = {"ReceivedDate": "2026-11-23 " + AT["accept"], "Applicant": {"Name": "CÔNG DÂN THỬ NGHIỆM 01"}}
    declared = {"message_id": "m", "dossier_code": NUMBER, "forward": forward}
    held["transport_effects"] = [effect(1, "declare", KEY, AT["forward"], declared, 1)]
    held["transport_callbacks"] = [
        called_back("21", attempts=(("", "b"), ("99", "a"), ("99", "a"))),
        called_back("22", WORDS),
    ]
    return held


def found(change: Callable[[Plain], object] = lambda _: None) -> dict[str, int]:
    held = copy.deepcopy(after())
    change(held)
    verdict = Oracle(Books(**before()), {"1.002861": "transport"}).judge(Books(**held))
    return {one.what: verdict.count(one.what) for one in verdict.findings}


def calls(held: Plain) -> list[Plain]:
    told: list[Plain] = held["national_calls"][NUMBER]
    return told


def again(held: Plain, place: int) -> None:
    held["province_effects"].append(held["province_effects"][place])


def twin(held: Plain) -> None:
    held["province_records"]["uid-twin"] = held["province_records"][UID]
    held["province_legal"]["uid-twin"] = legal()


def never_made(held: Plain) -> None:
    del held["province_records"][UID], held["national_records"][NUMBER]
    held["province_effects"] = held["province_effects"][:1]
    held["transport_effects"], held["transport_callbacks"] = [], []


def never_made_nor_answered(held: Plain) -> None:
    never_made(held)
    held["national_calls"] = {}


def submitted_later(held: Plain) -> None:
    held["national_effects"][-1]["content"]["NgayNopHoSo"] = wire("08:00:00")


def test_right_books_have_nothing_wrong() -> None:
    assert found() == {}


PLANTED: list[tuple[str, Callable[[Plain], object], str]] = [
    ("two zeros", lambda h: calls(h).append(call("again", 0, 10.0)), "double_zero"),
    ("a one for a number nobody had told", lambda h: calls(h).insert(0, call("submission", 1, 0.0)), "wrong_answer"),
    ("minus one", lambda h: calls(h).append(call("again", -1, 10.0)), "wrong_answer"),
    ("a page instead of an answer", lambda h: calls(h).append(call("again", "unreadable", 10.0)), "wrong_answer"),
    ("an error of ours", lambda h: calls(h).append(call("again", "http 500", 10.0)), "wrong_answer"),
    ("a payment answered like a dossier", lambda h: calls(h).append(call("payment", 0, 10.0)), "wrong_answer"),
    ("taken, and then not there", never_made, "missing_acknowledged"),
    ("submitted, told in vain", never_made_nor_answered, "lost"),
    ("two dossiers of one number", twin, "duplicated"),
    ("the papers that were asked for", lambda h: h["province_effects"].pop(3), "lost"),
    ("a file uploaded twice", lambda h: again(h, 2), "duplicated"),
    ("a number nobody submitted", lambda h: h["national_effects"].pop(), "invented"),
    ("another person", lambda h: h["national_effects"][-1]["content"].update(ChuHoSo="AI ĐÓ"), "invented"),
    ("another day of submission", submitted_later, "legal_date_moved"),
    ("a withdrawal that went nowhere", lambda h: h["province_effects"].pop(5), "lost"),
    ("a supplement that went nowhere", lambda h: h["province_effects"].pop(6), "lost"),
    ("a fee paid twice at the province", lambda h: again(h, 7), "duplicated"),
    ("a fee nobody paid", lambda h: [calls(h).pop(), calls(h).pop()], "invented"),
    ("a ministry's refusal done twice", lambda h: again(h, 8), "duplicated"),
    ("a ministry's refusal that went nowhere", lambda h: h["province_effects"].pop(8), "lost"),
    ("a ministry's reason lost", lambda h: h["province_effects"][8]["content"].update(actionNote=""), "lost"),
    (
        "a call-back never acknowledged",
        lambda h: h["transport_callbacks"].append(called_back("26", attempts=(("", "b"),))),
        "lost",
    ),
    (
        "a call-back refused",
        lambda h: h["transport_callbacks"].append(called_back("26", attempts=(("22", "b"), ("99", "a")))),
        "wrong_answer",
    ),
    (
        "a repeat acknowledged in other words",
        lambda h: h["transport_callbacks"].append(called_back("26", attempts=(("99", "a"), ("99", "b")))),
        "wrong_answer",
    ),
]


@pytest.mark.parametrize(("what", "plant", "name"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_every_planted_wrong_is_found(what: str, plant: Callable[[Plain], object], name: str) -> None:
    assert found(plant).get(name), what


def test_a_wish_that_was_heard_but_not_answered_may_be_done_already() -> None:
    def unheard(held: Plain) -> None:
        calls(held)[:] = [one | {"said": "silence"} if one["of"] == "withdrawal" else one for one in calls(held)]

    assert found(unheard) == {}


def test_the_figures_count_numbers_answers_and_calls() -> None:
    assert figures(Books(**after())) == {
        "pushes": 1,
        "pushed_repeats": 1,
        "pushed_concurrently": 1,
        "pushed_changed": 1,
        "answers": {"0": 1, "1": 5, "none": 2},
        "callbacks": 4,
    }


def test_calls_under_way_at_an_instant_are_counted() -> None:
    assert [told_at(Books(**after()), at) for at in (0.5, 2.2, 2.55, 20.0)] == [0, 2, 1, 0]


def test_the_due_date_moves_only_when_the_provinces_clock_runs_on() -> None:
    def moved_by(call_number: int) -> Callable[[Plain], object]:
        return lambda held: held["province_legal"].update(
            {UID: [*legal(), legal()[-1] | {"dueDate": spoken("23:00:00"), "call": call_number}]}
        )

    assert found(moved_by(6)) == {}
    assert found(moved_by(9)) == {"legal_date_moved": 1}
