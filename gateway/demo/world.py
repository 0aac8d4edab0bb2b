"""What happens in the demo: every dossier's life as a list of acts, drawn from a seed. Pure.

Persons are synthetic. An act is `(verb, arguments)`; verbs beginning with `wait_` stand for looking at a screen until
it shows something, those beginning with `citizen_` are done at the national portal, `justice_` and `transport_` at the
ministry's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.catalogue import JUSTICE, TRANSPORT, Procedure, of_ministry

NATIONAL_AGENCY = "000.00.00.G22"
"""Whose numbers the dossiers have that are submitted at the national portal."""
FORWARDED_SHARE = 0.15
"""The share of dossiers each ministry takes a stage of."""

PAPERS = ("Tờ khai đăng ký.pdf", "Giấy chứng nhận kèm theo số 1.pdf")
"""What citizens hand in: with a dossier that a ministry takes a stage of both, else the first with every sixth one."""
RESULT = "Giấy phép.pdf"
"""What officers attach before they end every third dossier themselves."""

OFFICERS = ("Cán bộ thử nghiệm 01", "Cán bộ thử nghiệm 02", "Cán bộ thử nghiệm 03")

Act = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Life:
    """One dossier: its reference, procedure, birth, and what is done to it in order; `papers` come with its birth,
    `result` is what officers attach before its end.

    One that is submitted online has a `place` in the national portal's own count, and the `number` made of it; what it
    says is the portal's business.
    """

    reference: str
    procedure: Procedure
    birth: Mapping[str, Any]
    acts: tuple[Act, ...] = field(default=())
    papers: tuple[str, ...] = ()
    result: str = ""
    place: int = 0
    number: str = ""


_HOME: tuple[tuple[str, ...], ...] = (
    ("process", "complete", "return_result"),
    ("process", "complete", "return_result"),
    ("process", "request_supplement", "process", "complete", "return_result"),
    ("process", "request_payment", "process", "complete", "return_result"),
    ("process", "pause", "process", "complete", "return_result"),
    ("process", "complete", "rollback", "complete", "return_result"),
    ("process", "complete", "return_result", "reopen", "complete", "return_result"),
    ("process", "extend", "complete", "return_result"),
    ("process", "describe", "complete", "post_result", "return_result"),
    ("process", "unresolve"),
    ("process", "request_cancel", "cancel"),
    ("deny",),
)
"""Lives that stay in the province, after acceptance."""

_TRANSPORT: tuple[tuple[str, ...], ...] = (
    ("interoperate", "wait_declared", "transport_accept", "transport_complete", "wait_releasing", "return_result"),
    ("process", "interoperate", "wait_declared", "transport_accept", "transport_complete", "wait_releasing"),
    ("interoperate", "wait_declared", "transport_accept", "transport_supplement", "wait_waiting", "process",
     "interoperate", "wait_supplemented", "transport_complete", "wait_releasing", "return_result"),
    ("interoperate", "wait_declared", "transport_refuse", "wait_unresolved"),
)  # fmt: skip
"""Lives with a stage at the ministry of transport: what it decides it calls back, and it becomes an act."""

_JUSTICE: tuple[tuple[str, ...], ...] = (
    ("interoperate", "wait_declared", "justice_advance", "justice_advance", "wait_releasing", "return_result"),
    ("process", "interoperate", "wait_declared", "justice_advance", "justice_advance", "wait_releasing"),
    ("interoperate", "wait_declared", "justice_supplement", "wait_waiting", "process", "justice_advance",
     "justice_advance", "wait_releasing", "return_result"),
    ("interoperate", "wait_declared", "justice_refuse", "wait_unresolved"),
)  # fmt: skip
"""Lives with a stage at the ministry of justice: what it decides is asked for, and it becomes an act."""

_ONLINE: tuple[tuple[str, ...], ...] = (
    ("accept", "process", "complete", "return_result"),
    ("accept", "process", "complete", "return_result"),
    ("accept", "process", "request_supplement", "citizen_supplements", "wait_processing", "complete", "return_result"),
    ("accept", "process", "request_payment", "citizen_pays", "wait_processing", "complete", "return_result"),
    ("accept", "process", "citizen_withdraws", "wait_cancelling", "cancel"),
    ("citizen_withdraws", "wait_cancelling", "cancel"),
    ("deny",),
)
"""Lives of dossiers submitted at the national portal that stay in the province."""


def lives(count: int, seed: int, pushes: int = 0) -> list[Life]:
    """As many dossiers as asked for and `pushes` more that are submitted online, the same for the same seed."""
    lot = random.Random(f"world {seed}")
    shares = ((FORWARDED_SHARE, TRANSPORT), (2 * FORWARDED_SHARE, JUSTICE))
    found = []
    for number in range(count):
        place = (number * 0.6180339887) % 1.0
        ministry = next((name for share, name in shares if place < share), "")
        found.append(_life(number, seed, ministry, lot))
    online = [_online(number + 1, lot) for number in range(pushes)]
    return _mixed(found, online)


def _mixed(one: list[Life], other: list[Life]) -> list[Life]:
    """Both lists, evenly mixed and each in its order."""
    places = [(place / max(len(lives), 1), life) for lives in (one, other) for place, life in enumerate(lives)]
    return [life for _, life in sorted(places, key=lambda pair: pair[0])]


def _life(number: int, seed: int, ministry: str, lot: random.Random) -> Life:
    procedure = lot.choice(of_ministry(ministry))
    reference = f"{seed & 0xFFFFFFFF:08x}-0000-4000-8000-{number:012x}"
    paths = {TRANSPORT: _TRANSPORT, JUSTICE: _JUSTICE}.get(ministry, _HOME)
    path = lot.choice(paths)
    online = path == ("deny",) or lot.random() < 0.7
    birth = {
        "referenceUid": reference,
        "service": procedure.code,
        "agency": procedure.agency,
        "online": online,
        "person": _person(number),
        "form": {"briefNote": f"Hồ sơ thử nghiệm số {number + 1}"},
        "officer": lot.choice(OFFICERS),
    }
    first: tuple[str, ...] = () if not online or (path == ("deny",) and lot.random() < 0.5) else ("accept",)
    acts = tuple(_act(verb, number, lot) for verb in (*first, *path))
    papers = PAPERS if ministry else PAPERS[: 1 - min(number % 6, 1)]
    return Life(reference, procedure, birth, acts, papers, _result(number))


def _online(place: int, lot: random.Random) -> Life:
    """A dossier that a citizen submits at the national portal; some have a stage at a ministry."""
    ministry = lot.choices(("", TRANSPORT, JUSTICE), (0.8, 0.1, 0.1))[0]
    procedure = lot.choice(of_ministry(ministry))
    paths = {TRANSPORT: _TRANSPORT, JUSTICE: _JUSTICE}.get(ministry)
    path = lot.choice(_ONLINE) if paths is None else ("accept", *lot.choice(paths))
    acts = tuple(_act(verb, place, lot) for verb in ("wait_there", *path))
    return Life("", procedure, {}, acts, (), _result(place), place, f"{NATIONAL_AGENCY}-261102-{place:05d}")


def _result(number: int) -> str:
    return "" if number % 3 else RESULT


def _act(verb: str, number: int, lot: random.Random) -> Act:
    said = {"officer": lot.choice(OFFICERS), "note": f"Ghi chú {number + 1}/{lot.randrange(1000)}"}
    match verb:
        case "reopen":
            return "goto", {"stepCode": "200", "officer": said["officer"]}
        case "extend":
            return "amend", {"due_days": lot.randint(1, 5), "officer": said["officer"]}
        case "describe":
            return "amend", {"set": {"brief": f"Nội dung sửa {lot.randrange(1000)}"}, "officer": said["officer"]}
    return verb, said


def _person(number: int) -> dict[str, str]:
    """Nobody: the name says so, and no identity number ending in six zeros was ever issued."""
    name = f"CÔNG DÂN THỬ NGHIỆM {number + 1:02d}"
    return {
        "applicantName": name,
        "applicantIdType": "citizen",
        "applicantIdNo": f"{96 + number // 1000:03d}{number % 1000:03d}000000",
        "contactName": name,
        "contactTelNo": "0900000000",
        "contactEmail": f"congdan{number + 1}@example.invalid",
        "address": "Ấp Thử Nghiệm",
        "cityCode": "99",
        "cityName": "Tỉnh Thử Nghiệm",
    }
