import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.auth import PASSWORD, AuthApi, code, fields, user_body
from tests.support.tokens import bearer

C = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
D = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e60"
NOBODY = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e61"

MANAGER_OF_C = bearer("manager", UUID(C))
CALLERS = {
    "admin": bearer("admin"),
    "manager": bearer("manager"),
    "manager of C": MANAGER_OF_C,
    "user": bearer("user"),
    "user of C": bearer("user", UUID(C)),
    "service": bearer("service"),
}

# fmt: off
MATRIX = [  # method, whose, and the status for each of CALLERS
    ("POST",   ("user", C),       (201, 403, 201, 403, 403, 403)),
    ("POST",   ("user", D),       (201, 403, 403, 403, 403, 403)),
    ("POST",   ("user", None),    (201, 403, 403, 403, 403, 403)),
    ("POST",   ("manager", C),    (201, 403, 403, 403, 403, 403)),
    ("POST",   ("admin", None),   (201, 403, 403, 403, 403, 403)),
    ("LIST",   ("user", C),       (200, 403, 200, 403, 403, 403)),
    ("GET",    ("user", C),       (200, 403, 200, 403, 403, 403)),
    ("GET",    ("user", D),       (200, 403, 404, 403, 403, 403)),
    ("GET",    ("manager", C),    (200, 403, 404, 403, 403, 403)),
    ("GET",    ("admin", None),   (200, 403, 404, 403, 403, 403)),
    ("PATCH",  ("user", C),       (200, 403, 200, 403, 403, 403)),
    ("PATCH",  ("user", None),    (200, 403, 404, 403, 403, 403)),
    ("PATCH",  ("manager", C),    (200, 403, 404, 403, 403, 403)),
    ("DELETE", ("user", C),       (204, 403, 204, 403, 403, 403)),
    ("DELETE", ("user", D),       (204, 403, 404, 403, 403, 403)),
    ("DELETE", ("manager", C),    (204, 403, 404, 403, 403, 403)),
]
# fmt: on


