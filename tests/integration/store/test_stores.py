"""What each endpoint of stores does."""

from uuid import UUID

import pytest

from services.store import constants
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import JSON, Json, Resource, fields_of, refused

UNKNOWN = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"

WHOLE: Json = {
    "code": "JKT-01",
    "name": "Kopi Nusantara Menteng",
    "phone": "+622150001234",
    "email": "Menteng@Kopi-Nusantara.example",
    "address": "Jalan Melati 1\nLantai 2",
    "city": "Jakarta",
    "province": "Jakarta",
    "postal_code": "10310",
    "country": "SG",
    "latitude": -6.2146,
    "longitude": 106.8451,
    "timezone": "Asia/Singapore",
    "is_active": False,
}


async def test_a_store_is_created_as_it_was_sent(stores: Resource, client_uuid: UUID) -> None:
    answer = await stores.http.post(stores.path, json={**WHOLE, "client_uuid": str(client_uuid)})
    made = answer.json()["data"]
    assert (answer.status_code, answer.json()["status_code"]) == (201, 201)
    assert answer.json()["message"] == constants.STORE_CREATED
    assert answer.headers["location"] == stores.url(made)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (made["client_uuid"], made["version"]) == (str(client_uuid), 1)
    assert (await stores.http.get(stores.url(made))).json() == {
        "status_code": 200,
        "message": "Success",
        "data": made,
    }


async def test_what_is_left_out_has_defaults(stores: Resource) -> None:
    made = await stores.make()
    assert (made["country"], made["timezone"], made["is_active"]) == ("ID", "Asia/Jakarta", True)
    optional = ("phone", "email", "address", "city", "province", "postal_code", "latitude", "longitude")
    assert {made[name] for name in optional} == {None}


async def test_every_field_can_be_changed(stores: Resource) -> None:
    made = await stores.make()
    changed = await stores.change(made, **WHOLE)
    assert {name: changed[name] for name in WHOLE} == WHOLE
    kept = ("uuid", "client_uuid", "created_at")
    assert {name: changed[name] for name in kept} == {name: made[name] for name in kept}
    assert changed["version"] == 2
    assert changed["updated_at"] > made["updated_at"]


async def test_a_patch_leaves_the_rest_and_null_empties(stores: Resource) -> None:
    made = await stores.make(**WHOLE)
    changed = await stores.change(made, phone=None, latitude=None, longitude=None)
    assert (changed["phone"], changed["latitude"], changed["longitude"]) == (None, None, None)
    assert changed["email"] == WHOLE["email"]


async def test_an_empty_patch_changes_nothing(stores: Resource) -> None:
    made = await stores.make()
    assert await stores.change(made) == made


@pytest.mark.parametrize("name", ["code", "name", "country", "timezone", "is_active"])
async def test_what_is_required_cannot_be_emptied(stores: Resource, name: str) -> None:
    made = await stores.make()
    error = refused(await stores.http.patch(stores.url(made), json={name: None}), 400)
    assert fields_of(error) == [name]


@pytest.mark.parametrize("name", ["client_uuid", "uuid", "version", "created_at", "updated_at", "client"])
async def test_what_cannot_change_cannot_be_set(stores: Resource, name: str) -> None:
    made = await stores.make()
    answer = await stores.http.patch(stores.url(made), json={name: made["uuid"]})
    assert fields_of(refused(answer, 400)) == [name]


@pytest.mark.parametrize(
    "patch",
    [{"latitude": 1.5}, {"longitude": 1.5}, {"latitude": 1.5, "longitude": None}],
    ids=str,
)
async def test_coordinates_come_together(stores: Resource, patch: Json) -> None:
    error = refused(await stores.http.post(stores.path, json=stores.body(**patch)), 400, "INVALID_INPUT")
    assert fields_of(error) == ["latitude", "longitude"]
    made = await stores.make()
    error = refused(await stores.http.patch(stores.url(made), json=patch), 400, "INVALID_INPUT")
    assert fields_of(error) == ["latitude", "longitude"]
    assert await stores.listed("latitude") == [None]


async def test_one_coordinate_can_move_where_both_are(stores: Resource) -> None:
    made = await stores.make(latitude=1, longitude=2)
    assert (await stores.change(made, latitude=-90))["latitude"] == -90
    assert (await stores.change(made, longitude=180))["longitude"] == 180
    answer = await stores.http.patch(stores.url(made), json={"longitude": None})
    assert fields_of(refused(answer, 400)) == ["latitude", "longitude"]


@pytest.mark.parametrize(
    "twin", ["jkt-01", " JKT-01 ", "\uff2a\uff2b\uff34-01", "JKT-\uff10\uff11", "JKT\uff0d01"]
)
async def test_one_code_one_store_of_a_client(
    stores: Resource, neighbours: FakeNeighbours, twin: str
) -> None:
    await stores.make(code="JKT-01")
    answer = await stores.http.post(stores.path, json=stores.body(code=twin))
    refused(answer, 409, "DUPLICATE_STORE")
    assert answer.json()["message"] == constants.DUPLICATE_STORE
    other = await stores.make()
    refused(await stores.http.patch(stores.url(other), json={"code": twin}), 409, "DUPLICATE_STORE")
    await stores.make(code=twin, client_uuid=str(neighbours.add()))
    assert len(await stores.listed()) == 3


async def test_a_deleted_store_is_gone_and_its_code_free(stores: Resource) -> None:
    made = await stores.make(code="JKT-01")
    answer = await stores.http.delete(stores.url(made))
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        body = b"{}" if method == "PATCH" else None
        again = await stores.http.request(method, stores.url(made), content=body, headers=JSON)
        refused(again, 404, "STORE_NOT_FOUND")
    assert await stores.listed() == []
    await stores.make(code="JKT-01")
    rows = await stores.run("SELECT deleted_at FROM stores WHERE uuid = $1", made["uuid"])
    assert rows[0]["deleted_at"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_store_is_not_found(stores: Resource, method: str) -> None:
    body = b'{"name": "Kopi"}' if method == "PATCH" else None
    answer = await stores.http.request(method, f"{stores.path}/{UNKNOWN}", content=body, headers=JSON)
    refused(answer, 404, "STORE_NOT_FOUND")
    assert answer.json()["message"] == f"Store with id '{UNKNOWN}' not found"


async def test_every_invalid_field_is_told(stores: Resource) -> None:
    body = {"client_uuid": "x", "code": "", "name": 1, "latitude": 91, "longitude": "1", "colour": "red"}
    error = refused(await stores.http.post(stores.path, json=body), 400, "INVALID_INPUT")
    assert set(fields_of(error)) == set(body)


async def test_what_is_missing_is_told(stores: Resource) -> None:
    error = refused(await stores.http.post(stores.path, json={}), 400, "INVALID_INPUT")
    assert fields_of(error) == ["client_uuid", "code", "name"]


async def test_without_a_token_nothing_is_told(stores: Resource) -> None:
    made = await stores.make()
    for path in (stores.path, stores.url(made)):
        answer = await stores.http.get(path, headers={"Authorization": ""})
        refused(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
