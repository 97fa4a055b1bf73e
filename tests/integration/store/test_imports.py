"""Importing files of stores."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import httpx
import msgspec
import pytest

from services.store import constants
from tests.support.imports import Importer, error_lines
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer


@pytest.fixture
def importer(stores: Resource) -> Importer:
    return Importer(stores)


def rows(client_uuid: UUID, *names: str, **fields: str | None) -> list[Json]:
    return [{"client_uuid": str(client_uuid), "code": f"C-{name}", "name": name, **fields} for name in names]


async def test_csv_and_ndjson(importer: Importer, stores: Resource, client_uuid: UUID) -> None:
    done = await importer.csv(rows(client_uuid, "A", "B", city="Bogor", latitude="-6.5", longitude="106.75"))
    assert (done["state"], done["rows"], done["created"], done["failed"]) == ("completed", 2, 2, 0)
    done = await importer.ndjson([{**row, "is_active": False} for row in rows(client_uuid, "C", city=None)])
    assert (done["created"], done["errors"]) == (1, [])
    listed = (await stores.page(sort="name"))["data"]
    assert [row["name"] for row in listed] == ["A", "B", "C"]
    assert [(row["city"], row["latitude"], row["is_active"]) for row in listed] == [
        ("Bogor", -6.5, True),
        ("Bogor", -6.5, True),
        (None, None, False),
    ]
    assert [row["timezone"] for row in listed] == ["Asia/Jakarta"] * 3
    assert await stores.listed(q="bog") == ["B", "A"] or await stores.listed(q="bog", sort="name") == [
        "A",
        "B",
    ]


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
    assert changes[0]["after"].replace('"5.0"', "5") is not None
    assert {change["type"] for change in changes} == {"store.created"}
    assert changes[1]["request_id"]
    assert changes[1]["before"] is None


async def test_a_row_that_is_bad_is_told_with_its_line(
    importer: Importer, stores: Resource, client_uuid: UUID, neighbours: FakeNeighbours
) -> None:
    existing = await stores.make(code="Taken")
    inactive, unknown = neighbours.add(is_active=False), "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    head = "client_uuid,code,name,phone,address,latitude\r\n"
    lines = [
        f'{client_uuid},1,First,+622150001234,"Jalan\r\nSatu",\r\n',  # lines 2 and 3
        f"{client_uuid},2,Second,0812,,\r\n",
        "x,3,,0812,,\r\n",
        f"{client_uuid},4,Fourth,,\r\n",
        "\r\n",
        f"{client_uuid},5,Half,,,1\r\n",
        f"{client_uuid},taken,Taken,,,\r\n",
        f"{client_uuid},1,Again,,,\r\n",
        f"{inactive},1,Inactive,,,\r\n",
        f"{unknown},1,Unknown,,,\r\n",
        f'{client_uuid},6,"Stray" quote,,,\r\n',
        f"{client_uuid},7,{'x' * 70_000},,,\r\n",
        f"{client_uuid},8,Nan,,,nan",
    ]
    done = await importer.send((head + "".join(lines)).encode())
    assert done["state"] == "completed"
    assert (done["rows"], done["created"], done["failed"]) == (12, 1, 11)
    assert error_lines(done) == [
        (4, "phone"),
        (5, "client_uuid"),
        (5, "name"),
        (5, "phone"),
        (6, ""),
        (8, "latitude"),
        (8, "longitude"),
        (9, "code"),
        (10, "code"),
        (11, "client_uuid"),
        (12, "client_uuid"),
        (13, ""),
        (14, ""),
        (15, "latitude"),
    ]
    assert done["errors_total"] == 14
    messages = {error["line"]: error["message"] for error in done["errors"]}
    assert messages[9] == constants.DUPLICATE_STORE
    assert "line 2" in messages[10]
    assert messages[11] == constants.CLIENT_INACTIVE.format(uuid=inactive)
    assert messages[12] == constants.CLIENT_NOT_FOUND.format(uuid=unknown)
    assert "65,536 bytes" in messages[14]
    first = next(row for row in (await stores.page())["data"] if row["uuid"] != existing["uuid"])
    assert (first["name"], first["address"]) == ("First", "Jalan\nSatu")


async def test_each_client_is_asked_for_once(
    importer: Importer, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    clients = [client_uuid, *(neighbours.add() for _ in range(30))]
    asked = neighbours.asked
    done = await importer.ndjson([row for uuid in clients for row in rows(uuid, *"ABCDE")])
    assert done["created"] == 5 * len(clients)
    assert neighbours.asked - asked == len(clients)


async def test_an_import_waits_for_the_client_service(
    importer: Importer, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    neighbours.moving.clear()
    started = await importer.start(importer.ndjson_body(rows(client_uuid, "A")), "application/x-ndjson")
    assert started.status_code == 202
    url = started.headers["location"]
    async with asyncio.timeout(10):
        while (await importer.read(url))["state"] != "running":
            await asyncio.sleep(0.01)
    neighbours.moving.set()
    assert (await importer.finished(url))["created"] == 1


async def test_atomic_imports_all_or_nothing(importer: Importer, stores: Resource, client_uuid: UUID) -> None:
    bad = [*rows(client_uuid, "A", phone=""), *rows(client_uuid, "B", phone="0812")]
    done = await importer.csv(bad, atomic=True)
    assert (done["state"], done["created"], done["failed"]) == ("failed", 0, 1)
    assert "atomic" in done["reason"]
    assert error_lines(done) == [(3, "phone")]
    assert await stores.listed() == []
    assert await stores.run("SELECT 1 FROM changes") == []
    done = await importer.csv(rows(client_uuid, "A", "B"), atomic=True)
    assert (done["state"], done["created"], done["reason"]) == ("completed", 2, None)
    repeated = await importer.csv(rows(client_uuid, "C", "A"), atomic=True)
    assert (repeated["state"], error_lines(repeated)) == ("failed", [(3, "code")])


@pytest.mark.parametrize("mode", ["create", "upsert"])
async def test_a_dry_run_changes_nothing(
    importer: Importer, stores: Resource, client_uuid: UUID, mode: str
) -> None:
    await stores.make(code="C-A", name="Before")
    before = await stores.run("SELECT * FROM stores")
    changes = await stores.run("SELECT * FROM changes")
    done = await importer.csv(rows(client_uuid, "A", "B", "B"), dry_run=True, mode=mode)
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


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", None),
        (b"\n\n", ["client_uuid", "code", "name"]),
        (b"client_uuid,code\n", ["name"]),
        (b"client_uuid,code,name,colour\n", ["colour"]),
        (b"client_uuid,code,name,name\n", ["name"]),
        ("client_uuid,code,name\n".encode("utf-16"), None),
        (b'client_uuid,code,name\nx,"y,z\n', None),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(
    importer: Importer, stores: Resource, body: bytes, fields: Sequence[str] | None
) -> None:
    error = refused(await importer.start(body), 400, "INVALID_INPUT" if fields else "MALFORMED_BODY")
    assert fields_of(error) == list(fields or [])
    assert await stores.run("SELECT 1 FROM imports") == []


async def test_a_byte_order_mark_and_other_text(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    text = f'client_uuid,code,name,address\n{client_uuid},1,"Kopi ""Satu""","Baris 1\nBaris 2"\n'
    assert (await importer.send(b"\xef\xbb\xbf" + text.encode()))["created"] == 1
    assert await stores.listed() == ['Kopi "Satu"']
    broken = f"client_uuid,code,name\n{client_uuid},2,Caf\xe9\n{client_uuid},3,Café\n"
    done = await importer.send(broken.encode("latin-1") + f"{client_uuid},4,Café".encode())
    assert [(each["field"], each["message"]) for each in done["errors"]] == [
        ("name", "is not valid UTF-8"),
        ("name", "is not valid UTF-8"),
    ]
    assert done["created"] == 1


