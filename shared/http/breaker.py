"""A circuit breaker: calls to a neighbour that keeps failing are refused without being sent.

docs/decisions/0013-own-circuit-breaker.md says why it is our own.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

import msgspec

from shared.http.failures import CircuitOpen


class State(IntEnum):
    """What becomes of calls: all are sent, a few probes are, none is."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a circuit opens, and how it closes again; times in seconds.

    It opens when `failing` of at least `fewest_calls` within the last `window` failed, for `shortest_open`,
    doubled each time its probes fail up to `longest_open`; a random half of it is left out, so that processes
    do not probe at once. It closes after `probes` successes, as many of which may be under way.
    """

    failing: float = 0.5
    fewest_calls: int = 20
    window: int = 10
    shortest_open: float = 1.0
    longest_open: float = 10.0
    probes: int = 3


class CircuitBreaker:
    """Counts how calls ended, by seconds, and refuses calls while too many fail.

    Every call that `enter` admits must `leave`. Calls that say nothing about the neighbour (cancelled ones,
    refusals for the caller's own fault) leave with None and change nothing. A call that was admitted before
    the state last changed changes nothing either.
    """

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        on_change: Callable[[State], None] = lambda _: None,
    ) -> None:
        self.state = State.CLOSED
        self._rules = rules or BreakerRules()
        self._clock = clock
        self._uniform = uniform
        self._on_change = on_change
        self._window = _Window(self._rules.window)
        self._generation = 0
        self._opened_in_a_row = 0
        self._reopens_at = 0.0
        self._probing = 0
        self._succeeded = 0

    def enter(self) -> int:
        """Admit a call and return its permit.

        Raises:
            CircuitOpen: when it must not be sent; says in how many seconds one may.
        """
        if self.state is State.OPEN:
            left = self._reopens_at - self._clock()
            if left > 0:
                raise CircuitOpen(left)
            self._change(State.HALF_OPEN)
        if self.state is State.HALF_OPEN:
            if self._probing >= self._rules.probes:
                raise CircuitOpen(self._rules.shortest_open)
            self._probing += 1
        return self._generation

    def leave(self, permit: int, failed: bool | None) -> None:  # noqa: FBT001 - the outcome itself
        """Note how the call of `permit` ended; None when that says nothing about the neighbour."""
        if permit != self._generation:
            return
        if self.state is State.HALF_OPEN:
            self._probing -= 1
            if failed is not None:
                self._note_probe(failed=failed)
        elif failed is not None:
            calls, failures = self._window.add(self._clock(), failed=failed)
            if calls >= self._rules.fewest_calls and failures >= self._rules.failing * calls:
                self._open()

    def _note_probe(self, *, failed: bool) -> None:
        if failed:
            self._open()
            return
        self._succeeded += 1
        if self._succeeded >= self._rules.probes:
            self._opened_in_a_row = 0
            self._window.clear()
            self._change(State.CLOSED)

    def _open(self) -> None:
        rules = self._rules
        seconds = min(rules.shortest_open * 2**self._opened_in_a_row, rules.longest_open)
        self._opened_in_a_row = min(self._opened_in_a_row + 1, 16)
        self._reopens_at = self._clock() + self._uniform(seconds / 2, seconds)
        self._change(State.OPEN)

    def _change(self, state: State) -> None:
        self.state = state
        self._generation += 1
        self._probing = self._succeeded = 0
        self._on_change(state)


class _Window:
    """Calls and failures of the last whole seconds."""

    def __init__(self, seconds: int) -> None:
        self._most = seconds
        self._seconds: deque[list[int]] = deque()  # second, calls, failures
        self._calls = 0
        self._failures = 0

    def add(self, now: float, *, failed: bool) -> tuple[int, int]:
        """Count a call and return how many were made and how many failed."""
        second = int(now)
        while self._seconds and self._seconds[0][0] <= second - self._most:
            _, calls, failures = self._seconds.popleft()
            self._calls -= calls
            self._failures -= failures
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += failed
        self._calls += 1
        self._failures += failed
        return self._calls, self._failures

    def clear(self) -> None:
        self._seconds.clear()
        self._calls = self._failures = 0
