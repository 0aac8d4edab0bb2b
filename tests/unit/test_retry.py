"""Harmless calls are tried again a few times, out of the same budget, and never longer than a portal allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.conformance import OpenBudget
from adapters.retry import LONGEST_WAIT_S, retry_harmless
from schemas.clock import ManualClock
from schemas.errors import PortalContractError, PortalError, PortalRefusedError, PortalUnavailableError


def failing(*errors: PortalError) -> Callable[[], str]:
    """Raises these, one after another, then answers."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 2, tzinfo=UTC))


def test_an_unavailable_portal_and_a_broken_answer_are_asked_again(clock: ManualClock) -> None:
    budget = OpenBudget()
    call = failing(PortalUnavailableError("p", "time-out"), PortalContractError("p", "a web page"))
    assert retry_harmless(call, clock=clock, budget=budget) == "answer"
    assert budget.taken == 3
    assert clock.monotonic() < 2


def test_the_last_error_comes_back_unchanged(clock: ManualClock) -> None:
    last = PortalUnavailableError("p", "second")
    with pytest.raises(PortalUnavailableError) as caught:
        retry_harmless(
            failing(PortalUnavailableError("p", "first"), last), clock=clock, budget=OpenBudget(), attempts=2
        )
    assert caught.value is last


def test_a_refusal_is_not_asked_again(clock: ManualClock) -> None:
    budget = OpenBudget()
    with pytest.raises(PortalRefusedError):
        retry_harmless(failing(PortalRefusedError("p", "no")), clock=clock, budget=budget)
    assert budget.taken == 1


def test_the_portals_own_wait_is_kept(clock: ManualClock) -> None:
    call = failing(PortalUnavailableError("p", "429", retry_after_s=12, sent=False))
    assert retry_harmless(call, clock=clock, budget=OpenBudget()) == "answer"
    assert clock.monotonic() == 12


def test_a_wait_too_long_for_a_call_is_left_to_the_ladder(clock: ManualClock) -> None:
    budget = OpenBudget()
    with pytest.raises(PortalUnavailableError):
        error = PortalUnavailableError("p", "429", retry_after_s=LONGEST_WAIT_S + 1, sent=False)
        retry_harmless(failing(error), clock=clock, budget=budget)
    assert (budget.taken, clock.monotonic()) == (1, 0)
