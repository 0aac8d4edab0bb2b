"""The desk behind the ministry's interface: what it holds of each dossier, and what its officers do.

Part of the simulator. Pure bookkeeping; the protocol is in `simulator.py`, the switches in `switches.py`.
Source: ministry.md 2.3, 2.4 and 10.3. Persons are synthetic; the certificate is a PDF of one empty page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.civil_status.options import RESULT_FILES
from adapters.civil_status.switches import Script, Switches, written_time

AWAITING, SUPPLEMENT, PROCESSING, DONE, REFUSED = "1", "2", "3", "4", "6"
PAPER_FIELDS = frozenset({"id", "loaiGiayTo", "tenGiayTo", "tenTepDinhKem", "huyGiayTo", "duLieuTepDinhKem"})
"""The attested fields of `fileDinhKem` (ministry.md 2.2)."""
NEXT = {AWAITING: PROCESSING, SUPPLEMENT: PROCESSING, PROCESSING: DONE}


@dataclass(slots=True)
class Held:
    """One dossier at the ministry; `due_steps` is how many steps of the automatic script have been taken."""

    number: str
    national_number: str
    unit: str
    module: str
    received_at: datetime
    seeded: bool = False
    state: str = AWAITING
    at: datetime | None = None
    note: str = ""
    deadline: datetime | None = None
    refused_repeats: int = 0
    pushes: int = 1
    states: list[tuple[datetime, str]] = field(default_factory=list)
    due_steps: int = 0
    papers: list[dict[str, Any]] = field(default_factory=list)

    def move(self, state: str, at: datetime, note: str = "", deadline: datetime | None = None) -> None:
        """An officer's step; a dossier may be put anywhere."""
        self.state, self.at, self.note, self.deadline = state, at, note, deadline
        self.states.append((at, state))

    def shown(self) -> dict[str, Any]:
        """What the officer's screen and the oracle see."""
        return {
            "number": self.number,
            "national_number": self.national_number,
            "unit": self.unit,
            "module": self.module,
            "state": self.state,
            "states": [{"at": at, "state": state} for at, state in self.states],
            "seeded": self.seeded,
            "pushes": self.pushes,
            "refused_repeats": self.refused_repeats,
            "papers": list(self.papers),
            "certificate": self._certificate_digest(),
        }

    def _certificate_digest(self) -> str:
        """SHA-256 of what was issued, where the field that carries it is attested; "" before, and for a marriage."""
        issued = self.state == DONE and self.module in RESULT_FILES
        return hashlib.sha256(certificate(self.number)).hexdigest() if issued else ""


def papers_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The papers of a push as the office keeps them: each with the digest of its bytes instead of them.

    Raises:
        ValueError: A paper is no object, or its bytes are not Base64.
    """
    return [_filed(row) for row in body.get("fileDinhKem") or ()]


def _filed(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict) or any(name not in PAPER_FIELDS for name in row):
        raise ValueError("a paper of another shape")
    if "duLieuTepDinhKem" not in row:
        return dict(row)
    content = base64.b64decode(row["duLieuTepDinhKem"], validate=True)
    rest = {name: value for name, value in row.items() if name != "duLieuTepDinhKem"}
    return {**rest, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def certificate(number: str) -> bytes:
    """A small PDF, another one for each dossier and always the same for one."""
    mark = hashlib.sha256(number.encode()).hexdigest()
    body = (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
    )
    return b"%PDF-1.4\n%" + mark.encode() + b"\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def row_of(held: Held, switches: Switches) -> dict[str, Any]:
    """One element of a poll's `value`."""
    note_field = "noiDungXuLy" if switches.note_in_content else "ghiChu"
    deadline = None if switches.no_supplement_deadline else held.deadline
    return {
        "maDonVi": held.unit,
        "maTinh": switches.province_code,
        "module": held.module,
        "maHoSoLT": held.national_number,
        "maHoSoMCDT": held.number,
        "errors": None,
        "trangThai": held.state,
        "thoiGianThucHien": written_time(held.at, switches.time_form) if held.at else None,
        "ghiChu": None,
        "ketQuaXuLy": _result(held, switches) if held.state == DONE else None,
        "nguoiXuLy": "CÁN BỘ THỬ NGHIỆM 01",
        "chucDanh": "Công chức tư pháp - hộ tịch",
        "phongBanXuLy": "Bộ phận hộ tịch",
        "noiDungXuLy": None,
        "hanBoSungHoSo": written_time(deadline, switches.time_form) if deadline else None,
        **({note_field: held.note} if held.note else {}),
    }


