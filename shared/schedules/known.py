"""Everything that decides about an owner's hours, and what follows from it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeGuard
from zoneinfo import ZoneInfo

import msgspec

from shared.hours.evaluation import evaluate, is_open
from shared.hours.model import Pause, Reason, Schedule
from shared.schedules.schema import NO_SOURCE, HoursException, HoursPause, HoursStatus, OwnWeek, Workhour

PartKind = Literal["workhour", "workhour_exception", "workhour_pause"]
"""What a part is, as its changes call it."""

PART_TYPES: Mapping[PartKind, type[OwnWeek | HoursException | HoursPause]] = {
    "workhour": OwnWeek,
    "workhour_exception": HoursException,
    "workhour_pause": HoursPause,
}


def is_part_kind(name: str) -> TypeGuard[PartKind]:
    """Tell whether this is what a part is called."""
    return name in PART_TYPES


class Parts(msgspec.Struct, kw_only=True, frozen=True):
    """What an owner has of its own."""

    week: OwnWeek | None = None
    exceptions: tuple[HoursException, ...] = ()
    pause: HoursPause | None = None

    def by_kind(self) -> Iterator[tuple[PartKind, OwnWeek | HoursException | HoursPause]]:
        """Yield each part with what it is."""
        if self.week:
            yield "workhour", self.week
        for exception in self.exceptions:
            yield "workhour_exception", exception
        if self.pause:
            yield "workhour_pause", self.pause


def merged(pauses: Iterable[Pause]) -> Pause | None:
    """Return the first of these pauses, as long as those that follow without a gap make it."""
    first: Pause | None = None
    for pause in sorted(pauses, key=lambda each: each.since):
        if first is None:
            first = pause
        elif pause.since <= first.until:
            first = Pause(first.since, max(first.until, pause.until))
    return first


def assembled(parts: Iterable[tuple[PartKind, msgspec.Raw]]) -> Parts:
    """Return the parts whose kinds and JSON these are; of several weeks or pauses the last."""
    week, exceptions, pause = None, list[HoursException](), None
    for kind, content in parts:
        if kind == "workhour":
            week = msgspec.json.decode(content, type=OwnWeek)
        elif kind == "workhour_exception":
            exceptions.append(msgspec.json.decode(content, type=HoursException))
        else:
            pause = msgspec.json.decode(content, type=HoursPause)
    return Parts(week=week, exceptions=tuple(exceptions), pause=pause)


class OwnerSchedule(msgspec.Struct, kw_only=True, frozen=True):
    """What decides about an owner's hours: facts of it, its own parts, and those that it inherits.

    Inherited are the parts of another owner as long as there is no week of its own, in the time zone of the
    one that inherits. `source` and `inherited_source` are what answers call the two.
    """

    timezone: str
    is_active: bool
    source: str
    own: Parts = Parts()
    inherited_source: str = NO_SOURCE
    inherited: Parts = Parts()

    @property
    def inherits(self) -> bool:
        """Whether the regular hours are another's, should that one have any."""
        return self.own.week is None

    @property
    def zone(self) -> str:
        """The time zone in which the hours run."""
        return (self.own.week and self.own.week.timezone) or self.timezone

    @property
    def week(self) -> Workhour:
        """The week that holds."""
        found = self.own.week or self.inherited.week
        return Workhour(
            source=self._source(),
            timezone=self.zone,
            hours=found.hours if found else None,
            version=found.version if found else 0,
        )

    @property
    def hours(self) -> Schedule:
        """What the arithmetic of hours needs to know."""
        layers = (self.own.exceptions, self.inherited.exceptions) if self.inherits else (self.own.exceptions,)
        return Schedule(week=self.week.hours, exceptions=layers)

    def pause_at(self, at: datetime) -> Pause | None:
        """Return the pause that lasts at an instant or is the next one, one's own and an inherited as one."""
        own, inherited = self.own.pause, self.inherits and self.inherited.pause
        found = [Pause(each.created_at, each.until) for each in (own, inherited) if each]
        return merged(each for each in found if each.until > at)

    def status_at(self, at: datetime) -> HoursStatus:
        """Return whether it is open at an instant that passed `instant_problems`."""
        status = evaluate(
            self.hours, ZoneInfo(self.zone), at, pause=self.pause_at(at), is_active=self.is_active
        )
        return HoursStatus(
            state=status.state,
            evaluated_at=at,
            timezone=self.zone,
            next_change_at=status.next_change_at,
            source=self._source_of(status.reason),
            reason=status.reason,
        )

    def is_open_at(self, at: datetime) -> bool:
        """Tell whether it is open at an instant, as `status_at` does at a far higher cost."""
        pause = self.pause_at(at)
        is_paused = pause is not None and pause.since <= at
        return self.is_active and not is_paused and is_open(self.hours, ZoneInfo(self.zone), at)

    def with_own(self, **parts: object) -> "OwnerSchedule":
        """Return the schedule with some of its own parts replaced."""
        return msgspec.structs.replace(self, own=msgspec.structs.replace(self.own, **parts))

    def _source_of(self, reason: Reason) -> str:
        """Return whose hours decided; without any week it may have been exceptions."""
        if reason is Reason.EXCEPTION and self._source() == NO_SOURCE:
            return self.source if self.own.exceptions else self.inherited_source
        return self._source()

    def _source(self) -> str:
        if self.own.week:
            return self.source
        return self.inherited_source if self.inherited.week else NO_SOURCE
