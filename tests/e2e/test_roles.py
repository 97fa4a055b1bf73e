"""Who may do what, through the gateway: the matrix of roles, every route of the platform in it."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.support.platform import Platform

PASSWORD = "a password of the tests"

CALLERS = ("admin", "manager", "manager of C", "user", "user of C")

FILE = {"Content-Type": "application/x-ndjson"}

Send = Callable[..., Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Row:
    """A route, the tenant of the object it is tried on, and the status for each of CALLERS."""

    method: str
    path: str
    of: str
    expected: tuple[int, int, int, int, int]


# fmt: off
MATRIX = [
    #   method    route                       object of   admin, manager, manager of C, user, user of C
    Row("POST",   "/v1/master-client",        "any",      (201, 201, 403, 403, 403)),
    Row("GET",    "/v1/master-client",        "any",      (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/master-client/{uuid}", "C",        (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/master-client/{uuid}", "D",        (200, 200, 404, 200, 404)),
    Row("GET",    "/v1/master-client/{uuid}/history", "C", (200, 200, 200, 403, 403)),
    Row("GET",    "/v1/master-client/{uuid}/history", "D", (200, 200, 404, 403, 403)),
    Row("PATCH",  "/v1/master-client/{uuid}", "C",        (200, 200, 200, 403, 403)),
    Row("PATCH",  "/v1/master-client/{uuid}", "D",        (200, 200, 404, 403, 403)),
    Row("DELETE", "/v1/master-client/{uuid}", "C",        (204, 403, 403, 403, 403)),
    Row("DELETE", "/v1/master-client/{uuid}", "D",        (204, 403, 403, 403, 403)),
    Row("GET",    "/v1/master-client/export", "any",      (200, 200, 200, 200, 200)),
    Row("POST",   "/v1/master-client/import", "any",      (202, 202, 403, 403, 403)),
    Row("POST",   "/v1/master-client/import?mode=upsert", "any", (202, 202, 202, 403, 403)),
    Row("GET",    "/v1/master-client/imports/{uuid}", "any", (200, 200, 404, 403, 403)),
    Row("POST",   "/v1/stores",               "C",        (201, 201, 201, 403, 403)),
    Row("POST",   "/v1/stores",               "D",        (201, 201, 404, 403, 403)),
    Row("GET",    "/v1/stores",               "any",      (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/stores/{uuid}",        "C",        (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/stores/{uuid}",        "D",        (200, 200, 404, 200, 404)),
    Row("GET",    "/v1/uncached/stores",      "any",      (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/uncached/stores/{uuid}", "C",      (200, 200, 200, 200, 200)),
    Row("GET",    "/v1/uncached/stores/{uuid}", "D",      (200, 200, 404, 200, 404)),
    Row("GET",    "/v1/stores/{uuid}/history", "C",       (200, 200, 200, 403, 403)),
    Row("GET",    "/v1/stores/{uuid}/history", "D",       (200, 200, 404, 403, 403)),
    Row("PATCH",  "/v1/stores/{uuid}",        "C",        (200, 200, 200, 403, 403)),
    Row("PATCH",  "/v1/stores/{uuid}",        "D",        (200, 200, 404, 403, 403)),
    Row("DELETE", "/v1/stores/{uuid}",        "C",        (204, 204, 204, 403, 403)),
    Row("DELETE", "/v1/stores/{uuid}",        "D",        (204, 204, 404, 403, 403)),
    Row("GET",    "/v1/stores/export",        "any",      (200, 200, 200, 200, 200)),
    Row("POST",   "/v1/stores/import",        "any",      (202, 202, 202, 403, 403)),
    Row("GET",    "/v1/stores/imports/{uuid}", "any",     (200, 200, 404, 403, 403)),
    Row("POST",   "/v1/users",                "C",        (201, 403, 201, 403, 403)),
    Row("POST",   "/v1/users",                "D",        (201, 403, 403, 403, 403)),
    Row("GET",    "/v1/users",                "any",      (200, 403, 200, 403, 403)),
    Row("GET",    "/v1/users/{uuid}",         "C",        (200, 403, 200, 403, 403)),
    Row("GET",    "/v1/users/{uuid}",         "D",        (200, 403, 404, 403, 403)),
    Row("PATCH",  "/v1/users/{uuid}",         "C",        (200, 403, 200, 403, 403)),
    Row("PATCH",  "/v1/users/{uuid}",         "D",        (200, 403, 404, 403, 403)),
    Row("DELETE", "/v1/users/{uuid}",         "C",        (204, 403, 204, 403, 403)),
    Row("DELETE", "/v1/users/{uuid}",         "D",        (204, 403, 404, 403, 403)),
    Row("GET",    "/v1/audit",                "any",      (200, 403, 403, 403, 403)),
    Row("GET",    "/v1/auth/me",              "own",      (200, 200, 200, 200, 200)),
    Row("PATCH",  "/v1/auth/me",              "own",      (200, 200, 200, 200, 200)),
    Row("POST",   "/v1/auth/password",        "own",      (204, 204, 204, 204, 204)),
    Row("POST",   "/v1/auth/logout",          "own",      (204, 204, 204, 204, 204)),
]
# fmt: on

HOURS = [
    ("GET", "", 200),
    ("PUT", "", 200),
    ("DELETE", "", 204),
    ("GET", "/status", 200),
    ("POST", "/pause", 200),
    ("DELETE", "/pause", 204),
    ("GET", "/exceptions", 200),
    ("POST", "/exceptions", 201),
    ("GET", "/exceptions/{exception_uuid}", 200),
    ("PATCH", "/exceptions/{exception_uuid}", 200),
    ("DELETE", "/exceptions/{exception_uuid}", 204),
]
"""What can be done with the hours of clients and of stores, and the status when it is."""


def hours_row(method: str, path: str, of: str, done: int) -> Row:
    """Return a route of hours: read by who reads their owner, changed by who changes it."""
    tenants = done if of == "C" else 404
    user, user_of_c = (done, tenants) if method == "GET" else (403, 403)
    return Row(method, path, of, (done, done, tenants, user, user_of_c))


MATRIX.extend(
    hours_row(method, f"/v1/{owner}/{{uuid}}/workhour{path}", of, done)
    for owner in ("master-client", "stores")
    for method, path, done in HOURS
    for of in ("C", "D")
)

OPEN_TO_ALL = {("POST", "/v1/auth/login"), ("POST", "/v1/auth/refresh"), ("GET", "/.well-known/jwks.json")}

BODIES: dict[tuple[str, str], dict[str, Any] | None] = {
    ("POST", "password"): {"current_password": PASSWORD, "new_password": PASSWORD + " changed"},
    ("POST", "logout"): None,
    ("PUT", "workhour"): {"hours": []},
    ("POST", "pause"): {"until": "2999-01-01T00:00:00Z"},
    ("PATCH", "{exception_uuid}"): {"title": "Changed"},
}
"""What is sent to a method of paths with this end."""

_numbers = itertools.count()


@dataclass
class World:
    """Two tenants and a caller of each kind; objects to act on are made anew for every row."""

    platform: Platform
    admin: dict[str, str]
    tenants: dict[str, str]

    async def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.platform.http.post(path, json=body, headers=self.admin)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def caller(self, kind: str) -> dict[str, str]:
        """Make a person of this kind and sign in as them."""
        tenant = self.tenants["C"] if kind.endswith("of C") else None
        body = user_body(role=kind.split(maxsplit=1)[0], client_uuid=tenant)
        await self.make("/v1/users", body)
        return await self.platform.sign_in(body["email"], PASSWORD)

    async def target(self, row: Row) -> str:
        """Return the URL of `row`, with an object of its tenant where it takes one."""
        if "{uuid}" not in row.path:
            return row.path
        if "/imports/" in row.path:
            return await self.imported(row.path.partition("/imports/")[0])
        tenant = self.tenants[row.of]
        if "stores" in row.path:
            made = await self.make("/v1/stores", store_body(tenant))
        elif "users" in row.path:
            made = await self.make("/v1/users", user_body("user", tenant))
        elif row.method == "DELETE" and "workhour" not in row.path:
            made = await self.make("/v1/master-client", client_body())
        else:
            made = {"uuid": tenant}
        return await self.part(row.path.replace("{uuid}", made["uuid"]))

    async def part(self, path: str) -> str:
        """Return `path` with an exception that was added there, where it takes one."""
        collection, takes_one, _ = path.partition("/{exception_uuid}")
        if not takes_one:
            return path
        return f"{collection}/{(await self.make(collection, exception_body()))['uuid']}"

    async def imported(self, path: str) -> str:
        """Import a file as the admin and return the import's URL."""
        headers = {**self.admin, **FILE}
        answer = await self.platform.http.post(f"{path}/import", content=b"{}", headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    async def send(self, row: Row, url: str, headers: dict[str, str]) -> httpx.Response:
        if "/import" in row.path and row.method == "POST":
            sent = {**headers, **FILE}
            return await self.platform.http.request(row.method, url, content=b"{}", headers=sent)
        return await self.platform.http.request(row.method, url, json=self.body(row), headers=headers)

    def body(self, row: Row) -> dict[str, Any] | None:
        kind = row.method, row.path.rpartition("/")[2]
        if kind in BODIES:
            return BODIES[kind]
        if kind == ("POST", "exceptions"):
            return exception_body()
        if row.method == "PATCH":
            return {"name": "Changed"}
        if row.method != "POST":
            return None
        if row.path == "/v1/master-client":
            return client_body()
        tenant = self.tenants[row.of]
        return store_body(tenant) if "stores" in row.path else user_body("user", tenant)


def client_body() -> dict[str, Any]:
    number = next(_numbers)
    return {"name": f"Client {number}", "email": f"client{number}@example.com"}


def exception_body() -> dict[str, Any]:
    day = (date(2030, 1, 1) + timedelta(days=next(_numbers))).isoformat()
    return {"from": day, "to": day, "intervals": []}


def store_body(client_uuid: str) -> dict[str, Any]:
    number = next(_numbers)
    return {"client_uuid": client_uuid, "code": f"S-{number}", "name": f"Store {number}"}


def user_body(role: str, client_uuid: str | None) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "email": f"user{number}@example.com",
        "name": f"User {number}",
        "password": PASSWORD,
        "roles": [role],
        "client_uuid": client_uuid,
    }


