import asyncio
from collections import Counter

import pytest

from services.auth import constants
from tests.support.auth import PASSWORD, AuthApi, Session, code, fields
from tests.support.tokens import bearer

NEW = "another long password"


async def change_password(
    api: AuthApi, session: Session, current: str, new: str = NEW
) -> tuple[int, set[str]]:
    body = {"current_password": current, "new_password": new}
    answer = await api.http.post("/v1/auth/password", json=body, headers=session.headers)
    return answer.status_code, fields(answer) if answer.status_code == 400 else set()


async def test_people_see_themselves(api: AuthApi) -> None:
    user = await api.make("admin")
    session = await api.sign_in(user["email"])
    assert (await api.http.get("/v1/auth/me", headers=session.headers)).json()["data"] == user


async def test_people_change_their_name_alone(api: AuthApi) -> None:
    session = await api.sign_in((await api.make())["email"])
    answer = await api.http.patch("/v1/auth/me", json={"name": " Sri  W "}, headers=session.headers)
    assert (answer.json()["data"]["name"], answer.json()["data"]["version"]) == ("Sri  W", 2)
    for body in [
        {"roles": ["admin"]},
        {"email": "x@example.com"},
        {"is_active": True},
        {"password": NEW},
        {"name": None},
    ]:
        answer = await api.http.patch("/v1/auth/me", json=body, headers=session.headers)
        assert fields(answer) == set(body)
    assert (await api.http.patch("/v1/auth/me", json={}, headers=session.headers)).status_code == 200


@pytest.mark.parametrize("how", ["inactive", "deleted"])
async def test_accounts_that_ended_are_refused(api: AuthApi, how: str) -> None:
    session = await api.sign_in((await api.make())["email"])
    await api.end_account(how)
    assert code(await api.http.get("/v1/auth/me", headers=session.headers)) == (401, "UNAUTHENTICATED")
    answer = await api.http.patch("/v1/auth/me", json={"name": "X"}, headers=session.headers)
    assert code(answer) == (401, "UNAUTHENTICATED")
    assert await change_password(api, session, PASSWORD) == (401, set())


async def test_services_have_no_account(api: AuthApi) -> None:
    assert code(await api.http.get("/v1/auth/me", headers=bearer("service"))) == (403, "FORBIDDEN")


async def test_a_new_password_ends_the_other_sessions(api: AuthApi) -> None:
    user = await api.make()
    mine, other = await api.sign_in(user["email"]), await api.sign_in(user["email"])
    assert await change_password(api, mine, PASSWORD) == (204, set())
    assert code(await api.login(user["email"], PASSWORD)) == (401, "INVALID_CREDENTIALS")
    await api.sign_in(user["email"], NEW)
    assert code(await api.refresh(other.refresh_token)) == (401, "INVALID_REFRESH")
    assert (await api.refresh(mine.refresh_token)).status_code == 200


async def test_the_new_password_has_to_be_acceptable(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    for new in ["short", "x" * 129, user["email"].upper(), "e\u0301" * 4]:
        assert await change_password(api, session, PASSWORD, new) == (400, {"new_password"})
    assert await api.run("SELECT 1 FROM sign_in_attempts") == []


async def test_guessing_the_current_password_counts_as_failing_to_sign_in(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    for _ in range(constants.FAILURES_BEFORE_SLOWING - 1):
        assert await change_password(api, session, "wrong") == (400, {"current_password"})
    await api.login(user["email"], "wrong")
    assert await change_password(api, session, PASSWORD) == (429, set())
    assert (await api.login(user["email"])).status_code == 429
    await api.age_attempts(31)
    assert await change_password(api, session, PASSWORD) == (204, set())
    assert await api.run("SELECT 1 FROM sign_in_attempts") == []


async def test_of_two_changes_at_once_one_wins(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    answers = await asyncio.gather(
        *(change_password(api, session, PASSWORD, f"new password {number}") for number in range(5))
    )
    assert Counter(status for status, _ in answers) == {204: 1, 400: 4}
