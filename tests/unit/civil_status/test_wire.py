"""Strict in form, tolerant in type."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.civil_status.wire import BadJsonError, folded, parse, text_of, unwrapped


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":1' + b"0" * 40 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[" * 100_000,
        b'{"a":1}}',
        b"",
        b"<html></html>",
    ],
    ids=lambda text: f"R15-{text[:20]!r}",
)
def test_json_that_readers_could_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(BadJsonError):
        parse(text)


def test_a_byte_order_mark_is_no_part_of_the_answer() -> None:
    assert parse(b'\xef\xbb\xbf{"a":"\xc4\x91"}') == {"a": "đ"}


@given(st.text())
def test_texts_that_differ_in_case_and_unicode_form_only_compare_equal(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)
    assert folded(folded(text)) == folded(text)


def test_vietnamese_in_capitals_and_decomposed_is_found() -> None:
    assert folded("đã được tiếp nhận") in folded(unicodedata.normalize("NFD", "HỒ SƠ ĐÃ ĐƯỢC\u00a0TIẾP NHẬN"))


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), (1, "1"), (True, "1"), (False, "0"), (None, ""), ([], ""), (1.5, ""), (" a ", "a")],
    ids=lambda value: f"R02-{value!r}",
)
def test_an_identifier_is_text_whatever_the_wire_holds(value: object, text: str) -> None:
    assert text_of(value) == text


def test_R03_a_string_is_unwrapped_twice_and_no_more() -> None:  # noqa: N802 - the case's id
    assert unwrapped([1]) == [1]
    assert unwrapped("[1]") == [1]
    assert unwrapped('"[1]"') == [1]
    assert unwrapped("") == ""
    for text in ('"\\"[1]\\""', " <a/>", "nope"):
        with pytest.raises(BadJsonError):
            unwrapped(text)
