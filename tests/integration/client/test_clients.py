"""What each endpoint of master clients does."""

import pytest

from services.client import constants
from tests.support.resource import JSON, Resource, fields_of, refused
from tests.support.tokens import bearer

UNKNOWN = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"

WHOLE = {
    "name": "Kopi Nusantara",
    "email": "Halo@Kopi-Nusantara.example",
    "phone": "+622150001234",
    "tax_id": "01.234.567.8-901.000",
    "address": "Jalan Melati 1\nBlok B",
    "city": "Bandung",
    "province": "Jawa Barat",
    "postal_code": "40111",
    "country": "SG",
    "timezone": "Asia/Singapore",
    "is_active": False,
}


async def test_a_client_is_created_as_it_was_sent(clients: Resource) -> None:
    answer = await clients.http.post(clients.path, json=WHOLE)
    made = answer.json()["data"]
    assert (answer.status_code, answer.json()["status_code"]) == (201, 201)
    assert answer.json()["message"] == constants.CLIENT_CREATED
    assert answer.headers["location"] == clients.url(made)
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert made["version"] == 1
    assert made["created_at"] == made["updated_at"]
    assert (await clients.http.get(clients.url(made))).json() == {
        "status_code": 200,
        "message": "Success",
        "data": made,
    }


async def test_what_is_left_out_has_defaults(clients: Resource) -> None:
    made = await clients.make()
    assert (made["country"], made["timezone"], made["is_active"]) == ("ID", "Asia/Jakarta", True)
    optional = ("phone", "tax_id", "address", "city", "province", "postal_code")
    assert {made[name] for name in optional} == {None}


async def test_every_field_can_be_changed(clients: Resource) -> None:
    made = await clients.make()
    changed = await clients.change(made, **WHOLE)
    assert {name: changed[name] for name in WHOLE} == WHOLE
    assert (changed["uuid"], changed["version"], changed["created_at"]) == (
        made["uuid"],
        2,
        made["created_at"],
    )
    assert changed["updated_at"] > made["updated_at"]


async def test_a_patch_leaves_the_rest_and_null_empties(clients: Resource) -> None:
    made = await clients.make(**WHOLE)
    changed = await clients.change(made, phone=None, city=None)
    assert (changed["phone"], changed["city"], changed["province"]) == (None, None, "Jawa Barat")
    assert await clients.listed(city="Bandung") == []


async def test_an_empty_patch_changes_nothing(clients: Resource) -> None:
    made = await clients.make()
    assert await clients.change(made) == made


async def test_a_patch_may_say_that_it_is_one(clients: Resource) -> None:
    made = await clients.make()
    headers = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    answer = await clients.http.patch(clients.url(made), content=b'{"name": "Teh"}', headers=headers)
    assert answer.json()["data"]["name"] == "Teh"


@pytest.mark.parametrize("name", ["name", "email", "country", "timezone", "is_active"])
async def test_what_is_required_cannot_be_emptied(clients: Resource, name: str) -> None:
    made = await clients.make()
    error = refused(await clients.http.patch(clients.url(made), json={name: None}), 400)
    assert fields_of(error) == [name]


@pytest.mark.parametrize("name", ["uuid", "version", "created_at", "updated_at", "deleted_at", "name_key"])
async def test_what_is_read_only_cannot_be_set(clients: Resource, name: str) -> None:
    made = await clients.make()
    for answer in (
        await clients.http.patch(clients.url(made), json={name: made["uuid"]}),
        await clients.http.post(clients.path, json=clients.body(**{name: made["uuid"]})),
    ):
        assert fields_of(refused(answer, 400)) == [name]


async def test_a_deleted_client_is_gone_and_its_email_free(clients: Resource) -> None:
    made = await clients.make(email="halo@example.com")
    answer = await clients.http.delete(clients.url(made))
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        body = b"{}" if method == "PATCH" else None
        again = await clients.http.request(method, clients.url(made), content=body, headers=JSON)
        refused(again, 404, "CLIENT_NOT_FOUND")
    assert await clients.listed() == []
    again = await clients.make(email="halo@example.com")
    assert again["uuid"] != made["uuid"]


async def test_a_deleted_client_is_kept_for_the_record(clients: Resource) -> None:
    made = await clients.make()
    await clients.http.delete(clients.url(made))
    [row] = await clients.run("SELECT name, version, deleted_at FROM clients WHERE uuid = $1", made["uuid"])
    assert (row["name"], row["version"]) == (made["name"], 2)
    assert row["deleted_at"]


@pytest.mark.parametrize(
    "twin",
    [
        "caf\u00e9@example.com",
        "CAF\u00c9@EXAMPLE.com",
        "cafe\u0301@example.com",
        "\uff43af\u00e9@example.com",
    ],
)
async def test_one_email_one_client(clients: Resource, twin: str) -> None:
    await clients.make(email="caf\u00e9@example.com")
    answer = await clients.http.post(clients.path, json=clients.body(email=twin))
    refused(answer, 409, "DUPLICATE_CLIENT")
    assert answer.json()["message"] == constants.DUPLICATE_CLIENT
    other = await clients.make()
    refused(await clients.http.patch(clients.url(other), json={"email": twin}), 409, "DUPLICATE_CLIENT")
    assert len(await clients.listed()) == 2


async def test_text_is_stored_trimmed_and_composed(clients: Resource) -> None:
    made = await clients.make(name="  Cafe\u0301 ")
    assert made["name"] == "Caf\u00e9"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_client_is_not_found(clients: Resource, method: str) -> None:
    body = b'{"name": "Kopi"}' if method == "PATCH" else None
    answer = await clients.http.request(method, f"{clients.path}/{UNKNOWN}", content=body, headers=JSON)
    refused(answer, 404, "CLIENT_NOT_FOUND")
    assert answer.json()["message"] == f"Client with id '{UNKNOWN}' not found"


async def test_every_invalid_field_is_told(clients: Resource) -> None:
    body = {
        "name": "",
        "email": "x",
        "phone": "0812",
        "country": "Indonesia",
        "is_active": "yes",
        "colour": "red",
    }
    error = refused(await clients.http.post(clients.path, json=body), 400, "INVALID_INPUT")
    assert set(fields_of(error)) == set(body)
    assert all(problem["message"] for problem in error["details"])


async def test_what_is_missing_is_told(clients: Resource) -> None:
    error = refused(await clients.http.post(clients.path, json={}), 400, "INVALID_INPUT")
    assert fields_of(error) == ["name", "email"]


async def test_without_a_token_nothing_is_told(clients: Resource) -> None:
    made = await clients.make()
    for path in (clients.path, clients.url(made), f"/internal/clients/{made['uuid']}"):
        answer = await clients.http.get(path, headers={"Authorization": ""})
        refused(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_services_may_ask_for_a_client(clients: Resource) -> None:
    made = await clients.make()
    answer = await clients.http.get(f"/internal/clients/{made['uuid']}", headers=bearer("service"))
    assert answer.json()["data"] == made