def _result(held: Held, switches: Switches) -> Any:
    """`ketQuaXuLy`, as the switch `result` spoils it (R06); addresses without a district since 2025-07 (R10)."""
    if switches.result == "null":
        return None
    name = RESULT_FILES.get(held.module, "giayChungNhan")
    order = int(hashlib.sha256(held.number.encode()).hexdigest()[:6], 16)
    result: dict[str, Any] = {
        "ngayDangKy": held.at.strftime("%d.%m.%Y") if held.at else None,
        "soDangKy": str(order % 1000 + 1),
        "quyenSo": "01/2026",
        "trangSo": str(order % 200 + 1),
        "nycHoTen": "CÔNG DÂN THỬ NGHIỆM 01",
        "nycNoiCuTru": {"maTinh": switches.province_code, "maHuyen": "", "maXa": "00001", "dcChiTiet": "Số 1"},
    }
    if held.module == "LTKS":
        result |= {"soDinhDanh": "000000000001", "nksHoTen": "CÔNG DÂN THỬ NGHIỆM 02", "nksGioiTinh": 1}
    spoilt = {"empty": "", "broken": "JVBERi0xLjQ$$$", "not_pdf": base64.b64encode(b"<html>500</html>").decode()}
    return result | {name: spoilt.get(switches.result, base64.b64encode(certificate(held.number)).decode())}


def take_due_steps(held: Held, script: Script, now: datetime) -> list[str]:
    """Let the automatic script work up to `now`; gives the states it went through.

    Its path is decided by the number alone: every `supplement_every`th dossier is asked for more first, every
    `refuse_every`th is refused. It stops at a dossier that an officer moved by hand.
    """
    path, taken = script_path(held.number, script), []
    while held.due_steps < len(path):
        at = held.received_at + timedelta(seconds=script.step_s * (held.due_steps + 1))
        by_hand = len(held.states) != held.due_steps
        if at > now or by_hand:
            break
        state = path[held.due_steps]
        held.move(state, at, *_words(state, at))
        held.due_steps += 1
        taken.append(state)
    return taken


def script_path(number: str, script: Script) -> tuple[str, ...]:
    """The states after "awaiting receipt": 3, 4, or 2, 3, 4, or 6."""
    lot = int(hashlib.sha256(number.encode()).hexdigest()[:8], 16)
    if script.refuse_every and lot % script.refuse_every == 0:
        return (REFUSED,)
    if script.supplement_every and lot // 7 % script.supplement_every == 0:
        return (SUPPLEMENT, PROCESSING, DONE)
    return (PROCESSING, DONE)


def _words(state: str, at: datetime) -> tuple[str, datetime | None]:
    match state:
        case "2":
            return "Đề nghị bổ sung giấy chứng sinh", at + timedelta(days=9)
        case "6":
            return "Hồ sơ không đủ điều kiện", None
    return "", None


def office_step(held: Held, verb: str, arguments: Mapping[str, Any], now: datetime) -> str:
    """One officer's act on one dossier; gives the new state.

    Raises:
        ValueError: The verb does not fit the state.
        LookupError: Unknown verb.
    """
    note = str(arguments.get("note", ""))
    match verb:
        case "advance":
            if held.state not in NEXT:
                raise ValueError(f"nothing follows state {held.state}")
            held.move(NEXT[held.state], now, note)
        case "supplement":
            days = int(arguments.get("days", 9))
            held.move(SUPPLEMENT, now, note or _words(SUPPLEMENT, now)[0], now + timedelta(days=days))
        case "refuse":
            held.move(REFUSED, now, note or _words(REFUSED, now)[0])
        case "complete":
            held.move(DONE, now, note)
        case "set_state":
            held.move(str(arguments["state"]), now, note)
        case _:
            raise LookupError(verb)
    return held.state
