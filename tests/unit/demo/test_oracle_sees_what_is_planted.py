"""The oracle judges books alone: nothing wrong is found in right ones, and every planted wrong is found by its name."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.oracle import Books, Listed, Oracle

UID, OLD_UID = "uid-new", "uid-old"
NUMBER, OLD_NUMBER = "H99.13-261123-00002", "H99.13-261101-00001"
AT = {"create": "08:00:01", "accept": "08:10:02", "forward": "08:20:03", "result": "09:00:04"}
MESSAGE = "5f0e9a52-0000-5000-8000-000000000001"
Plain = dict[str, Any]


def instant(time: str) -> str:
    return f"2026-11-23T{time}+07:00"


def wire(time: str) -> str:
    return "20261123" + time.replace(":", "")


def spoken(time: str) -> str:
    return f"23/11/2026 {time}"


def record(number: str, status: str) -> Plain:
    return {
        "dossierNo": number,
        "originDossierNo": "",
        "serviceCode": "1.001193",
        "govAgencyName": "Sở Tư pháp",
        "applicantName": "CÔNG DÂN THỬ NGHIỆM 01",
        "applicantIdNo": "096000000000",
        "dossierStatus": status,
        "submitDate": spoken(AT["create"]),
        "receiveDate": spoken(AT["accept"]),
        "dueDate": "24/11/2026 08:10:02",
        "releaseDate": spoken(AT["result"]) if status == "releasing" else "",
        "finishDate": "",
        "briefNote": "Hồ sơ thử nghiệm",
        "contactTelNo": "0900000000",
    }


def legal(moved: str = "") -> list[Plain]:
    first = {"submitDate": spoken(AT["create"]), "receiveDate": "", "dueDate": "", "call": 0}
    then = first | {"receiveDate": spoken(AT["accept"]), "dueDate": "24/11/2026 08:10:02"}
    return [first, then, *([then | {"dueDate": moved, "call": 7}] if moved else [])]


def effect(number: int, name: str, key: str, at: str, content: Plain, call: int = 0) -> Plain:
    return {"n": number, "effect": name, "key": key, "at": instant(at), "content": content, "call": call}


def row(code: str, at: str, text: str = "") -> Plain:
    return {"MaHoSo": NUMBER, "TrangThai": code, "ThoiDiemXuLy": wire(at), "NoiDungXuLy": text}


def copied() -> Plain:
    return {
        "MaHoSo": NUMBER,
        "MaTTHC": "1.001193",
        "ChuHoSo": "Công dân thử nghiệm 01",
        "SoGiayToChuHoSo": "096000000000",
        "DonViXuLy": "Sở Tư pháp",
        "TrangThaiHoSo": "9",
        "NgayTiepNhan": wire(AT["accept"]),
        "NgayHenTra": "20261124081002",
        "NgayKetThucXuLy": wire(AT["result"]),
        "TrichYeuHoSo": "Hồ sơ thử nghiệm",
        "SoDienThoai": "0900000000",
    }


ROWS = [
    row("1", AT["create"]),
    row("2", AT["accept"], "Tiếp nhận hồ sơ: đủ giấy tờ"),
    row("4", AT["forward"]),
    row("9", AT["result"], "Có kết quả"),
]


def before() -> Plain:
    """The books of the moment the gateway went live: one old dossier, at both portals."""
    return {
        "province_records": {OLD_UID: record(OLD_NUMBER, "done")},
        "province_effects": [effect(1, "seed", OLD_UID, "07:00:00", {"status": "done"})],
        "province_legal": {OLD_UID: legal()},
        "national_records": {OLD_NUMBER: {"dossier": {}, "dates": [], "progress": []}},
        "national_effects": [effect(1, "seed", OLD_NUMBER, "07:00:00", {})],
        "transport_dossiers": [],
        "transport_effects": [],
        "transport_calls": [],
        "justice_dossiers": [],
        "justice_effects": [],
    }


def after() -> Plain:
    """One dossier was accepted, forwarded, decided by the ministry and copied, and all ends agree."""
    held = before()
    held["province_records"][UID] = record(NUMBER, "releasing")
    held["province_legal"][UID] = legal()
    held["province_effects"] += [
        effect(2, "create", UID, AT["create"], {"status": "receiving"}),
        effect(3, "action", UID, AT["accept"], {"status": "new", "actionNote": "đủ giấy tờ", "actionCode": "1100"}),
        effect(4, "action", UID, AT["forward"], {"status": "interoperating", "actionNote": "", "actionCode": "3200"}),
        effect(
            5, "action", UID, AT["result"], {"status": "releasing", "actionNote": "[lt:1]", "actionCode": "3300"}, 9
        ),
    ]
    dates = {name: copied()[name] for name in ("NgayTiepNhan", "NgayHenTra")}
    held["national_records"][NUMBER] = {"dossier": copied(), "dates": [dates], "progress": list(ROWS)}
    held["national_effects"] += [
        effect(2, "create", NUMBER, AT["result"], copied(), 3),
        *(effect(3 + place, "progress", NUMBER, AT["result"], one, 4) for place, one in enumerate(ROWS)),
    ]
    held["justice_dossiers"] = [{"number": NUMBER, "seeded": False, "states": [{"state": "3"}, {"state": "4"}]}]
    declared = {"maHoSoMCDT": NUMBER, "ngayTiepNhan": spoken(AT["accept"])}
    held["justice_effects"] = [effect(1, "declare", NUMBER, AT["forward"], declared, 2)]
    return held


def found(change: Callable[[Plain], object] = lambda _: None, listed: tuple[Listed, ...] = ()) -> dict[str, int]:
    held = copy.deepcopy(after())
    change(held)
    verdict = Oracle(Books(**before()), {"1.001193": "justice", "1.002861": "transport"}).judge(Books(**held), listed)
    names = ("lost", "duplicated", "invented", "legal_date_moved", "wrongly_unproven")
    return {name: verdict.count(name) for name in names if verdict.count(name)}


def progress(held: Plain) -> list[Plain]:
    rows: list[Plain] = held["national_records"][NUMBER]["progress"]
    return rows


def write_old(held: Plain) -> None:
    held["national_effects"].append(effect(9, "update", OLD_NUMBER, AT["result"], copied(), 12))


def transport_takes_it(held: Plain) -> None:
    """The same dossier as one of the transport ministry's, with a declaration of its own."""
    held["province_records"][UID]["serviceCode"] = "1.002861"
    held["national_records"][NUMBER]["dossier"]["MaTTHC"] = "1.002861"
    for one in held["national_effects"][1:2]:
        one["content"]["MaTTHC"] = "1.002861"
    held["justice_dossiers"], held["justice_effects"] = [], []
    held["province_effects"][-1]["call"] = 0
    forward = {
        "ReceivedDate": "2026-11-23 " + AT["accept"],
        "Applicant": {"Name": "CÔNG DÂN THỬ NGHIỆM 01"},
    }
    content = {"message_id": MESSAGE, "dossier_code": NUMBER, "forward": forward}
    held["transport_effects"] = [effect(1, "declare", "key", AT["forward"], content, 1)]
    held["transport_dossiers"] = [{"declarations": [{"message_id": MESSAGE, "calls": [1]}]}]
    held["transport_calls"] = [{"call": 1, "answer": "whole", "began_s": 1.0, "ended_s": 2.0, "body": None}]


