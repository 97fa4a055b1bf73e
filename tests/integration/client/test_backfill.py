"""Clients that were there before there were events are announced by the migration that brings events."""

import asyncio
from pathlib import Path

import msgspec

from infra.postgres.provision import ServiceDatabase, provision
from services.client.schema import Client
from shared.migrations import upgrade
from tests.support.databases import PASSWORD, connect, described

MIGRATIONS = Path("services/client/migrations").absolute()


async def test_living_clients_are_announced(postgres_url: str, tmp_path: Path) -> None:
    provided = ServiceDatabase("gerai_before_events", PASSWORD, PASSWORD)
    await provision(postgres_url, [provided])
    database = described(postgres_url, provided)
    first = tmp_path / "0001_clients.py"
    first.write_text((MIGRATIONS / first.name).read_text())
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    connection = await connect(database.owner)
    await connection.execute(
        """
        INSERT INTO clients (uuid, name, name_key, email, email_key, country, timezone, search, version,
                             deleted_at)
        SELECT gen_random_uuid(), 'Kopi', 'kopi', n || '@kopi.example', n || '@kopi.example', 'ID',
               'Asia/Jakarta', ''::tsvector, 3, CASE n WHEN 7 THEN now() END
        FROM generate_series(1, 6001) n
        """
    )
    await asyncio.to_thread(upgrade, database.owner, MIGRATIONS)
    assert await connection.fetchval("SELECT count(*) FROM outbox JOIN changes ON id = change_id") == 6000
    announced = await connection.fetchrow("SELECT * FROM changes LIMIT 1")
    assert announced is not None
    assert (announced["type"], announced["version"], announced["actor"]) == ("client.created", 3, "system")
    shown = msgspec.json.decode(announced["after"])
    assert msgspec.convert(shown, Client).uuid == announced["aggregate_id"]
    assert set(shown) == set(Client.__struct_fields__)
    await connection.close()