async def test_ndjson_that_is_bad(importer: Importer, client_uuid: UUID) -> None:
    good = msgspec.json.encode(rows(client_uuid, "A")[0])
    lines = [
        good,
        b'{"client_uuid": "x", "client_uuid": "y"}',
        b"[1]",
        b"{",
        b'{"a": "' + b"x" * 70_000 + b'"}',
        b'{"a":' * 5000,
        b"\xff\xfe",
        b"",
        good.replace(b"C-A", b"C-B").replace(b'"A"', b'"\\u0000"'),
        good.replace(b"C-A", b"C-C").replace(b'"A"', b"5"),
        good.replace(b"C-A", b"C-D").replace(b"}", b',"colour":1}'),
        good.replace(b"C-A", b"C-E"),
    ]
    done = await importer.send(b"\n".join(lines), "application/x-ndjson")
    assert done["created"] == 2
    assert error_lines(done) == [
        (2, "client_uuid"),
        (3, ""),
        (4, ""),
        (5, ""),
        (6, ""),
        (7, ""),
        (9, "name"),
        (10, "name"),
        (11, "colour"),
    ]


async def test_more_errors_than_are_shown(importer: Importer, client_uuid: UUID) -> None:
    bad = [{**row, "phone": "x"} for row in rows(client_uuid, *map(str, range(1500)))]
    twins = rows(client_uuid, *["T"] * 1500)
    done = await importer.ndjson([*twins, *bad])
    assert (done["failed"], done["errors_total"], done["created"]) == (2999, 2999, 1)
    assert [error["line"] for error in done["errors"]] == list(range(2, 1002))


