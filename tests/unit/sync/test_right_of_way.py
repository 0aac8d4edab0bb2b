"""A sweep waits for what cannot wait, never long, and nobody else waits at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from gateway.config import BudgetConfig
from gateway.sync import right_of_way
from gateway.sync.context import TokenBucket
from gateway.sync.right_of_way import RightOfWay
from schemas.clock import SystemClock

LONG_S, SHORT_S = 20.0, 0.05


@pytest.fixture
def waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits to the end is seen, on the slowest machine."""
    monkeypatch.setattr(right_of_way, "LONGEST_S", LONG_S)


@pytest.fixture
def waits_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "LONGEST_S", SHORT_S)


def elapsed_s(work: Callable[[], None]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@pytest.mark.usefixtures("waits_long")
def test_a_sweep_goes_on_as_soon_as_the_way_is_free() -> None:
    way, inside, may_end = RightOfWay(), threading.Event(), threading.Event()
    order: list[str] = []

    def call() -> None:
        with way.first():
            inside.set()
            may_end.wait(LONG_S)
            order.append("call")

    thread = threading.Thread(target=call)
    thread.start()
    assert inside.wait(LONG_S)
    with way.behind():
        threading.Timer(SHORT_S, may_end.set).start()
        assert elapsed_s(way.give_way) < LONG_S / 2
        order.append("sweep")
    thread.join(LONG_S)
    assert order == ["call", "sweep"]


@pytest.mark.usefixtures("waits_shortly")
def test_a_sweep_is_never_stopped_by_calls_without_end() -> None:
    way, gone_on = RightOfWay(), threading.Event()

    def sweep() -> None:
        with way.behind():
            way.give_way()
        gone_on.set()

    with way.first():
        threading.Thread(target=sweep).start()
        assert gone_on.wait(LONG_S)


@pytest.mark.usefixtures("waits_shortly")
def test_a_sweep_of_many_threads_goes_no_faster_than_one_of_a_single_thread() -> None:
    way, waiters = RightOfWay(), 6

    def read() -> None:
        with way.behind():
            way.give_way()

    threads = [threading.Thread(target=read) for _ in range(waiters)]
    begun = time.monotonic()
    with way.first():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG_S)
    assert time.monotonic() - begun >= waiters * SHORT_S * 0.9


@pytest.mark.usefixtures("waits_long")
def test_a_thread_that_is_not_behind_never_waits() -> None:
    way = RightOfWay()
    with way.first():
        assert elapsed_s(way.give_way) < LONG_S / 2
        with way.behind():
            pass
        assert elapsed_s(way.give_way) < LONG_S / 2


@pytest.mark.usefixtures("waits_shortly")
def test_every_call_of_a_sweep_gives_way_before_it_is_paid_for() -> None:
    way = RightOfWay()
    budget = TokenBucket(BudgetConfig(calls_per_s=1000, burst=1000), SystemClock(), way)
    with way.first(), way.behind():
        assert elapsed_s(budget.take) >= SHORT_S * 0.9
