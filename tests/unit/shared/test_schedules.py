"""The rules of schedules, whoever owns them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from shared.errors import InvalidInput, NotFound
from shared.hours.model import Interval, Pause, State
from shared.identifiers import new_uuid
from shared.preconditions import Condition, PreconditionFailed
from shared.schedules.errors import ExceptionNotFound, TooManyExceptions
from shared.schedules.known import OwnerSchedule, Parts, merged
from shared.schedules.repository import ExceptionRepository
from shared.schedules.schema import (
    ChangeException,
    CreateException,
    HoursException,
    PauseCommand,
    PutWeek,
    Workhour,
)
from shared.schedules.usecase.exceptions import MOST_EXCEPTIONS, Exceptions
from shared.schedules.usecase.pauses import Pauses
from shared.schedules.usecase.weeks import Workhours
from tests.support.clients import THEN
from tests.support.schedule_fakes import MADE, NINE_TO_FIVE, FakeOwners, pause, week
from tests.support.tokens import principal

ADMIN = principal("admin")
STALE = Condition("If-Match", '"stale"')
HOUR = timedelta(hours=1)


class NoExceptions(ExceptionRepository):
    """Exceptions that are never asked for."""

    def __init__(self) -> None: ...


def exception(day: int = 1) -> HoursException:
    on = date(2027, 1, day)
    return HoursException(uuid=new_uuid(), first=on, last=on, intervals=(), **MADE)


@pytest.fixture
def owner() -> UUID:
    return new_uuid()


@pytest.fixture
def owners(owner: UUID) -> FakeOwners:
    return FakeOwners(owner)


@pytest.fixture
def workhours(owners: FakeOwners) -> Workhours:
    return Workhours(owners)


@pytest.fixture
def exceptions(owners: FakeOwners) -> Exceptions:
    return Exceptions(owners, NoExceptions())


async def test_every_problem_of_a_week_is_told_before_anything_is_asked(
    owners: FakeOwners, workhours: Workhours, owner: UUID
) -> None:
    command = PutWeek(timezone="Mars/Olympus", hours=(NINE_TO_FIVE, NINE_TO_FIVE))
    with pytest.raises(InvalidInput) as raised:
        await workhours.put(ADMIN, owner, command)
    assert {problem.field for problem in raised.value.details} >= {"timezone", "hours[1].opens"}
    assert owners.asked == []


async def test_a_week_is_asked_for_before_a_transaction_is_opened(
    owners: FakeOwners, workhours: Workhours, owner: UUID
) -> None:
    shown = await workhours.put(ADMIN, owner, PutWeek(hours=(NINE_TO_FIVE,)))
    assert owners.asked == ["asked", "opened"]
    found = await workhours.read(ADMIN, owner)
    assert msgspec.json.decode(found.content or b"", type=Workhour) == shown
    assert (shown.source, shown.timezone, shown.hours) == ("store", "Asia/Jakarta", (NINE_TO_FIVE,))


async def test_a_stale_condition_changes_nothing(
    owners: FakeOwners, workhours: Workhours, exceptions: Exceptions, owner: UUID
) -> None:
    kept = exception()
    owners.known = before = owners.known.with_own(week=week(), exceptions=(kept,))
    for attempt in (
        workhours.put(ADMIN, owner, PutWeek(hours=()), STALE),
        workhours.delete(ADMIN, owner, STALE),
        exceptions.change(ADMIN, owner, kept.uuid, ChangeException(title="x"), STALE),
        exceptions.delete(ADMIN, owner, kept.uuid, STALE),
    ):
        with pytest.raises(PreconditionFailed):
            await attempt
    assert owners.known == before


async def test_nobody_owns_hours_who_is_unknown(workhours: Workhours, exceptions: Exceptions) -> None:
    unknown = new_uuid()
    command = CreateException(first=THEN.date(), last=THEN.date(), intervals=())
    for attempt in (
        workhours.put(ADMIN, unknown, PutWeek(hours=())),
        workhours.delete(ADMIN, unknown),
        exceptions.add(ADMIN, unknown, command),
        exceptions.delete(ADMIN, unknown, new_uuid()),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_changed_exception_is_valid_as_a_whole(
    owners: FakeOwners, exceptions: Exceptions, owner: UUID
) -> None:
    kept = exception(10)
    owners.known = before = owners.known.with_own(exceptions=(kept,))
    backwards = ChangeException(last=date(2027, 1, 9))
    equal = ChangeException(intervals=(Interval("09:00", "09:00"),))
    for command in (backwards, equal, ChangeException(last=date(2028, 1, 11))):
        with pytest.raises(InvalidInput):
            await exceptions.change(ADMIN, owner, kept.uuid, command)
    with pytest.raises(ExceptionNotFound):
        await exceptions.change(ADMIN, owner, new_uuid(), ChangeException(title="x"))
    assert owners.known == before
    assert await exceptions.change(ADMIN, owner, kept.uuid, ChangeException()) == kept


async def test_an_owner_has_so_many_exceptions_and_no_more(
    owners: FakeOwners, exceptions: Exceptions, owner: UUID
) -> None:
    owners.known = owners.known.with_own(exceptions=(exception(),) * (MOST_EXCEPTIONS - 1))
    command = CreateException(first=THEN.date(), last=THEN.date(), intervals=())
    await exceptions.add(ADMIN, owner, command)
    with pytest.raises(TooManyExceptions):
        await exceptions.add(ADMIN, owner, command)


async def test_a_pause_is_urgent_and_ends_later(owners: FakeOwners, owner: UUID) -> None:
    pauses, now = Pauses(owners), datetime.now(UTC)
    for until in (now - HOUR, now, datetime(9999, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidInput):
            await pauses.begin(ADMIN, owner, PauseCommand(until=until))
    assert owners.known.own.pause is None
    first = await pauses.begin(ADMIN, owner, PauseCommand(until=now + HOUR))
    longer = await pauses.begin(ADMIN, owner, PauseCommand(until=now + 2 * HOUR))
    assert (longer.uuid, longer.until) == (first.uuid, now + 2 * HOUR)
    await pauses.end(ADMIN, owner)
    await pauses.end(ADMIN, owner)
    assert owners.known.own.pause is None
    assert set(owners.asked) == {"urgent", "opened"}


async def test_a_pause_that_is_over_is_another_one(owners: FakeOwners, owner: UUID) -> None:
    over, now = pause(THEN, THEN + HOUR), datetime.now(UTC)
    owners.known = owners.known.with_own(pause=over)
    assert (await Pauses(owners).begin(ADMIN, owner, PauseCommand(until=now + HOUR))).uuid != over.uuid


OWN, INHERITED = Parts(week=week(timezone="Europe/Berlin")), Parts(week=week(NINE_TO_FIVE, timezone="UTC"))


@pytest.mark.parametrize(
    ("own", "inherited", "source", "zone"),
    [
        (Parts(), Parts(), "none", "Asia/Jakarta"),
        (Parts(), INHERITED, "client", "Asia/Jakarta"),
        (OWN, INHERITED, "store", "Europe/Berlin"),
        (OWN, Parts(), "store", "Europe/Berlin"),
        (Parts(exceptions=(exception(),)), INHERITED, "client", "Asia/Jakarta"),
    ],
)
def test_whose_week_holds_and_where_it_runs(own: Parts, inherited: Parts, source: str, zone: str) -> None:
    known = schedule(own, inherited)
    assert (known.week.source, known.week.timezone) == (source, zone)


def test_an_own_week_leaves_all_that_could_be_inherited_aside() -> None:
    holiday = exception()
    theirs = Parts(week=week(NINE_TO_FIVE), exceptions=(holiday,), pause=pause(THEN, THEN + HOUR))
    inheriting, own = schedule(Parts(), theirs), schedule(OWN, theirs)
    assert (inheriting.hours.exceptions, own.hours.exceptions) == (((), (holiday,)), ((),))
    assert inheriting.pause_at(THEN) == Pause(THEN, THEN + HOUR)
    assert own.pause_at(THEN) is None
    assert inheriting.status_at(THEN).state is State.CLOSED


def test_exceptions_are_known_where_no_week_is() -> None:
    holiday, at = Parts(exceptions=(exception(),)), datetime(2027, 1, 1, 5, tzinfo=UTC)
    for known, source in ((schedule(holiday, Parts()), "store"), (schedule(Parts(), holiday), "client")):
        covered, other = known.status_at(at), known.status_at(at + 24 * HOUR)
        assert (covered.state, covered.source) == (State.CLOSED, source)
        assert (other.state, other.source) == (State.UNKNOWN, "none")


@pytest.mark.parametrize(
    ("spans", "whole"),
    [
        ([], None),
        ([(0, 1)], (0, 1)),
        ([(2, 3), (0, 1)], (0, 1)),
        ([(1, 3), (0, 1)], (0, 3)),
        ([(0, 5), (1, 2)], (0, 5)),
    ],
)
def test_pauses_without_a_gap_are_one(spans: list[tuple[int, int]], whole: tuple[int, int] | None) -> None:
    pauses = [Pause(THEN + start * HOUR, THEN + end * HOUR) for start, end in spans]
    expected = whole and Pause(THEN + whole[0] * HOUR, THEN + whole[1] * HOUR)
    assert merged(pauses) == expected


def schedule(own: Parts, inherited: Parts) -> OwnerSchedule:
    return OwnerSchedule(
        timezone="Asia/Jakarta",
        is_active=True,
        source="store",
        own=own,
        inherited_source="client",
        inherited=inherited,
    )