async def test_who_may(importer: Importer, stores: Resource, neighbours: FakeNeighbours) -> None:
    own, other = neighbours.add(), neighbours.add()
    manager = bearer("manager", own)
    for caller in (bearer("user"), bearer("user", own)):
        refused(await importer.start(b"x", headers=caller), 403)
    started = await importer.start(
        importer.ndjson_body([*rows(own, "A"), *rows(other, "B")]), "application/x-ndjson", headers=manager
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
    upsert = await importer.ndjson(rows(other, "B"), mode="upsert", headers=manager)
    assert (upsert["created"], upsert["changed"], upsert["failed"]) == (0, 0, 1)


async def test_staged_rows_go_when_they_are_done_with(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    await importer.csv(rows(client_uuid, "A"))
    async with asyncio.timeout(10):
        while await stores.run("SELECT 1 FROM import_rows"):
            await asyncio.sleep(0.02)


async def test_an_upload_that_breaks_off_leaves_nothing(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield importer.csv_body(rows(client_uuid, *map(str, range(3000))))
        raise ConnectionError

    answer = await stores.http.post(importer.path, content=body(), headers={"Content-Type": "text/csv"})
    refused(answer, 503)
    assert await stores.run("SELECT 1 FROM imports") == []


@pytest.mark.parametrize("media_type", ["application/json", "text/csv; charset=utf-16", ""])
async def test_other_formats_are_refused(importer: Importer, media_type: str) -> None:
    refused(await importer.start(b"x", media_type), 415)
    coded = await importer.start(b"x", headers={"Content-Encoding": "gzip"})
    refused(coded, 415)


async def test_too_large(importer: Importer) -> None:
    headers = {"Content-Length": str(1024**3 + 1), "Content-Type": "text/csv"}
    request = httpx.Request("POST", f"http://test{importer.path}", headers=headers, content=b"x")
    request.headers["Content-Length"] = headers["Content-Length"]
    request.headers.update(bearer())
    refused(await importer.resource.http.send(request), 413, "PAYLOAD_TOO_LARGE")


async def test_a_repeated_upload_is_replayed(importer: Importer, stores: Resource, client_uuid: UUID) -> None:
    body, caller = importer.csv_body(rows(client_uuid, "A")), {**bearer(), "Idempotency-Key": "abc"}
    first = await importer.start(body, headers=caller)
    assert first.status_code == 202
    again = await importer.start(body, headers=caller)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    for changed in (
        await importer.start(body + b"\n", headers=caller),
        await importer.start(body, "application/x-ndjson", headers=caller),
        await importer.start(body, headers=caller, dry_run=True),
    ):
        refused(changed, 422, "IDEMPOTENCY_KEY_REUSED")
    assert (await importer.finished(first.headers["location"]))["created"] == 1
    assert len(await stores.run("SELECT 1 FROM imports")) == 1
    assert await stores.listed() == ["A"]


async def test_twins_of_an_upload_import_once(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    body, caller = importer.csv_body(rows(client_uuid, *"ABCDE")), {**bearer(), "Idempotency-Key": "abc"}
    answers = await asyncio.gather(*(importer.start(body, headers=caller) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.headers["location"] for answer in answers if answer.status_code == 202}) == 1
    assert len(await stores.run("SELECT 1 FROM imports")) == 1


async def test_an_import_is_never_stale_in_the_cache(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    made = await stores.make(code="C-A", name="Old")
    for _ in range(2):
        assert await stores.listed() == ["Old"]
        assert (await stores.http.get(stores.url(made))).json()["data"]["name"] == "Old"
    await importer.csv(rows(client_uuid, "A", "B"), mode="upsert")
    assert sorted(await stores.listed()) == ["A", "B"]
    assert (await stores.http.get(stores.url(made))).json()["data"]["name"] == "A"
