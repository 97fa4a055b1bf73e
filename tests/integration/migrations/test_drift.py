"""The migrations make what the models say, in one line, and besides it what models cannot say."""

from collections.abc import Mapping

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from services.auth.model import metadata as auth
from services.client.model import metadata as client
from services.store.model import metadata as store
from shared.db import Database
from tests.support.catalog import made_and_declared
from tests.support.databases import SERVICES, TestDatabase, connect
from tests.support.migrations import MIGRATIONS, numbers

MODELS: Mapping[str, MetaData] = {"auth": auth, "client": client, "store": store}

SCHEDULE_FUNCTIONS = ["workhour_exception_covers_its_days", "workhour_intervals_hold"]
FUNCTIONS = {"auth": [], "client": SCHEDULE_FUNCTIONS, "store": SCHEDULE_FUNCTIONS}
SCHEDULE_TRIGGERS = [("workhour_exceptions", "workhour_exceptions_cover_days", True, True)]
TRIGGERS = {"auth": [], "client": SCHEDULE_TRIGGERS, "store": SCHEDULE_TRIGGERS}

_FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname"
_TRIGGERS = """
    SELECT relname, tgname, tgenabled = 'O', tginitdeferred
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal ORDER BY relname, tgname
"""
_UNFINISHED = """
    SELECT conname FROM pg_constraint WHERE NOT convalidated
    UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
"""


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_one_line(service: str) -> None:
    script = ScriptDirectory(str(MIGRATIONS[service]), version_locations=[str(MIGRATIONS[service])])
    line = list(script.walk_revisions())
    assert [each.revision for each in line][::-1] == numbers(service)
    assert numbers(service) == [f"{number:04}" for number in range(1, len(line) + 1)]
    assert script.get_heads() == [numbers(service)[-1]]


@pytest.mark.parametrize("service", SERVICES)
async def test_alembic_would_generate_nothing(service: str, databases: Mapping[str, TestDatabase]) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, MODELS[service]))

    database = Database(databases[service].owner, "tests")
    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_catalog_is_as_declared(service: str, databases: Mapping[str, TestDatabase]) -> None:
    made, declared = await made_and_declared(databases[service].owner, MODELS[service])
    assert made
    assert made == declared


@pytest.mark.parametrize("service", SERVICES)
async def test_what_models_do_not_declare_is_there(
    service: str, databases: Mapping[str, TestDatabase]
) -> None:
    connection = await connect(databases[service].owner)
    assert [row["proname"] for row in await connection.fetch(_FUNCTIONS)] == FUNCTIONS[service]
    assert [tuple(row) for row in await connection.fetch(_TRIGGERS)] == TRIGGERS[service]
    assert await connection.fetch(_UNFINISHED) == []
    await connection.close()