async def call(api: AuthApi, method: str, user: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    if method == "POST":
        return await api.http.post("/v1/users", json=user, headers=headers)
    if method == "LIST":
        return await api.http.get("/v1/users", headers=headers)
    body = {"name": "Changed"} if method == "PATCH" else None
    return await api.http.request(method, f"/v1/users/{user['uuid']}", json=body, headers=headers)


@pytest.mark.parametrize(("method", "whose", "expected"), MATRIX, ids=str)
async def test_the_matrix(
    api: AuthApi, method: str, whose: tuple[str, str | None], expected: tuple[int, ...]
) -> None:
    for caller, status in zip(CALLERS.values(), expected, strict=True):
        user = user_body(*whose) if method == "POST" else await api.make(*whose)
        answer = await call(api, method, user, caller)
        assert answer.status_code == status, answer.text
        assert (await call(api, method, user, {})).status_code == 401


async def test_a_user_from_beginning_to_end(api: AuthApi) -> None:
    body = user_body("user", C, email="Desk@Example.com", name="  Toko  Desk ")
    created = await api.http.post("/v1/users", json=body, headers=bearer())
    user = created.json()["data"]
    path = f"/v1/users/{user['uuid']}"
    assert (created.status_code, created.headers["location"]) == (201, path)
    assert set(user) == {
        "uuid", "email", "name", "roles", "client_uuid", "is_active", "version", "created_at", "updated_at",
    }  # fmt: skip
    assert (user["email"], user["name"], user["roles"]) == ("Desk@Example.com", "Toko  Desk", ["user"])
    assert (user["client_uuid"], user["is_active"], user["version"]) == (C, True, 1)
    assert (await api.http.get(path, headers=bearer())).json()["data"] == user
    changes = {"name": "Desk", "client_uuid": None, "roles": ["manager"]}
    changed = (await api.http.patch(path, json=changes, headers=bearer())).json()["data"]
    assert changed.items() >= changes.items()
    assert (changed["version"], changed["email"]) == (2, user["email"])
    deleted = await api.http.delete(path, headers=bearer())
    assert (deleted.status_code, deleted.content) == (204, b"")
    for answer in [
        await api.http.get(path, headers=bearer()),
        await api.http.patch(path, json={"name": "X"}, headers=bearer()),
        await api.http.delete(path, headers=bearer()),
    ]:
        assert code(answer) == (404, "USER_NOT_FOUND")
    assert (await api.http.post("/v1/users", json=body, headers=bearer())).status_code == 201


async def test_a_managers_new_user_is_of_their_client(api: AuthApi) -> None:
    body = user_body()
    del body["client_uuid"]
    answer = await api.http.post("/v1/users", json=body, headers=MANAGER_OF_C)
    assert (answer.status_code, answer.json()["data"]["client_uuid"]) == (201, C)
    outside = await api.http.post(
        "/v1/users", json={**user_body(), "client_uuid": None}, headers=MANAGER_OF_C
    )
    assert outside.status_code == 403


@pytest.mark.parametrize("change", [{"roles": ["manager"]}, {"client_uuid": D}, {"client_uuid": None}])
async def test_managers_give_no_other_role_or_client(api: AuthApi, change: dict[str, Any]) -> None:
    user = await api.make("user", C)
    answer = await api.http.patch(f"/v1/users/{user['uuid']}", json=change, headers=MANAGER_OF_C)
    assert code(answer) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"email": "x"}, {"email"}),
        ({"email": None}, {"email"}),
        ({"name": "a\u202eb"}, {"name"}),
        ({"name": " "}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"password": "short"}, {"password"}),
        ({"password": "x" * 129}, {"password"}),
        ({"password": "target@example.com"}, {"password"}),
        ({"roles": []}, {"roles"}),
        ({"roles": ["user", "manager"]}, {"roles"}),
        ({"roles": ["service"]}, {"roles[0]"}),
        ({"roles": "user"}, {"roles"}),
        ({"client_uuid": "x"}, {"client_uuid"}),
        ({"client_uuid": C, "roles": ["admin"]}, {"client_uuid"}),
        ({"is_active": "yes"}, {"is_active"}),
        ({"uuid": C, "version": 3, "password_hash": "x"}, {"uuid", "version", "password_hash"}),
    ],
)
async def test_values_that_are_refused(api: AuthApi, change: dict[str, Any], wrong: set[str]) -> None:
    body = {**user_body(email="target@example.com"), **change}
    assert fields(await api.http.post("/v1/users", json=body, headers=bearer())) == wrong
    user = await api.make(email="target@example.com")
    answer = await api.http.patch(f"/v1/users/{user['uuid']}", json=change, headers=bearer())
    assert fields(answer) == wrong


async def test_what_is_required(api: AuthApi) -> None:
    answer = await api.http.post("/v1/users", json={}, headers=bearer())
    assert fields(answer) == {"email", "name", "password", "roles"}


async def test_promoting_someone_with_a_client(api: AuthApi) -> None:
    path = f"/v1/users/{(await api.make('manager', C))['uuid']}"
    assert fields(await api.http.patch(path, json={"roles": ["admin"]}, headers=bearer())) == {"client_uuid"}
    change = {"roles": ["admin"], "client_uuid": None}
    assert (await api.http.patch(path, json=change, headers=bearer())).status_code == 200


@pytest.mark.parametrize("uuid", ["x", "0199c5a0", "%00", f"{C}%0a"])
async def test_ids_that_are_none(api: AuthApi, uuid: str) -> None:
    assert fields(await api.http.get(f"/v1/users/{uuid}", headers=bearer())) == {"uuid"}


