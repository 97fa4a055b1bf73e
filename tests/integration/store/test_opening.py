"""Which stores are open at an instant: the ones that say so themselves, whatever else is asked for."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

import services.store.repository.opening
import shared.listing
from shared.identifiers import new_uuid
from shared.schedules.known import Parts
from shared.schedules.schema import HoursException, OwnWeek
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.workhours import DAY_NAMES, MONDAY, Owned, owned

ZONES = ("Asia/Jakarta", "Asia/Kathmandu", "America/New_York", "Pacific/Apia")
INSTANTS = [datetime(2026, 12, 20, tzinfo=UTC) + timedelta(hours=5 * number) for number in range(40)]
MONDAY_NOON = "2026-01-05T05:00:00Z"  # in Jakarta


def some_week(chance: random.Random) -> list[Json]:
    opens, closes = chance.sample(["00:00", "07:30", "12:00", "16:45", "22:00", "23:59"], 2)
    return [{"day": day, "opens": opens, "closes": closes} for day in DAY_NAMES if chance.random() < 0.7]


def some_days(chance: random.Random) -> Json:
    first = datetime(2026, 12, 20) + timedelta(days=chance.randrange(8))  # noqa: DTZ001 - a local date
    intervals = chance.choice([[], [{"opens": "10:00", "closes": "03:00"}]])
    return {"from": first.date().isoformat(), "to": first.date().isoformat(), "intervals": intervals}


def clients_parts(chance: random.Random) -> Parts:
    """Return what a client may have of a schedule."""
    row = {"uuid": new_uuid(), "version": 1, "created_at": INSTANTS[0], "updated_at": INSTANTS[0]}
    week = {**row, "hours": some_week(chance), "timezone": None}
    exception = {**row, **some_days(chance), "uuid": new_uuid(), "title": None}
    return Parts(
        week=msgspec.convert(week, OwnWeek),
        exceptions=(msgspec.convert(exception, HoursException),) if chance.random() < 0.5 else (),
    )


@pytest.fixture
async def world(stores: Resource, neighbours: FakeNeighbours) -> list[Owned]:
    """Thirty stores of four clients: with hours of their own or not, exceptions, pauses, inactive ones."""
    chance, made = random.Random(4), list[Owned]()
    clients = [neighbours.add() for _ in range(4)]
    for uuid in clients[1:]:
        neighbours.schedules[uuid] = clients_parts(chance)
    for number in range(30):
        place: Json = {
            "latitude": number / 1000,
            "longitude": 180.0,
            "city": "Suva" if number % 3 else "Nadi",
        }
        store = await owned(
            stores,
            client_uuid=str(clients[number % 4]),
            timezone=chance.choice(ZONES),
            is_active=number % 7 > 0,
            **place,
        )
        if chance.random() < 0.5:
            await store.put(some_week(random.Random(number % 3)), timezone=chance.choice([None, *ZONES]))
        if chance.random() < 0.4:
            await store.add(**some_days(chance), title=None)
        if chance.random() < 0.2:
            await store.pause(INSTANTS[20])
        made.append(store)
        await store.status()  # lets the service learn of the client
    return made


async def says_open(world: list[Owned], at: str) -> list[str]:
    return [store.owner["uuid"] for store in world if (await store.status(at))["state"] == "open"]


async def test_the_open_ones_are_those_that_say_so(stores: Resource, world: list[Owned]) -> None:
    shown: set[str] = set()
    for instant in INSTANTS:
        at = instant.isoformat().replace("+00:00", "Z")
        page = await stores.page(open_at=at, limit=100)
        found = sorted(row["uuid"] for row in page["data"])
        assert found == sorted(await says_open(world, at)), at
        assert datetime.fromisoformat(page["meta"]["evaluated_at"]) == instant
        assert page["meta"]["total"] == len(found)
        shown.update(found)
    assert len(shown) > 10


async def test_also_when_the_distinct_schedules_of_all_are_looked_at(
    stores: Resource, world: list[Owned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.store.repository.opening, "MOST_CANDIDATES", 3)
    await test_the_open_ones_are_those_that_say_so(stores, world)
    monkeypatch.setattr(services.store.repository.opening, "MOST_SCHEDULES", 2)
    assert (await stores.page(open_at=MONDAY_NOON))["meta"]["capped"] is True


async def test_too_many_open_ones_are_found_in_order(
    stores: Resource, world: list[Owned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.listing, "MOST_CANDIDATES", 5)
    at = INSTANTS[24].isoformat().replace("+00:00", "Z")
    expected = set(await says_open(world, at))
    page = await stores.page(open_at=at, sort="name", limit=2)
    assert {row["uuid"] for row in page["data"]} <= expected


async def test_with_any_filter_by_page_and_by_cursor(stores: Resource, world: list[Owned]) -> None:
    at = INSTANTS[24].isoformat().replace("+00:00", "Z")
    expected = [
        store.owner["uuid"]
        for store in world
        if store.owner["city"] == "Suva" and store.owner["uuid"] in await says_open(world, at)
    ]
    query: Json = {"open_at": at, "city": "suva", "near": "0,-180", "radius_m": 50_000, "limit": 2}
    page, found = await stores.page(**query), list[str]()
    while True:
        found += [row["uuid"] for row in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        page = await stores.page(**query, cursor=page["meta"]["next_cursor"])
    assert found == expected  # made from near to far
    assert len(found) > 2


async def test_an_export_has_the_open_ones(stores: Resource, world: list[Owned]) -> None:
    at = INSTANTS[24].isoformat().replace("+00:00", "Z")
    answer = await stores.http.get(f"{stores.path}/export", params={"open_at": at, "format": "ndjson"})
    assert answer.status_code == 200, answer.text
    found = [msgspec.json.decode(line)["uuid"] for line in answer.content.splitlines()]
    assert sorted(found) == sorted(await says_open(world, at))


async def test_a_walk_of_what_is_open_now_keeps_its_instant(stores: Resource) -> None:
    for _ in range(3):
        await (await owned(stores)).put(
            [{"day": day, "opens": "00:00", "closes": "24:00"} for day in DAY_NAMES]
        )
    before = datetime.now(UTC)
    for path in (stores.path, "/v1/uncached/stores"):
        first = await stores.http.get(path, params={"open_now": "true", "limit": 2})
        began = first.json()["meta"]["evaluated_at"]
        assert before <= datetime.fromisoformat(began) <= datetime.now(UTC)
        cursor = first.json()["meta"]["next_cursor"]
        rest = await stores.http.get(path, params={"open_now": "true", "limit": 2, "cursor": cursor})
        assert (len(rest.json()["data"]), rest.json()["meta"]["evaluated_at"]) == (1, began)
        assert first.headers["x-cache"] == rest.headers["x-cache"] == "BYPASS"


async def test_a_changed_week_shows_at_once(stores: Resource, client_uuid: UUID) -> None:
    store = await owned(stores)
    query: Json = {"open_at": MONDAY_NOON, "client_uuid": str(client_uuid)}
    for hours, found in (([MONDAY], 1), ([], 0), ([MONDAY], 1)):
        await store.put(hours)
        assert (await stores.page(**query))["meta"]["total"] == found
    await stores.change(store.owner, is_active=False)
    assert (await stores.page(**query))["meta"]["total"] == 0


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"open_at": "now"}, ["open_at"]),
        ({"open_at": "2026-01-05T05:00:00"}, ["open_at"]),
        ({"open_at": "0001-01-01T00:00:00Z"}, ["open_at"]),
        ({"open_now": "false"}, ["open_now"]),
        ({"open_now": "yes"}, ["open_now"]),
        ({"open_now": "true", "open_at": MONDAY_NOON}, ["open_now"]),
        ({"open_now": "false", "near": "0,0", "sort": "name"}, ["radius_m", "sort", "open_now"]),
    ],
    ids=str,
)
async def test_what_has_no_meaning_is_refused_by_name(
    stores: Resource, query: dict[str, str], fields: list[str]
) -> None:
    error = refused(await stores.http.get(stores.path, params=query), 400)
    assert fields_of(error) == fields
