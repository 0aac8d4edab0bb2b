"""Reading ahead: at once, in order, and nothing asked for once it is no longer wanted."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from contextvars import ContextVar

import pytest

from adapters.ahead import AHEAD, in_order

THREADS = 4


def test_as_many_as_agreed_are_under_way_at_once_and_never_more() -> None:
    together = threading.Barrier(THREADS, timeout=5)
    lock, under_way, most = threading.Lock(), 0, 0

    def work(item: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait()
        with lock:
            under_way -= 1
        return item

    assert list(in_order(work, range(10 * THREADS), THREADS, name="t")) == list(range(10 * THREADS))
    assert most == THREADS


def test_a_slow_one_holds_up_its_place_in_the_order() -> None:
    def work(item: int) -> int:
        time.sleep(0.05 if item % 3 == 0 else 0)
        return item

    assert list(in_order(work, range(12), THREADS, name="t")) == list(range(12))


@pytest.mark.parametrize("threads", [1, THREADS])
def test_an_error_comes_in_its_turn_and_little_is_asked_for_behind_it(threads: int) -> None:
    asked: list[int] = []

    def work(item: int) -> int:
        asked.append(item)
        if item == 5:
            raise OSError("gone")
        return item

    got: list[int] = []
    with pytest.raises(OSError, match="gone"):
        got.extend(in_order(work, range(1000), threads, name="t"))
    assert got == [0, 1, 2, 3, 4]
    assert len(asked) <= 6 + AHEAD * threads


def test_who_takes_no_more_leaves_no_thread_and_asks_for_nothing_more() -> None:
    asked: list[int] = []

    def work(item: int) -> int:
        asked.append(item)
        return item

    with closing(in_order(work, range(1000), THREADS, name="ahead-of-nobody")) as results:
        assert next(results) == 0
        time.sleep(0.05)
        assert len(asked) <= AHEAD * THREADS + 1, "it runs no further ahead of who takes"
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead-of-nobody")]
    before = len(asked)
    time.sleep(0.05)
    assert len(asked) == before


def test_each_works_in_the_context_of_who_asked() -> None:
    said: ContextVar[str] = ContextVar("said", default="")
    said.set("here")

    def work(item: int) -> str:
        found = said.get()
        said.set(f"changed by {item}")
        return found

    assert set(in_order(work, range(20), THREADS, name="t")) == {"here"}
