import asyncio
import hashlib

import pytest
from msgspec.structs import replace

from services.auth.config import AuthConfig, LifetimeConfig
from services.auth.factory import create_app
from tests.support.auth import AuthApi, Session, code, fields
from tests.support.crowds import AT_ONCE, ROUNDS
from tests.support.databases import TestDatabase
from tests.support.serving import calling
from tests.support.tokens import access_token

DAY = 86400


@pytest.fixture
async def session(api: AuthApi) -> Session:
    return await api.sign_in((await api.make())["email"])


async def next_session(api: AuthApi, session: Session) -> Session:
    answer = await api.refresh(session.refresh_token)
    assert answer.status_code == 200, answer.text
    return Session(answer.json()["data"])


async def lives(api: AuthApi, newest: Session) -> bool:
    return (await api.refresh(newest.refresh_token)).status_code == 200


async def test_each_token_gets_the_next(api: AuthApi, session: Session) -> None:
    answer = await api.refresh(session.refresh_token)
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()["data"]) == {"access_token", "token_type", "expires_in", "refresh_token"}
    newest = Session(answer.json()["data"])
    for _ in range(3):
        newest = await next_session(api, newest)
    assert (await api.http.get("/v1/auth/me", headers=newest.headers)).status_code == 200


async def test_only_digests_are_stored(api: AuthApi, session: Session) -> None:
    [row] = await api.run("SELECT digest FROM refresh_tokens")
    assert row["digest"] == hashlib.sha256(session.refresh_token.encode()).digest()
    assert len(session.refresh_token) == 43


async def test_two_tabs_that_race_keep_the_session(api: AuthApi, session: Session) -> None:
    newest = await next_session(api, session)
    await api.age_tokens(9)
    assert code(await api.refresh(session.refresh_token)) == (401, "REFRESH_ALREADY_USED")
    assert await lives(api, newest)


async def test_a_late_reuse_ends_the_session_for_good(api: AuthApi, session: Session) -> None:
    newest = await next_session(api, session)
    await api.age_tokens(11)
    assert code(await api.refresh(session.refresh_token)) == (401, "REFRESH_REUSED")
    [row] = await api.run("SELECT revoked_at FROM sessions")
    assert row["revoked_at"] is not None
    assert code(await api.refresh(newest.refresh_token)) == (401, "INVALID_REFRESH")
    assert code(await api.refresh(session.refresh_token)) == (401, "INVALID_REFRESH")


async def test_a_token_before_the_newests_predecessor_ends_the_session(
    api: AuthApi, session: Session
) -> None:
    newest = await next_session(api, await next_session(api, session))
    assert code(await api.refresh(session.refresh_token)) == (401, "REFRESH_REUSED")
    assert not await lives(api, newest)


async def test_a_reuse_ends_no_other_session(api: AuthApi) -> None:
    user = await api.make()
    mine, other = await api.sign_in(user["email"]), await api.sign_in(user["email"])
    await next_session(api, mine)
    await api.age_tokens(11)
    await api.refresh(mine.refresh_token)
    assert await lives(api, other)


async def test_of_many_at_once_one_wins(api: AuthApi, session: Session) -> None:
    for _ in ROUNDS:
        answers = await asyncio.gather(*(api.refresh(session.refresh_token) for _ in range(AT_ONCE)))
        [winner] = [answer for answer in answers if answer.status_code == 200]
        refusals = [code(answer) for answer in answers if answer is not winner]
        assert refusals == [(401, "REFRESH_ALREADY_USED")] * (AT_ONCE - 1)
        session = Session(winner.json()["data"])
    assert await lives(api, session)


async def test_tokens_end_after_thirty_days(api: AuthApi, session: Session) -> None:
    await api.age_tokens(30 * DAY - 60)
    newest = await next_session(api, session)
    await api.age_tokens(30 * DAY + 60)
    assert code(await api.refresh(newest.refresh_token)) == (401, "INVALID_REFRESH")


