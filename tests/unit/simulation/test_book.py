"""The book shows effects as they happened, doubles among them, and how calls were answered."""

from datetime import UTC, datetime

from adapters.simulation import Book

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def test_effects_are_numbered_and_frozen() -> None:
    book = Book()
    content = {"b": 1, "a": "Hồ sơ"}
    assert book.record("create", "D1", content, at=AT, call=4) == 1
    content["b"] = 2
    assert book.effects() == [
        {
            "n": 1,
            "at": "2026-11-02T01:00:00+00:00",
            "effect": "create",
            "key": "D1",
            "call": 4,
            "content": {"a": "Hồ sơ", "b": 1},
        }
    ]


def test_effects_are_counted_by_record_and_sort_and_given_from_a_number_on() -> None:
    book = Book()
    for effect, key in (("create", "D1"), ("update", "D1"), ("create", "D2"), ("update", "D1")):
        book.record(effect, key, {}, at=AT)
    assert (book.count("D1"), book.count("D1", "update"), book.count("D3")) == (3, 2, 0)
    assert [entry["n"] for entry in book.effects(2)] == [3, 4]
    assert [entry["n"] for entry in book.effects(key="D1")] == [1, 2, 4]


def test_a_double_is_the_same_effect_with_the_same_content() -> None:
    book = Book()
    for content in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}):
        book.record("progress", "D1", content, at=AT)
    assert book.duplicates == 1


def test_a_call_counts_as_cut_until_it_is_answered() -> None:
    book = Book()
    book.begin_call(1, kind="write", method="POST", path="/x", fault=None, began_s=10.0)
    assert book.calls()[0]["answer"] == "cut"
    book.end_call(1, "whole", ended_s=11.0, body=b"{}")
    assert book.calls()[0] | {"answer": "whole", "ended_s": 11.0, "body": None} == book.calls()[0]
    book.end_call(1, "cut", body=b"{}")
    assert (book.calls()[0]["answer"], book.calls()[0]["ended_s"], book.calls()[0]["body"]) == ("cut", 11.0, "{}")


def test_present_records_are_kept_as_they_were_put() -> None:
    book = Book()
    state = {"status": "2"}
    book.put("D1", state)
    state["status"] = "9"
    assert book.records() == {"D1": {"status": "2"}}
