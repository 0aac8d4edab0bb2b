"""A call for work is never missed, whatever the threads are doing when it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.runner.crew import Crew

WAIT_S = 5.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def silent(error: BaseException) -> None:
    raise AssertionError(error)


def test_a_call_while_all_are_busy_makes_the_first_that_is_done_look_once_more(pool: ThreadPoolExecutor) -> None:
    """A lane that became due behind the last look would else wait for the next interval."""
    begun, may_end, looked_again = threading.Semaphore(0), threading.Semaphore(0), threading.Event()
    looks: list[int] = []

    def work() -> bool:
        looks.append(1)
        if len(looks) > 1:
            looked_again.set()
            return False
        begun.release()
        assert may_end.acquire(timeout=WAIT_S)
        return False

    crew = Crew(pool, 1, work, silent)
    crew.call()
    assert begun.acquire(timeout=WAIT_S)
    crew.call()
    crew.call()
    may_end.release()
    assert looked_again.wait(WAIT_S)
    pool.shutdown(wait=True)
    assert len(looks) == 2


def test_never_more_work_at_once_than_was_allowed() -> None:
    left, lock, inside, most = [20], threading.Lock(), [0], [0]

    def work() -> bool:
        with lock:
            left[0] -= 1
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            more = left[0] > 0
        if more:
            crew.call()
        with lock:
            inside[0] -= 1
        return more

    wide = ThreadPoolExecutor(8)
    crew = Crew(wide, 2, work, silent)
    for _ in range(10):
        crew.call()
    while left[0] > 0:
        threading.Event().wait(0.01)
    wide.shutdown(wait=True)
    assert most[0] <= 2


def test_a_thread_that_failed_is_told_and_replaced_at_the_next_call(pool: ThreadPoolExecutor) -> None:
    told: list[BaseException] = []
    done = threading.Semaphore(0)
    answers = iter([True, False])

    def work() -> bool:
        if next(answers):
            raise ValueError("a mistake")
        done.release()
        return False

    def failed(error: BaseException) -> None:
        told.append(error)
        done.release()

    crew = Crew(pool, 1, work, failed)
    crew.call()
    assert done.acquire(timeout=WAIT_S)
    crew.call()
    assert done.acquire(timeout=WAIT_S)
    assert [str(error) for error in told] == ["a mistake"]


def test_a_call_after_the_end_is_dropped(pool: ThreadPoolExecutor) -> None:
    looks: list[int] = []

    def work() -> bool:
        looks.append(1)
        return False

    crew = Crew(pool, 1, work, silent)
    pool.shutdown(wait=True)
    crew.call()
    assert looks == []
