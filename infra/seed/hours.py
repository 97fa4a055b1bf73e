"""Invented opening hours: weeks as such shops have them, and the holidays of many.

What has number N depends on N alone, as the companies and stores do.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from infra.seed.dice import Dice
from shared.hours.model import Day, DayInterval, Interval
from shared.schedules.known import PartKind
from shared.schedules.schema import HoursException, HoursPause, OwnWeek

Row = dict[str, Any]

_EVERY_DAY = tuple(Day)
_WORKING_DAYS, _WEEKEND = _EVERY_DAY[:5], _EVERY_DAY[5:]
_QUIET_NIGHTS, _LONG_NIGHTS = (*_EVERY_DAY[:4], Day.SUNDAY), (Day.FRIDAY, Day.SATURDAY)

_WEEKS: tuple[tuple[tuple[Sequence[Day], str, str], ...], ...] = (
    ((_EVERY_DAY, "10:00", "22:00"),),
    ((_WORKING_DAYS, "08:00", "17:00"), ((Day.SATURDAY,), "08:00", "13:00")),
    ((_EVERY_DAY[:6], "08:00", "12:00"), (_EVERY_DAY[:6], "13:00", "17:30")),
    ((_QUIET_NIGHTS, "10:00", "23:00"), (_LONG_NIGHTS, "10:00", "02:00")),
    ((_WORKING_DAYS, "06:30", "20:00"), (_WEEKEND, "07:30", "21:00")),
    ((_EVERY_DAY, "00:00", "24:00"),),
)
_WITHOUT_WEEK_EVERY = 7
_STORES_WITH_WEEK = 0.1

_SHORT = (Interval("10:00", "15:00"),)
_HOLIDAYS: tuple[tuple[date, date, tuple[Interval, ...], str], ...] = (
    (date(2026, 12, 25), date(2026, 12, 25), (), "Natal"),
    (date(2026, 12, 31), date(2026, 12, 31), _SHORT, "Malam Tahun Baru"),
    (date(2027, 1, 1), date(2027, 1, 1), (), "Tahun Baru"),
    (date(2027, 3, 10), date(2027, 3, 12), (), "Idul Fitri"),
)


def week_of_client(number: int, created_at: datetime) -> OwnWeek | None:
    """Return the week of the client of this number; some have none."""
    if number % _WITHOUT_WEEK_EVERY == _WITHOUT_WEEK_EVERY - 1:
        return None
    return _week(Dice("week of client", number), number % len(_WEEKS), created_at)


def holidays_of_client(number: int, created_at: datetime) -> list[HoursException]:
    """Return the exceptions of the client of this number; some have none."""
    if number % 2:
        return []
    return [
        HoursException(
            uuid=Dice(f"holiday of client {number}", index).uuid(created_at),
            first=first,
            last=last,
            intervals=intervals,
            title=title,
            **_made(created_at),
        )
        for index, (first, last, intervals, title) in enumerate(_HOLIDAYS)
    ]


def week_of_store(number: int, created_at: datetime) -> OwnWeek | None:
    """Return the week of the store of this number; most follow their client."""
    dice = Dice("week of store", number)
    if dice.chance() >= _STORES_WITH_WEEK:
        return None
    return _week(dice, int(dice.chance() * len(_WEEKS)), created_at)


def part_row(owner_uuid: UUID, part: OwnWeek | HoursException) -> Row:
    """Return the row of a part of an owner's schedule, what is JSON there as text."""
    fields = msgspec.structs.asdict(part)
    json = {
        name: msgspec.json.encode(fields[name]).decode() for name in ("hours", "intervals") if name in fields
    }
    return {"owner_uuid": owner_uuid, **fields, **json}


def day_rows(exception: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each day that the exception of this row covers."""
    for number in range((exception["last"] - exception["first"]).days + 1):
        day = exception["first"] + timedelta(days=number)
        yield {"owner_uuid": exception["owner_uuid"], "day": day, "exception_uuid": exception["uuid"]}


def copy_row(client_uuid: UUID, kind: PartKind, part: OwnWeek | HoursException | HoursPause) -> Row:
    """Return the row of what stores keep of a part of their client's schedule."""
    shown = msgspec.json.encode(part).decode()
    return {
        "uuid": part.uuid,
        "client_uuid": client_uuid,
        "kind": kind,
        "version": part.version,
        "shown": shown,
    }


def _week(dice: Dice, pattern: int, created_at: datetime) -> OwnWeek:
    hours = itertools.chain.from_iterable(
        (DayInterval(day, opens, closes) for day in days) for days, opens, closes in _WEEKS[pattern]
    )
    return OwnWeek(uuid=dice.uuid(created_at), timezone=None, hours=tuple(hours), **_made(created_at))


def _made(created_at: datetime) -> dict[str, Any]:
    return {"version": 1, "created_at": created_at, "updated_at": created_at}