@pytest.fixture(scope="module")
async def world(platform: Platform, admin: dict[str, str]) -> World:
    world = World(platform, admin, {})
    for name in ("C", "D"):
        world.tenants[name] = (await world.make("/v1/master-client", client_body()))["uuid"]
    return world


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.method} {row.path} of {row.of}")
async def test_each_role_may_do_what_the_matrix_says(world: World, row: Row, caller: str) -> None:
    headers = await world.caller(caller)
    url = await world.target(row)
    answer = await world.send(row, url, headers)
    assert answer.status_code == row.expected[CALLERS.index(caller)], answer.text


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.method} {row.path} of {row.of}")
async def test_nobody_does_anything_without_a_token(world: World, row: Row) -> None:
    url = await world.target(row)
    answer = await world.send(row, url, {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"


async def test_every_route_has_a_row(platform: Platform) -> None:
    document = (await platform.http.get("/openapi.json")).json()
    routes = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }
    assert routes == {(row.method, row.path.partition("?")[0]) for row in MATRIX} | OPEN_TO_ALL


async def test_lists_show_only_the_callers_tenant(world: World) -> None:
    for tenant in world.tenants.values():
        await world.make("/v1/stores", store_body(tenant))
    headers = await world.caller("user of C")
    stores = (await world.platform.http.get("/v1/stores?limit=100", headers=headers)).json()
    clients = (await world.platform.http.get("/v1/master-client?limit=100", headers=headers)).json()
    assert {store["client_uuid"] for store in stores["data"]} == {world.tenants["C"]}
    assert [client["uuid"] for client in clients["data"]] == [world.tenants["C"]]


async def test_a_filter_cannot_leave_the_tenant(world: World) -> None:
    headers = await world.caller("user of C")
    answer = await world.platform.http.get(f"/v1/stores?client_uuid={world.tenants['D']}", headers=headers)
    assert answer.json()["data"] == []
    assert answer.json()["meta"]["total"] == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("caller", CALLERS)
async def test_fences_are_out_of_everybodys_reach(world: World, method: str, caller: str) -> None:
    """The gateway routes no internal path, and behind it people have no right to them."""
    headers, path = await world.caller(caller), f"/internal/clients/{world.tenants['C']}/fence"
    body = {"number": 1, "cascade": True} if method == "PUT" else None
    query = {"number": 1} if method == "DELETE" else None
    outside = await world.platform.http.request(method, path, json=body, params=query, headers=headers)
    assert outside.status_code == 404
    async with httpx.AsyncClient(base_url=world.platform.url("store")) as http:
        inside = await http.request(method, path, json=body, params=query, headers=headers)
    assert (inside.status_code, inside.json()["error"]["code"]) == (403, "FORBIDDEN")
    await world.make("/v1/stores", store_body(world.tenants["C"]))
