"""Log lines: one JSON object each, nothing personal, nothing secret."""

import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog

from gateway import log
from schemas.errors import StoreError


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    log.configure(written)
    yield written
    structlog.reset_defaults()


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_name_level_and_time(stream: io.BytesIO) -> None:
    log.get_logger().info("page_stored", records=12, elapsed_ms=184.5, ok=True, reason=None)
    log.get_logger().debug("not_shown")
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "page_stored",
        "level": "info",
        "records": 12,
        "elapsed_ms": 184.5,
        "ok": True,
        "reason": None,
    }


def test_portal_and_run_are_bound_inside_the_block_only(stream: io.BytesIO) -> None:
    with log.bound(portal="npsp", run_id=7):
        log.get_logger().info("page_stored")
    log.get_logger().info("page_stored")
    inside, outside = lines(stream)
    assert (inside["portal"], inside["run_id"]) == ("npsp", 7)
    assert "portal" not in outside


@pytest.mark.parametrize(
    "key",
    ["name", "applicant_name", "full_name", "email", "phone", "address", "password", "token", "access_token", "cookie",
     "Authorization", "body", "request_body", "raw", "sealed_body", "session", "identity_number", "note", "secret"],
)  # fmt: skip
def test_a_value_under_a_personal_or_secret_key_is_blanked(stream: io.BytesIO, key: str) -> None:
    log.get_logger().info("seen", **{key: "CÔNG DÂN THỬ NGHIỆM 01"}, nested=[{"deep": {key: "value"}}])
    assert b"NGHI" not in stream.getvalue()
    assert lines(stream)[0]["nested"] == [{"deep": {key: log.REDACTED}}]


@pytest.mark.parametrize(
    "secret",
    [
        "001000000000", "nguoi.thu@example.invalid", "0900000000", "0900.000.000", "+84 900 000 000", "84900000000",
        "Bearer abc.DEF-123", "bearer xyz", "Basic dXNlcjpwYXNz", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
        "session=f00ba4", "session_id: f00ba4", '"token":"f00ba4"', "password=f00ba4", "cookie: JSESSIONID=f00ba4",
    ],
)  # fmt: skip
def test_a_personal_or_secret_pattern_is_blanked_wherever_it_stands(stream: io.BytesIO, secret: str) -> None:
    log.get_logger().warning("refused", reason=f"mã {secret} sai", rows=[f"({secret})"], why={"in": secret})
    written = stream.getvalue().decode()
    (line,) = lines(stream)
    assert secret not in written.replace('\\"', '"')
    assert "f00ba4" not in written
    assert line["reason"].startswith("mã ")
    assert log.REDACTED in line["rows"][0]


@pytest.mark.parametrize(
    "alone",
    ["001090000000", "０01090000000", "٠٠١٠٩٠٠٠٠٠٠٠", "0912345678", "BEARER abc", "basic abc", "a@b.vn", "eyJa.b.c",
     "token: abc", "sid=abc"],
)  # fmt: skip
def test_a_pattern_is_blanked_when_it_is_all_there_is(stream: io.BytesIO, alone: str) -> None:
    """Most texts are not searched at all: whatever the patterns find must look suspicious at first sight."""
    log.get_logger().info("seen", where=alone)
    assert lines(stream)[0]["where"] == log.REDACTED


def test_an_identity_number_as_a_number_is_blanked_too(stream: io.BytesIO) -> None:
    log.get_logger().info("seen", value=123456000000, count=12, at_ms=1795431623833)
    (line,) = lines(stream)
    assert (line["value"], line["count"], line["at_ms"]) == (log.REDACTED, 12, 1795431623833)


@pytest.mark.parametrize(
    "harmless",
    [
        "000.00.00.H12-261123-0001", "a" * 20 + "001000000000" + "0" * 32, str(UUID(int=1234567890)),
        "2026-11-23T08:00:00Z",
        "npsp/d1/append/e1@1", "20261123080000", "HTTP 503 after 184 ms", "1.000001.000.00.00.H12",
    ],
)  # fmt: skip
def test_codes_digests_and_times_stay_readable(stream: io.BytesIO, harmless: str) -> None:
    log.get_logger().info("seen", value=harmless)
    assert lines(stream)[0]["value"] == harmless


def test_long_texts_are_cut_after_blanking(stream: io.BytesIO) -> None:
    log.get_logger().info("seen", value="x" * 494 + " 001000000000 and more")
    assert "00100" not in lines(stream)[0]["value"]
    assert len(lines(stream)[0]["value"]) == 500


def test_an_error_is_named_with_its_place_but_a_foreign_message_is_left_out(stream: io.BytesIO) -> None:
    for error in (ValueError("value 'CÔNG DÂN THỬ NGHIỆM 01'"), StoreError("store.sqlite: the disk is full")):
        try:
            raise error
        except (ValueError, StoreError):
            log.get_logger().exception("run_failed")
    foreign, ours = lines(stream)
    assert (foreign["error"], ours["error"]) == ("ValueError", "StoreError")
    assert "error_says" not in foreign
    assert ours["error_says"] == "store.sqlite: the disk is full"
    assert "NGHIỆM" not in stream.getvalue().decode()
    assert foreign["error_at"][-1].startswith("test_log.py:")


def test_bytes_and_objects_are_named_not_shown(stream: io.BytesIO) -> None:
    log.get_logger().info("seen", value=b"<soap>", other=object())
    line = lines(stream)[0]
    assert (line["value"], line["other"]) == ("[bytes]", "[object]")
