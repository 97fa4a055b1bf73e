"""What the audit tells, and that it holds no secret."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.auth.repository.audit import AuditRepository
from services.auth.schema import AuditQuery
from shared.db import Database
from shared.events.outbox import Outbox
from tests.support.auth import PASSWORD, AuthApi, fields
from tests.support.databases import TestDatabase, connect
from tests.support.plans import kinds, plans, recorded, rows_read
from tests.support.tokens import bearer

NEW_PASSWORD = "another long enough password"

_MANY = 20_000
_FILL = """
    INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor,
                         occurred_at)
    SELECT gen_random_uuid(), 'user', gen_random_uuid(), 0, 'session.opened', 1, gen_random_uuid()::text,
           timestamptz '2020-01-01Z' + number * interval '1 minute'
    FROM generate_series(1, $1) AS number
"""


async def types(api: AuthApi, **query: Any) -> list[str]:  # noqa: ANN401 - a query string
    return [entry["type"] for entry in await api.audit(**query)]


async def test_what_a_person_does_is_told_once_with_its_actor(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = await api.http.post("/v1/auth/password", json=body, headers=session.headers)
    for _ in range(2):
        await api.http.post("/v1/auth/logout", headers=session.headers)
    assert changed.status_code == 204
    entries = await api.audit(actor=user["uuid"])
    assert {entry["subject"] for entry in entries} == {user["uuid"]}
    assert [entry["type"] for entry in entries] == [
        "session.ended",
        "user.password_changed",
        "user.changed",
        "session.opened",
    ]
    assert entries[0]["after"]["session"] == entries[3]["after"]["session"]
    assert entries[0]["after"]["reason"] == "signed out"
    assert [entry["request_id"] is None for entry in entries] == [False] * 4


async def test_a_reused_token_is_told_although_the_answer_is_an_error(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    await api.refresh(session.refresh_token)
    await api.age_tokens(3600)
    for _ in range(2):
        assert (await api.refresh(session.refresh_token)).status_code == 401
    ended, reused = await api.audit(actor="system", subject=user["uuid"])
    if ended["type"] == "session.refresh_reused":
        ended, reused = reused, ended
    assert (ended["type"], reused["type"]) == ("session.ended", "session.refresh_reused")
    assert ended["after"] == reused["after"] | {"reason": "a refresh token was used twice"}


async def test_changes_of_users_are_told(api: AuthApi) -> None:
    user = await api.make("user")
    url = f"/v1/users/{user['uuid']}"
    await api.http.patch(url, json={"roles": ["manager"]}, headers=bearer())
    await api.http.delete(url, headers=bearer())
    deleted, changed, created = await api.audit(subject=user["uuid"])
    assert [each["type"] for each in (created, changed, deleted)] == [
        "user.created",
        "user.changed",
        "user.deleted",
    ]
    assert (changed["before"]["roles"], changed["after"]["roles"]) == (["user"], ["manager"])
    assert (created["before"], deleted["after"]) == (None, None)


async def test_no_secret_is_ever_in_the_table(api: AuthApi) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    renewed = (await api.refresh(session.refresh_token)).json()["data"]["refresh_token"]
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    await api.http.post("/v1/auth/password", json=body, headers=session.headers)
    await api.login(user["email"], "not the right password")
    await api.http.post("/v1/auth/logout", headers=session.headers)
    table = " ".join(row[0] for row in await api.run("SELECT changes::text FROM changes"))
    assert user["uuid"] in table
    hashes = [row[0] for row in await api.run("SELECT password_hash FROM users")]
    given = [PASSWORD, NEW_PASSWORD, "not the right password", session.access_token, session.refresh_token]
    assert [secret for secret in (*given, renewed, *hashes, "argon2") if secret in table] == []


async def test_events_are_not_published_even_when_changes_are_again(
    api: AuthApi, auth_database: TestDatabase
) -> None:
    user = await api.make()
    session = await api.sign_in(user["email"])
    await api.login(user["email"], "not the right password")
    await api.http.post("/v1/auth/logout", headers=session.headers)
    rows = await api.run("SELECT type, version > 0 AS is_change FROM changes")
    assert {row["type"] for row in rows if row["is_change"]} == {"user.created"}
    assert {row["type"] for row in rows if not row["is_change"]} == {
        "session.opened",
        "session.ended",
        "sign_in.failed",
        "signing_keys.changed",
    }
    async with Outbox(auth_database.app, "tests") as outbox:
        assert await outbox.requeue(datetime(2020, 1, 1, tzinfo=UTC)) == 1
    assert await api.run("SELECT 1 FROM changes JOIN outbox ON change_id = id WHERE version = 0") == []


async def test_filters_and_pages(api: AuthApi) -> None:
    first, second = await api.make(), await api.make()
    await api.sign_in(first["email"])
    between = datetime.now(UTC).isoformat()
    await api.sign_in(second["email"])
    assert await types(api, subject=first["uuid"]) == ["session.opened", "user.created"]
    assert len(await api.audit(type="session.opened")) == 2
    assert len(await api.audit(type="session.opened", actor=first["uuid"])) == 1
    assert await types(api, subject=uuid4()) == []
    late = await api.audit(**{"from": between})
    assert [entry["actor"] for entry in late] == [second["uuid"]]
    early = await types(api, to=between)
    assert early == ["session.opened", "user.created", "user.created", "signing_keys.changed"]
    page = (await api.http.get("/v1/audit?limit=3", headers=bearer())).json()
    assert (page["meta"]["page"], page["meta"]["total"]) == (1, 5)
    rest = await api.audit(limit=3, cursor=page["meta"]["next_cursor"])
    assert [entry["type"] for entry in (*page["data"], *rest)] == [
        *["session.opened"] * 2,
        *["user.created"] * 2,
        "signing_keys.changed",
    ]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("subject=x", "subject"),
        ("from=2026-11-25", "from"),
        ("to=2026-11-25T10:00:00", "to"),
        ("sort=actor", "sort"),
        ("since=2026-11-25T10:00:00Z", "since"),
    ],
)
async def test_parameters_that_are_refused(api: AuthApi, query: str, wrong: str) -> None:
    assert fields(await api.http.get(f"/v1/audit?{query}", headers=bearer())) == {wrong}


async def test_no_list_scans_the_table(auth_database: TestDatabase) -> None:
    """Whatever is asked for, an index has it, and no more is read than a page or what is counted."""
    connection = await connect(auth_database.owner)
    database = Database(auth_database.app, "tests")
    try:
        await connection.execute(_FILL, _MANY)
        await connection.execute("ANALYZE changes")
        actor: str = await connection.fetchval("SELECT actor FROM changes LIMIT 1 OFFSET 777")
        subject: UUID = await connection.fetchval("SELECT aggregate_id FROM changes LIMIT 1 OFFSET 777")
        since = datetime(2020, 1, 14, 20, 0, tzinfo=UTC)
        for query in (
            AuditQuery(actor=actor),
            AuditQuery(subject=subject),
            AuditQuery(since=since),
            AuditQuery(type="session.opened", since=since),
            AuditQuery(actor=actor, type="session.opened"),
            AuditQuery(subject=subject, actor=actor, type="session.opened", since=since),
        ):
            with recorded() as statements:
                await AuditRepository(database).list(query)
            for plan in await plans(connection, statements):
                assert "Seq Scan" not in kinds(plan), query
                assert rows_read(plan, "changes") < _MANY / 10, query
    finally:
        await database.close()
        await connection.close()
