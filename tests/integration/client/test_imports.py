"""Importing files of clients."""

from uuid import UUID

import msgspec
import pytest

from services.client import constants
from tests.support.imports import NDJSON, Importer, error_lines
from tests.support.resource import Json, Resource, refused
from tests.support.tokens import bearer


@pytest.fixture
def importer(clients: Resource) -> Importer:
    return Importer(clients)


def row(name: str, **fields: object) -> Json:
    return {"name": name, "email": f"{name}@kopi.example", **fields}


async def test_what_an_import_makes_is_what_a_request_makes(importer: Importer, clients: Resource) -> None:
    fields = {"name": "Kopi", "phone": "+622150001234", "city": "Bogor", "tax_id": "01.2", "address": "J\n1"}
    by_request = await clients.make(**fields)
    done = await importer.ndjson([{**by_request, "email": "other@kopi.example"}])
    assert (done["state"], done["created"], done["errors"]) == ("completed", 1, [])
    (by_import,) = (await clients.page(email="OTHER@kopi.example"))["data"]
    own = {"uuid", "email", "created_at", "updated_at"}
    assert {k: v for k, v in by_import.items() if k not in own} == {
        k: v for k, v in by_request.items() if k not in own
    }
    changes = await clients.run("SELECT after FROM changes ORDER BY id")
    assert [msgspec.json.decode(change["after"]) for change in changes] == [by_request, by_import]
    assert await clients.listed("email", q="other kopi") == ["other@kopi.example"]


async def test_rows_that_are_bad(importer: Importer, clients: Resource) -> None:
    await clients.make(email="Taken@kopi.example")
    done = await importer.csv(
        [
            row("a", country="ID", timezone="Asia/Jakarta", phone=""),
            row("taken", country="", timezone="", phone=""),
            row("A", country="XX", timezone="Mars/Base", phone="0812"),
            row("b", country="SG", timezone="Asia/Singapore", phone="'+622150001234"),
            row("B", country="", timezone="", phone=""),
        ]
    )
    assert (done["rows"], done["created"], done["failed"]) == (5, 2, 3)
    assert error_lines(done) == [
        (3, "email"),
        *((4, field) for field in ("phone", "country", "timezone")),
        (6, "email"),
    ]
    assert done["errors"][0]["message"] == constants.DUPLICATE_CLIENT
    assert "line 5" in done["errors"][4]["message"]
    listed = {each["name"]: each for each in (await clients.page())["data"]}
    assert (listed["b"]["country"], listed["b"]["phone"]) == ("SG", "+622150001234")


async def test_upsert(importer: Importer, clients: Resource) -> None:
    made = await clients.make(email="a@kopi.example", name="a", city="Bogor")
    same = await clients.make(email="b@kopi.example", name="b")
    done = await importer.csv([row("A"), row("b"), row("c")], mode="upsert")
    assert (done["created"], done["changed"], done["unchanged"]) == (1, 1, 1)
    changed = (await clients.http.get(clients.url(made))).json()["data"]
    assert (changed["name"], changed["email"], changed["city"]) == ("A", "A@kopi.example", "Bogor")
    assert changed["version"] == 2
    assert (await clients.http.get(clients.url(same))).json()["data"] == same


async def test_a_manager_of_a_client_changes_it_and_nothing_else(
    importer: Importer, clients: Resource
) -> None:
    own = await clients.make(email="own@kopi.example")
    other = await clients.make(email="other@kopi.example")
    manager = bearer("manager", UUID(own["uuid"]))
    refused(await importer.start(b"{}", NDJSON, manager), 403)
    started = await importer.start(
        importer.ndjson_body([row("own"), row("other"), row("new")]), NDJSON, manager, mode="upsert"
    )
    done = await importer.finished(started.headers["location"])
    assert (done["created"], done["changed"], error_lines(done)) == (0, 1, [(2, "email"), (3, "email")])
    assert {error["message"] for error in done["errors"]} == {constants.NOT_YOUR_CLIENT}
    assert (await clients.http.get(clients.url(own))).json()["data"]["name"] == "own"
    assert (await clients.http.get(clients.url(other))).json()["data"] == other
    assert len(await clients.listed()) == 2
