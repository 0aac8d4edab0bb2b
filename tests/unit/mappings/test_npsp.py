"""The national portal's vocabulary: the oddities of its records that a mapping meets (npsp.md section 6)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings import load
from schemas.errors import RecordInvalidError
from schemas.status import DossierStatus

PROFILES = ["npsp/v1.4-2020", "npsp/v2-2024", "npsp/facade-get-wrapped", "npsp/facade-bare-array"]
MESSAGES = load("npsp/v2-2024").messages
PROCEDURE, DOSSIER, LOOKUP = MESSAGES["procedure"], MESSAGES["dossier"], MESSAGES["lookup"]


@pytest.mark.parametrize("profile", PROFILES)
def test_all_ten_statuses_have_their_national_code(profile: str) -> None:
    messages = load(profile).messages

    for number, status in enumerate(DossierStatus, start=1):
        assert messages["dossier"].record.write({"state": {"status": status}})["TrangThaiHoSo"] == str(number)
        assert messages["progress"].record.write({"status": status})["TrangThai"] == str(number)


def test_the_fields_of_2024_are_unknown_to_the_profile_of_2020() -> None:
    old = load("npsp/v1.4-2020").messages["dossier"]
    written = old.record.write({"channel": "online", "documents": [{"digitised": True, "name": "Đơn"}]})

    assert "KenhThucHien" not in written
    assert "DuocSoHoa" not in written["TaiLieuNop"][0]


@pytest.mark.parametrize(
    "sectors", [[], None, "", {}], ids=["npsp-07-empty", "npsp-06-null", "npsp-06-text", "npsp-06-object"]
)
def test_a_procedure_without_a_sector_is_a_procedure(sectors: Any) -> None:
    assert PROCEDURE.normalise({"MATTHC": "1.004222", "LINHVUCTHUCHIEN": sectors}).values == {
        "procedure_code": "1.004222"
    }


def test_an_object_where_a_list_is_promised_is_a_list_of_one() -> None:
    row = {"LINHVUCTHUCHIEN": {"MALINHVUC": "G03-GD10"}}

    assert PROCEDURE.normalise(row).values == {"sectors": [{"sector_code": "G03-GD10"}]}


@pytest.mark.parametrize("key", ["MATTHC", "MaTTHC", "maTTHC"], ids="npsp-08-{}".format)
def test_a_key_is_known_in_any_case(key: str) -> None:
    assert PROCEDURE.normalise({key: "1.004222"}).values == {"procedure_code": "1.004222"}


def test_a_nested_key_is_known_in_any_case() -> None:
    row = {"KETQUATHUCHIEN": [{"MaKetQua": "KQ.1", "Url": "https://portal.example.invalid/1"}]}

    assert PROCEDURE.normalise(row).values == {
        "results": [{"result_code": "KQ.1", "url": "https://portal.example.invalid/1"}]
    }


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ({"DanhSachGiayToKetQua": [{"MaKetQua": "KQ.1"}]}, "results"),
        ({"DanhSachPhiLePhi": [{"Gia": "1000"}]}, "fees"),
        ({"HoSoCoThanhPhanSoHo": "1"}, "digitised"),
    ],
    ids="npsp-09-{}".format,
)
def test_a_field_spelled_two_ways_is_read_and_written_in_one(wire: dict[str, Any], path: str) -> None:
    seen = DOSSIER.normalise(wire)
    normal = DOSSIER.record.write(seen.values)

    assert path in seen.values
    assert wire.keys() <= DOSSIER.record.known.keys()
    assert DOSSIER.record.read(normal) == seen.values
    assert DOSSIER.record.write(seen.values) != wire


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("Không", 0), (unicodedata.normalize("NFD", "không"), 0), ("10.000", 10_000), ("1.000.000", 1_000_000),
     (10000, 10_000), ("200.000 đồng", 200_000), ("", None), (None, None)],
    ids="npsp-10-{}".format,
)  # fmt: skip
def test_an_amount_is_read_as_the_portal_writes_it(amount: Any, expected: int | None) -> None:
    row = {"CACHTHUCTHUCHIEN": [{"KENH": 1, "PHILEPHI": [{"MAPHILEPHI": "1'", "SOTIEN": amount}]}]}
    fee = PROCEDURE.normalise(row).values["ways"][0]["fees"][0]

    assert (fee["kind"], fee.get("fee_vnd")) == ("charge", expected)


@pytest.mark.parametrize("amount", ["10,000", "1.00", "a lot", True, 1.5], ids="npsp-10-{}".format)
def test_an_amount_nobody_can_be_sure_of_is_refused_by_name(amount: Any) -> None:
    with pytest.raises(RecordInvalidError) as caught:
        PROCEDURE.normalise({"CACHTHUCTHUCHIEN": [{"PHILEPHI": [{"SOTIEN": amount}]}]})

    assert caught.value.field == "ways[0].fees[0].fee_vnd"


@pytest.mark.parametrize("days", [7, "7", " 7 "], ids="npsp-11-{!r}".format)
def test_a_term_is_text_without_outer_blanks(days: Any) -> None:
    row = {"CACHTHUCTHUCHIEN": [{"THOIGIAN": [{"THOIGIANGIAIQUYET": days, "DONVITINH": "Ngày làm việc "}]}]}

    assert PROCEDURE.normalise(row).values["ways"][0]["terms"] == [{"amount": "7", "unit": "Ngày làm việc"}]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"NgayHenTra": ""}, None),
        ({"NgayHenTra": None}, None),
        ({}, None),
        ({"NgayHenTra": "20240125"}, datetime(2024, 1, 24, 17, tzinfo=UTC)),
        ({"NgayHenTra": "20240125170000"}, datetime(2024, 1, 25, 10, tzinfo=UTC)),
    ],
    ids=["npsp-12-empty", "npsp-12-null", "npsp-12-absent", "npsp-12-8-digits", "npsp-12-14-digits"],
)
def test_a_due_date_is_read_in_every_spelling(wire: dict[str, Any], expected: datetime | None) -> None:
    assert DOSSIER.normalise(wire).values.get("due_at") == expected


@pytest.mark.parametrize(
    "text", ["2024012517000", "20240230170000", "20240125250000", "２0240125170000", "0", 20240125170000]
)
def test_a_date_that_is_none_is_refused_by_name(text: Any) -> None:
    with pytest.raises(RecordInvalidError) as caught:
        DOSSIER.normalise({"NgayHenTra": text})

    assert caught.value.field == "due_at"


def test_no_due_date_is_sent_as_none_and_nothing_is_invented() -> None:
    """npsp-13: another vendor invents a closing row; a dossier without a due date goes out without one."""
    assert DOSSIER.record.write({"dossier_code": "H56-240115-0001"})["NgayHenTra"] == ""


@pytest.mark.parametrize("wire", [{"TrangThaiHoSo": "0"}, {"TrangThaiHoSo": "11"}, {"TrangThaiHoSo": "04"}], ids=str)
def test_a_status_code_outside_the_list_is_a_quarantine(wire: dict[str, str]) -> None:
    """npsp-24: an unmapped status is never an empty string."""
    with pytest.raises(RecordInvalidError) as caught:
        DOSSIER.normalise(wire)

    assert caught.value.field == "state.status"


@pytest.mark.parametrize(
    "row",
    [
        {"MAHOSO": "a", "TRANGTHAIHOSO": "4"},
        {"MaHoSo": "a", "MaTrangThai": 4, "TrangThaiHoSo": "Đang xử lý"},
        {"mahoso": "a", "TrangThaiHoSo": unicodedata.normalize("NFC", "ĐANG XỬ LÝ ")},
    ],
)
def test_a_look_up_is_read_by_code_or_by_words(row: dict[str, Any]) -> None:
    values = LOOKUP.normalise(row).values

    assert (values["dossier_code"], values["state"]["status"]) == ("a", DossierStatus.IN_PROGRESS)


def test_long_and_quoted_names_survive() -> None:
    """npsp-25: quotes, line breaks and markup in names are text like any other."""
    name = "Thủ tục \"cấp\" <b>'lại'</b>\r\n" + "x" * 5000

    assert PROCEDURE.normalise({"TENTTHC": name}).values["name"] == name
    assert DOSSIER.record.write({"procedure": {"name": name}})["TenTTHC"] == name