async def test_no_answer_shows_a_password(api: AuthApi) -> None:
    user = await api.make()
    answers = [
        await api.http.get("/v1/users", headers=bearer()),
        await api.http.get(f"/v1/users/{user['uuid']}", headers=bearer()),
        await api.http.patch(
            f"/v1/users/{user['uuid']}", json={"password": PASSWORD + "!"}, headers=bearer()
        ),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "password" not in answer.text
        assert "argon2" not in answer.text


@pytest.mark.parametrize("twin", ["ani@example.com", "ANI@EXAMPLE.com", "ａni@example.com"])
async def test_an_email_has_one_living_user(api: AuthApi, twin: str) -> None:
    user, other = await api.make(email="Ani@example.com"), await api.make()
    answer = await api.http.post("/v1/users", json=user_body(email=twin), headers=bearer())
    assert code(answer) == (409, "DUPLICATE_USER")
    answer = await api.http.patch(f"/v1/users/{other['uuid']}", json={"email": twin}, headers=bearer())
    assert code(answer) == (409, "DUPLICATE_USER")
    own = await api.http.patch(f"/v1/users/{user['uuid']}", json={"email": twin}, headers=bearer())
    assert own.status_code == 200


async def test_of_twins_at_once_one_is_created(api: AuthApi) -> None:
    bodies = [user_body(email="twin@example.com") for _ in range(10)]
    answers = await asyncio.gather(
        *(api.http.post("/v1/users", json=body, headers=bearer()) for body in bodies)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}


async def test_racing_changes_of_other_fields_lose_nothing(api: AuthApi) -> None:
    path = f"/v1/users/{(await api.make())['uuid']}"
    changes: list[dict[str, Any]] = [{"name": "X"}, {"email": "x@example.com"}, {"client_uuid": C}]
    changes += [{"is_active": False}, {"roles": ["manager"]}]
    await asyncio.gather(*(api.http.patch(path, json=change, headers=bearer()) for change in changes))
    user = (await api.http.get(path, headers=bearer())).json()["data"]
    assert user["version"] == 6
    for change in changes:
        assert user.items() >= change.items()


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"name": "X", "email": "x@example.com"}, False),
        ({"roles": ["user"], "client_uuid": C, "is_active": True}, False),
        ({"roles": ["manager"]}, True),
        ({"client_uuid": D}, True),
        ({"is_active": False}, True),
        ({"password": "another long password"}, True),
        (None, True),
    ],
)
async def test_which_changes_end_sessions(api: AuthApi, change: dict[str, Any] | None, *, ends: bool) -> None:
    user, other = await api.make("user", C), await api.make("user", C)
    session, bystander = await api.sign_in(user["email"]), await api.sign_in(other["email"])
    method = "PATCH" if change else "DELETE"
    await api.http.request(method, f"/v1/users/{user['uuid']}", json=change, headers=bearer())
    assert (await api.refresh(session.refresh_token)).status_code == (401 if ends else 200)
    assert (await api.refresh(bystander.refresh_token)).status_code == 200


async def test_a_reset_password_replaces_the_old_one(api: AuthApi) -> None:
    user = await api.make()
    await api.http.patch(f"/v1/users/{user['uuid']}", json={"password": "a new password"}, headers=bearer())
    assert (await api.login(user["email"])).status_code == 401
    await api.sign_in(user["email"], "a new password")


@pytest.mark.parametrize("change", [{"is_active": False}, {"roles": ["user"]}, None])
async def test_the_last_active_admin_stays(api: AuthApi, change: dict[str, Any] | None) -> None:
    last = await api.make("admin")
    await api.make("admin", is_active=False)
    path, method = f"/v1/users/{last['uuid']}", "PATCH" if change else "DELETE"
    assert code(await api.http.request(method, path, json=change, headers=bearer())) == (409, "LAST_ADMIN")
    await api.make("admin")
    assert (await api.http.request(method, path, json=change, headers=bearer())).status_code in {200, 204}


@pytest.mark.parametrize("round_", range(5))
async def test_admins_who_end_one_another_leave_one(api: AuthApi, round_: int) -> None:
    del round_
    admins = [await api.make("admin") for _ in range(3)]
    sessions = [await api.sign_in(admin["email"]) for admin in admins]
    changes: list[tuple[str, dict[str, Any] | None]] = [
        ("PATCH", {"roles": ["user"]}), ("PATCH", {"is_active": False}), ("DELETE", None),
    ]  # fmt: skip
    answers = await asyncio.gather(
        *(
            api.http.request(method, f"/v1/users/{admin['uuid']}", json=change, headers=session.headers)
            for (method, change), admin, session in zip(
                changes, [*admins[1:], admins[0]], sessions, strict=True
            )
        )
    )
    assert sum(answer.is_success for answer in answers) == 2
    assert [code(answer) for answer in answers if not answer.is_success] == [(409, "LAST_ADMIN")]
