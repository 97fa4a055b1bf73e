"""What finding stores costs as the table grows, while what is found stays the same."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
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
       town, lower(town), 'ID', 'Asia/Jakarta', latitude, longitude, number >= $2 OR number % 2 = 0,
       array_to_tsvector(ARRAY[lower(word), 's', number::text, lower(town)]),
       '2025-01-01'::timestamptz + number * interval '1 second', '2025-01-01'::timestamptz
FROM generate_series($1::int, $3::int - 1) AS number, LATERAL (
    SELECT 0 AS client, 'Jarum' AS word, 'Ambon' AS town,
           -3.7 + 0.04 * random() AS latitude, 128.2 + 0.04 * random() AS longitude
    WHERE number < $2
    UNION ALL
    SELECT 1 + number % 500, (ARRAY['Kopi', 'Roti', 'Batik', 'Buku', 'Teh'])[1 + number % 5],
           'Kota' || number % 300, degrees(asin(2 * random() - 1)), 360 * random() - 180
    WHERE number >= $2
) AS each
"""

_HOURS = """
INSERT INTO client_hours (uuid, client_uuid, kind, version, shown)
SELECT $1, $1, 'workhour', 1, jsonb_build_object(
    'uuid', $1::uuid, 'timezone', null, 'version', 1, 'created_at', now(), 'updated_at', now(),
    'hours', '[{"day": "monday", "opens": "00:00", "closes": "24:00"}]'::jsonb)
"""


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Fill one table three times, more each time, and ask the same of it."""
    with ExitStack() as servers:
        database = migrated(servers.enter_context(postgres.running(stage.folder / "search")))["store"]
        config = redis_config(servers.enter_context(redis.running(stage.folder)))
        return asyncio.run(_measured(database, config, plan))


async def _measured(database: TestDatabase, config: RedisConfig, plan: Plan) -> list[Result]:
    times: dict[str, list[float]] = {}
    filled = 0
    for size in SIZES:
        plan.say(f"filling up to {size:,} stores")
        await _fill(database, filled, size)
        filled = size
        app = create_app(store_config(replace(database.app, pool_size=2), config, _NOWHERE))
        async with calling(app) as http:
            http.headers.update(bearer())
            for name, query in KINDS.items():
                for page, slow in (await _asked(http, query)).items():
                    times.setdefault(f"{name}, {page}", []).append(slow)
                    plan.say(f"{size:>9,} stores  {name + ', ' + page:<50} {1000 * slow:7.1f} ms")
    return [_result(name, slow) for name, slow in times.items()]


async def _fill(database: TestDatabase, start: int, end: int) -> None:
    connection = await connect(database.owner)
    try:
        if start == 0:
            await connection.execute(_HOURS, _OWNER)
        await _without_indexes(connection, start, end)
        await connection.execute("VACUUM ANALYZE stores")
    finally:
        await connection.close()


async def _without_indexes(connection: "asyncpg.Connection[asyncpg.Record]", start: int, end: int) -> None:
    """Add rows while only the constraints' indexes are there, which is far quicker."""
    plain = "tablename = 'stores' AND indexdef !~ 'UNIQUE'"
    indexes = await connection.fetch(f"SELECT indexname, indexdef FROM pg_indexes WHERE {plain}")  # noqa: S608 - ours
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(_FILL, start, MATCHES, end)
    for index in indexes:
        await connection.execute(index["indexdef"])


async def _asked(http: httpx.AsyncClient, query: Mapping[str, str]) -> dict[str, float]:
    """Return the 95th percentile of the seconds that page 1 and the next one by cursor take."""
    first = await _page(http, query)
    later: dict[str, str] = {**query, "cursor": first["meta"]["next_cursor"]}
    return {"page 1": await _percentile(http, query), "by cursor": await _percentile(http, later)}


async def _percentile(http: httpx.AsyncClient, query: Mapping[str, str]) -> float:
    seconds: list[float] = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        await _page(http, query)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[int(0.95 * _ASKED)]


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
