"""The oracle judges where files lie by their bytes alone: right books pass, every planted wrong is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.demo.oracle import Books, Oracle
from tests.unit.demo.test_oracle_sees_what_is_planted import (
    AT,
    NUMBER,
    UID,
    after,
    before,
    effect,
    instant,
    transport_takes_it,
)

Plain = dict[str, Any]
FORM, NOTICE, LATE, RESULT = "a1" * 32, "b2" * 32, "c3" * 32, "d4" * 32


def lying(name: str, digest: str, at: str, part: str = "TP1") -> Plain:
    return {"referenceUid": f"f-{digest[:2]}", "dossierPartNo": part, "displayName": name, "sha256": digest,
            "at": instant(at)}  # fmt: skip


def paper(name: str, digest: str) -> Plain:
    return {"tenGiayTo": name, "sha256": digest}


def address(kind: str, digest: str, status: int = 200) -> Plain:
    return {"list": kind, "shown": "", "url": "http://127.0.0.1/x", "status": status, "sha256": digest}


def whole() -> Plain:
    """Two papers handed in and one later, a certificate brought back, and somebody who opened every address."""
    held = copy.deepcopy(after())
    held["province_files"] = {
        UID: [
            lying("Tờ khai.pdf", FORM, AT["create"]),
            lying("Giấy chứng sinh.pdf", NOTICE, AT["create"]),
            lying("Bổ sung.pdf", LATE, "08:50:00"),
            lying("giayKhaiSinh", RESULT, "09:00:03", "KQ01"),
        ]
    }
    held["province_effects"].insert(-1, effect(6, "file", UID, "09:00:03", {"referenceUid": "f-d4"}, 8))
    held["justice_dossiers"][0] |= {
        "papers": [paper("Tờ khai.pdf", FORM), paper("Giấy chứng sinh.pdf", NOTICE)],
        "certificate": RESULT,
    }
    held["national_records"][NUMBER]["fetched"] = [
        *(address("TaiLieuNop", digest) for digest in (FORM, NOTICE, LATE)),
        address("DanhSachGiayToKetQua", RESULT),
    ]
    return held


def found(change: Callable[[Plain], object] = lambda _: None) -> dict[str, int]:
    held = whole()
    change(held)
    verdict = Oracle(Books(**before()), {"1.001193": "justice", "1.002861": "transport"}).judge(Books(**held))
    names = ("lost", "duplicated", "invented", "legal_date_moved")
    return {name: verdict.count(name) for name in names if verdict.count(name)}


def files(held: Plain) -> list[Plain]:
    rows: list[Plain] = held["province_files"][UID]
    return rows


def papers(held: Plain) -> list[Plain]:
    rows: list[Plain] = held["justice_dossiers"][0]["papers"]
    return rows


def fetched(held: Plain) -> list[Plain]:
    rows: list[Plain] = held["national_records"][NUMBER]["fetched"]
    return rows


def at_transport(held: Plain) -> None:
    transport_takes_it(held)
    rows = [{"AttachmentName": row["displayName"], "ContentDigest": row["sha256"]} for row in files(held)[:2]]
    held["transport_dossiers"][0] |= {"dossier_code": NUMBER, "key": "key", "papers": rows}
    files(held).pop()
    held["province_effects"] = [one for one in held["province_effects"] if one["effect"] != "file"]
    fetched(held).pop()


def half_at_transport(held: Plain) -> None:
    at_transport(held)
    held["transport_dossiers"][0]["papers"].pop()


def officers_attach(held: Plain) -> None:
    files(held).append(lying("Giấy phép.pdf", "f6" * 32, AT["accept"], "KQ01"))


def officers_attach_and_it_is_shown(held: Plain) -> None:
    officers_attach(held)
    fetched(held).append(address("DanhSachGiayToKetQua", "f6" * 32))


def test_files_in_their_places_are_right() -> None:
    assert found(officers_attach_and_it_is_shown) == {}
    assert found() == {}
    assert found(at_transport) == {}
    assert found(lambda h: papers(h).append(paper("Bổ sung.pdf", LATE))) == {}, "a later paper may be there"


def test_what_is_due_of_files_is_counted_at_every_portal() -> None:
    verdict = Oracle(Books(**before()), {"1.001193": "justice"}).judge(Books(**whole()))
    due = [(portal, key) for portal, _, klass, key in verdict.expected if klass == "file"]
    assert sorted(due) == sorted([
        ("province", RESULT), ("justice", FORM), ("justice", NOTICE),
        ("national", FORM), ("national", NOTICE), ("national", LATE), ("national", RESULT),
    ])  # fmt: skip


def test_addresses_are_judged_only_when_somebody_has_opened_them() -> None:
    assert found(lambda h: h["national_records"][NUMBER].pop("fetched")) == {}


PLANTED: list[tuple[str, Callable[[Plain], object], str]] = [
    ("a result that never came", lambda h: files(h).pop(), "lost"),
    ("another result", lambda h: files(h)[-1].update(sha256="e5" * 32), "invented"),
    ("a result twice", lambda h: files(h).append(files(h)[-1]), "duplicated"),
    ("a result nobody issued", lambda h: h["justice_dossiers"][0].update(certificate=""), "invented"),
    ("a paper left out", lambda h: papers(h).pop(), "lost"),
    ("a paper with a changed byte", lambda h: papers(h)[0].update(sha256="e5" * 32), "invented"),
    ("a paper under another name", lambda h: papers(h)[0].update(tenGiayTo="To khai.pdf"), "lost"),
    ("a paper twice", lambda h: papers(h).append(papers(h)[0]), "duplicated"),
    ("a paper named without its bytes", lambda h: papers(h)[0].pop("sha256"), "lost"),
    ("half of the papers at the other ministry", half_at_transport, "lost"),
    ("an address missing", lambda h: fetched(h).pop(), "lost"),
    ("an address that leads nowhere", lambda h: fetched(h)[0].update(status=404), "lost"),
    ("an address with other bytes behind it", lambda h: fetched(h)[-1].update(sha256="e5" * 32), "invented"),
    ("a result of the officers' own that is shown nowhere", officers_attach, "lost"),
    ("an address twice", lambda h: fetched(h).append(fetched(h)[0]), "duplicated"),
    (
        "a paper that a call put there",
        lambda h: h["province_effects"].append(effect(7, "file", UID, AT["result"], {"referenceUid": "f-a1"}, 9)),
        "invented",
    ),
    ("a result uploaded twice", lambda h: h["province_effects"].append(h["province_effects"][-2]), "duplicated"),
]


@pytest.mark.parametrize(("what", "plant", "name"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_every_planted_wrong_is_found(what: str, plant: Callable[[Plain], object], name: str) -> None:
    assert found(plant).get(name), what