async def test_sessions_end_after_ninety_days_however_fresh(api: AuthApi, session: Session) -> None:
    for _ in range(3):
        await api.age_tokens(29 * DAY)
        session = await next_session(api, session)
    [row] = await api.run("SELECT max(expires_at - now()) AS left FROM refresh_tokens")
    assert row["left"].days <= 3
    await api.age_tokens(4 * DAY)
    assert code(await api.refresh(session.refresh_token)) == (401, "INVALID_REFRESH")


async def test_lives_are_configured(auth_config: AuthConfig, auth_database: TestDatabase) -> None:
    lifetimes = LifetimeConfig(access_token_seconds=60, refresh_token_seconds=100, session_seconds=150)
    async with calling(create_app(replace(auth_config, lifetimes=lifetimes))) as http:
        api = AuthApi(http, auth_database)
        answer = await api.login((await api.make())["email"])
        assert answer.json()["data"]["expires_in"] == 60
        [row] = await api.run(
            "SELECT t.expires_at - t.created_at AS token, s.expires_at - s.created_at AS session"
            " FROM refresh_tokens t, sessions s"
        )
        assert (row["token"].total_seconds(), row["session"].total_seconds()) == (100, 150)


async def test_signing_out_ends_the_session_alone(api: AuthApi) -> None:
    user = await api.make()
    mine, other = await api.sign_in(user["email"]), await api.sign_in(user["email"])
    answer = await api.http.post("/v1/auth/logout", headers=mine.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(await api.refresh(mine.refresh_token)) == (401, "INVALID_REFRESH")
    assert await lives(api, other)
    assert (await api.http.post("/v1/auth/logout", headers=mine.headers)).status_code == 204


async def test_signing_out_needs_a_session(api: AuthApi) -> None:
    without_session = {"Authorization": f"Bearer {access_token('service', sid=None)}"}
    assert code(await api.http.post("/v1/auth/logout")) == (401, "UNAUTHENTICATED")
    assert code(await api.http.post("/v1/auth/logout", headers=without_session)) == (
        403,
        "FORBIDDEN",
    )


@pytest.mark.parametrize("how", ["inactive", "deleted"])
async def test_users_that_ended_refresh_nothing(api: AuthApi, session: Session, how: str) -> None:
    await api.end_account(how)
    assert code(await api.refresh(session.refresh_token)) == (401, "INVALID_REFRESH")


async def test_a_refresh_shows_what_the_user_is_now(api: AuthApi, session: Session) -> None:
    await api.run("UPDATE users SET role = 'admin'")
    newest = await next_session(api, session)
    assert (await api.http.get("/v1/users", headers=newest.headers)).status_code == 200


@pytest.mark.parametrize("token", ["", "x" * 201, 5, None])
async def test_what_is_no_refresh_token(api: AuthApi, token: object) -> None:
    assert fields(await api.http.post("/v1/auth/refresh", json={"refresh_token": token})) == {"refresh_token"}


@pytest.mark.parametrize("token", ["unknown", "\x00", "ü😀"])
async def test_unknown_tokens(api: AuthApi, token: str) -> None:
    assert code(await api.refresh(token)) == (401, "INVALID_REFRESH")


async def test_ended_sessions_and_tokens_are_deleted(api: AuthApi) -> None:
    user = await api.make()
    for _ in range(4):
        await next_session(api, await api.sign_in(user["email"]))
    await api.run("UPDATE sessions SET revoked_at = now() WHERE uuid IN (SELECT uuid FROM sessions LIMIT 2)")
    await api.age_tokens(31 * DAY)
    await api.sign_in(user["email"])
    [row] = await api.run(
        "SELECT (SELECT count(*) FROM sessions) AS s, (SELECT count(*) FROM refresh_tokens) AS t"
    )
    assert (row["s"], row["t"]) == (3, 1)
    await api.age_tokens(91 * DAY)
    await api.sign_in(user["email"])
    [row] = await api.run("SELECT count(*) AS number FROM sessions")
    assert row["number"] == 1
