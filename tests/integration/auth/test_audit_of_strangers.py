"""What the audit tells of those who did not prove who they are: enough, bounded, and not what they typed."""

import asyncio
import base64
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from services.auth import constants
from services.auth.repository.outside_events import Bound, OutsideEvent, OutsideEvents
from shared.db import Database, Question, Row
from shared.identifiers import new_uuid
from tests.support.auth import PASSWORD, AuthApi
from tests.support.auth_fakes import PSEUDONYMS
from tests.support.crowds import crowd
from tests.support.databases import TestDatabase, connect
from tests.support.plans import recorded

TOKEN = "/internal/oauth/token"
TYPED = "correct.horse@battery.staple"
"""What somebody typed as an e-mail address, and may be a password."""


@pytest.fixture
async def events(auth_database: TestDatabase) -> AsyncGenerator[OutsideEvents]:
    database = Database(replace(auth_database.app, pool_size=10), "tests")
    yield OutsideEvents(database)
    await database.close()


def event(kind: str = "knocked") -> OutsideEvent:
    return OutsideEvent(type="knocked", kind=kind, subject_type="door", subject=new_uuid(), facts={"a": "b"})


async def told(api: AuthApi, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a query string
    """Return entries, the oldest first."""
    return (await api.audit(**query))[::-1]


async def ask(api: AuthApi, client_id: str, client_secret: str) -> int:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return (await api.http.post(TOKEN, data=form)).status_code


async def test_failed_sign_ins_are_told(api: AuthApi) -> None:
    known, inactive = await api.make(), await api.make(is_active=False)
    for email in (known["email"], inactive["email"], TYPED):
        assert (await api.login(email, "wrong password")).status_code == 401
    entries = await told(api, type="sign_in.failed")
    assert [entry["subject"] for entry in entries] == [
        known["uuid"],
        inactive["uuid"],
        str(PSEUDONYMS.account_uuid(TYPED)),
    ]
    assert [entry["after"]["account"] for entry in entries] == ["active", "inactive", "unknown"]
    assert {(entry["actor"], entry["before"]) for entry in entries} == {("anonymous", None)}
    assert [entry["after"]["number"] for entry in entries] == [1, 2, 3]
    assert all(entry["request_id"] for entry in entries)


async def test_what_was_typed_is_nowhere(api: AuthApi) -> None:
    await api.login(TYPED, "a wrong password")
    await ask(api, TYPED, "a wrong secret")
    await ask(api, "store", "a wrong secret")
    plain = hashlib.sha256(TYPED.encode()).digest()
    secrets = [
        TYPED,
        "horse",
        "a wrong",
        plain.hex(),
        base64.b64encode(plain).decode(),
        str(UUID(bytes=plain[:16])),
    ]
    for table in ("changes", "sign_in_attempts", "audit_counts"):
        rows = " ".join(row[0] for row in await api.run(f"SELECT {table}::text FROM {table}"))  # noqa: S608
        assert rows
        assert [secret for secret in secrets if secret in rows] == []


async def test_many_failures_of_one_account_are_told_in_few_entries(api: AuthApi) -> None:
    user = await api.make()
    for _ in range(constants.FAILURES_BEFORE_SLOWING):
        await api.login(user["email"], "wrong password")
    for _ in range(9):
        assert (await api.login(user["email"], PASSWORD)).status_code == 429
    failed, slowed = [await told(api, type=f"sign_in.{how}") for how in ("failed", "slowed")]
    assert [entry["after"]["attempts"] for entry in failed] == [1, 2, 4, 8, 16]
    assert [entry["after"]["attempts"] for entry in slowed] == [1, 2, 4, 8]
    assert {entry["subject"] for entry in (*failed, *slowed)} == {user["uuid"]}
    await api.age_attempts(constants.FAILURE_WINDOW_SECONDS + 1)
    await api.login(user["email"], "wrong password")
    assert (await told(api, type="sign_in.failed"))[-1]["after"]["attempts"] == 1
    [row] = await api.run("SELECT refused FROM sign_in_attempts")
    assert row["refused"] == 0


async def test_success_and_an_invalid_body_tell_no_failure(api: AuthApi) -> None:
    await api.sign_in((await api.make())["email"])
    await api.http.post("/v1/auth/login", json={"email": "x", "password": "y"})
    assert await api.run("SELECT 1 FROM audit_counts") == []


async def test_known_and_unknown_accounts_take_the_same_statements(
    api: AuthApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await api.make()
    sent: list[str] = []
    fetch = Database.fetch_one

    async def remembering(self: Database, question: Question, **parameters: Any) -> Row | None:  # noqa: ANN401
        sent.append(question.sql)
        return await fetch(self, question, **parameters)

    monkeypatch.setattr(Database, "fetch_one", remembering)

    async def statements(email: str) -> list[list[str]]:
        each: list[list[str]] = []
        for _ in range(constants.FAILURES_BEFORE_SLOWING + 5):
            sent.clear()
            with recorded() as others:
                await api.login(email, "wrong password")
            each.append([*sent, *(sql for sql, _ in others)])
        return each

    known, unknown = await statements(user["email"]), await statements(TYPED)
    assert known == unknown
    assert {len(each) for each in known} == {2, 3, 4}


async def test_however_many_happen_few_are_told(api: AuthApi, events: OutsideEvents) -> None:
    await crowd(events.record(event(), Bound(5, 900)) for _ in range(70))
    [row] = await api.run("SELECT number FROM audit_counts WHERE kind = 'knocked'")
    entries = await api.run("SELECT after FROM changes WHERE type = 'knocked'")
    assert row["number"] == 70
    assert len(entries) == 5 + 4  # and the 8th, 16th, 32nd and 64th
    assert all('"a": "b"' in entry["after"] for entry in entries)
    numbers = await api.run("SELECT (after->>'number')::int FROM changes WHERE type = 'knocked' ORDER BY 1")
    assert [number for (number,) in numbers] == [1, 2, 3, 4, 5, 8, 16, 32, 64]


async def test_kinds_are_counted_apart_and_windows_end(api: AuthApi, events: OutsideEvents) -> None:
    bound = Bound(1, 900)
    for kind in ("a", "a", "a", "b"):
        await events.record(event(kind), bound)
    await api.run("UPDATE audit_counts SET window_started_at = now() - interval '899 s' WHERE kind = 'a'")
    await events.record(event("a"), bound)
    await api.run("UPDATE audit_counts SET window_started_at = now() - interval '900 s' WHERE kind = 'a'")
    await events.record(event("a"), bound)
    rows = await api.run("SELECT kind, number FROM audit_counts ORDER BY kind")
    assert [tuple(row) for row in rows] == [("a", 1), ("b", 1)]
    [row] = await api.run("SELECT now() - window_started_at AS age FROM audit_counts WHERE kind = 'a'")
    assert row["age"] < timedelta(seconds=60)
    numbers = await api.run("SELECT (after->>'number')::int FROM changes WHERE type = 'knocked' ORDER BY id")
    assert [number for (number,) in numbers] == [1, 2, 1, 4, 1]


async def test_tokens_of_services_are_told(api: AuthApi) -> None:
    answers = [
        await ask(api, "store", "a+b/c="),
        await ask(api, "client", "client-secret"),
        await ask(api, "store", "wrong"),
        await ask(api, "nobody", "x"),
        await ask(api, "somebody", "y"),
    ]
    assert answers == [200, 200, 401, 401, 401]
    granted, refused = [await told(api, type=f"service_token.{how}") for how in ("granted", "refused")]
    assert [(entry["actor"], entry["after"]["service"]) for entry in granted] == [
        ("service:store", "store"),
        ("service:client", "client"),
    ]
    assert [(entry["actor"], entry["after"]["service"]) for entry in refused] == [
        ("anonymous", "store"),
        ("anonymous", None),
        ("anonymous", None),
    ]
    assert [entry["after"]["number"] for entry in refused] == [1, 1, 2]
    assert granted[0]["subject"] == refused[0]["subject"] != refused[1]["subject"]
    of_store = await told(api, subject=granted[0]["subject"])
    assert [entry["type"] for entry in of_store] == ["service_token.granted", "service_token.refused"]


async def test_they_are_bounded_too(api: AuthApi) -> None:
    for number in range(20):
        await ask(api, f"nobody-{number}", "x")
        await ask(api, "store", "a+b/c=")
    entries = Counter(entry["type"] for entry in await told(api))
    assert entries["service_token.refused"] == entries["service_token.granted"] == 11  # ten, and the 16th


async def test_without_a_database_they_are_logged_and_nobody_waits_for_it(
    auth_database: TestDatabase, events: OutsideEvents, caplog: pytest.LogCaptureFixture
) -> None:
    away = Database(replace(auth_database.app, port=1), "tests")
    connection = await connect(auth_database.owner)
    try:
        with caplog.at_level(logging.WARNING, "gerai.auth.audit"):
            async with connection.transaction(), asyncio.timeout(5):
                await connection.execute("LOCK TABLE audit_counts")
                await events.record(event(), Bound(5, 900))
                await OutsideEvents(away).record(event(), Bound(5, 900))
    finally:
        await connection.close()
        await away.close()
    assert [vars(record)["fields"]["type"] for record in caplog.records] == ["knocked"] * 2


async def test_a_fault_of_ours_is_no_outage(api: AuthApi, events: OutsideEvents) -> None:
    with pytest.raises(asyncpg.StringDataRightTruncationError):
        await events.record(event("x" * 201), Bound(5, 900))
    assert await api.run("SELECT 1 FROM audit_counts") == []
