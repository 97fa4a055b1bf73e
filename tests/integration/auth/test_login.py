import asyncio
import logging
import statistics
import time
from collections import Counter

import pytest
from argon2 import PasswordHasher

from services.auth import constants
from services.auth.config import AuthConfig
from services.auth.factory import create_app
from shared.security.tokens import TokenVerifier
from tests.support.auth import PASSWORD, AuthApi, code, fields
from tests.support.crowds import crowd
from tests.support.databases import TestDatabase
from tests.support.serving import calling
from tests.support.tokens import CONFIG, SECRET

TENANT = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that were verified, in order."""
    hashes: list[str] = []
    verify = PasswordHasher.verify

    def remembering(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002 - argon2's name
        hashes.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", remembering)
    return hashes


async def test_the_answer_and_its_token(api: AuthApi) -> None:
    user = await api.make("manager", TENANT, email="Sri@Example.com")
    answer = await api.login("sRI@eXAMPLE.com")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()["data"]
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    principal = await TokenVerifier(CONFIG, Secrets()).verify(tokens["access_token"])
    assert (principal.subject, principal.role, str(principal.client_uuid)) == (
        user["uuid"],
        "manager",
        TENANT,
    )


class Secrets:
    async def find(self, key_id: str) -> bytes:
        del key_id
        return SECRET.encode()


async def test_nothing_tells_unknown_inactive_deleted_and_wrong_apart(
    api: AuthApi, verified: list[str]
) -> None:
    known, inactive, deleted = await api.make(), await api.make(is_active=False), await api.make()
    await api.run("UPDATE users SET deleted_at = now() WHERE uuid = $1", deleted["uuid"])
    answers = [
        await api.login(known["email"], "wrong password"),
        await api.login(inactive["email"], PASSWORD),
        await api.login(deleted["email"], PASSWORD),
        await api.login("nobody@example.com", PASSWORD),
    ]
    assert {code(answer) for answer in answers} == {(401, "INVALID_CREDENTIALS")}
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert len(verified) == 4
    assert {password_hash.split("$")[3] for password_hash in verified} == {"m=19456,t=2,p=1"}


async def test_they_take_the_same_time(api: AuthApi) -> None:
    known = await api.make()

    async def seconds(email: str) -> float:
        started = time.perf_counter()
        await api.login(email, "wrong password")
        return time.perf_counter() - started

    pairs = [(await seconds(known["email"]), await seconds("nobody@example.com")) for _ in range(15)]
    ratio = statistics.median(one for one, _ in pairs) / statistics.median(other for _, other in pairs)
    assert 0.5 < ratio < 2


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"email", "password"}),
        ({"email": "x", "password": ""}, {"email", "password"}),
        ({"email": "a@example.com", "password": "x" * 1025}, {"password"}),
        ({"email": "a\x00@example.com", "password": "x"}, {"email"}),
        ({"email": "a@example.com", "password": 5, "remember": True}, {"password", "remember"}),
    ],
)
async def test_what_is_no_sign_in(api: AuthApi, body: dict[str, object], wrong: set[str]) -> None:
    assert fields(await api.http.post("/v1/auth/login", json=body)) == wrong
    assert await api.run("SELECT 1 FROM sign_in_attempts") == []


async def test_any_characters_make_a_password(api: AuthApi) -> None:
    user = await api.make(password="pa\u0308ß\x00\u200b 😀 wort")
    await api.sign_in(user["email"], "p\u00e4ß\x00\u200b 😀 wort")


async def test_an_outdated_hash_is_renewed_without_changing_the_user(api: AuthApi) -> None:
    user = await api.make()
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await api.run("UPDATE users SET password_hash = $1", old)
    assert {(await api.login(user["email"])).status_code for _ in range(2)} == {200}
    [row] = await api.run("SELECT password_hash, version FROM users")
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert row["version"] == 1


async def test_parallel_sign_ins_survive_a_renewal(api: AuthApi) -> None:
    user = await api.make()
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await api.run("UPDATE users SET password_hash = $1", old)
    answers = await asyncio.gather(*(api.login(user["email"]) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("exists", [True, False])
async def test_failures_slow_an_account_down_and_never_lock_it(api: AuthApi, *, exists: bool) -> None:
    email = (await api.make())["email"] if exists else "nobody@example.com"
    for _ in range(constants.FAILURES_BEFORE_SLOWING):
        assert code(await api.login(email, "wrong password")) == (401, "INVALID_CREDENTIALS")
    refused = await api.login(email, PASSWORD)
    assert code(refused) == (429, "SIGN_IN_SLOWED")
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    await api.age_attempts(31)
    assert (await api.login(email, "wrong password")).status_code == 401
    assert (await api.login(email, PASSWORD)).status_code == 429
    await api.age_attempts(31)
    assert (await api.login(email, PASSWORD)).status_code == (200 if exists else 401)
    assert (await api.login(email, "wrong password")).status_code == (401 if exists else 429)


async def test_a_clock_that_is_set_back_slows_nobody_for_long(api: AuthApi) -> None:
    for _ in range(constants.FAILURES_BEFORE_SLOWING):
        await api.login("nobody@example.com")
    assert (await api.login("nobody@example.com")).status_code == 429
    await api.age_attempts(-3600)
    assert (await api.login("nobody@example.com")).status_code == 401


async def test_the_window_starts_with_the_first_failure(api: AuthApi) -> None:
    for _ in range(constants.FAILURES_BEFORE_SLOWING - 1):
        await api.login("nobody@example.com")
    await api.age_attempts(constants.FAILURE_WINDOW_SECONDS + 1)
    for _ in range(constants.FAILURES_BEFORE_SLOWING):
        assert (await api.login("nobody@example.com")).status_code == 401
    assert (await api.login("nobody@example.com")).status_code == 429


async def test_success_forgets_failures(api: AuthApi) -> None:
    user = await api.make()
    for _ in range(constants.FAILURES_BEFORE_SLOWING - 1):
        await api.login(user["email"], "wrong password")
    await api.sign_in(user["email"])
    assert await api.run("SELECT 1 FROM sign_in_attempts") == []


async def test_spellings_of_one_address_share_their_failures(api: AuthApi) -> None:
    for email in ["nobody@example.com"] * 10 + ["NOBODY@example.com"] * 10:
        await api.login(email)
    assert (await api.login("ｎobody@example.com")).status_code == 429
    [row] = await api.run("SELECT account FROM sign_in_attempts")
    assert b"nobody" not in row["account"]


async def test_parallel_failures_cannot_slip_past(api: AuthApi, verified: list[str]) -> None:
    user = await api.make()
    answers = await crowd(api.login(user["email"], "wrong password") for _ in range(50))
    assert Counter(answer.status_code for answer in answers) == {401: 20, 429: 30}
    assert len(verified) == 20


async def test_old_attempts_are_deleted(api: AuthApi) -> None:
    for number in range(5):
        await api.login(f"nobody{number}@example.com")
    await api.age_attempts(constants.FAILURE_WINDOW_SECONDS + 1)
    await api.login("somebody@example.com")
    [row] = await api.run("SELECT count(*) AS number FROM sign_in_attempts")
    assert row["number"] == 1


async def test_of_too_many_at_once_some_are_told_to_come_back(api: AuthApi) -> None:
    answers = await asyncio.gather(*(api.login(f"nobody{number}@example.com") for number in range(150)))
    assert {answer.status_code for answer in answers} <= {401, 503}
    assert sum(answer.status_code == 401 for answer in answers) > 10
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)


async def test_logs_show_no_address_token_or_password(
    auth_config: AuthConfig, auth_database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    application = create_app(auth_config)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        async with calling(application) as http:
            api = AuthApi(http, auth_database)
            user = await api.make()
            session = await api.sign_in(user["email"])
            await api.login(user["email"], "wrong password")
            await api.refresh(session.refresh_token)
            await api.run("ALTER TABLE users RENAME TO hidden_users")
            try:
                assert (await api.login(user["email"])).status_code == 500
            finally:
                await api.run("ALTER TABLE hidden_users RENAME TO users")
    finally:
        logging.getLogger().setLevel(logging.ERROR)
    logged = capsys.readouterr().out
    assert "UndefinedTable" in logged
    for secret in (user["email"], PASSWORD, "wrong password", session.access_token, session.refresh_token):
        assert secret not in logged
