"""The body of the push is not public: a province that meets other field names configures them, and nothing is lost."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.npsp.caller import citizens
from tests.integration.npsp.test_npsp_pushes_reach_the_province import NUMBER, Line

PUSH = {
    "paths": ["dvc/tiep-nhan"],
    "envelope": "wrapped",
    "number": ["SoHoSoQG"],
    "procedure": ["MaThuTuc"],
    "agency": ["CoQuanTiepNhan"],
    "said_in": ["LoaiBanTin"],
    "says": {"RUT": "withdrawal"},
    "submitted_at": ["ThoiGianNop"],
    "required": ["MaThuTuc", "HoTenChuHoSo"],
    "files": [{"at": "DanhSachTep", "name": ["TenFile"], "content": ["NoiDungBase64"], "url": ["LinkTai"]}],
}
MAPPING = """
kind: npsp
profile: v2-2024
source: what this province agreed upon
released: "2026-11-23"
extends: npsp/v2-2024
messages:
  push:
    fields:
      national_code: {wire: SoHoSoQG, codec: text}
      procedure.procedure_code: {wire: MaThuTuc, codec: text}
      applicant.name: {wire: HoTenChuHoSo, codec: text}
      submitted_at: {wire: ThoiGianNop, codec: local_time_14}
AGENCY
"""
AGENCY = "      handling_agency.agency_code: {wire: CoQuanTiepNhan, codec: text}"
NAME = "Tờ khai đề nghị.pdf"
DOSSIER = {
    "SoHoSoQG": NUMBER,
    "MaThuTuc": "2.002288",
    "CoQuanTiepNhan": "H99.19",
    "HoTenChuHoSo": "CÔNG DÂN THỬ NGHIỆM 77",
    "ThoiGianNop": "20261102080007",
    "DanhSachTep": [
        {"TenFile": NAME, "NoiDungBase64": base64.b64encode(citizens.content_of(NAME)).decode()},
        {"TenFile": "Đơn.pdf", "LinkTai": "NATIONAL/tep/Don.pdf"},
    ],
}


def its_own(folder: Path, agency: str = AGENCY) -> Line:
    mapping = folder / "own.yaml"
    mapping.write_text(MAPPING.replace("AGENCY", agency), encoding="utf-8")
    return Line(folder, mapping=str(mapping), push=PUSH)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = its_own(tmp_path)
    yield made
    made.close()


def tell(line: Line, fields: dict[str, Any]) -> int:
    body = orjson.dumps({"service": "x", "isUpdating": "False", "data": fields})
    body = body.replace(b"NATIONAL", line.servers[1].url.encode())
    return int(line.ask("dvc/tiep-nhan", body).json()["error_code"])


def in_other_case(fields: dict[str, Any]) -> dict[str, Any]:
    def other(value: Any) -> Any:
        return [in_other_case(item) for item in value] if isinstance(value, list) else value

    return {name.upper(): other(value) for name, value in fields.items()}


@pytest.mark.parametrize("fields", [DOSSIER, in_other_case(DOSSIER)], ids=["as agreed", "in other case"])
def test_a_dossier_under_names_of_its_own_is_made_with_its_date_and_the_names_of_its_files(
    line: Line, fields: dict[str, Any]
) -> None:
    assert [tell(line, fields), tell(line, DOSSIER)] == [0, 1]
    line.until(line.held)

    held = line.held()
    assert held.submitted_at == datetime(2026, 11, 2, 1, 0, 7, tzinfo=UTC)
    assert sorted(file.name for file in held.files) == [NAME, "Đơn.pdf"]
    assert next(file.content for file in held.files if file.name == NAME) == citizens.content_of(NAME)
    assert line.aside() == []


@pytest.mark.parametrize(
    "change",
    [{"ThoiGianNop": "hôm qua"}, {"ThoiGianNop": "20261302080007"}, {"GhiChu": {"a": "b"}}],
    ids=["no time", "no such month", "an object for a text"],
)
def test_what_the_provinces_own_words_cannot_read_is_refused_and_taken_when_mended(
    line: Line, change: dict[str, Any]
) -> None:
    assert tell(line, DOSSIER | change) == -1
    line.round()
    assert line.held() is None

    assert tell(line, DOSSIER) == 0
    line.until(line.held)


def test_a_promotions_supplement_says_no_agency_and_is_taken_where_the_entry_names_one_for_all(tmp_path: Path) -> None:
    line = Line(tmp_path, promotion={"agencies": {"*": "H99.19"}})
    notice = {"MaHoSo": NUMBER, "MaTTHC": "2.002288", "MaSoThue": "0100000000", "TenThuongNhan": "CÔNG TY THỬ NGHIỆM"}
    amended = {"MaHoSoQG": NUMBER, "ThongTinSuaDoi": {"TenChuongTrinhKM": "sửa"}, "LyDoDieuChinh": "điều chỉnh"}
    wrapped = {"service": "x", "isUpdating": "True", "data": amended}
    told = [line.ask("addtthcKhuyenMai", orjson.dumps(body)).json()["error_code"] for body in (notice, wrapped)]
    line.close()

    assert told == [0, 1]


def test_a_dossier_whose_agency_the_mapping_does_not_read_is_refused_and_never_waits_for_one(tmp_path: Path) -> None:
    line = its_own(tmp_path, agency="")
    assert tell(line, DOSSIER) == -1
    (row,) = line.gateway.store.read(lambda tx: tx.list_inbound())
    line.close()

    assert (row.state, row.reason) == ("refused", "its agency is named, and the mapping does not read that field")
