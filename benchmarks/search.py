"""What finding stores costs as the table grows, while what is found stays the same."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import asyncpg
import httpx
from msgspec.structs import replace

from benchmarks.memory import redis_config
from benchmarks.processes import Stage
from benchmarks.report import Result
from benchmarks.rounds import Plan
from infra.embedded import postgres, redis
from services.store.factory import create_app
from shared.config import RedisConfig
from tests.support.databases import TestDatabase, connect, migrated
from tests.support.serving import calling
from tests.support.stores import store_config
from tests.support.tokens import bearer

SIZES = (1_000, 100_000, 1_000_000)
MATCHES = 1_000
MOST_TIMES = 3.0

_ASKED = 60
_NOWHERE = "http://127.0.0.1:9"
_OWNER = "0199c5a0-0000-7000-9000-000000000000"
_NEAR = {"near": "-3.68,128.22", "radius_m": "10000"}
_OPEN = {"open_at": "2026-01-05T03:00:00Z"}

KINDS: dict[str, dict[str, str]] = {
    "q": {"q": "jarum"},
    "city": {"city": "ambon"},
    "client_uuid": {"client_uuid": _OWNER},
    "is_active": {"is_active": "false"},
    "near": _NEAR,
    "open_at": _OPEN,
    "q, sorted by name": {"q": "jarum", "sort": "name"},
    "city and is_active, sorted by code": {"city": "ambon", "is_active": "true", "sort": "code"},
    "near and q": {**_NEAR, "q": "jarum"},
    "near, city and open_at": {**_NEAR, **_OPEN, "city": "ambon"},
}
"""Each finds up to 1,000 stores, however many there are."""

_FILL = """
INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, city, city_key, country, timezone,
                    latitude, longitude, is_active, search, created_at, updated_at)
SELECT ('0199c5a0-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid,
       ('0199c5a0-0000-7000-9000-' || lpad(to_hex(client), 12, '0'))::uuid,
       'S-' || number, 's-' || number, word || ' ' || number, lower(word) || ' ' || number,
       town, lower(town), 'ID', 'Asia/Jakarta', latitude, longitude, number >= $1 OR number % 2 = 0,
       array_to_tsvector(ARRAY[lower(word), 's', number::text, lower(town)]),
       '2025-01-01'::timestamptz + number * interval '1 second', '2025-01-01'::timestamptz
FROM generate_series(0, $2::int - 1) AS number, LATERAL (
    SELECT 0 AS client, 'Jarum' AS word, 'Ambon' AS town,
           -3.7 + 0.04 * random() AS latitude, 128.2 + 0.04 * random() AS longitude
    WHERE number < $1
    UNION ALL
    SELECT 1 + number % 500, (ARRAY['Kopi', 'Roti', 'Batik', 'Buku', 'Teh'])[1 + number % 5],
           'Kota' || number % 300, degrees(asin(2 * random() - 1)), 360 * random() - 180
    WHERE number >= $1
) AS each
"""

_HOURS = """
INSERT INTO client_hours (uuid, client_uuid, kind, version, shown)
SELECT $1, $1, 'workhour', 1, jsonb_build_object(
    'uuid', $1::uuid, 'timezone', null, 'version', 1, 'created_at', now(), 'updated_at', now(),
    'hours', '[{"day": "monday", "opens": "00:00", "closes": "24:00"}]'::jsonb)
"""


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Fill three databases, and ask the same of them in turn."""
    with ExitStack() as servers:
        url = servers.enter_context(postgres.running(stage.folder / "search"))
        empty = migrated(url)["store"]
        config = redis_config(servers.enter_context(redis.running(stage.folder)))
        return asyncio.run(_measured(url, empty, config, plan))


async def _measured(url: str, empty: TestDatabase, config: RedisConfig, plan: Plan) -> list[Result]:
    async with AsyncExitStack() as services:
        https: list[httpx.AsyncClient] = []
        for size in SIZES:
            plan.say(f"filling a table with {size:,} stores")
            database = await _filled(url, empty, size)
            app = create_app(store_config(replace(database.app, pool_size=2), config, _NOWHERE))
            https.append(await services.enter_async_context(calling(app)))
            https[-1].headers.update(bearer())
        return [result for name, query in KINDS.items() for result in await _asked(https, name, query, plan)]


async def _filled(url: str, empty: TestDatabase, size: int) -> TestDatabase:
    """Return a copy of a database with so many stores."""
    name = f"{empty.owner.name}_{size}"
    superuser = await asyncpg.connect(url)
    await superuser.execute(f"CREATE DATABASE {name} TEMPLATE {empty.owner.name} OWNER {empty.owner.user}")
    await superuser.close()
    database = TestDatabase(app=replace(empty.app, name=name), owner=replace(empty.owner, name=name))
    connection = await connect(database.owner)
    try:
        await connection.execute(_HOURS, _OWNER)
        await _without_indexes(connection, size)
        await connection.execute("VACUUM ANALYZE stores")
    finally:
        await connection.close()
    return database


async def _without_indexes(connection: "asyncpg.Connection[asyncpg.Record]", size: int) -> None:
    """Add rows while only the constraints' indexes are there, which is far quicker."""
    plain = "tablename = 'stores' AND indexdef !~ 'UNIQUE'"
    indexes = await connection.fetch(f"SELECT indexname, indexdef FROM pg_indexes WHERE {plain}")  # noqa: S608 - ours
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(_FILL, MATCHES, size)
    for index in indexes:
        await connection.execute(index["indexdef"])


async def _asked(
    https: Sequence[httpx.AsyncClient], name: str, query: Mapping[str, str], plan: Plan
) -> list[Result]:
    """Compare the 95th percentiles of the seconds that page 1 and the next one by cursor take."""
    later = [{**query, "cursor": (await _page(http, query))["meta"]["next_cursor"]} for http in https]
    pages = {"page 1": [query] * len(https), "by cursor": later}
    results: list[Result] = []
    for page, queries in pages.items():
        slow = await _percentiles(list(zip(https, queries, strict=True)))
        plan.say(f"{name + ', ' + page:<55} " + " ".join(f"{1000 * each:7.1f} ms" for each in slow))
        results.append(_result(f"{name}, {page}", slow))
    return results


async def _percentiles(asked: Sequence[tuple[httpx.AsyncClient, Mapping[str, str]]]) -> list[float]:
    """Ask in turn, so that a disturbed moment meets all sizes."""
    seconds: list[list[float]] = [[] for _ in asked]
    for _ in range(_ASKED):
        for (http, query), times in zip(asked, seconds, strict=True):
            began = time.perf_counter()
            await _page(http, query)
            times.append(time.perf_counter() - began)
    return [sorted(times)[int(0.95 * _ASKED)] for times in seconds]


async def _page(http: httpx.AsyncClient, query: Mapping[str, str]) -> dict[str, Any]:
    answer = await http.get("/v1/uncached/stores", params=query)
    answer.raise_for_status()
    return answer.json()


def _result(name: str, slow: Sequence[float]) -> Result:
    times = slow[-1] / slow[0]
    sizes = ", ".join(f"{1000 * each:.0f}" for each in slow)
    what = f"95th percentile of {name}, at {SIZES[-1]:,} stores beside {SIZES[0]:,} (ms: {sizes})"
    ours, peer = f"{1000 * slow[-1]:.1f} ms", f"{1000 * slow[0]:.1f} ms"
    return Result(what, ours, peer, f"{times:.2f}x", f"<= {MOST_TIMES:.0f}x", times <= MOST_TIMES)
