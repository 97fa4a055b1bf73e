"""How often and after what pause calls are repeated."""

import math
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Future, RetryCallState

from shared.http import ATTEMPTS, ServiceClient
from shared.http.breaker import BreakerRules, CircuitBreaker
from shared.http.budget import MOST_SAVED, RESERVE_PER_SECOND, SHARE, RetryBudget
from shared.http.failures import Unavailable
from shared.http.retries import LONGEST_PAUSE, SHORTEST_PAUSE, pause, retrying

SAMPLES = 10_000


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state(attempt: int, error: Exception) -> RetryCallState:
    made = RetryCallState(retrying("x", RetryBudget(), 1, repeatable=True), None, (), {})
    made.attempt_number = attempt
    made.outcome = Future.construct(attempt, error, has_exception=True)
    return made


@pytest.mark.parametrize("attempt", [1, 2, 3, 4, 5, 8])
def test_pauses_are_uniform_between_nothing_and_the_bound(attempt: int) -> None:
    """Kolmogorov and Smirnov: the largest distance of the two distributions, at p = 0.001."""
    bound = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** (attempt - 1))
    after = state(attempt, httpx.ReadError("reset"))
    pauses = sorted(pause(after) for _ in range(SAMPLES))
    assert pauses[0] >= 0
    assert pauses[-1] <= bound
    distance = max(abs(each / bound - (rank + 0.5) / SAMPLES) for rank, each in enumerate(pauses))
    assert distance < 1.95 / math.sqrt(SAMPLES)


@given(st.floats(0, 1000))
def test_a_neighbours_own_time_is_kept(seconds: float) -> None:
    after = pause(state(1, Unavailable(503, seconds)))
    assert seconds <= after <= seconds + SHORTEST_PAUSE


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=500))
def test_retries_stay_a_share_of_all_calls(steps: list[tuple[bool, float]]) -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    calls = retries = 0
    for is_call, seconds in steps:
        clock.now += seconds
        if is_call:
            budget.deposit()
            calls += 1
        else:
            retries += budget.withdraw()
        assert retries <= MOST_SAVED + SHARE * calls + RESERVE_PER_SECOND * clock.now + 1e-6


def test_rare_calls_may_be_repeated() -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    assert sum(budget.withdraw() for _ in range(1000)) == MOST_SAVED
    clock.now += 1
    assert [budget.withdraw() for _ in range(5)] == [True, True, True, False, False]


Answer = Callable[[httpx.Request], httpx.Response]


def failing(attempts: list[httpx.Request], status: int) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        return httpx.Response(status)

    return answer


async def test_a_neighbour_that_fails_throughout_is_asked_little_more_than_callers_ask() -> None:
    attempts: list[httpx.Request] = []
    never = CircuitBreaker(BreakerRules(fewest_calls=10**9))
    transport = httpx.MockTransport(failing(attempts, 503))
    client = ServiceClient("x", "http://x.test", transport=transport, breaker=never)
    calls = 200
    for _ in range(calls):
        with pytest.raises(Exception, match="not available"):
            await client.get("/", dict)
    assert calls + 20 < len(attempts) < calls * (1 + SHARE) + MOST_SAVED + 60 * RESERVE_PER_SECOND
    assert len(attempts) < calls * ATTEMPTS / 2
    await client.close()
