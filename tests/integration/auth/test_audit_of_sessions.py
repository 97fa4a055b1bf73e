"""Every session that is ended is told, with the reason."""

import pytest

from services.auth import constants
from tests.support.auth import PASSWORD, AuthApi
from tests.support.tokens import bearer

NEW_PASSWORD = "another long enough password"


async def reasons(api: AuthApi) -> dict[str, str]:
    """Return why each session ended."""
    entries = await api.audit(type="session.ended")
    ended = {entry["after"]["session"]: entry["after"]["reason"] for entry in entries}
    assert len(ended) == len(entries)
    return ended


async def opened(api: AuthApi) -> list[str]:
    return [entry["after"]["session"] for entry in (await api.audit(type="session.opened"))[::-1]]


async def test_a_new_password_tells_of_the_others_alone(api: AuthApi) -> None:
    user = await api.make()
    sessions = [await api.sign_in(user["email"]) for _ in range(3)]
    stranger = await api.make()
    await api.sign_in(stranger["email"])
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = await api.http.post("/v1/auth/password", json=body, headers=sessions[0].headers)
    assert answer.status_code == 204
    first, *others, _ = await opened(api)
    assert await reasons(api) == dict.fromkeys(others, constants.NEW_PASSWORD)
    entry = (await api.audit(type="session.ended"))[0]
    assert (entry["actor"], entry["subject"], entry["after"]["ended_together"]) == (
        user["uuid"],
        user["uuid"],
        2,
    )
    await api.http.post("/v1/auth/logout", headers=sessions[0].headers)
    assert (await reasons(api))[first] == constants.SIGNED_OUT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"roles": ["manager"]}, constants.NEW_AUTHORITY),
        ({"is_active": False}, constants.NEW_AUTHORITY),
        ({"password": NEW_PASSWORD}, constants.NEW_PASSWORD),
        ({"name": "Sri"}, None),
        (None, constants.USER_ENDED),
    ],
)
async def test_what_an_admin_does_tells_why(
    api: AuthApi, change: dict[str, object] | None, reason: str | None
) -> None:
    user = await api.make()
    for _ in range(2):
        await api.sign_in(user["email"])
    url = f"/v1/users/{user['uuid']}"
    if change is None:
        answer = await api.http.delete(url, headers=bearer())
    else:
        answer = await api.http.patch(url, json=change, headers=bearer())
    assert answer.status_code < 300
    assert await reasons(api) == (dict.fromkeys(await opened(api), reason) if reason else {})


async def test_of_very_many_some_are_told_and_all_end(api: AuthApi) -> None:
    user = await api.make()
    await api.run(
        "INSERT INTO sessions (uuid, user_uuid, expires_at)"
        " SELECT gen_random_uuid(), $1, now() + interval '1 day' FROM generate_series(1, 150)",
        user["uuid"],
    )
    assert (await api.http.delete(f"/v1/users/{user['uuid']}", headers=bearer())).status_code == 204
    assert await api.run("SELECT 1 FROM sessions WHERE revoked_at IS NULL") == []
    entries = await api.run("SELECT after->>'ended_together' FROM changes WHERE type = 'session.ended'")
    assert [number for (number,) in entries] == ["150"] * constants.SESSIONS_TOLD


async def test_what_fails_tells_nothing(api: AuthApi) -> None:
    admin = await api.make("admin")
    await api.sign_in(admin["email"])
    answer = await api.http.delete(f"/v1/users/{admin['uuid']}", headers=bearer())
    assert answer.status_code == 409
    assert await reasons(api) == {}
