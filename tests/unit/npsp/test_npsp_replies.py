"""Answers taken apart and judged: code and text together, by table (npsp.md 3.9 and section 6)."""

import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.npsp.outcomes import DEFAULT_RULES, Rule, Success, Verdict, classify
from adapters.npsp.reply import UNREADABLE, Reply, normalise_code, parse, rows
from adapters.npsp.verdicts import excerpt, read_rows
from schemas.errors import PortalContractError, PortalError, PortalRefusedError, PortalUnavailableError


def judge(code: Any, text: str, needs: Success = "both", rules: tuple[Rule, ...] = DEFAULT_RULES) -> Verdict:
    return classify(parse(orjson.dumps({"error_code": code, "message": text})), rules, needs)[0]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, 0), ("0", 0), ("00", 0), (" 0 ", 0), (0.0, 0), ("'0'", 0), ("+0", 0), (-1, -1), ("-1", -1), ("-3", -3),
        ("03", 3), (None, None), ("", None), ("  ", None), (True, UNREADABLE), (False, UNREADABLE), ([], UNREADABLE),
        ({}, UNREADABLE),
        ("E01", "E01"), ("1.5", "1.5"), (1.5, "1.5"),
    ],
)  # fmt: skip
def test_npsp_01_codes_are_read_in_every_spelling(value: Any, code: Any) -> None:
    assert normalise_code(value) == code


@pytest.mark.parametrize("key", ["error_code", "errorCode", "ERROR_CODE", "error_code0", "response_code"])
def test_npsp_08_the_code_is_found_under_every_name(key: str) -> None:
    assert parse(orjson.dumps({key: "00", "Message": "Thành công"})) == Reply(
        0, "Thành công", {key: "00", "Message": "Thành công"}
    )


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (0, "Đồng bộ thành công", Verdict.OK),
        ("00", "THÀNH CÔNG", Verdict.OK),
        (0, unicodedata.normalize("NFD", "Thành công"), Verdict.OK),
        (0, "Không thành công", Verdict.FAILED),
        (0, "Chưa thành công", Verdict.FAILED),
        (-1, "Không thành công", Verdict.FAILED),
        (0, "Mã hồ sơ đã tồn tại", Verdict.DUPLICATE),
        (3, "Mã hồ sơ ĐÃ TỒN TẠI", Verdict.DUPLICATE),
        (-3, "Đồng bộ không thành công: hồ sơ đã tồn tại", Verdict.DUPLICATE),
        (-1, "Mã hồ sơ không tồn tại", Verdict.PERMANENT),
        (-1, "TrangThaiHoSo: giá trị không hợp lệ", Verdict.PERMANENT),
        (-1, "Phiên làm việc không hợp lệ", Verdict.AUTH),
        (-1, "Session expired", Verdict.AUTH),
        (-1, "Hệ thống đang bận, vui lòng thử lại sau", Verdict.RETRY),
        (-1, "Gateway timeout", Verdict.UNKNOWN),
        (-7, "một câu chưa ai thấy", Verdict.FAILED),
        (3, "", Verdict.FAILED),
        ("E01", "", Verdict.FAILED),
        (-1, "Thành công", Verdict.UNKNOWN),
        (0, "", Verdict.UNKNOWN),
        (0, "OK", Verdict.UNKNOWN),
        (None, "Thành công", Verdict.UNKNOWN),
        (None, "", Verdict.UNKNOWN),
        (0, "Thành công, 1 dòng không hợp lệ", Verdict.UNKNOWN),
    ],
)
def test_npsp_02_03_a_write_is_judged_by_code_and_text_together(code: Any, text: str, verdict: Verdict) -> None:
    assert judge(code, text) is verdict


def test_success_by_code_alone_is_a_setting_and_still_hears_a_refusal() -> None:
    assert judge(0, "", "code") is Verdict.OK
    assert judge("00", "ok", "code") is Verdict.OK
    assert judge(0, "Không thành công", "code") is Verdict.FAILED
    assert judge(0, "Hồ sơ đã tồn tại", "code") is Verdict.DUPLICATE


