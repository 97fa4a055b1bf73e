"""The HTTP contract, endpoint by endpoint, through the gateway."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.support.platform import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

MEMBERS_OF_CLIENT = {
    "uuid", "name", "email", "phone", "tax_id", "address", "city", "province", "postal_code", "country",
    "timezone", "is_active", "version", "created_at", "updated_at",
}  # fmt: skip
MEMBERS_OF_STORE = (MEMBERS_OF_CLIENT - {"tax_id"}) | {"client_uuid", "code", "latitude", "longitude"}
MEMBERS_OF_USER = {
    "uuid", "email", "name", "roles", "client_uuid", "is_active", "version", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
async def api(platform: Platform, admin: dict[str, str]) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=platform.url("gateway"), headers=admin, timeout=30) as client:
        yield client


async def made(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status_code"] == 201
    assert answer.headers["location"] == f"{path}/{answer.json()['data']['uuid']}"
    return answer.json()["data"]


async def test_signing_in_refreshing_and_out(platform: Platform) -> None:
    http = platform.http
    answer = await http.post("/v1/auth/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    first = answer.json()["data"]
    assert set(first) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 900)
    second = (await http.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})).json()[
        "data"
    ]
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    me = (await http.get("/v1/auth/me", headers=bearer)).json()["data"]
    assert set(me) == MEMBERS_OF_USER
    assert (me["email"], me["roles"]) == (ADMIN_EMAIL, ["admin"])
    assert (await http.post("/v1/auth/logout", headers=bearer)).status_code == 204
    ended = await http.post("/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert ended.status_code == 401


async def test_the_keys_are_published(platform: Platform) -> None:
    answer = await platform.http.get("/.well-known/jwks.json")
    key = answer.json()["keys"][0]
    assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "EdDSA")
    assert "d" not in key


async def test_the_audit_tells_of_sign_ins_tokens_and_keys(
    platform: Platform, api: httpx.AsyncClient
) -> None:
    since = datetime.now(UTC).isoformat()
    for password in (ADMIN_PASSWORD, "not the password"):
        await platform.http.post("/v1/auth/login", json={"email": ADMIN_EMAIL, "password": password})
    typed = {"email": "my.secret@typed.here", "password": "x"}
    assert (await platform.http.post("/v1/auth/login", json=typed)).status_code == 401
    body = {"email": "awan@example.com", "name": "Awan", "password": "a long enough one", "roles": ["user"]}
    user = await made(api, "/v1/users", body)
    await platform.sign_in("awan@example.com", "a long enough one")
    await api.delete(f"/v1/users/{user['uuid']}")
    answer = await api.get("/v1/audit", params={"from": since, "limit": 100})
    told = [entry["type"] for entry in answer.json()["data"][::-1]]
    assert told == [
        "session.opened",
        "sign_in.failed",
        "sign_in.failed",
        "user.created",
        "session.opened",
        "user.deleted",
        "session.ended",
    ]
    assert "my.secret" not in answer.text
    unknown = (await api.get("/v1/audit?type=sign_in.failed")).json()["data"][0]
    assert (unknown["actor"], unknown["after"]["account"]) == ("anonymous", "unknown")
    [keys] = (await api.get("/v1/audit?type=signing_keys.changed")).json()["data"]
    published = (await platform.http.get("/.well-known/jwks.json")).json()["keys"]
    assert keys["after"]["verifying"] == [key["kid"] for key in published]


async def test_the_audit_tells_that_services_get_tokens(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Sate", "email": "sate@example.com"})
    await made(api, "/v1/stores", {"client_uuid": client["uuid"], "code": "S", "name": "Sate"})
    answer = await api.get("/v1/audit", params={"actor": "service:store"})
    assert {(entry["type"], entry["after"]["service"]) for entry in answer.json()["data"]} == {
        ("service_token.granted", "store")
    }


async def test_a_client_from_beginning_to_end(api: httpx.AsyncClient) -> None:
    body = {"name": "Kopi Tua", "email": "Halo@Kopi-Tua.example", "phone": "+622150001234", "city": "Bandung"}
    client = await made(api, "/v1/master-client", body)
    path = f"/v1/master-client/{client['uuid']}"
    assert set(client) == MEMBERS_OF_CLIENT
    assert (client["country"], client["timezone"], client["version"]) == ("ID", "Asia/Jakarta", 1)
    assert (await api.get(path)).json()["data"] == client
    changed = (await api.patch(path, json={"name": "Kopi Muda", "phone": None})).json()["data"]
    assert (changed["name"], changed["phone"], changed["city"], changed["version"]) == (
        "Kopi Muda",
        None,
        "Bandung",
        2,
    )
    twin = await api.post("/v1/master-client", json={**body, "email": "HALO@KOPI-TUA.example"})
    assert twin.status_code == 409
    assert twin.json()["message"] == "Duplicate client! This client is already registered."
    deleted = await api.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await api.get(path)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "CLIENT_NOT_FOUND")
    await made(api, "/v1/master-client", body)


async def test_a_store_from_beginning_to_end(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Roti", "email": "roti@example.com"})
    body = {
        "client_uuid": client["uuid"],
        "code": "JKT-1",
        "name": "Jakarta 1",
        "latitude": -6.2,
        "longitude": 106.8,
    }
    store = await made(api, "/v1/stores", body)
    path = f"/v1/stores/{store['uuid']}"
    assert set(store) == MEMBERS_OF_STORE
    assert (await api.get(path)).json()["data"] == store
    embedded = (await api.get(path, params={"include": "client"})).json()["data"]
    assert embedded["client"]["uuid"] == client["uuid"]
    changed = (await api.patch(path, json={"is_active": False})).json()["data"]
    assert (changed["is_active"], changed["code"], changed["version"]) == (False, "JKT-1", 2)
    assert (await api.post("/v1/stores", json={**body, "code": "jkt-1"})).status_code == 409
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("client", "status", "code"), [("unknown", 404, "CLIENT_NOT_FOUND"), ("inactive", 409, "CLIENT_INACTIVE")]
)
async def test_a_store_needs_a_living_active_client(
    api: httpx.AsyncClient, client: str, status: int, code: str
) -> None:
    uuid = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    if client == "inactive":
        body = {"name": "Tutup", "email": "tutup@example.com", "is_active": False}
        uuid = (await made(api, "/v1/master-client", body))["uuid"]
    answer = await api.post("/v1/stores", json={"client_uuid": uuid, "code": "A", "name": "A"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_user_from_beginning_to_end(platform: Platform, api: httpx.AsyncClient) -> None:
    body = {
        "email": "desk@example.com",
        "name": "Store desk",
        "password": "a long password",
        "roles": ["user"],
    }
    user = await made(api, "/v1/users", body)
    path = f"/v1/users/{user['uuid']}"
    assert set(user) == MEMBERS_OF_USER
    await platform.sign_in("DESK@example.com", "a long password")
    assert (await api.post("/v1/users", json=body)).status_code == 409
    changed = (await api.patch(path, json={"is_active": False})).json()["data"]
    assert changed["is_active"] is False
    refused = await api.post("/v1/auth/login", json={"email": body["email"], "password": body["password"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize("q", ["senj", "SENJA kop", "halo kopi-senja.ex", "+62899", "pontia"])
async def test_words_are_found_by_their_beginning(api: httpx.AsyncClient, q: str) -> None:
    body = {
        "name": "Kopi Senja",
        "email": "halo@kopi-senja.example",
        "phone": "+628997654321",
        "city": "Pontianak",
    }
    await api.post("/v1/master-client", json=body)
    answer = (await api.get("/v1/master-client", params={"q": q})).json()
    assert [client["name"] for client in answer["data"]] == ["Kopi Senja"]


@pytest.mark.parametrize("q", ["enja", "!!!", "kopi zzz"])
async def test_other_words_find_nothing(api: httpx.AsyncClient, q: str) -> None:
    answer = (await api.get("/v1/master-client", params={"q": q})).json()
    assert (answer["data"], answer["meta"]["total"]) == ([], 0)


async def test_pages_and_cursors_walk_the_whole_list(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Many", "email": "many@example.com"})
    for number in range(7):
        await made(
            api, "/v1/stores", {"client_uuid": client["uuid"], "code": f"N{number}", "name": f"N{number % 3}"}
        )
    query = {"client_uuid": client["uuid"], "sort": "name,-code", "limit": "3"}
    pages = [
        (await api.get("/v1/stores", params={**query, "page": str(page)})).json() for page in (1, 2, 3, 4)
    ]
    by_page = [store["code"] for page in pages for store in page["data"]]
    assert by_page == ["N6", "N3", "N0", "N4", "N1", "N5", "N2"]
    assert pages[0]["meta"] == {
        "page": 1,
        "limit": 3,
        "total": 7,
        "total_pages": 3,
        "next_cursor": pages[0]["meta"]["next_cursor"],
    }
    by_cursor, cursor = list[str](), pages[0]["meta"]["next_cursor"]
    while cursor:
        page = (await api.get("/v1/stores", params={**query, "cursor": cursor})).json()
        by_cursor += [store["code"] for store in page["data"]]
        cursor = page["meta"]["next_cursor"]
    assert by_cursor == by_page[3:]


async def test_the_nearest_stores_come_first(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Suva", "email": "suva@example.com"})
    for code, longitude in (("WEST", 179.99), ("FAR", 179.0), ("EAST", -179.995)):
        place = {"latitude": -17.8, "longitude": longitude}
        await made(api, "/v1/stores", {"client_uuid": client["uuid"], "code": code, "name": code, **place})
    query = {"near": "-17.8,180", "radius_m": "5000", "client_uuid": client["uuid"]}
    for path in ("/v1/stores", "/v1/uncached/stores"):
        answer = await api.get(path, params=query)
        assert [store["code"] for store in answer.json()["data"]] == ["EAST", "WEST"]
        assert [store["distance_m"] for store in answer.json()["data"]] == pytest.approx(
            [529.4, 1058.8], abs=1
        )
        assert answer.headers["x-cache"] == "BYPASS"
    refusal = (await api.get("/v1/stores", params={"near": "-17.8,180", "sort": "name"})).json()
    assert [problem["field"] for problem in refusal["error"]["details"]] == ["radius_m", "sort"]


async def test_racing_twins_make_one_client(api: httpx.AsyncClient) -> None:
    body = {"name": "Race", "email": "race@example.com"}
    answers = await asyncio.gather(*(api.post("/v1/master-client", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_racing_twins_make_one_store(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Twins", "email": "twins@example.com"})
    body = {"client_uuid": client["uuid"], "code": "X", "name": "X"}
    answers = await asyncio.gather(*(api.post("/v1/stores", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_racing_patches_of_other_fields_lose_nothing(api: httpx.AsyncClient) -> None:
    client = await made(api, "/v1/master-client", {"name": "Patch", "email": "patch@example.com"})
    path = f"/v1/master-client/{client['uuid']}"
    changes = [{"city": "Medan"}, {"phone": "+6261000001"}, {"tax_id": "T-1"}, {"province": "Sumatera Utara"}]
    await asyncio.gather(*(api.patch(path, json=change) for change in changes))
    after = (await api.get(path)).json()["data"]
    assert after["version"] == 5
    for change in changes:
        assert change.items() <= after.items()


async def test_every_process_says_how_it_is(platform: Platform) -> None:
    async with httpx.AsyncClient() as http:
        for process in ("auth", "client", "store", "gateway"):
            for path in ("/healthz", "/readyz"):
                answer = await http.get(platform.url(process) + path)
                assert (answer.status_code, answer.json()["status_code"]) == (200, 200)


@pytest.mark.parametrize("path", ["/v1/stores?limit=1", "/openapi.json", "/swagger/index.html", "/healthz"])
async def test_head_is_get_without_a_body(api: httpx.AsyncClient, path: str) -> None:
    whole, head = await api.get(path), await api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_metrics_are_private_and_by_route(platform: Platform, api: httpx.AsyncClient) -> None:
    await api.get("/v1/stores/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f")
    async with httpx.AsyncClient() as http:
        assert (
            "http_server_request_duration_seconds"
            in (await http.get(platform.url("metrics") + "/metrics")).text
        )
        of_store = (await http.get(platform.url("store") + "/metrics")).text
    assert 'route="/v1/stores/{uuid:str}"' in of_store or 'route="/v1/stores/{uuid}"' in of_store
    assert "0199c5a0" not in of_store


async def test_hours_and_imports_are_described_with_examples(platform: Platform) -> None:
    document = (await platform.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for name, fields in {
        "PutWeek": {"hours"},
        "CreateException": {"from", "to", "intervals"},
        "ChangeException": {"from", "to", "intervals"},
        "PauseCommand": {"until"},
    }.items():
        properties = schemas[name]["properties"]
        assert {field for field, schema in properties.items() if "examples" in str(schema)} >= fields, name
    for path in ("/v1/stores", "/v1/master-client"):
        content = document["paths"][f"{path}/import"]["post"]["requestBody"]["content"]
        header, row = content["text/csv"]["example"].splitlines()
        line = json.loads(content["application/x-ndjson"]["example"])
        assert dict(zip(header.split(","), row.split(","), strict=True)) == line
    parameters = {each["name"]: each for each in document["paths"]["/v1/stores"]["get"]["parameters"]}
    assert all(parameters[name]["example"] for name in ("near", "radius_m", "open_at"))
