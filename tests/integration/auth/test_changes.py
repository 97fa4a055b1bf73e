"""Each change of a user is recorded, without secrets; signing in is none."""

from typing import Any

import msgspec

from services.auth.config import LifetimeConfig
from services.auth.repository.users import UserRepository
from services.auth.schema import User
from shared.db import Database
from tests.support.auth_fakes import PSEUDONYMS
from tests.support.databases import TestDatabase, connect

FIELDS: dict[str, Any] = {
    "email": "sri@kopi.example",
    "name": "Sri",
    "role": "user",
    "client_uuid": None,
    "is_active": True,
    "password_hash": "a hash that nobody may see",
}


async def test_changes_of_users(auth_database: TestDatabase) -> None:
    database = Database(auth_database.app, "tests")
    repository = UserRepository(database, LifetimeConfig(), PSEUDONYMS)
    async with repository.transaction("someone") as users:
        user = await users.add(FIELDS)
        account = await users.lock(user.uuid)
        assert account
        changed = await users.change(account, {"password_hash": "another hash"})
        await users.renew_hash(user.uuid, "the same password's hash")
        await users.sessions.open(user.uuid)
        await users.delete(changed)
    async with repository.transaction() as users:
        assert await users.add_if_free(FIELDS)
    async with repository.transaction() as users:
        assert await users.add_if_free(FIELDS) is None
    await database.close()
    connection = await connect(auth_database.app)
    rows = await connection.fetch("SELECT * FROM changes JOIN outbox ON change_id = id ORDER BY id")
    await connection.close()
    assert [(row["type"], row["version"], row["actor"]) for row in rows] == [
        ("user.created", 1, "someone"),
        ("user.changed", 2, "someone"),
        ("user.deleted", 3, "someone"),
        ("user.created", 1, "system"),
    ]
    assert msgspec.convert(msgspec.json.decode(rows[0]["after"]), User) == user
    assert "hash" not in str([list(row.values()) for row in rows])
