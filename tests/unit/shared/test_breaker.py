"""When the circuit to a neighbour opens and closes."""

import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.breaker import BreakerRules, CircuitBreaker, State
from shared.http.failures import CircuitOpen

RULES = BreakerRules()


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock=clock, uniform=random.Random(0).uniform)


def call(circuit: CircuitBreaker, failed: bool | None) -> bool:  # noqa: FBT001 - the outcome itself
    """Make a call that ends so; tell whether it was sent."""
    try:
        permit = circuit.enter()
    except CircuitOpen:
        return False
    circuit.leave(permit, failed)
    return True


def opened(clock: Clock) -> CircuitBreaker:
    circuit = breaker(clock)
    for _ in range(RULES.fewest_calls):
        call(circuit, failed=True)
    assert circuit.state is State.OPEN
    return circuit


def half_opened(clock: Clock) -> CircuitBreaker:
    circuit = opened(clock)
    clock.now += RULES.shortest_open
    return circuit


def test_it_opens_when_results_alternate() -> None:
    circuit = breaker(Clock())
    sent = [call(circuit, failed=bool(number % 2)) for number in range(100)]
    assert sent.count(True) == RULES.fewest_calls
    assert circuit.state is State.OPEN


def test_it_stays_closed_at_a_tenth() -> None:
    clock = Clock()
    circuit = breaker(clock)
    for number in range(10_000):
        clock.now += 0.01
        assert call(circuit, failed=number % 10 == 0)


def test_few_calls_do_not_open_it() -> None:
    circuit = breaker(Clock())
    assert all(call(circuit, failed=True) for _ in range(RULES.fewest_calls - 1))
    assert circuit.state is State.CLOSED


def test_failures_are_forgotten_after_the_window() -> None:
    clock = Clock()
    circuit = breaker(clock)
    for _ in range(100):
        call(circuit, failed=True)
        clock.now += RULES.window / (RULES.fewest_calls - 2)
    assert circuit.state is State.CLOSED


@pytest.mark.parametrize("make", [breaker, opened, half_opened])
def test_calls_that_say_nothing_change_nothing(make: type[CircuitBreaker]) -> None:
    clock = Clock()
    circuit = make(clock)  # type: ignore[arg-type] - a function that makes one
    for _ in range(RULES.fewest_calls - 1):
        call(circuit, failed=True) if make is breaker else None
    before = circuit.state
    for _ in range(1000):
        call(circuit, failed=None)
    assert circuit.state in {before, State.HALF_OPEN}
    if make is breaker:
        call(circuit, failed=True)
        assert circuit.state is State.OPEN


def test_an_open_circuit_says_how_long() -> None:
    clock = Clock()
    circuit = opened(clock)
    with pytest.raises(CircuitOpen) as raised:
        circuit.enter()
    assert RULES.shortest_open / 2 <= raised.value.seconds <= RULES.shortest_open


def test_no_more_than_so_many_probes_are_under_way() -> None:
    circuit = half_opened(Clock())
    permits = [circuit.enter() for _ in range(RULES.probes)]
    for _ in range(50):
        with pytest.raises(CircuitOpen):
            circuit.enter()
    circuit.leave(permits[0], None)
    circuit.enter()
    with pytest.raises(CircuitOpen):
        circuit.enter()


def test_it_closes_after_probes_that_succeed() -> None:
    circuit = half_opened(Clock())
    assert [call(circuit, failed=False) for _ in range(RULES.probes)] == [True] * RULES.probes
    assert circuit.state is State.CLOSED
    assert all(call(circuit, failed=True) for _ in range(RULES.fewest_calls))


def test_each_probe_that_fails_doubles_the_time_up_to_the_longest() -> None:
    clock = Clock()
    circuit = opened(clock)
    longest = RULES.shortest_open
    for _ in range(10):
        with pytest.raises(CircuitOpen) as raised:
            circuit.enter()
        assert longest / 2 <= raised.value.seconds <= longest
        longest = min(longest * 2, RULES.longest_open)
        clock.now += raised.value.seconds
        assert call(circuit, failed=True)


def test_calls_from_before_a_change_do_not_count_after_it() -> None:
    clock = Clock()
    circuit = breaker(clock)
    late = [circuit.enter() for _ in range(100)]
    for _ in range(RULES.fewest_calls):
        call(circuit, failed=True)
    clock.now += RULES.shortest_open
    probe = circuit.enter()
    for permit in late:
        circuit.leave(permit, failed=False)
    assert circuit.state is State.HALF_OPEN
    circuit.leave(probe, failed=True)
    assert circuit.state is State.OPEN


def test_changes_are_told() -> None:
    clock, seen = Clock(), list[State]()
    circuit = CircuitBreaker(clock=clock, on_change=seen.append)
    for _ in range(RULES.fewest_calls):
        call(circuit, failed=True)
    clock.now += RULES.shortest_open
    for _ in range(RULES.probes):
        call(circuit, failed=False)
    assert seen == [State.OPEN, State.HALF_OPEN, State.CLOSED]


@given(
    st.lists(
        st.tuples(st.integers(0, 40).map(lambda tenths: tenths / 10), st.sampled_from([True, False, None])),
        max_size=300,
    )
)
def test_it_opens_exactly_when_enough_of_the_last_seconds_failed(
    calls: list[tuple[float, bool | None]],
) -> None:
    clock = Clock()
    circuit = breaker(clock)
    seen: deque[tuple[int, bool]] = deque()
    for pause, failed in calls:
        clock.now += pause / 10
        assert call(circuit, failed)
        if failed is None:
            continue
        seen.append((int(clock.now), failed))
        recent = [each for second, each in seen if second > int(clock.now) - RULES.window]
        should = len(recent) >= RULES.fewest_calls and sum(recent) >= RULES.failing * len(recent)
        assert (circuit.state is State.OPEN) == should
        if should:
            return


@given(st.lists(st.sampled_from(["enter", "succeed", "fail", "cancel", "wait"]), max_size=300))
def test_whatever_happens_it_admits_calls_again(steps: list[str]) -> None:
    clock = Clock()
    circuit = CircuitBreaker(BreakerRules(fewest_calls=2), clock=clock)
    under_way: list[int] = []
    for step in steps:
        if step == "wait":
            clock.now += 1
        elif step == "enter":
            try:
                under_way.append(circuit.enter())
            except CircuitOpen:
                assert circuit.state is not State.CLOSED
        elif under_way:
            circuit.leave(under_way.pop(0), {"succeed": False, "fail": True, "cancel": None}[step])
    for permit in under_way:
        circuit.leave(permit, None)
    clock.now += RULES.longest_open
    for _ in range(RULES.probes):
        assert call(circuit, failed=False)
    assert circuit.state is State.CLOSED
