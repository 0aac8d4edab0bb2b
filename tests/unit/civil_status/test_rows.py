"""Rows of a poll: whose is whose, and whether a result is there."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from adapters.civil_status.options import Options
from adapters.civil_status.rows import (
    PollFailedError,
    ResultMissingError,
    answered,
    file_ref,
    parse_file_ref,
    result_file,
    state_part,
)
from adapters.civil_status.wire import BadJsonError

OPTIONS = Options(
    base_url="http://127.0.0.1", client_id="${K}", client_secret="${S}", province_code="96", max_result_bytes=1024
)
PDF = b"%PDF-1.4 ..."


def row(number: Any = "N1", **more: Any) -> dict[str, Any]:
    """One element of `value`."""
    return {"maHoSoMCDT": number, "trangThai": "1", **more}


def done(**result: Any) -> dict[str, Any]:
    """A completed dossier with this result."""
    return row(trangThai="4", ketQuaXuLy={"soDangKy": "7", **result})


def test_R15_a_number_sent_as_a_json_number_is_the_same_dossier() -> None:  # noqa: N802 - the case's id
    found = answered({"status": 1, "value": [row(9007199254740993)]}, ["9007199254740993"])
    assert state_part(found.rows["9007199254740993"], "LTKS", OPTIONS)["maHoSoMCDT"] == "9007199254740993"


def test_R04_a_row_nobody_asked_for_is_no_part_of_the_answer() -> None:  # noqa: N802 - the case's id
    assert set(answered({"value": [row(), row("N2"), row(""), row(None)]}, ["N1"]).rows) == {"N1"}


@pytest.mark.parametrize("reply", [[], {"status": 1}, {"status": 1, "value": 5}, {"value": ["x"]}, {"value": "<a/>"}])
def test_a_reply_that_is_not_the_contracts_is_no_answer(reply: Any) -> None:
    with pytest.raises(BadJsonError):
        answered(reply, ["N1"])


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 0, "value": None},
        {"status": "0"},
        {"status": 1, "errorCode": "500", "value": []},
        {"status": 1, "statusDescription": "client received soap fault", "value": []},
    ],
)
def test_a_no_without_rows_is_a_failed_poll(reply: Any) -> None:
    with pytest.raises(PollFailedError):
        answered(reply, ["N1"])


def test_a_status_of_another_number_does_not_spoil_an_empty_answer() -> None:
    assert answered({"status": 200, "value": []}, ["N1"]).rows == {}
    assert answered({"status": 1, "value": None}, ["N1"]).rows == {}


def test_rows_are_believed_even_beside_a_no() -> None:
    assert set(answered({"status": 0, "value": [row()]}, ["N1"]).rows) == {"N1"}


def test_R03_a_result_and_a_row_inside_strings_are_read() -> None:  # noqa: N802 - the case's id
    found = answered({"value": ['{"maHoSoMCDT":"N1","trangThai":"1"}']}, ["N1"])
    assert found.rows["N1"]["trangThai"] == "1"
    nested = row(trangThai="4", ketQuaXuLy=f'{{"giayKhaiSinh":"{base64.b64encode(PDF).decode()}"}}')
    assert result_file(nested, "LTKS", OPTIONS).content == PDF  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "completed",
    [
        row(trangThai="4"),
        row(trangThai="4", ketQuaXuLy={}),
        row(trangThai="4", ketQuaXuLy="<a/>"),
        row(trangThai="4", ketQuaXuLy=[]),
        done(),
        done(giayKhaiSinh=None),
        done(giayKhaiSinh=" "),
        done(giayKhaiSinh=5),
        done(giayKhaiSinh="JVBERi0xLjQ$"),
        done(giayKhaiSinh="JVBERi0xLj"),
        done(giayKhaiSinh=base64.b64encode(b"<html>").decode()),
        done(giayKhaiSinh=base64.b64encode(PDF + b"x" * 2000).decode()),
    ],
    ids=lambda value: f"R06-{str(value.get('ketQuaXuLy'))[:40]}",
)
def test_a_result_that_cannot_be_read_is_no_result(completed: dict[str, Any]) -> None:
    with pytest.raises(ResultMissingError):
        state_part(completed, "LTKS", OPTIONS)


def test_base64_with_line_breaks_is_read_and_marriages_need_no_file() -> None:
    text = base64.encodebytes(PDF * 20).decode()
    assert result_file(done(giayKhaiSinh=text), "LTKS", OPTIONS).content == PDF * 20  # type: ignore[union-attr]
    part = state_part(done(), "LTKH", OPTIONS)
    assert part["tepKetQua"] == [{"soDangKy": "7", "ngayDangKy": "", "soQuyen": ""}]


def test_a_file_reference_survives_any_dossier_number() -> None:
    file = result_file(done(giayKhaiSinh=base64.b64encode(PDF).decode()), "LTKS", OPTIONS)
    assert file is not None
    assert parse_file_ref(file_ref("a:b/c#1", file)) == (file.sha256, "giayKhaiSinh", "a:b/c#1")