@pytest.mark.parametrize("text", ["Cập nhật tiến độ thành công", "\ufeffThành công\n", '"Thành công"', "thanh cong"])
def test_npsp_04_plain_text_suffices_where_text_is_agreed(text: str) -> None:
    reply = parse(text.encode())
    assert reply.code is None
    assert (classify(reply, DEFAULT_RULES, "text")[0] is Verdict.OK) == ("cong" not in text)
    assert classify(reply, DEFAULT_RULES, "both")[0] is Verdict.UNKNOWN


def test_the_own_rule_of_an_entry_comes_first() -> None:
    own = (Rule(verdict=Verdict.OK, codes=(7,), text=("đã ghi nhận",)), *DEFAULT_RULES)
    assert judge(7, "Đã ghi nhận", rules=own) is Verdict.OK
    assert judge(8, "Đã ghi nhận", rules=own) is Verdict.FAILED


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Th\xc3\xa0nh c\xc3\xb4ng</body></html>",
        b"\xef\xbb\xbf  <!DOCTYPE html><p>error_code: 0</p>",
        b"<?xml version='1.0'?><error_code>0</error_code>",
        b"\xff\xfe\x00garbage",
        b"",
        b"[]",
        b"null",
        b"0",
        b'{"error_code": 0, "message": "Th',
    ],
)
def test_npsp_27_what_is_no_answer_is_unknown_never_success(body: bytes) -> None:
    ways: tuple[Success, ...] = ("both", "code", "text")
    assert [classify(parse(body), DEFAULT_RULES, needs)[0] for needs in ways] == [Verdict.UNKNOWN] * 3


INNER = {"error_code": "0", "message": "Thành công", "result": []}


@pytest.mark.parametrize(
    "body",
    [
        orjson.dumps(INNER),
        b"\xef\xbb\xbf" + orjson.dumps(INNER),
        orjson.dumps(orjson.dumps(INNER).decode()),
        orjson.dumps({"message": orjson.dumps(INNER).decode()}),
        orjson.dumps({"message": orjson.dumps(orjson.dumps(INNER).decode()).decode()}),
        orjson.dumps({"code": "200", "status": "OK", "response": INNER}),
    ],
)
def test_npsp_05_an_answer_in_wrapping_is_the_same_answer(body: bytes) -> None:
    reply = parse(body)
    assert (reply.code, reply.text, rows(reply)) == (0, "Thành công", [])


def test_npsp_05_a_failure_inside_a_polite_wrapping_stays_a_failure() -> None:
    inner = orjson.dumps({"error_code": -1, "message": "Mã hồ sơ không tồn tại"}).decode()
    reply = parse(orjson.dumps({"error_code": 0, "message": inner}))
    assert classify(reply, DEFAULT_RULES, "both")[0] is Verdict.PERMANENT


@pytest.mark.parametrize("result", [None, {}, {"MAHOSO": "x"}, "[]", "", 0, "missing"])
def test_npsp_06_a_read_without_a_list_breaks_the_contract(result: Any) -> None:
    body = {"error_code": 0, "message": "Thành công"} | ({} if result == "missing" else {"result": result})
    with pytest.raises(PortalContractError):
        read_rows("national", parse(orjson.dumps(body)), DEFAULT_RULES)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error_code": -1, "message": "Không tìm thấy hồ sơ", "result": []}, PortalRefusedError),
        ({"error_code": 0, "message": "Phiên làm việc đã hết hạn", "result": []}, PortalUnavailableError),
        ({"error_code": 0, "message": "Tra cứu không thành công", "result": []}, PortalRefusedError),
        ({"error_code": 0, "message": "Tham số không hợp lệ", "result": []}, PortalRefusedError),
        ({"error_code": 0, "message": "Hệ thống đang bận", "result": []}, PortalUnavailableError),
        ({"message": "", "result": []}, PortalContractError),
        ({"error_code": None, "result": [{"MAHOSO": "x"}]}, PortalContractError),
    ],
)
def test_npsp_06_an_empty_list_beside_a_failure_is_not_absence(body: Any, error: type[PortalError]) -> None:
    with pytest.raises(error):
        read_rows("national", parse(orjson.dumps(body)), DEFAULT_RULES)


@pytest.mark.parametrize("text", ["", "Thành công", "Không tìm thấy hồ sơ", "Không có dữ liệu"])
@pytest.mark.parametrize("key", ["result", "RESULT", "data"])
def test_npsp_06_an_empty_list_with_success_is_absence(key: str, text: str) -> None:
    assert (
        read_rows("national", parse(orjson.dumps({"error_code": "0", "message": text, key: []})), DEFAULT_RULES) == []
    )


