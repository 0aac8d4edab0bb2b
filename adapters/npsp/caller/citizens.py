"""What citizens submit online: synthetic dossiers of the portal's two shapes, and what they send after them."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from schemas.settings import Section

Shape = Literal["push", "promotion"]
Files = Literal["none", "base64", "links", "mixed"]
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_FIRST = datetime(2026, 11, 2, 1, tzinfo=UTC)


class Submitting(Section):
    """Which dossiers are submitted. `start` numbers the first one; the same number and seed give the same dossier.

    `submitted_at` and `asked_at`: when it was submitted, and when more was sent, paid or asked for after that; made
    from the number where they are left out.
    `procedures` and `agencies` are drawn from; `links` is where this portal serves files of its own (`/tep/NAME`).
    """

    shape: Shape = "push"
    start: int = 1
    seed: int = 0
    agency: str = "000.00.00.G22"
    procedures: tuple[str, ...] = Field(default=("1.013234",), min_length=1)
    agencies: tuple[str, ...] = Field(default=("H99.19",), min_length=1)
    files: Files = "base64"
    links: str = ""
    submitted_at: datetime | None = None
    asked_at: datetime | None = None


def number_of(plan: Submitting, place: int) -> str:
    """The national number of the dossier at a place."""
    return f"{plan.agency}-261102-{place:05d}"


def dossier(plan: Submitting, place: int) -> dict[str, Any]:
    """One dossier as the portal pushes it."""
    lot = random.Random(plan.seed * 1_000_003 + place)
    at = _stamp(plan.submitted_at or _FIRST + timedelta(seconds=place * 7))
    shape = _promotion if plan.shape == "promotion" else _push
    return shape(plan, place, lot, at)


def addresses_anew(fields: dict[str, Any], turn: int) -> dict[str, Any]:
    """The same dossier pushed again: every file has a new address, as is attested of clients (npsp.md 5.5)."""
    rows = [
        row | {"DuongDanTaiTepTin": f"{row['DuongDanTaiTepTin'].partition('?')[0]}?t={_millis(turn)}&download=true"}
        if "DuongDanTaiTepTin" in row
        else row
        for row in fields.get("TaiLieuNop", ())
    ]
    return fields | ({"TaiLieuNop": rows} if rows else {})


def changed(fields: dict[str, Any], turn: int) -> dict[str, Any]:
    """The same number with other content."""
    name = "SoDienThoai" if "ChuHoSo" in fields else "DienThoai"
    return fields | {name: f"0900000{turn:03d}"}


def supplement(plan: Submitting, place: int, turn: int) -> dict[str, Any]:
    """Further papers, in the updating envelope."""
    paper = {"TenTepDinhKem": f"bo-sung-{turn}.pdf", "Base64": _base64(f"bo sung {place} {turn}")}
    at = _stamp(plan.asked_at or _FIRST + timedelta(days=3, seconds=turn))
    data = {"MaHoSo": number_of(plan, place), "NgayYeuCau": at, "TaiLieuNop": [paper]}
    return {"service": "nhanhsdvcqg", "isUpdating": "True", "data": data}


def withdrawal(plan: Submitting, place: int) -> dict[str, Any]:
    """The citizen takes the dossier back: status 7."""
    at = _stamp(plan.asked_at or _FIRST + timedelta(days=4))
    return dossier(plan, place) | {"TrangThaiHoSo": "7", "NgayYeuCau": at, "LyDo": "Không còn nhu cầu"}


def payment(plan: Submitting, place: int, amount_vnd: int) -> dict[str, Any]:
    """The notice that a fee was paid."""
    number = number_of(plan, place)
    at = _stamp(plan.asked_at or _FIRST + timedelta(days=2))
    return {"MaHoSo": number, "MaThongBao": f"TB-{place:06d}", "SoTien": str(amount_vnd), "DaThanhToan": "1",
            "SoBienLai": f"{place:07d}", "NgayBienLai": at, "MaTraCuuTT": f"{number}{at}"}  # fmt: skip


def content_of(name: str) -> bytes:
    """The bytes of a file that this portal serves under a name."""
    return f"%PDF-1.7\n% tệp thử nghiệm {name}\n%%EOF\n".encode()


def _push(plan: Submitting, place: int, lot: random.Random, at: str) -> dict[str, Any]:
    return {
        "MaHoSo": number_of(plan, place),
        "MaTTHC": lot.choice(plan.procedures),
        "MaDonVi": lot.choice(plan.agencies),
        "ChuHoSo": f"CÔNG DÂN THỬ NGHIỆM {place:02d}",
        "LoaiDoiTuong": "1",
        "SoGiayToChuHoSo": f"{place % 1_000_000:06d}000000",
        "SoDienThoai": "0900000000",
        "Email": f"cong-dan-{place}@example.invalid",
        "NgayNopHoSo": at,
        "TrangThaiHoSo": "1",
        "KenhThucHien": "2",
        "NoiNopHoSo": "1",
        "TrichYeuHoSo": f"Hồ sơ trực tuyến số {place}",
        "TaiLieuNop": _papers(plan, place, lot),
    }


def _promotion(plan: Submitting, place: int, lot: random.Random, at: str) -> dict[str, Any]:
    return {
        "MaHoSo": number_of(plan, place),
        "MaTTHC": lot.choice(plan.procedures),
        "MaDonVi": lot.choice(plan.agencies),
        "MaSoThue": f"{place % 10_000:04d}000000",
        "TenThuongNhan": f"CÔNG TY THỬ NGHIỆM {place:02d}",
        "SoVanBan": f"{place}/TB-KM",
        "NgayNopHoSo": at,
        "DiaChiDoanhNghiep": {"MaTinh": "96", "MaHuyen": "", "MaXa": "", "DiaChiChiTiet": "Số 1 đường Thử Nghiệm"},
        "TenChuongTrinhKhuyenMai": f"Tri ân khách hàng {place}",
        "TenTepDonDangKy": "don-dang-ky.pdf",
        "TepDonDangKy": _base64(f"don {place}"),
        "TaiLieuNop": _papers(plan, place, lot),
    }


def _papers(plan: Submitting, place: int, lot: random.Random) -> Sequence[dict[str, Any]]:
    kinds = {"none": (), "base64": ("base64",), "links": ("links",), "mixed": ("base64", "links")}[plan.files]
    return [_paper(plan, place, turn, lot.choice(kinds)) for turn in range(lot.randint(1, 2) if kinds else 0)]


def _paper(plan: Submitting, place: int, turn: int, kind: str) -> dict[str, Any]:
    name = f"giay-to-{place}-{turn}.pdf"
    if kind == "base64":
        return {"TenTepDinhKem": name, "Base64": base64.b64encode(content_of(name)).decode()}
    return {"TenTepDinhKem": name, "DuongDanTaiTepTin": f"{plan.links}/tep/{name}?t={_millis(0)}&download=true"}


def _base64(text: str) -> str:
    return base64.b64encode(content_of(text)).decode()


def _millis(turn: int) -> int:
    return int(_FIRST.timestamp() * 1000) + turn * 1009


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(_LOCAL):%Y%m%d%H%M%S}"
