"""Everything that decides about an owner's hours, and what follows from it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeGuard

import msgspec

from shared.schedules.schema import NO_SOURCE, HoursException, HoursPause, OwnWeek, Workhour

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

    def with_own(self, **parts: object) -> "OwnerSchedule":
        """Return the schedule with some of its own parts replaced."""
        return msgspec.structs.replace(self, own=msgspec.structs.replace(self.own, **parts))

    def _source(self) -> str:
        if self.own.week:
            return self.source
        return self.inherited_source if self.inherited.week else NO_SOURCE
