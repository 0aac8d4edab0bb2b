"""`lienthong mapping`: what a clerk sees of a mapping and a payload."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.app import run
from gateway.cli.exit_codes import ExitCode

DOSSIER = {
    "MaHoSo": "H99-1",
    "MaTTHC": "1.001193",
    "TenTTHC": "Đăng ký khai sinh",
    "ChuHoSo": "CÔNG DÂN THỬ NGHIỆM 01",
    "SoGiayToChuHoSo": "096001000000",
    "TrangThaiHoSo": "2",
    "NgayNopHoSo": "20260701080000",
    "TruongLa": "?",
}
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def lienthong(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return lienthong


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    file = tmp_path / "dossier.json"
    file.write_text(json.dumps(DOSSIER), "utf-8")
    return file


def test_all_packaged_mappings_are_in_order(call: Call) -> None:
    code, out, err = call("mapping", "check")
    assert (code, err) == (ExitCode.OK, "")
    assert "npsp/v2-2024" in out


def test_every_problem_of_a_mapping_is_named_with_its_line(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "kind: npsp\nprofile: p\nsource: s\nreleased: '2026-01-01'\nmessages:\n  one:\n    target: dossier\n"
        "    fields:\n      no_such: {wire: A, codec: text}\n      dossier_code: {wire: B, codec: no_codec}\n"
    )
    code, _, err = call("mapping", "check", str(file))
    assert code == ExitCode.CONFIG
    assert "wrong.yaml:9" in err
    assert "wrong.yaml:10" in err


def test_try_says_which_rule_made_each_field_and_what_has_none(call: Call, payload: Path) -> None:
    code, out, _ = call("mapping", "try", str(payload), "--mapping", "npsp/v2-2024")
    assert code == ExitCode.OK
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "MaHoSo" in rows["dossier_code"]
    assert "H99-1" in rows["dossier_code"]
    assert "TrangThaiHoSo" in rows["state.status"]
    assert "accepted" in rows["state.status"]
    assert "TruongLa" in out


def test_try_masks_what_is_personal_unless_asked(call: Call, payload: Path) -> None:
    arguments = ("mapping", "try", str(payload), "--mapping", "npsp/v2-2024")
    masked = call(*arguments)[1]
    assert "CÔNG DÂN" not in masked
    assert "096001000000" not in masked
    assert "CÔNG DÂN" in call(*arguments, "--personal")[1]
    rules = json.loads(call(*arguments, "--json")[1])["rules"]
    assert {rule["field"]: rule["value"] for rule in rules}["applicant.name"] == "C.D.T.N.0."


def test_diff_names_what_two_mappings_read_differently(call: Call, payload: Path) -> None:
    same = call("mapping", "diff", "npsp/v2-2024", "npsp/v2-2024", str(payload), "--message", "dossier")
    assert same[0] == ExitCode.OK
    code, out, _ = call(
        "mapping", "diff", "npsp/v2-2024", "npsp/v1.4-2020", str(payload.parent), "--message", "dossier"
    )
    assert code == ExitCode.ERROR
    assert "dossier.json" in out


def test_a_payload_that_is_neither_json_nor_xml_is_said_with_its_line(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{\n"a": }\n')
    code, _, err = call("mapping", "try", str(file), "--mapping", "npsp/v2-2024")
    assert code == ExitCode.ERROR
    assert "x.json:2" in err
