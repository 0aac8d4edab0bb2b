"""What an answer to a push means: the table is the specification."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.civil_status.options import Options
from adapters.civil_status.outcomes import classify
from adapters.civil_status.wire import verdict_of

OPTIONS = Options(base_url="http://127.0.0.1", client_id="${K}", client_secret="${S}", province_code="96")
NO_SUCCESS = "Gửi hồ sơ không thành công"


def said(status: Any, code: Any = "", error: str = "", description: str = "") -> dict[str, Any]:
    """A reply of the ministry."""
    return {"status": status, "statusDescription": description, "errorCode": code, "errorDescription": error}


def judged(reply: dict[str, Any], *, first_push: bool = True, options: Options = OPTIONS) -> tuple[str, bool, bool]:
    """Kind, duplicate and final."""
    outcome = classify(verdict_of(reply), options, b"{}", first_push=first_push, number="N1")
    assert (outcome.external_id == "N1") == (outcome.kind == "delivered")
    return outcome.kind.value, outcome.duplicate, outcome.final


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (said("1"), ("delivered", False, False)),
        (said(1, "0", description="Thành công"), ("delivered", False, False)),
        (said(True), ("delivered", False, False)),
        (said("1", description=NO_SUCCESS), ("unknown", False, False)),
        (said("1", "500"), ("unknown", False, False)),
        (said("1", description="Hồ sơ đã được tiếp nhận"), ("delivered", False, False)),
        (said("0", error="Hồ sơ ĐÃ ĐƯỢC TIẾP NHẬN"), ("delivered", True, False)),
        (said("0", "500", error="Hồ sơ đã được tiếp nhận"), ("delivered", True, False)),
        (said(None, error="Hồ sơ đã được  tiếp nhận"), ("delivered", True, False)),
        (said("0", error="Hồ sơ không được tiếp nhận"), ("refused", False, False)),
        (said("0", error=NO_SUCCESS), ("refused", False, False)),
        (said("0", error="Logic xử lý không hợp lệ"), ("refused", False, True)),
        (said("0", "106"), ("refused", False, True)),
        (said("0", 302), ("refused", False, True)),
        (said("0", "200"), ("retry", False, False)),
        (said("0", "100"), ("retry", False, False)),
        (said("0", "999"), ("refused", False, False)),
        (said("2"), ("refused", False, False)),
        (said("0", error="Client received SOAP Fault from server"), ("unknown", False, False)),
        (said("0", "500", error="Server Error"), ("unknown", False, False)),
        (said(None, description="Tiếp nhận thành công"), ("delivered", False, False)),
        (said(None, description=NO_SUCCESS), ("refused", False, False)),
        (said(None, description="Không thể tiếp nhận thành công"), ("unknown", False, False)),
        (said("1", description="Chưa ghi nhận thành công"), ("unknown", False, False)),
        (said(None, description="Không có cảnh báo. Tiếp nhận thành công"), ("delivered", False, False)),
        (said(None), ("unknown", False, False)),
        (said("", description="Xin chào"), ("unknown", False, False)),
        (said(None, "106"), ("refused", False, True)),
        ({}, ("unknown", False, False)),
        ({"status": []}, ("unknown", False, False)),
    ],
    ids=lambda value: f"R02-{value}"[:70] if isinstance(value, dict) else "",
)
def test_an_answer_is_judged_by_status_code_and_text_together(
    reply: dict[str, Any], expected: tuple[str, bool, bool]
) -> None:
    assert judged(reply) == expected


def test_already_received_says_nothing_for_a_supplement() -> None:
    assert judged(said("0", error="Hồ sơ đã được tiếp nhận"), first_push=False) == ("refused", True, True)


def test_a_portals_own_code_can_be_named_in_its_options() -> None:
    options = Options.model_validate({**OPTIONS.model_dump(mode="json"), "error_codes": {"777": "retry"}})
    assert judged(said("0", "777"), options=options)[0] == "retry"


def test_an_excerpt_is_short_and_holds_no_long_number() -> None:
    verdict = verdict_of(said("0", error="Số 000000000001 sai. " + "x" * 5000))
    outcome = classify(verdict, OPTIONS, b"", first_push=True, number="N1")
    assert len(outcome.excerpt) < 300
    assert "000000000001" not in outcome.excerpt


def test_an_excerpt_repeats_nothing_of_what_was_sent() -> None:
    sent = {"maHoSoMCDT": "H96-1", "data": '{"nycHoTen": "CÔNG DÂN THỬ NGHIỆM 01", "nycSoDienThoai": "0900000000"}'}
    verdict = verdict_of(said("0", error="H96-1: Công dân Thử nghiệm 01 (0900000000) không hợp lệ"))
    outcome = classify(verdict, OPTIONS, b"{}", first_push=True, number="H96-1", sent=sent)
    assert outcome.excerpt == "status=0 code= H96-1: … (…) không hợp lệ"