def test_right_books_have_nothing_wrong() -> None:
    assert found() == {}
    assert found(transport_takes_it) == {}


def test_what_is_due_is_counted_by_portal_dossier_class_and_key() -> None:
    verdict = Oracle(Books(**before()), {"1.001193": "justice"}).judge(Books(**after()))
    assert sorted({(portal, klass) for portal, _, klass, _ in verdict.expected}) == [
        ("justice", "command"),
        ("national", "append"),
        ("national", "snapshot"),
        ("province", "command"),
    ]
    assert len(verdict.expected) == 7
    assert verdict.effects == 7


PLANTED: list[tuple[str, Callable[[Plain], object], str]] = [
    ("a lost row", lambda h: progress(h).pop(1), "lost"),
    ("a doubled row", lambda h: progress(h).append(row("4", AT["forward"])), "duplicated"),
    ("a row nobody said", lambda h: progress(h).append(row("8", "10:00:00")), "invented"),
    ("a row with our key in it", lambda h: progress(h).__setitem__(3, row("9", AT["result"], "x [lt:1]")), "invented"),
    ("a row without its words", lambda h: progress(h).__setitem__(1, row("2", AT["accept"], "")), "invented"),
    ("a missing copy", lambda h: h["national_records"].pop(NUMBER), "lost"),
    ("a stale status", lambda h: h["national_records"][NUMBER]["dossier"].update(TrangThaiHoSo="4"), "lost"),
    ("another person", lambda h: h["national_effects"][1]["content"].update(ChuHoSo="AI ĐÓ"), "invented"),
    ("an old dossier written", write_old, "invented"),
    (
        "a date of receipt that once was another",
        lambda h: h["national_records"][NUMBER]["dates"].append({"NgayTiepNhan": "20261124000000"}),
        "legal_date_moved",
    ),
    (
        "a due date set by a call",
        lambda h: h["province_legal"].update({UID: legal("30/11/2026 08:10:02")}),
        "legal_date_moved",
    ),
    ("a declaration lost", lambda h: h["justice_effects"].clear(), "lost"),
    ("a declaration twice", lambda h: h["justice_effects"].append(h["justice_effects"][0]), "duplicated"),
    (
        "a declaration nobody asked for",
        lambda h: h["justice_effects"].append(effect(2, "declare", OLD_NUMBER, AT["result"], {"ngayTiepNhan": ""}, 3)),
        "invented",
    ),
    ("a result that never came back", lambda h: h["justice_dossiers"][0]["states"].append({"state": "6"}), "lost"),
    ("an act done twice", lambda h: h["province_effects"].append(h["province_effects"][-1]), "duplicated"),
    (
        "an act nobody decided",
        lambda h: h["province_effects"].append(
            effect(6, "action", UID, AT["result"], {"status": "releasing", "actionCode": "2000"}, 11)
        ),
        "invented",
    ),
]


