"""Whether something is open at an instant, why, and when that changes.

Hours are what clocks show: an instant is within an interval when the local date and time at that instant
are. So a local time that does not exist is never met, and one that exists twice is the same both times.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.hours.calendar import Calendar
from shared.hours.model import Pause, Reason, Schedule, State, Status
from shared.hours.spans import Span, spans
from shared.hours.times import clock

LOOK_AHEAD = timedelta(days=400)

_DAY = timedelta(days=1)


def evaluate(
    schedule: Schedule, zone: ZoneInfo, at: datetime, *, pause: Pause | None = None, is_active: bool = True
) -> Status:
    """Return the state at an instant, why it is so, and the first instant after it with another state.

    That instant is exact, and looked for up to 400 days ahead. What is not active is closed until somebody
    makes it active again. `at` and the pause's end are such as `instant_problems` lets pass.
    """
    if not is_active:
        return Status(State.CLOSED, Reason.INACTIVE, None)
    calendar = Calendar(schedule)
    if pause and pause.since <= at < pause.until:
        state, reason = State.CLOSED, Reason.PAUSE
    else:
        state, reason = _state(calendar, zone, at)
    return Status(state, reason, _next_change(calendar, zone, at, state, pause))


def is_open(schedule: Schedule, zone: ZoneInfo, at: datetime) -> bool:
    """Tell whether the hours alone, without a pause, are open at an instant; far cheaper than `evaluate`."""
    return _state(Calendar(schedule), zone, at)[0] is State.OPEN


def _state(calendar: Calendar, zone: ZoneInfo, at: datetime) -> tuple[State, Reason]:
    local = at.astimezone(zone)
    return calendar.state(local.date(), clock(local))


def _next_change(
    calendar: Calendar, zone: ZoneInfo, at: datetime, state: State, pause: Pause | None
) -> datetime | None:
    horizon = at + LOOK_AHEAD + datetime.resolution
    if pause is None or pause.until <= at or pause.since >= horizon:
        return _first_other(calendar, zone, at, horizon, state)
    if at < pause.since:
        change = _first_other(calendar, zone, at, pause.since, state)
        if change or state is not State.CLOSED:
            return change or pause.since
    return _first_other(calendar, zone, pause.until, horizon, State.CLOSED)


def _first_other(
    calendar: Calendar, zone: ZoneInfo, start: datetime, end: datetime, state: State
) -> datetime | None:
    """Return the first instant from `start` until just before `end` at which the hours say another state."""
    for span in spans(zone, start):
        if span.start >= end:
            return None
        instant = _first_other_within(calendar, span, state)
        if instant:
            return instant if instant < end else None
    return None


def _first_other_within(calendar: Calendar, span: Span, state: State) -> datetime | None:
    local, end = span.start + span.offset, span.end + span.offset
    if calendar.state(local.date(), clock(local))[0] is not state:
        return span.start
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight < end:
        for minute, turned in calendar.turns(midnight.date()):
            if turned is not state and local < (turn := midnight + timedelta(minutes=minute)) < end:
                return turn - span.offset
        midnight += _DAY
    return None
