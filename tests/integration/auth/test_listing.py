from typing import Any
from uuid import UUID

import pytest

from tests.support.auth import AuthApi, fields
from tests.support.tokens import bearer

C = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
D = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e60"
MANAGER_OF_C = bearer("manager", UUID(C))


@pytest.fixture
async def people(api: AuthApi) -> dict[str, str]:
    """The ids of some people by their name."""
    made = [
        await api.make("admin", name="Ágnes Kovács", email="agnes@head-office.example"),
        await api.make("manager", C, name="Budi Santoso", email="budi@kopi.example"),
        await api.make("user", C, name="citra", email="citra@kopi.example"),
        await api.make("user", D, name="Dewi", email="Dewi@roti.example", is_active=False),
    ]
    return {user["name"]: user["uuid"] for user in made}


async def names(api: AuthApi, query: str, headers: dict[str, str] | None = None) -> list[str]:
    answer = await api.http.get(f"/v1/users?{query}", headers=headers or bearer())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["meta"]["total"] == len(body["data"])
    return [user["name"] for user in body["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=name", ["Budi Santoso", "citra", "Dewi", "Ágnes Kovács"]),
        ("sort=-email", ["Dewi", "citra", "Budi Santoso", "Ágnes Kovács"]),
        ("sort=created_at", ["Ágnes Kovács", "Budi Santoso", "citra", "Dewi"]),
        ("", ["Dewi", "citra", "Budi Santoso", "Ágnes Kovács"]),
        ("q=AGN", ["Ágnes Kovács"]),
        ("q=kopi&sort=name", ["Budi Santoso", "citra"]),
        ("q=sant%20bud", ["Budi Santoso"]),
        ("q=citra@kopi", ["citra"]),
        ("q=antoso", []),
        ("q=!!!", []),
        ("role=user&sort=name", ["citra", "Dewi"]),
        (f"client_uuid={C}&sort=name", ["Budi Santoso", "citra"]),
        ("is_active=false", ["Dewi"]),
        ("email=DEWI@ROTI.example", ["Dewi"]),
        ("email=nobody@roti.example", []),
        (f"role=user&client_uuid={C}", ["citra"]),
        ("uuids=", []),
    ],
)
@pytest.mark.usefixtures("people")
async def test_filters_search_and_order(api: AuthApi, query: str, expected: list[str]) -> None:
    assert await names(api, query) == expected


async def test_users_by_their_ids(api: AuthApi, people: dict[str, str]) -> None:
    query = f"uuids={people['citra']},{people['Dewi']},{C}&sort=name"
    assert await names(api, query) == ["citra", "Dewi"]
    assert await names(api, query, MANAGER_OF_C) == ["citra"]


@pytest.mark.parametrize("query", ["", "role=user", f"client_uuid={C}", "q=kopi"])
@pytest.mark.usefixtures("people")
async def test_a_manager_sees_the_users_of_their_client(api: AuthApi, query: str) -> None:
    assert await names(api, query, MANAGER_OF_C) == ["citra"]


@pytest.mark.parametrize("query", ["role=manager", "role=admin", f"client_uuid={D}"])
@pytest.mark.usefixtures("people")
async def test_a_filter_cannot_leave_the_client(api: AuthApi, query: str) -> None:
    assert await names(api, query, MANAGER_OF_C) == []


async def test_deleted_users_are_not_listed(api: AuthApi, people: dict[str, str]) -> None:
    await api.http.delete(f"/v1/users/{people['citra']}", headers=bearer())
    assert "citra" not in await names(api, "")


@pytest.mark.usefixtures("people")
async def test_pages_and_cursors(api: AuthApi) -> None:
    first = (await api.http.get("/v1/users?sort=name&limit=3", headers=bearer())).json()
    assert first["meta"] == {**first["meta"], "page": 1, "limit": 3, "total": 4, "total_pages": 2}
    cursor = first["meta"]["next_cursor"]
    second = await api.http.get(f"/v1/users?sort=name&limit=3&cursor={cursor}", headers=bearer())
    assert [user["name"] for user in second.json()["data"]] == ["Ágnes Kovács"]
    foreign = await api.http.get(f"/v1/users?sort=name&cursor={cursor}", headers=MANAGER_OF_C)
    assert fields(foreign) == {"cursor"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("page=0", "page"),
        ("limit=101", "limit"),
        ("sort=password_hash", "sort"),
        ("role=service", "role"),
        ("client_uuid=x", "client_uuid"),
        ("is_active=2", "is_active"),
        ("email=x", "email"),
        ("uuids=x", "uuids"),
        ("password=x", "password"),
    ],
)
async def test_parameters_that_are_refused(api: AuthApi, query: str, wrong: str) -> None:
    assert fields(await api.http.get(f"/v1/users?{query}", headers=bearer())) == {wrong}
