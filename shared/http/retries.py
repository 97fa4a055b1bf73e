"""Which calls are repeated, when, and how often."""

from datetime import timedelta

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from shared.http.budget import RetryBudget
from shared.http.failures import Unavailable
from shared.telemetry.calls import CALLS

ATTEMPTS = 3
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 0.5

_jitter = wait_random_exponential(multiplier=SHORTEST_PAUSE, max=LONGEST_PAUSE)


def retrying(target: str, budget: RetryBudget, seconds: float, *, repeatable: bool) -> AsyncRetrying:
    """Return what makes a call, and repeats it after a pause of full jitter while `seconds` are left.

    A call that is not `repeatable` is made again only when it was never sent. A neighbour that says how long
    to wait is asked no sooner, and not at all if that is too late.
    """

    def note(_: RetryCallState) -> None:
        CALLS.count("retries", target)

    return AsyncRetrying(
        retry=retry_if_exception(_may_repeat if repeatable else _never_sent),
        wait=pause,
        # The budget comes last: only what would be repeated takes a token.
        stop=stop_any(
            stop_after_attempt(ATTEMPTS), stop_before_delay(timedelta(seconds=seconds)), _Exhausted(budget)
        ),
        before_sleep=note,
        reraise=True,
    )


class _Exhausted(stop_base):
    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget

    def __call__(self, retry_state: RetryCallState) -> bool:
        del retry_state
        return not self._budget.withdraw()


def pause(state: RetryCallState) -> float:
    """Return a random pause (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, Unavailable) else None
    return (asked or 0.0) + _jitter(state)


def _never_sent(error: BaseException) -> bool:
    # Not ConnectTimeout: pyreqwest 0.15 reports every timeout before the answer's head as one.
    return isinstance(error, httpx.ConnectError)


def _may_repeat(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError | Unavailable) and not isinstance(error, httpx.PoolTimeout)
