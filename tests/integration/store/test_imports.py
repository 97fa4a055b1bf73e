"""What importing files of stores does."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from services.store import constants
from tests.support.imports import Importer, error_lines, store_rows
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Resource, refused
from tests.support.tokens import bearer


async def test_csv_and_ndjson(importer: Importer, stores: Resource, client_uuid: UUID) -> None:
    done = await importer.csv(
        store_rows(client_uuid, "A", "B", city="Bogor", latitude="-6.5", longitude="106.75")
    )
    assert (done["state"], done["rows"], done["created"], done["failed"]) == ("completed", 2, 2, 0)
    done = await importer.ndjson(
        [{**row, "is_active": False} for row in store_rows(client_uuid, "C", city=None)]
    )
    assert (done["created"], done["errors"]) == (1, [])
    listed = (await stores.page(sort="name"))["data"]
    assert [row["name"] for row in listed] == ["A", "B", "C"]
    assert [(row["city"], row["latitude"], row["is_active"]) for row in listed] == [
        ("Bogor", -6.5, True),
        ("Bogor", -6.5, True),
        (None, None, False),
    ]
    assert [row["timezone"] for row in listed] == ["Asia/Jakarta"] * 3
    assert sorted(await stores.listed(q="bog")) == ["A", "B"]


async def test_what_an_import_makes_is_what_a_request_makes(importer: Importer, stores: Resource) -> None:
    fields = {
        "name": "  Kopi Ａ\u0301  ",
        "address": "Jalan 1\nJakarta",
        "city": "Bogor",
        "phone": "+622150001234",
        "latitude": 5.0,
        "longitude": 0.1,
    }
    by_request = await stores.make(**fields, code="One")
    await importer.ndjson([{**by_request, "code": "Two", **fields}])
    (by_import,) = (await stores.page(code="two"))["data"]
    own = {"uuid", "code", "created_at", "updated_at"}
    assert {k: v for k, v in by_import.items() if k not in own} == {
        k: v for k, v in by_request.items() if k not in own
    }
    one, two = await stores.run("SELECT * FROM stores ORDER BY code")
    differing = {"uuid", "code", "code_key", "search", "created_at", "updated_at"}
    assert {k: v for k, v in one.items() if k not in differing} == {
        k: v for k, v in two.items() if k not in differing
    }
    assert one["search"].replace("'one'", "'two'") == two["search"]
    changes = await stores.run("SELECT * FROM changes ORDER BY id")
    shown = [msgspec.json.decode(change["after"]) for change in changes]
    assert shown == [by_request, by_import]
    assert {change["type"] for change in changes} == {"store.created"}
    assert changes[1]["request_id"]
    assert changes[1]["before"] is None


async def test_each_client_is_asked_for_once(
    importer: Importer, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    clients = [client_uuid, *(neighbours.add() for _ in range(30))]
    asked = neighbours.asked
    done = await importer.ndjson([row for uuid in clients for row in store_rows(uuid, *"ABCDE")])
    assert done["created"] == 5 * len(clients)
    assert neighbours.asked - asked == len(clients)


async def test_an_import_waits_for_the_client_service(
    importer: Importer, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    neighbours.moving.clear()
    started = await importer.start(importer.ndjson_body(store_rows(client_uuid, "A")), "application/x-ndjson")
    assert started.status_code == 202
    url = started.headers["location"]
    async with asyncio.timeout(10):
        while (await importer.read(url))["state"] != "running":
            await asyncio.sleep(0.01)
    neighbours.moving.set()
    assert (await importer.finished(url))["created"] == 1


async def test_atomic_imports_all_or_nothing(importer: Importer, stores: Resource, client_uuid: UUID) -> None:
    bad = [*store_rows(client_uuid, "A", phone=""), *store_rows(client_uuid, "B", phone="0812")]
    done = await importer.csv(bad, atomic=True)
    assert (done["state"], done["created"], done["failed"]) == ("failed", 0, 1)
    assert "atomic" in done["reason"]
    assert error_lines(done) == [(3, "phone")]
    assert await stores.listed() == []
    assert await stores.run("SELECT 1 FROM changes") == []
    done = await importer.csv(store_rows(client_uuid, "A", "B"), atomic=True)
    assert (done["state"], done["created"], done["reason"]) == ("completed", 2, None)
    repeated = await importer.csv(store_rows(client_uuid, "C", "A"), atomic=True)
    assert (repeated["state"], error_lines(repeated)) == ("failed", [(3, "code")])


@pytest.mark.parametrize("mode", ["create", "upsert"])
async def test_a_dry_run_changes_nothing(
    importer: Importer, stores: Resource, client_uuid: UUID, mode: str
) -> None:
    await stores.make(code="C-A", name="Before")
    before = await stores.run("SELECT * FROM stores")
    changes = await stores.run("SELECT * FROM changes")
    done = await importer.csv(store_rows(client_uuid, "A", "B", "B"), dry_run=True, mode=mode)
    assert (done["state"], done["dry_run"]) == ("completed", True)
    counted = (done["created"], done["changed"], done["failed"])
    assert counted == ((1, 0, 2) if mode == "create" else (1, 1, 1))
    assert await stores.run("SELECT * FROM stores") == before
    assert await stores.run("SELECT * FROM changes") == changes
    assert await stores.run("SELECT 1 FROM outbox") == [] or len(changes) == 1


async def test_upsert_changes_the_fields_that_a_row_has(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    a = await stores.make(code="A", name="Old", city="Bogor", address="Jalan 1", phone="+622150001234")
    b = await stores.make(code="B", name="Same", city="Depok")
    await stores.http.get(stores.url(a))
    own = {"client_uuid": str(client_uuid)}
    done = await importer.csv(
        [
            {**own, "code": "a", "name": "New", "address": ""},
            {**own, "code": "B", "name": "Same", "address": ""},
            {**own, "code": "C", "name": "Made", "address": "Jalan 3"},
        ],
        mode="upsert",
    )
    assert (done["created"], done["changed"], done["unchanged"], done["failed"]) == (1, 1, 1, 0)
    changed = (await stores.http.get(stores.url(a))).json()["data"]
    assert (changed["name"], changed["code"], changed["address"], changed["version"]) == ("New", "a", None, 2)
    assert (changed["city"], changed["phone"]) == ("Bogor", "+622150001234")
    assert (await stores.http.get(stores.url(b))).json()["data"] == b
    assert await stores.listed(q="new bogor") == ["New"]
    assert await stores.listed(q="old") == []
    (change,) = await stores.run("SELECT * FROM changes WHERE type = 'store.changed'")
    assert msgspec.json.decode(change["before"]) == a
    assert msgspec.json.decode(change["after"]) == changed
    history = (await stores.http.get(f"{stores.url(a)}/history")).json()["data"]
    assert [entry["type"] for entry in history] == ["store.changed", "store.created"]


async def test_upsert_keeps_coordinates_whole(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    made = await stores.make(code="A", latitude=1, longitude=2)
    done = await importer.ndjson(
        [{"client_uuid": str(client_uuid), "code": "A", "name": "A", "latitude": None, "longitude": None}],
        mode="upsert",
    )
    assert done["changed"] == 1
    again = await importer.ndjson(
        [{"client_uuid": str(client_uuid), "code": "A", "name": "A", "latitude": 3, "longitude": 4}],
        mode="upsert",
    )
    assert again["changed"] == 1
    read = (await stores.http.get(stores.url(made))).json()["data"]
    assert (read["latitude"], read["longitude"], read["version"]) == (3.0, 4.0, 3)


async def test_who_may(importer: Importer, stores: Resource, neighbours: FakeNeighbours) -> None:
    own, other = neighbours.add(), neighbours.add()
    manager = bearer("manager", own)
    for caller in (bearer("user"), bearer("user", own)):
        refused(await importer.start(b"x", headers=caller), 403)
    started = await importer.start(
        importer.ndjson_body([*store_rows(own, "A"), *store_rows(other, "B")]),
        "application/x-ndjson",
        headers=manager,
    )
    url = started.headers["location"]
    done = await importer.finished(url)
    assert (done["created"], error_lines(done)) == (1, [(2, "client_uuid")])
    assert done["errors"][0]["message"] == constants.CLIENT_NOT_FOUND.format(uuid=other)
    assert await stores.listed() == ["A"]
    for caller, status in (
        (manager, 200),
        (bearer("manager", own), 200),
        (bearer("manager", other), 404),
        (bearer("user", own), 403),
        (bearer("manager"), 200),
    ):
        assert (await stores.http.get(url, headers=caller)).status_code == status
    upsert = await importer.ndjson(store_rows(other, "B"), mode="upsert", headers=manager)
    assert (upsert["created"], upsert["changed"], upsert["failed"]) == (0, 0, 1)


async def test_staged_rows_go_when_they_are_done_with(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    await importer.csv(store_rows(client_uuid, "A"))
    async with asyncio.timeout(10):
        while await stores.run("SELECT 1 FROM import_rows"):
            await asyncio.sleep(0.02)


async def test_an_import_is_never_stale_in_the_cache(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    made = await stores.make(code="C-A", name="Old")
    for _ in range(2):
        assert await stores.listed() == ["Old"]
        assert (await stores.http.get(stores.url(made))).json()["data"]["name"] == "Old"
    await importer.csv(store_rows(client_uuid, "A", "B"), mode="upsert")
    assert sorted(await stores.listed()) == ["A", "B"]
    assert (await stores.http.get(stores.url(made))).json()["data"]["name"] == "A"
