"""A client's exceptions and pause are those of its inheriting stores; a store's own win."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from shared.identifiers import new_uuid
from tests.support.client_stream import Clients
from tests.support.clients import THEN
from tests.support.events import until
from tests.support.resource import Json, Resource
from tests.support.workhours import DAY_NAMES, Owned, owned

WEEK = [{"day": day, "opens": "09:00", "closes": "17:00"} for day in DAY_NAMES]
XMAS, NEW_YEAR, USUAL = "2026-12-25T05:00:00Z", "2027-01-01T05:00:00Z", "2026-12-28T05:00:00Z"


def part(**fields: Any) -> Json:  # noqa: ANN401 - a part's own
    """Return a part of a schedule as the client service shows it."""
    members = {"uuid": new_uuid(), "version": 1, "created_at": THEN, "updated_at": THEN, **fields}
    return msgspec.to_builtins(members)


def closed_on(day: str) -> Json:
    return part(**{"from": day, "to": day, "intervals": [], "title": None})


async def is_in(store: Owned, at: str, state: str, reason: str, source: str) -> bool:
    return await store.state(at) == (state, reason, source)


async def test_a_clients_exceptions_hold_in_inheriting_stores(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    inheriting, own = await owned(stores), await owned(stores)
    await own.put(WEEK)
    xmas, week = closed_on("2026-12-25"), part(timezone=None, hours=WEEK)
    for each in (xmas, closed_on("2027-01-01")):
        await clients.tell("workhour_exception.created", each, 1, part_of=client_uuid)
    await clients.tell("workhour.created", week, 1, part_of=client_uuid)
    await until(lambda: is_in(inheriting, USUAL, "open", "regular_hours", "client"))
    for day in (XMAS, NEW_YEAR):
        await until(lambda day=day: is_in(inheriting, day, "closed", "exception", "client"))
        assert await own.state(day) == ("open", "regular_hours", "store")
    morning = {"opens": "06:00", "closes": "13:00"}
    added = await inheriting.add(**{"from": "2026-12-25", "to": "2026-12-26", "intervals": [morning]})
    assert await inheriting.state(XMAS) == ("open", "exception", "client")
    assert await inheriting.state(NEW_YEAR) == ("closed", "exception", "client")
    assert [each["uuid"] for each in await inheriting.exceptions()] == [added["uuid"]]
    await clients.tell("workhour_exception.deleted", xmas, 2, part_of=client_uuid)
    await inheriting.http.delete(inheriting.url_of(added))
    await until(lambda: is_in(inheriting, XMAS, "open", "regular_hours", "client"))


async def test_a_clients_pause_closes_inheriting_stores(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    inheriting, own = await owned(stores), await owned(stores)
    all_day = [{"day": day, "opens": "00:00", "closes": "24:00"} for day in DAY_NAMES]
    await own.put(all_day)
    await clients.tell("workhour.created", part(timezone=None, hours=all_day), 1, part_of=client_uuid)
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    pause = part(until=now + hour, created_at=now - hour)
    await clients.tell("workhour_pause.created", pause, 1, part_of=client_uuid)
    at = now.isoformat()
    await until(lambda: is_in(inheriting, at, "closed", "pause", "client"))
    assert (await own.state(at))[0] == "open"
    await inheriting.pause(now + 2 * hour)
    told = await inheriting.status(at)
    assert datetime.fromisoformat(told["next_change_at"]) == now + 2 * hour
    await clients.tell("workhour_pause.deleted", pause, 2, part_of=client_uuid)

    async def is_ended() -> bool:
        return bool(await stores.run("SELECT 1 FROM client_hours WHERE version = 2 AND shown IS NULL"))

    await until(is_ended)
    assert (await inheriting.status())["reason"] == "pause"
    await inheriting.http.delete(f"{inheriting.url}/pause")
    await until(lambda: is_in(inheriting, at, "open", "regular_hours", "client"))


async def test_an_emergency_needs_nobodys_consent(stores: Resource, neighbours: Any) -> None:  # noqa: ANN401 - the fixture's fake
    store = await owned(stores)
    neighbours.instead = (503, b"{}")
    try:
        await store.pause(datetime.now(UTC) + timedelta(hours=1))
        assert (await store.http.delete(f"{store.url}/pause")).status_code == 204
        assert (await store.post()).status_code == 503
    finally:
        neighbours.instead = None


async def test_the_digest_is_of_all_that_a_store_has(stores: Resource) -> None:
    one, twin = await owned(stores), await owned(stores)

    async def digest(store: Owned) -> bytes | None:
        rows = await stores.run("SELECT schedule_digest FROM stores WHERE uuid = $1", store.owner["uuid"])
        return rows[0][0]

    first, second = await one.add(title="A"), await twin.add(title="B")
    assert await digest(one) == await digest(twin) is not None
    await twin.http.patch(twin.url_of(second), json={"to": "2026-12-25"})
    assert await digest(one) != await digest(twin)
    await one.http.delete(one.url_of(first))
    assert await digest(one) is None
    await one.pause(datetime.now(UTC) + timedelta(hours=1))
    assert await digest(one) is not None
