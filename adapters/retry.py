"""Short retries of harmless calls inside one job; the durable ladder belongs to the gateway.

Only reads and other calls without an effect may be repeated here. A write is never repeated inside `push`: its
outcome goes back to the engine, which alone knows what a repeat would do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from adapters.base import Budget
from schemas.clock import Clock
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError

LONGEST_WAIT_S = 20.0
"""A portal that asks for more than this is left to the durable ladder."""

_PASSING = (PortalUnavailableError, PortalContractError)

T = TypeVar("T")


def retry_harmless(call: Callable[[], T], *, clock: Clock, budget: Budget, attempts: int = 3, wait_s: float = 0.5) -> T:
    """Make a call without effect, again after an unavailable portal or a broken contract, `attempts` times in all.

    The budget is drawn before every attempt, the first one too. Waits are random between 0 and `wait_s`, twice, four
    times that, ... at most 8 seconds, or what the portal asked for.

    Raises:
        PortalError: The last attempt's, unchanged; at once for a refusal, or where the portal asks for a longer wait
            than `LONGEST_WAIT_S`.
    """

    def once() -> T:
        budget.take()
        return call()

    try:
        return once()
    except _PASSING as error:
        first = [error]

    def again() -> T:
        if first:
            raise first.pop()
        return once()

    backoff = wait_random_exponential(multiplier=wait_s, max=8.0)
    policy = Retrying(
        stop=lambda state: stop_after_attempt(attempts)(state) or _asked_wait_s(state) > LONGEST_WAIT_S,
        wait=lambda state: max(_asked_wait_s(state), backoff(state)),
        retry=retry_if_exception_type(_PASSING),
        sleep=clock.sleep,
        reraise=True,
    )
    return policy(again)


def _asked_wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return (error.retry_after_s or 0.0) if isinstance(error, PortalError) else 0.0
