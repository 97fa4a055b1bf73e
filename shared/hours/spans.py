"""Stretches of time within which the clocks of a zone run evenly."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

STEP = timedelta(days=4)
"""Less than what is between any two changes of clocks of a zone, so that its ends show a change within it."""

_SECOND = timedelta(seconds=1)


class Span(NamedTuple):
    """From one instant until just before another, in which clocks are `offset` ahead of UTC."""

    start: datetime
    end: datetime
    offset: timedelta


def spans(zone: ZoneInfo, start: datetime) -> Iterator[Span]:
    """Yield one span of at most four days after another, from an instant on and without an end."""
    start = start.astimezone(UTC)
    offset = _offset(zone, start)
    while True:
        end = start + STEP
        next_offset = _offset(zone, end)
        if next_offset != offset:
            end = _change(zone, start, end, offset)
            next_offset = _offset(zone, end)
        yield Span(start, end, offset)
        start, offset = end, next_offset


def _change(zone: ZoneInfo, start: datetime, end: datetime, offset: timedelta) -> datetime:
    """Return when clocks are changed, which is at a whole second after `start` and not after `end`."""
    before, seconds = start.replace(microsecond=0), -(-(end - start) // _SECOND)
    while seconds > 1:
        half = seconds // 2
        if _offset(zone, before + half * _SECOND) == offset:
            before += half * _SECOND
            seconds -= half
        else:
            seconds = half
    return before + _SECOND


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).replace(tzinfo=UTC) - instant
