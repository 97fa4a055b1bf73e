import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.embedded.state import ROOT
from infra.postgres.provision import (
    BACKUP,
    MONITOR,
    ServiceDatabase,
    provide_backup,
    provide_monitor,
    provision,
)
from tests.support.databases import PASSWORD

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


async def test_an_owner_comes_in_only_when_all_is_provided(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = ServiceDatabase("early", "owner", "app")
    with monkeypatch.context() as interrupted:
        interrupted.setattr("infra.postgres.provision._provide_rights", _fail)
        with pytest.raises(ConnectionError):
            await provision(postgres_url, [early])
    for role, password in ((early.owner, "owner"), (early.app, "app")):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="not permitted to log in"):
            await connect(postgres_url, role, password, early.name)
    await provision(postgres_url, [early])
    for role, password in ((early.owner, "owner"), (early.app, "app")):
        await (await connect(postgres_url, role, password, early.name)).close()


async def _fail(*_: object) -> None:
    raise ConnectionError


async def test_the_owner_sees_what_the_application_does(postgres_url: str) -> None:
    await provision(postgres_url, [OTHER])
    app = await connect(postgres_url, OTHER.app, OTHER.app_password, OTHER.name)
    owner = await connect(postgres_url, OTHER.owner, OTHER.owner_password, OTHER.name)
    assert await app.fetchval("SELECT 'seen'") == "seen"
    seen = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    assert await owner.fetchval(seen, app.get_server_pid()) == "SELECT 'seen'"
    assert await app.fetchval(seen, owner.get_server_pid()) == "<insufficient privilege>"
    await owner.close()
    await app.close()


async def test_the_monitor_sees_statistics_and_no_rows(postgres_url: str) -> None:
    await provision(postgres_url, [OTHER])
    await provide_monitor(postgres_url, "watching", [OTHER.name])
    owner = await connect(postgres_url, OTHER.owner, OTHER.owner_password, OTHER.name)
    await owner.execute("CREATE TABLE seen_from_outside (id int)")
    monitor = await connect(postgres_url, MONITOR, "watching", OTHER.name)
    seen = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    assert await monitor.fetchval(seen, owner.get_server_pid()) == "CREATE TABLE seen_from_outside (id int)"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await monitor.fetch("SELECT * FROM public.seen_from_outside")
    await monitor.close()
    await owner.close()


async def test_backups_read_everything_and_change_nothing(postgres_url: str) -> None:
    await provision(postgres_url, [OTHER])
    await provide_backup(postgres_url, "copying", [OTHER.name])
    owner = await connect(postgres_url, OTHER.owner, OTHER.owner_password, OTHER.name)
    await owner.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
    await owner.close()
    backup = await connect(postgres_url, BACKUP, "copying", OTHER.name)
    assert await backup.fetchval("SELECT count(*) FROM public.kept") == 1
    assert await backup.fetchval("SELECT rolreplication FROM pg_roles WHERE rolname = current_user")
    assert not await backup.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    for forbidden in ("INSERT INTO public.kept VALUES (2)", "CREATE TABLE more (id int)", "DROP TABLE kept"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError)):
            await backup.execute(forbidden)
    await backup.close()


async def test_the_command_provides_every_service(postgres_url: str, tmp_path: Path) -> None:
    roles = [
        f"gerai_{service}_{role}" for service in ("auth", "client", "store") for role in ("owner", "app")
    ]
    passwords = {f"{role.upper()}_PASSWORD": PASSWORD for role in [*roles, MONITOR, BACKUP]}
    done = await provisioned({"DATABASE_URL": postgres_url} | passwords, tmp_path)
    assert done.returncode == 0, done.stderr
    for role in roles:
        connection = await connect(postgres_url, role, PASSWORD, role.rpartition("_")[0])
        await connection.close()
    for role in (MONITOR, BACKUP):
        connection = await connect(postgres_url, role, PASSWORD, "gerai_store")
        await connection.close()


async def test_the_command_says_what_is_missing(postgres_url: str, tmp_path: Path) -> None:
    done = await provisioned({"DATABASE_URL": postgres_url, "GERAI_AUTH_APP_PASSWORD": "x"}, tmp_path)
    assert done.returncode != 0
    assert "GERAI_AUTH_OWNER_PASSWORD, GERAI_CLIENT_OWNER_PASSWORD" in done.stderr


async def provisioned(environment: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command as an operator does, from elsewhere and with nothing else in the environment."""
    command = [sys.executable, "-m", "infra.postgres"]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        env={"PYTHONPATH": str(ROOT)} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
