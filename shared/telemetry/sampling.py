"""Which requests are recorded: decided once, by the process that a request meets first."""

import random
import time

MOST_FORCED_PER_SECOND = 10
"""Recordings that callers ask for, above which the ratio decides for them as well."""


class Sampling:
    """Decides by `ratio`, or with `follows_callers` as the caller decided, if it did.

    The gateway's callers are strangers: were their word taken, any of them could have everything recorded.
    """

    def __init__(self, ratio: float, *, follows_callers: bool) -> None:
        self._ratio = ratio
        self._follows_callers = follows_callers
        self._second, self._forced = 0, 0

    def wanted(self, parent_flags: bytes | None, *, asked_for: bool) -> bool:
        """Tell whether to record a request, whose caller may send flags of a trace of its own.

        `parent_flags` are the two hexadecimal digits of its traceparent. With `asked_for` the caller wants it
        recorded.
        """
        if self._follows_callers and parent_flags is not None:
            return bool(int(parent_flags, 16) & 1)
        by_chance = random.random() < self._ratio  # noqa: S311 - it keeps no secret
        return by_chance or (asked_for and self._may_force())

    def _may_force(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._forced = second, 0
        self._forced += 1
        return self._forced <= MOST_FORCED_PER_SECOND
