"""The portal's words through its mappings, against the simulated portal: nothing invented, nothing rewritten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.base import OutcomeKind
from adapters.npsp.contract import contract, problems
from mappings import loader
from schemas.errors import NotSendableError, RecordInvalidError
from schemas.status import DossierStatus

load = cache(loader.load)
NUMBER = "H56.14-261101-00001"
PROFILES = ["v1.4-2020", "v2-2024", "facade-get-wrapped", "facade-bare-array"]
Make = Callable[..., Any]
VALUES: dict[str, Any] = {
    "dossier_code": NUMBER,
    "procedure": {"procedure_code": "1.001193", "name": "Thủ tục đăng ký khai sinh"},
    "applicant": {"kind": "citizen", "name": "CÔNG DÂN THỬ NGHIỆM 01"},
    "handling_agency": {"name": "Ủy ban nhân dân xã"},
    "received_at": datetime(2026, 11, 1, 1, 30, tzinfo=UTC),
    "state": {"status": DossierStatus.ACCEPTED},
}
EVENT: dict[str, Any] = {
    "dossier_code": NUMBER,
    "status": DossierStatus.ACCEPTED,
    "occurred_at": datetime(2026, 11, 1, 6, 5, tzinfo=UTC),
    "officer": "CÁN BỘ THỬ NGHIỆM 01",
}


def bench_of(make_bench: Make, profile: str) -> Any:
    account = {} if profile.startswith("v") else {"username": "", "password": None}
    return make_bench(profile=profile, **account)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_mapping_writes_the_portal_takes_and_shows_again(make_bench: Make, profile: str) -> None:
    bench, mapping = bench_of(make_bench, profile), load(f"npsp/{profile}")
    wire = mapping.messages["dossier"].localise(VALUES)
    row = mapping.messages["progress"].localise(EVENT)
    assert bench.adapter.push(bench.delivery("insert", wire)).kind is OutcomeKind.DELIVERED
    assert bench.adapter.push(bench.delivery("progress", [row])).kind is OutcomeKind.DELIVERED
    held = bench.simulator.screen(f"record/{NUMBER}", {})
    again = mapping.messages["dossier"].normalise(held["dossier"]).values
    assert again["received_at"] == VALUES["received_at"]
    assert mapping.messages["progress"].normalise(held["progress"][0]).values["occurred_at"] == EVENT["occurred_at"]
    if bench.adapter.abilities.fetches:
        shown = mapping.messages["lookup"].normalise(bench.adapter.fetch(NUMBER).parts["lookup"])
        assert (shown.values["dossier_code"], shown.values["state"]["status"]) == (NUMBER, DossierStatus.ACCEPTED)
        assert shown.unknown == ()


@pytest.mark.parametrize("status", list(DossierStatus))
def test_npsp_14_every_status_is_sent_as_it_is(make_bench: Make, status: DossierStatus) -> None:
    """Supplement, payment and halt are not rewritten to "completed": the waiting time stays visible."""
    bench, message = make_bench(), load("npsp/v2-2024").messages["dossier"]
    wire = message.localise(VALUES | {"state": {"status": status}})
    assert bench.adapter.push(bench.delivery("insert", wire)).kind is OutcomeKind.DELIVERED
    shown = bench.adapter.fetch(NUMBER).parts["lookup"]
    assert load("npsp/v2-2024").messages["lookup"].normalise(shown).values["state"]["status"] is status


@pytest.mark.parametrize("profile", PROFILES)
def test_npsp_24_a_dossier_without_a_status_is_not_sendable(profile: str) -> None:
    with pytest.raises(NotSendableError):
        load(f"npsp/{profile}").messages["dossier"].localise(VALUES | {"state": {}})


@pytest.mark.parametrize("code", ["", "0", "11", "ba"])
def test_npsp_24_an_unmapped_status_is_quarantined_by_name(code: str) -> None:
    with pytest.raises(RecordInvalidError) as caught:
        load("npsp/v2-2024").messages["progress"].normalise({"MaHoSo": NUMBER, "TrangThai": code})
        assert code == "", "an empty status may be read as absent, never as a status"
        raise RecordInvalidError("absent", field="status")
    assert "status" in (caught.value.field + caught.value.reason) or "TrangThai" in caught.value.reason


def test_npsp_15_no_identity_and_no_result_is_ever_made_up(make_bench: Make) -> None:
    wire = load("npsp/v2-2024").messages["dossier"].localise(VALUES)
    text = orjson.dumps(wire).decode()
    assert "000000001" not in text
    assert not wire.get("DinhDanhCHS")
    assert not wire.get("DanhSachGiayToKetQua")
    assert not wire.get("SoGiayToChuHoSo")


@pytest.mark.parametrize("absent", ["", None])
@pytest.mark.parametrize("field", ["NgayHenTra", "NgayTra", "NgayTuChoi", "NgayKetThucXuLy"])
def test_npsp_12_a_date_empty_null_or_left_out_is_absent(field: str, absent: str | None) -> None:
    message = load("npsp/v2-2024").messages["dossier"]
    wire = message.localise(VALUES)
    without = {name: value for name, value in wire.items() if name != field}
    assert message.normalise(wire | {field: absent}).values == message.normalise(without).values


def test_npsp_12_an_afternoon_is_written_with_twenty_four_hours() -> None:
    row = load("npsp/v2-2024").messages["progress"].localise(EVENT)
    assert row["ThoiDiemXuLy"] == "20261101130500"


def test_npsp_13_no_due_date_is_invented_and_no_closing_row() -> None:
    assert not load("npsp/v2-2024").messages["dossier"].localise(VALUES).get("NgayHenTra")


def test_npsp_08_09_keys_in_other_case_and_other_spelling_are_read() -> None:
    messages = load("npsp/v2-2024").messages
    assert (
        messages["lookup"].normalise({"mahoso": NUMBER}).values
        == messages["lookup"].normalise({"MAHOSO": NUMBER}).values
    )
    dossier = {"MaHoSo": NUMBER, "DanhSachGiayToKetQua": [{"MaKetQua": "KQ.G15.000031"}]}
    assert messages["dossier"].normalise(dossier).values["results"][0]["result_code"] == "KQ.G15.000031"
    other = {"MaHoSo": NUMBER, "HoSoCoThanhPhanSoHo": "1", "DanhSachPhiLePhi": [{"Gia": "5000"}]}
    values = messages["dossier"].normalise(other).values
    assert (values["digitised"], values["fees"][0]["fee_vnd"]) == (True, 5000)


def test_npsp_07_10_11_every_procedure_of_the_portal_is_read(make_bench: Make) -> None:
    bench, message = make_bench(), load("npsp/v2-2024").messages["procedure"]
    for row in bench.adapter.catalogue("procedures").rows:
        (whole,) = bench.adapter.catalogue(f"procedure:{row['MATTHC']}").rows
        assert message.normalise(whole).values["procedure_code"] == row["MATTHC"]


@pytest.mark.parametrize(
    ("money", "amount"), [("Không", 0), ("10.000", 10_000), ("1.000.000", 1_000_000), ("200000", 200_000), ("", None)]
)
@pytest.mark.parametrize("kind", ["1", "1'"])
def test_npsp_10_fees_are_read_however_they_are_spelled(money: str, amount: int | None, kind: str) -> None:
    way = {"KENH": 2, "THOIGIAN": [{"PHILEPHI": [{"MAPHILEPHI": kind, "SOTIEN": money}]}]}
    row = {"MATTHC": "1.001193", "CACHTHUCTHUCHIEN": [way]}
    fee = load("npsp/v2-2024").messages["procedure"].normalise(row).values["ways"][0]["terms"][0]["fees"][0]
    assert (fee["kind"], fee.get("fee_vnd")) == ("charge", amount)


@pytest.mark.parametrize("unit", ["Ngày làm việc", "Ngày làm việc  ", "Ngày", "Quý"])
@pytest.mark.parametrize("amount", ["7", 7])
def test_npsp_11_a_term_keeps_its_unit_trimmed_and_its_amount_as_text(unit: str, amount: Any) -> None:
    row = {
        "MATTHC": "1.001193",
        "CACHTHUCTHUCHIEN": [{"KENH": "1", "THOIGIAN": [{"THOIGIANGIAIQUYET": amount, "DONVITINH": unit}]}],
    }
    term = load("npsp/v2-2024").messages["procedure"].normalise(row).values["ways"][0]["terms"][0]
    assert (str(term["amount"]), term["unit"]) == ("7", unit.strip())


def test_npsp_07_a_procedure_without_sectors_is_read() -> None:
    values = load("npsp/v2-2024").messages["procedure"].normalise({"MATTHC": "1", "LINHVUCTHUCHIEN": []}).values
    assert not values.get("sectors")


@pytest.mark.parametrize(
    "name",
    ["DongBoHoSoMC_full_request", "DongBoHoSoMC_updating_request", "DongBoHoSoMC_minimal_2020_request"],
)
def test_attested_dossiers_fit_the_contract(data: Path, name: str) -> None:
    body = orjson.loads((data / "payloads" / f"dvcqg_{name}.json").read_bytes())
    assert [found for row in body["data"] for found in problems(row, contract("dossier"))] == []


def test_attested_progress_rows_fit_the_contract(data: Path) -> None:
    body = orjson.loads((data / "payloads" / "dvcqg_CapNhatTienDoHoSoMC_request.json").read_bytes())
    assert [found for row in body["data"] for found in problems(row, contract("progress"))] == []


def test_the_simulated_catalogue_has_the_shape_of_attested_answers(make_bench: Make, data: Path) -> None:
    bench = make_bench()
    for name, file in (("agencies", "LayDanhMucCoQuan"), ("sectors", "LayDanhMucLinhVuc")):
        attested = orjson.loads((data / "payloads" / f"dvcqg_{file}_response.json").read_bytes())["result"]
        assert set(bench.adapter.catalogue(name).rows[0]) == set(attested[0])
    attested = orjson.loads((data / "payloads" / "dvcqg_LayThuTuc_response.json").read_bytes())["result"][0]
    shown = bench.adapter.catalogue("procedure:1.004222").rows[0]
    assert {"MATTHC", "TENTTHC", "MACOQUANCONGBO", "LINHVUCTHUCHIEN", "CACHTHUCTHUCHIEN"} <= set(shown) & set(attested)


def test_npsp_28_a_new_address_of_the_same_file_is_no_change() -> None:
    message = load("npsp/v2-2024").messages["dossier"]
    paper = {"TepDinhKemId": "1", "TenTepDinhKem": "Tờ khai.pdf", "IsDeleted": "False", "MaThanhPhanHoSo": ""}
    old, new = (
        {"MaHoSo": NUMBER, "TaiLieuNop": [paper | {"DuongDanTaiTepTin": f"https://portal.example.invalid/f?t={t}"}]}
        for t in (1, 2)
    )
    assert message.digest(old) == message.digest(new)
