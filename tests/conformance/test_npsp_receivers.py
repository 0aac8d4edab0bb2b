"""The national portal's calls on us keep every promise of a receiver."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from adapters.conformance.receiving import ReceiverBench, ReceiverConformance, Sample, request
from adapters.npsp.receiving.endpoints import receivers
from adapters.npsp.receiving.options import InboundOptions

PERSON = "CÔNG DÂN THỬ NGHIỆM 01"
SCAN = base64.b64encode(b"%PDF-1.7 don dang ky").decode()
DOSSIER: dict[str, Any] = {
    "MaHoSo": "000.00.00.G22-261101-00001",
    "MaTTHC": "1.013234",
    "ChuHoSo": PERSON,
    "SoGiayToChuHoSo": "012345000000",
    "LoaiDoiTuong": "1",
    "NgayNopHoSo": "20261101080000",
    "MaDonVi": "H99.19",
    "TaiLieuNop": [
        {"TenTepDinhKem": "don.pdf", "Base64": SCAN},
        {"TenTepDinhKem": "ban-ve.pdf",
         "DuongDanTaiTepTin": "https://portal.example.invalid/documents/1?t=1793494800000&download=true"},
    ],
}  # fmt: skip
NOTICE: dict[str, Any] = {
    "MaHoSo": "000.00.00.G22-261101-00002",
    "MaTTHC": "2.000033",
    "MaSoThue": "0100000000",
    "TenThuongNhan": PERSON,
    "NgayNopHoSo": "20261101080000",
    "TenTepDonDangKy": "don.pdf",
    "TepDonDangKy": SCAN,
    "TaiLieuNop": [{"TenTepDinhKem": "the-le.pdf", "Base64": SCAN}],
}
PAID: dict[str, Any] = {
    "MaHoSo": "000.00.00.G22-261101-00001",
    "MaThongBao": "TB-0001",
    "HoTenNguoiNop": PERSON,
    "SoTien": "150000",
    "DaThanhToan": "1",
    "UrlBienLai": "https://pay.example.invalid/receipt/1",
    "SoBienLai": "0000001",
}
OWED = {
    "fees": [{"name": "Lệ phí", "fee_vnd": 150000}],
    "procedure": {"procedure_code": "1.013234", "name": "Thẩm định"},
    "handling_agency": {"agency_code": "H99.19", "name": "Sở Xây dựng"},
    "applicant": {"name": PERSON, "identity_number": "012345000000"},
}


def call(fields: Any) -> Any:
    return request(orjson.dumps(fields))


def shouted(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields under names in capitals, codes as numbers."""
    return {name.upper(): int(value) if name == "LoaiDoiTuong" else value for name, value in fields.items()}


def moved(fields: dict[str, Any]) -> dict[str, Any]:
    """The same files at addresses with another time in them."""
    later: dict[str, Any] = orjson.loads(orjson.dumps(fields).replace(b"t=1793494800000", b"t=1793494999999"))
    return later


SAMPLES = [
    Sample(
        "push",
        call(DOSSIER),
        repeats=[
            call({"service": "nhanhsdvcqg", "isUpdating": "False", "data": DOSSIER}),
            call({"service": "nhanhsdvcqg", "isUpdating": "False", "data": [DOSSIER]}),
            request(b"\xef\xbb\xbf" + orjson.dumps(DOSSIER)),
            call(orjson.dumps(DOSSIER).decode()),
            call(shouted(DOSSIER)),
            call(moved(DOSSIER)),
            call(DOSSIER | {"GhiChu": "", "Email": None, "MaTTHC": " 1.013234 "}),
        ],
        changes=[
            call(DOSSIER | {"SoDienThoai": "0900000000"}),
            call(DOSSIER | {"TrangThaiHoSo": "7"}),
            call({"isUpdating": "True", "data": DOSSIER}),
            call(DOSSIER | {"TaiLieuNop": DOSSIER["TaiLieuNop"][:1]}),
            call(DOSSIER | {"TruongLa": "mới"}),
        ],
    ),
    Sample(
        "promotion",
        call(NOTICE),
        repeats=[call(shouted(NOTICE)), call(NOTICE | {"Fax": ""})],
        changes=[
            call(NOTICE | {"TepDonDangKy": base64.b64encode(b"%PDF-1.7 khac").decode()}),
            call({"service": "x", "isUpdating": "True",
                  "data": {"MaHoSoQG": NOTICE["MaHoSo"], "ThongTinDaNop": {"a": "1"}, "ThongTinSuaDoi": {"a": "2"},
                           "LyDoDieuChinh": "Sửa thời gian", "TenTepDangKy": "moi.pdf",
                           "URLTepDangKy": "https://portal.example.invalid/documents/2"}}),
        ],
    ),
    Sample("paid", call(PAID), repeats=[call(PAID | {"SoTien": 150000}), call({"data": PAID})],
           changes=[call(PAID | {"SoTien": "160000"})]),
    Sample("fees", call({"MaHoSo": "G22-1"}), repeats=[call({"mahoso": " G22-1 "})]),
    Sample("files", request(method="GET", path="11111111-2222-5333-8444-555555555555")),
]  # fmt: skip


class TestNpspReceivers(ReceiverConformance):
    @pytest.fixture
    def called(self) -> ReceiverBench:
        offered = receivers(InboundOptions())
        found = {"fees_owed": OWED, "file": {"content": b"%PDF-1.7", "media_type": "application/pdf"}}
        return ReceiverBench(offered, SAMPLES, secrets=[PERSON, "012345000000", SCAN], found=found)
