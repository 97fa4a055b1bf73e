"""Which files of stores are read, and what is said of others and of their rows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import httpx
import msgspec
import pytest

from services.store import constants
from tests.support.imports import Importer, error_lines, store_rows
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Resource, fields_of, refused
from tests.support.tokens import bearer


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
    good = msgspec.json.encode(store_rows(client_uuid, "A")[0])
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
    bad = [{**row, "phone": "x"} for row in store_rows(client_uuid, *map(str, range(1500)))]
    twins = store_rows(client_uuid, *["T"] * 1500)
    done = await importer.ndjson([*twins, *bad])
    assert (done["failed"], done["errors_total"], done["created"]) == (2999, 2999, 1)
    assert [error["line"] for error in done["errors"]] == list(range(2, 1002))


async def test_an_upload_that_breaks_off_leaves_nothing(
    importer: Importer, stores: Resource, client_uuid: UUID
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield importer.csv_body(store_rows(client_uuid, *map(str, range(3000))))
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
    body, caller = importer.csv_body(store_rows(client_uuid, "A")), {**bearer(), "Idempotency-Key": "abc"}
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
    body, caller = (
        importer.csv_body(store_rows(client_uuid, *"ABCDE")),
        {**bearer(), "Idempotency-Key": "abc"},
    )
    answers = await asyncio.gather(*(importer.start(body, headers=caller) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.headers["location"] for answer in answers if answer.status_code == 202}) == 1
    assert len(await stores.run("SELECT 1 FROM imports")) == 1