def test_an_excerpt_holds_nothing_personal() -> None:
    sent = [{"MaHoSo": "H56-1", "ChuHoSo": "CÔNG DÂN THỬ NGHIỆM 01", "Email": "nguoi@example.invalid"}]
    text = "H56-1: CÔNG DÂN THỬ NGHIỆM 01 (012345000000, khac@example.invalid) không hợp lệ " + "x" * 300
    shown = excerpt(Reply(-1, text), sent)
    assert shown.startswith("code=-1 H56-1: … (…, … không hợp lệ")
    assert len(shown) <= 220


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_or_lie(body: bytes) -> None:
    verdict, _ = classify(parse(body), DEFAULT_RULES, "both")
    assert verdict is not Verdict.OK


@pytest.mark.parametrize("codes", [(0, -1), ("00", "-1"), (-1, 0), (None, -1)])
def test_npsp_05_of_two_codes_in_one_answer_the_failure_counts(codes: tuple[Any, Any]) -> None:
    inner = {"error_code": codes[1], "message": "một câu chưa ai thấy"}
    reply = parse(orjson.dumps({"error_code": codes[0], "response": inner}))
    assert (reply.code, classify(reply, DEFAULT_RULES, "both")[0]) == (-1, Verdict.FAILED)


@pytest.mark.parametrize("needs", ["both", "code", "text"])
@pytest.mark.parametrize(
    "text",
    [
        "Không cập nhật thành công hồ sơ",
        "Không thể đồng bộ thành công",
        "Chưa cập nhật được thành công",
        "Đồng bộ không được thành công",
        "Đồng bộ thành công một phần",
        "Đồng bộ thành công 0/1 hồ sơ",
        "Thành công: 0",
        unicodedata.normalize("NFD", "KHÔNG ĐỒNG BỘ THÀNH CÔNG"),
    ],
)
def test_success_with_a_not_before_it_is_no_success_and_no_proof_of_failure(text: str, needs: Success) -> None:
    answer = parse(orjson.dumps({"error_code": 0, "message": text}))
    assert classify(answer, DEFAULT_RULES, needs)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "text",
    ["Không có lỗi, đồng bộ thành công", "Thành công", "Đồng bộ thành công 05 hồ sơ", "Thành công. Không có cảnh báo"],
)
def test_a_not_in_another_clause_takes_nothing_back(text: str) -> None:
    assert classify(parse(orjson.dumps({"error_code": 0, "message": text})), DEFAULT_RULES, "both")[0] is Verdict.OK


@pytest.mark.parametrize(
    "body",
    [
        '{"message":"Cập nhật thành công","error_code":',
        '{"message":"Cập nhật thành công","error_code":NaN}',
        '{"error_code":-1,"error_code":0,"message":"thành công"}',
        '{"error_code":0,"message":"thành công","message":"lỗi"}',
        '{"error_code":[-1],"message":"thành công"}',
        '{"error_code":{"code":-1},"message":"thành công"}',
        '{"error_code":false,"message":"thành công"}',
        '["thành công"',
        "[" * 3000 + "thành công",
    ],
)
@pytest.mark.parametrize("needs", ["both", "code", "text"])
def test_cut_or_ambiguous_json_is_no_text_of_success(body: str, needs: Success) -> None:
    answer = parse(body.encode())
    assert classify(answer, DEFAULT_RULES, needs)[0] is Verdict.UNKNOWN
    with pytest.raises(PortalContractError):
        read_rows("dvcqg", answer, DEFAULT_RULES)


def test_an_excerpt_masks_a_name_in_whatever_case_it_is_repeated() -> None:
    sent = [{"ChuHoSo": "CÔNG DÂN THỬ NGHIỆM 01", "data": '{"me": "Người Mẹ Thử Nghiệm"}', "MaHoSo": "H99-1-00001"}]
    said = unicodedata.normalize("NFD", "Công dân Thử nghiệm 01, người mẹ thử nghiệm: hồ sơ H99-1-00001 sai")
    shown = excerpt(Reply(-1, said), sent)
    assert shown == "code=-1 …, …: hồ sơ H99-1-00001 sai"
