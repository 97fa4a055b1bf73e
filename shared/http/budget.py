"""How many calls may be repeated: a share of all, so that retries cannot multiply an overload."""

import time
from collections.abc import Callable

SHARE = 0.2
RESERVE_PER_SECOND = 3.0
MOST_SAVED = 20.0


class RetryBudget:
    """A bucket of tokens, of which a retry takes one (as in Finagle's RetryBudget).

    Each call adds `SHARE`, each second `RESERVE_PER_SECOND`, so that rare calls may be repeated too;
    more than `MOST_SAVED` are not kept. It begins full.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens = MOST_SAVED
        self._counted_at = clock()

    def deposit(self) -> None:
        """Note a call that is no retry."""
        self._tokens = min(self._tokens + SHARE, MOST_SAVED)

    def withdraw(self) -> bool:
        """Tell whether a call may be repeated, and take its token."""
        now = self._clock()
        earned = (now - self._counted_at) * RESERVE_PER_SECOND
        self._tokens = min(self._tokens + earned, MOST_SAVED)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
