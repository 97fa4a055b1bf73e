"""Opening hours by brute force, written from the requirements and not from `shared.hours`.

Takes what the API tells as JSON, spells out every local minute that is open, and looks instants up in that.
It is slow, and simple enough to be believed.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ONE_DAY = timedelta(days=1)


class Oracle:
    """Answers for one schedule; of the exception layers, the first wins."""

    def __init__(
        self,
        zone: ZoneInfo,
        hours: Sequence[Json] | None,
        layers: Sequence[Sequence[Json]] = (),
        pause: tuple[datetime, datetime] | None = None,
    ) -> None:
        self.zone = zone
        self.hours = hours
        self.pause = pause
        self.exceptions: dict[date, Json] = {}
        for layer in reversed(layers):
            for exception in layer:
                self.exceptions |= dict.fromkeys(covered_dates(exception), exception)
        self.minutes: dict[date, set[int]] = {}

    def state(self, instant: datetime) -> str:
        """Return "open", "closed" or "unknown"."""
        if self.pause and self.pause[0] <= instant < self.pause[1]:
            return "closed"
        wall = instant.astimezone(self.zone)
        if wall.hour * 60 + wall.minute in self.open_minutes(wall.date()):
            return "open"
        scheduled = self.hours is not None or wall.date() in self.exceptions
        return "closed" if scheduled else "unknown"

    def open_minutes(self, day: date) -> set[int]:
        if day not in self.minutes:
            self.minutes[day] = {
                minute
                for start in (day - ONE_DAY, day)
                for interval in self.intervals(start)
                for at, minute in open_at(start, interval)
                if at == day and not self.is_cut(start, day)
            }
        return self.minutes[day]

    def intervals(self, day: date) -> list[Json]:
        if day in self.exceptions:
            return self.exceptions[day]["intervals"]
        return [each for each in self.hours or () if each["day"] == NAMES[day.weekday()]]

    def is_cut(self, start: date, day: date) -> bool:
        """Tell whether an interval that began on `start` does not reach `day`."""
        governing = self.exceptions.get(day)
        return start != day and governing is not None and self.exceptions.get(start) is not governing


def covered_dates(exception: Json) -> list[date]:
    first, last = date.fromisoformat(exception["from"]), date.fromisoformat(exception["to"])
    return [first + number * ONE_DAY for number in range((last - first).days + 1)]


def open_at(start: date, interval: Json) -> list[tuple[date, int]]:
    """Return each local date and minute of an interval that begins on `start`."""
    opens, closes = minute_of(interval["opens"]), minute_of(interval["closes"])
    if closes < opens:
        closes += 24 * 60
    return [(start + minute // 1440 * ONE_DAY, minute % 1440) for minute in range(opens, closes)]


def minute_of(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
