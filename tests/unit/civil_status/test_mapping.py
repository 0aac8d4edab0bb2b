"""The two profiles: what is written, what is read, and the recorded calls of the first generation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from mappings.loader import load
from schemas.errors import NotSendableError

G2 = load("civil_status/g2-2024").messages
DOSSIER: dict[str, Any] = {
    "dossier_code": "000.00.01.H96-261101-0001",
    "national_code": "G15.1.26.0001",
    "handling_agency": {"agency_code": "H96.1"},
    "procedure": {"procedure_code": "1.001193"},
    "received_at": datetime(2026, 11, 1, 2, 0, tzinfo=UTC),
    "applicant": {
        "name": "CÔNG DÂN THỬ NGHIỆM 01",
        "identity_number": "000000000001",
        "address": {"text": "Số 1", "province_code": "96", "commune_code": "00001"},
    },
    "documents": [{"name": "Giấy chứng sinh", "deleted": False}, {"name": "Giấy cũ", "deleted": True}],
}


@pytest.mark.parametrize("message", ["push", "supplement"])
def test_a_push_says_what_we_hold_and_invents_nothing(message: str) -> None:
    wire = G2[message].localise(DOSSIER)
    assert wire["maHoSoLT"] == "G15.1.26.0001"
    assert wire["ngayTiepNhan"] == "01/11/2026 09:00:00"
    inside = orjson.loads(wire["data"])
    assert inside["nycHoTen"] == "CÔNG DÂN THỬ NGHIỆM 01"
    assert not any(name.startswith(("nks", "me", "cha")) for name in inside)
    assert wire["fileDinhKem"] == [
        {"tenGiayTo": "Giấy chứng sinh", "huyGiayTo": 0},
        {"tenGiayTo": "Giấy cũ", "huyGiayTo": 1},
    ]


def test_what_the_electronic_form_said_goes_along_under_the_same_names() -> None:
    form = {"nksHoTen": "CÔNG DÂN THỬ NGHIỆM 02", "unknown": "x"}
    inside = orjson.loads(G2["push"].localise({**DOSSIER, "form": form})["data"])
    assert inside["nksHoTen"] == "CÔNG DÂN THỬ NGHIỆM 02"
    assert "unknown" not in inside


def test_R10_a_push_without_a_district_leaves_it_out() -> None:  # noqa: N802 - the case's id
    inside = orjson.loads(G2["push"].localise(DOSSIER)["data"])
    assert inside["nycNoiCuTru"] == {"maTinh": "96", "maXa": "00001", "dcChiTiet": "Số 1"}


def test_a_dossier_without_a_number_yet_is_sent_with_an_empty_one() -> None:
    assert G2["push"].localise({**DOSSIER, "national_code": ""})["maHoSoLT"] == ""


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("1", "accepted"),
        ("2", "supplement_requested"),
        ("3", "in_progress"),
        ("4", "completed"),
        ("6", "not_accepted"),
    ],
)
def test_every_attested_state_has_its_status_and_keeps_its_word(code: str, status: str) -> None:
    state = G2["state"].normalise({"maHoSoMCDT": "N1", "trangThai": code}).values["state"]
    assert (state["status"], state["wire"]) == (status, code)


@pytest.mark.parametrize("missing", ["dossier_code", "received_at", "procedure", "handling_agency"])
def test_a_push_waits_for_what_the_ministry_needs(missing: str) -> None:
    with pytest.raises(NotSendableError):
        G2["push"].localise({key: value for key, value in DOSSIER.items() if key != missing})


def test_a_push_is_read_back_as_it_was_written() -> None:
    wire = G2["push"].localise(DOSSIER)
    seen = G2["push"].normalise(wire)
    assert seen.unknown == ()
    assert G2["push"].localise(seen.values, spelled=seen.spelled) == wire


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("HoTich.dangKyHoTich", "push"),
        ("HoTich.traTrangThaiHoSo", "state_request"),
        ("HoTich.ketQuaDangKyHS", "state_request"),
        ("HoTich.dsHoSoDangKy", "changes_request"),
        ("HoTich.danhMuc", "code_list_request"),
    ],
)
def test_a_recorded_call_of_the_first_generation_is_read_and_written_back_equal(
    data: Path, call: str, message: str
) -> None:
    samples = orjson.loads((data / "payloads" / "ngsp_api_samples.json").read_bytes())
    rule = load("civil_status/g1-2021").messages[message]
    seen = rule.normalise(samples[call]["request"])
    assert seen.unknown == ()
    assert rule.localise(seen.values, spelled=seen.spelled) == samples[call]["request"]


def test_the_first_generations_list_of_changes_and_its_states_are_known(data: Path) -> None:
    samples = orjson.loads((data / "payloads" / "ngsp_api_samples.json").read_bytes())
    g1 = load("civil_status/g1-2021").messages
    for row in samples["HoTich.dsHoSoDangKy"]["response"]:
        seen = g1["change"].normalise(row)
        assert g1["change"].localise(seen.values, spelled=seen.spelled) == row
    known = {code for code in samples["HoTich.traTrangThaiHoSo"]["statuses"] if code != "0"}
    for code in known:
        assert g1["state"].normalise({"maHoSo": "1", "trangThai": code}).values["state"]["wire"] == code