@pytest.mark.parametrize(("what", "plant", "name"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_every_planted_wrong_is_found(what: str, plant: Callable[[Plain], object], name: str) -> None:
    assert found(plant).get(name), what


def test_a_row_the_gateway_lists_as_unproven_may_be_absent_but_no_other() -> None:
    missing = progress(after())[1]
    key = (NUMBER, missing["TrangThai"], missing["ThoiDiemXuLy"])
    listed = (Listed("national", "append", "unproven", NUMBER, rows=(key,)),)
    assert found(lambda held: progress(held).pop(1), listed) == {}
    assert found(lambda held: progress(held).pop(2), listed) == {"lost": 1}
    assert found(lambda held: progress(held).append(row("2", AT["accept"], "đủ giấy tờ")), listed) == {"duplicated": 1}


@pytest.mark.parametrize(
    ("portal", "klass"), [("national", "snapshot"), ("ministry of justice", "command"), ("province", "command")]
)
def test_nothing_may_end_unproven_where_the_portal_gives_means_to_know(portal: str, klass: str) -> None:
    assert found(listed=(Listed(portal, klass, "unproven", NUMBER, "key"),)) == {"wrongly_unproven": 1}


def test_a_declaration_may_end_unproven_only_if_an_answer_to_it_was_cut_or_never_came() -> None:
    listed = (Listed("transport", "command", "unproven", NUMBER, MESSAGE),)

    def cut(held: Plain) -> None:
        transport_takes_it(held)
        held["transport_calls"][0]["answer"] = "cut"

    assert found(transport_takes_it, listed) == {"wrongly_unproven": 1}
    assert found(cut, listed) == {}


def test_the_oracle_imports_nothing_but_the_standard_library_and_itself(project_root: Path) -> None:
    for module in (project_root / "gateway" / "demo" / "oracle").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("gateway.demo.oracle") or name.partition(".")[0] in sys.stdlib_module_names, name
