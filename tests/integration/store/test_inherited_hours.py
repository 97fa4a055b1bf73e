"""Stores without a week of their own show their client's, in their own time zone, and know of its changes."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.store.schema import Client
from shared.identifiers import new_uuid
from shared.schedules.known import Parts
from shared.schedules.schema import OwnWeek
from tests.support.client_stream import Clients, shown
from tests.support.clients import THEN
from tests.support.events import until
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, refused
from tests.support.workhours import MONDAY, NIGHT, Owned, owned

HOURS = [MONDAY, NIGHT]


def week(hours: object = HOURS, version: int = 1, **fields: object) -> Json:
    """Return a week as the client service shows it."""
    members: dict[str, Any] = {"uuid": new_uuid(), "timezone": None, "version": version, **fields}
    return msgspec.to_builtins({**members, "hours": hours, "created_at": THEN, "updated_at": THEN})


@pytest.fixture
def inherited(neighbours: FakeNeighbours, client_uuid: UUID) -> Json:
    """The week that the client service would tell of when asked."""
    inherited = week(timezone="Europe/Berlin")
    neighbours.schedules[client_uuid] = Parts(week=msgspec.convert(inherited, OwnWeek))
    return inherited


async def shows(store: Owned, source: str, hours: object) -> bool:
    found = await store.week()
    return (found["source"], found["hours"]) == (source, hours)


@pytest.mark.usefixtures("inherited")
async def test_a_store_inherits_until_it_has_a_week_and_again_afterwards(
    stores: Resource, neighbours: FakeNeighbours
) -> None:
    store = await owned(stores, timezone="Asia/Makassar")
    clients_week = {"source": "client", "timezone": "Asia/Makassar", "hours": HOURS, "version": 1}
    asked = neighbours.asked
    for _ in range(3):
        assert await store.week() == clients_week
    assert neighbours.asked == asked + 1
    inherited = await store.tag()
    own = await store.http.put(store.url, json={"hours": []}, headers={"If-Match": inherited})
    assert own.json()["data"] == {"source": "store", "timezone": "Asia/Makassar", "hours": [], "version": 1}
    assert await store.tag() == own.headers["etag"] != inherited
    assert (await store.http.delete(store.url, headers={"If-Match": inherited})).status_code == 412
    assert (await store.http.delete(store.url)).status_code == 204
    assert (await store.week(), await store.tag()) == (clients_week, inherited)


async def test_a_changed_week_shows_in_inheriting_stores(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    store, other = await owned(stores), await owned(stores)
    await other.put([])
    assert await shows(store, "none", None)
    first = week()
    await clients.tell("workhour.created", first, 1, part_of=client_uuid)
    await until(lambda: shows(store, "client", HOURS))
    before = await store.tag()
    changed = {**first, "hours": [MONDAY], "version": 3}
    await clients.tell("workhour.changed", changed, 3, part_of=client_uuid)
    await clients.tell("workhour.changed", {**first, "hours": [NIGHT], "version": 2}, 2, part_of=client_uuid)
    await until(lambda: shows(store, "client", [MONDAY]))
    assert await store.tag() != before
    assert await shows(other, "store", [])
    await clients.tell("workhour.deleted", changed, 4, part_of=client_uuid)
    await until(lambda: shows(store, "none", None))
    # What is older than the end does not undo it.
    await clients.tell("workhour.created", {**first, "version": 2}, 2, part_of=client_uuid)
    await clients.tell("workhour.created", week([]), 1, part_of=client_uuid)
    await until(lambda: shows(store, "client", []))


async def test_a_part_of_a_schedule_that_cannot_be_read_is_put_aside(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    await clients.tell("workhour.created", week("always"), 1, part_of=client_uuid)
    await clients.tell("workhour.created", week(), 1, schema_version=2, part_of=client_uuid)

    async def both() -> bool:
        return len(await stores.run("SELECT 1 FROM dead_letters")) == 2

    await until(both)
    assert await shows(await owned(stores), "none", None)


async def test_a_client_that_is_asked_for_while_it_changes_is_not_made_older(
    stores: Resource, clients: Clients, client_uuid: UUID, inherited: Json, neighbours: FakeNeighbours
) -> None:
    store = await owned(stores)
    changed: Json = {**inherited, "hours": [], "version": 2}
    await clients.tell("workhour.changed", changed, 2, part_of=client_uuid)

    async def is_kept() -> bool:
        return bool(await stores.run("SELECT 1 FROM client_hours WHERE version = 2"))

    await until(is_kept)
    asked = neighbours.asked
    assert await shows(store, "client", [])
    assert neighbours.asked == asked + 1


@pytest.mark.usefixtures("inherited")
async def test_without_the_client_service_what_is_unknown_cannot_be_shown(
    stores: Resource, neighbours: FakeNeighbours, clients: Clients
) -> None:
    known, unknown = await owned(stores), await owned(stores, client_uuid=str(neighbours.add()))
    await known.put([MONDAY])
    neighbours.instead = (503, b"{}")
    try:
        assert await shows(known, "store", [MONDAY])
        refused(await unknown.http.get(unknown.url), 503)
        refused(await known.http.put(known.url, json={"hours": []}), 503)
        await clients.tell("client.created", shown(UUID(unknown.owner["client_uuid"])), 1)

        async def answers() -> bool:
            return (await unknown.http.get(unknown.url)).status_code == 200

        await until(answers)
        assert await shows(unknown, "none", None)
    finally:
        neighbours.instead = None


async def test_an_inactive_client_keeps_its_stores_from_changing_hours(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    store = await owned(stores)
    inactive: Client = msgspec.structs.replace(neighbours.clients[client_uuid], is_active=False)
    neighbours.clients[client_uuid] = inactive
    refused(await store.http.put(store.url, json={"hours": []}), 409, "CLIENT_INACTIVE")


async def test_stores_with_the_same_hours_of_their_own_have_one_digest(stores: Resource) -> None:
    one, twin, other, without = [await owned(stores) for _ in range(4)]
    for store, hours in ((one, HOURS), (twin, HOURS), (other, [])):
        await store.put(hours)
    await one.put(HOURS)

    async def digest(store: Owned) -> bytes | None:
        rows = await stores.run("SELECT schedule_digest FROM stores WHERE uuid = $1", store.owner["uuid"])
        return rows[0][0]

    assert await digest(one) == await digest(twin) != await digest(other)
    assert await digest(without) is None
    await one.http.delete(one.url)
    assert await digest(one) is None
