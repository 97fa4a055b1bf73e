from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.postgres.provision import ServiceDatabase, provision

ODD = ServiceDatabase('odd "name" %I', "it's \\ odd", 'quoted "$1" ü')
OTHER = ServiceDatabase("other", "owner", "app")


async def connect(url: str, user: str, password: str, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    server = urlsplit(url)
    return await asyncpg.connect(
        host=server.hostname, port=server.port, user=user, password=password, database=database
    )


async def test_the_application_has_rows_and_nothing_else(postgres_url: str) -> None:
    await provision(postgres_url, [ODD])
    owner = await connect(postgres_url, ODD.owner, ODD.owner_password, ODD.name)
    await owner.execute("CREATE TABLE things (id bigserial PRIMARY KEY, name text)")
    await owner.close()

    app = await connect(postgres_url, ODD.app, ODD.app_password, ODD.name)
    await app.execute("INSERT INTO things (name) VALUES ('one'); UPDATE things SET name = 'two'")
    assert await app.fetchval("SELECT name FROM things") == "two"
    await app.execute("DELETE FROM things")
    for forbidden in (
        "CREATE TABLE more (id int)",
        "CREATE TEMPORARY TABLE more (id int)",
        "CREATE SCHEMA more",
        "ALTER TABLE things ADD COLUMN more int",
        "TRUNCATE things",
        "DROP TABLE things",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(forbidden)
    await app.close()


async def test_roles_of_one_service_do_not_enter_the_database_of_another(postgres_url: str) -> None:
    await provision(postgres_url, [ODD, OTHER])
    for role, password in ((ODD.owner, ODD.owner_password), (ODD.app, ODD.app_password)):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connect(postgres_url, role, password, OTHER.name)


async def test_running_again_changes_passwords_and_leaves_narrowed_rights_alone(postgres_url: str) -> None:
    await provision(postgres_url, [OTHER])
    owner = await connect(postgres_url, OTHER.owner, OTHER.owner_password, OTHER.name)
    await owner.execute(f"CREATE TABLE journal (id int); REVOKE UPDATE, DELETE ON journal FROM {OTHER.app}")
    await owner.close()

    changed = ServiceDatabase(OTHER.name, "new owner", "new app")
    await provision(postgres_url, [changed])
    app = await connect(postgres_url, changed.app, "new app", changed.name)
    await app.execute("INSERT INTO journal VALUES (1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DELETE FROM journal")
    await app.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(postgres_url, OTHER.app, OTHER.app_password, OTHER.name)
