"""Importing a file of stores beside a bare COPY of the same rows, and exporting them in bounded memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec
import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.machine import bound_to
from benchmarks.memory import redis_config
from benchmarks.processes import Stage
from benchmarks.report import Result
from benchmarks.rounds import Plan, Spread
from infra.embedded import postgres, redis
from shared.config import RedisConfig
from tests.support.databases import TestDatabase, connect, migrated
from tests.support.platform import Platform, running

ROWS = 100_000
ROUNDS = 2  # the stream keeps an hour of events: more rounds would fill the embedded Redis
LEAST_RATIO = 0.3
MOST_GROWTH_MEGABYTES = 150

_MEGABYTE = 1_000_000
_WARM_ROWS = 2_000
_POLL_SECONDS = 0.05
_PIECE_BYTES = 256 * 1024
_NDJSON = {"Content-Type": "application/x-ndjson"}
_CITIES = ("Jakarta", "Bandung", "Surabaya", "Medan", "Semarang", "Makassar", "Denpasar", "Bogor")


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Run the platform on all cores; import and copy in turn, then export."""
    with ExitStack() as servers, bound_to(stage.everywhere):
        databases = migrated(servers.enter_context(postgres.running(stage.folder / "platform")))
        config = redis_config(servers.enter_context(redis.running(stage.folder)))
        return asyncio.run(_measured(databases, config, stage.folder, plan))


async def _measured(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, folder: Path, plan: Plan
) -> list[Result]:
    async with running(databases, redis_config, folder) as platform:
        platform.http.headers.update(await platform.sign_in())
        company = {"name": "Kopi", "email": "kopi@example.com"}
        client = (await platform.http.post("/v1/master-client", json=company)).json()["data"]["uuid"]
        bench = _Bench(platform, databases["store"], client)
        await bench.imported(_WARM_ROWS)
        imports, copies = list[float](), list[float]()
        for number in range(ROUNDS):
            imports.append(ROWS / await bench.imported(ROWS))
            lag = await bench.published()
            copies.append(ROWS / await bench.copied())
            plan.say(
                f"round {number + 1}/{ROUNDS}  import {imports[-1]:,.0f} rows/s, all its events published"
                f" {lag:.1f} s after it; COPY {copies[-1]:,.0f} rows/s"
            )
        growth = await bench.exported()
    return [_rate(imports, copies), _memory(growth)]


class _Bench:
    """Imports, copies and exports stores of one client."""

    def __init__(self, platform: Platform, database: TestDatabase, client: str) -> None:
        self._platform = platform
        self._database = database
        self._client = client

    async def imported(self, count: int) -> float:
        """Import so many stores into an empty table; return the seconds from the first byte to the end."""
        await self._run("TRUNCATE stores, changes, outbox, import_rows CASCADE")
        body = b"".join(msgspec.json.encode(self._row(number)) + b"\n" for number in range(count))
        began = time.perf_counter()
        answer = await self._platform.http.post("/v1/stores/import", content=_pieces(body), headers=_NDJSON)
        answer.raise_for_status()
        done = await self._read(answer.headers["location"])
        while done["state"] in {"queued", "running"}:
            await asyncio.sleep(_POLL_SECONDS)
            done = await self._read(answer.headers["location"])
        seconds = time.perf_counter() - began
        if done["created"] != count:
            raise BenchmarkError(f"Not every row was imported: {done}")
        return seconds

    async def published(self) -> float:
        """Wait until every event is published, and return the seconds that takes."""
        began = time.perf_counter()
        while await self._run("SELECT EXISTS (SELECT 1 FROM outbox)"):  # noqa: ASYNC110 - another process empties it
            await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter() - began

    async def copied(self) -> float:
        """Copy the rows that are there into the same table, emptied; return the seconds of the COPY.

        They are Python values, as the import's are, in whole columns: nothing is checked or derived.
        """
        connection = await connect(self._database.owner)
        try:
            # asyncpg has no codec of this type: its bytes go as they came.
            await connection.set_type_codec(
                "tsvector", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
            )
            rows = [tuple(row) for row in await connection.fetch("SELECT * FROM stores ORDER BY uuid")]
            await connection.execute("TRUNCATE stores CASCADE")
            began = time.perf_counter()
            await connection.copy_records_to_table("stores", records=rows)
            return time.perf_counter() - began
        finally:
            await connection.close()

    async def exported(self) -> int:
        """Export every store and return by how many bytes the store service grew at most."""
        process = psutil.Process(self._platform.processes["store"].pid)
        before, most, lines = process.memory_info().rss, 0, 0
        async with self._platform.http.stream("GET", "/v1/stores/export?format=ndjson") as answer:
            async for piece in answer.aiter_raw():
                lines += piece.count(b"\n")
                most = max(most, process.memory_info().rss)
        if lines != ROWS:
            raise BenchmarkError(f"{lines} stores were exported instead of {ROWS}")
        return most - before

    async def _read(self, url: str) -> dict[str, object]:
        answer = await self._platform.http.get(url)
        answer.raise_for_status()
        return answer.json()["data"]

    async def _run(self, statement: str) -> object:
        connection = await connect(self._database.owner)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def _row(self, number: int) -> dict[str, object]:
        city = _CITIES[number % len(_CITIES)]
        return {
            "client_uuid": self._client,
            "code": f"S-{number:07d}",
            "name": f"Kopi Nusantara {city} {number}",
            "phone": f"+6200{number:07d}",
            "email": f"toko{number}@kopi-nusantara.example",
            "address": f"Jalan Merdeka No. {number % 200}",
            "city": city,
            "latitude": -6.2 + number % 1000 / 1000,
            "longitude": 106.8 + number % 777 / 1000,
        }


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


def _rate(imports: list[float], copies: list[float]) -> Result:
    found = Spread(tuple(mine / its for mine, its in zip(imports, copies, strict=True)))
    return Result(
        f"import of {ROWS:,} stores, beside asyncpg COPY",
        f"{median(imports):,.0f}/s",
        f"{median(copies):,.0f}/s",
        f"{found.middle:.2f}x ({found.low:.2f} to {found.high:.2f})",
        f">= {LEAST_RATIO}x",
        found.middle >= LEAST_RATIO,
    )


def _memory(growth: int) -> Result:
    megabytes = growth / _MEGABYTE
    goal, met = f"< {MOST_GROWTH_MEGABYTES} MB", megabytes < MOST_GROWTH_MEGABYTES
    return Result(
        f"growth of store while {ROWS:,} stores are exported", f"{megabytes:.0f} MB", "", "", goal, met
    )
