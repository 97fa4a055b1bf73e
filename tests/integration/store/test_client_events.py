"""What clients do is followed: their copies, what is cached of them, and the stores of those that end."""

from typing import Any
from uuid import UUID

from shared.identifiers import new_uuid
from tests.support.client_stream import Clients, shown
from tests.support.events import until
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Resource


async def value(stores: Resource, question: str, *values: object) -> Any:  # noqa: ANN401 - a column's value
    rows = await stores.run(question, *values)
    return rows[0][0] if rows else None


async def test_a_changed_client_shows_in_its_stores(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    made = await stores.make()
    url = f"{stores.url(made)}?include=client"

    async def name() -> str:
        return (await stores.http.get(url)).json()["data"]["client"]["name"]

    async def is_called(expected: str) -> bool:
        return await name() == expected

    await name()
    await clients.tell("client.changed", shown(client_uuid, name="Renamed"), 5)
    await until(lambda: is_called("Renamed"))
    await clients.tell("client.changed", shown(client_uuid, name="Older"), 4)
    await clients.tell("client.changed", shown(client_uuid, name="Newer"), 6)
    await until(lambda: is_called("Newer"))


async def test_the_stores_of_a_deleted_client_end(
    stores: Resource, clients: Clients, client_uuid: UUID, neighbours: FakeNeighbours
) -> None:
    other = await stores.make(client_uuid=str(neighbours.add()))
    await stores.make()
    await stores.run(
        """
        INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, country, timezone, search)
        SELECT gen_random_uuid(), $1, n, n, 'x', 'x', 'ID', 'Asia/Jakarta', ''::tsvector
        FROM generate_series(1, 1100) n
        """,
        client_uuid,
    )
    await stores.page(limit=1)

    async def has_ended() -> bool:
        return not await value(
            stores, "SELECT count(*) FROM stores WHERE client_uuid = $1 AND deleted_at IS NULL", client_uuid
        )

    await clients.tell("client.deleted", shown(client_uuid), 2)
    await until(has_ended)
    changes = "SELECT count(*) FROM changes WHERE type = 'store.deleted' AND actor = 'someone'"
    assert await value(stores, changes) == 1101
    assert (await stores.page())["meta"]["total"] == 1
    assert (await stores.http.get(stores.url(other))).status_code == 200

    async def is_known() -> bool:
        return bool(await value(stores, "SELECT deleted_at FROM clients WHERE uuid = $1", client_uuid))

    await until(is_known)
    await clients.tell("client.changed", shown(client_uuid, name="From before"), 1)
    await clients.tell("client.deleted", shown(client_uuid), 2)
    third = new_uuid()
    await clients.tell("client.created", shown(third), 1)
    await until(lambda: value(stores, "SELECT true FROM clients WHERE uuid = $1", third))
    assert await is_known()
    assert await value(stores, changes) == 1101


async def test_a_schema_from_the_future_is_kept_for_a_version_that_knows_it(
    stores: Resource, clients: Clients, client_uuid: UUID
) -> None:
    await clients.tell("client.changed", shown(client_uuid), 2, schema_version=2)
    await until(lambda: value(stores, "SELECT reason FROM dead_letters"))
    assert "schema" in await value(stores, "SELECT reason FROM dead_letters")


async def test_other_kinds_of_events_have_no_effect(stores: Resource, clients: Clients) -> None:
    uuid = new_uuid()
    await clients.tell("client.imported", shown(uuid), 2)
    await until(lambda: value(stores, "SELECT count(*) FROM inbox"))
    assert await value(stores, "SELECT count(*) FROM clients WHERE uuid = $1", uuid) == 0
