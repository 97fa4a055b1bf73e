"""Imports through the gateway, and processes that end in the middle of one."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from tests.support.databases import TestDatabase, connect
from tests.support.platform import Platform

pytestmark = pytest.mark.e2e

ROWS = 6_000
NDJSON = {"Content-Type": "application/x-ndjson"}
_FENCING = 1  # what an import takes last, before it commits
_LIMIT_SECONDS = 60


class Files:
    """Sends files of stores of one client, and counts what came of them."""

    def __init__(
        self, platform: Platform, admin: dict[str, str], database: TestDatabase, client: str
    ) -> None:
        self.platform = platform
        self.admin = admin
        self.database = database
        self.client = client

    async def start(self, count: int) -> str:
        """Send a file as it is made, and return the URL of its import."""

        async def body() -> AsyncGenerator[bytes]:
            for number in range(count):
                row = {"client_uuid": self.client, "code": f"S-{number}", "name": f"Store {number}"}
                yield msgspec.json.encode(row) + b"\n"

        headers = {**self.admin, **NDJSON}
        answer = await self.platform.http.post("/v1/stores/import", content=body(), headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    async def read(self, url: str) -> dict[str, Any]:
        answer = await self.platform.http.get(url, headers=self.admin)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def finished(self, url: str) -> dict[str, Any]:
        async with asyncio.timeout(_LIMIT_SECONDS):
            while (found := await self.read(url))["state"] in {"queued", "running"}:
                await asyncio.sleep(0.1)
        return found

    async def run(self, statement: str) -> None:
        connection = await connect(self.database.owner)
        await connection.execute(statement)
        await connection.close()

    async def counts(self) -> tuple[int, ...]:
        """Return how many stores the client has, how many changes, and of how many stores."""
        connection = await connect(self.database.owner)
        try:
            stores = await connection.fetchval(
                "SELECT count(*) FROM stores WHERE client_uuid::text = $1", self.client
            )
            changes = await connection.fetchrow(
                "SELECT count(*), count(DISTINCT aggregate_id) FROM changes"
                " WHERE after ->> 'client_uuid' = $1",
                self.client,
            )
            return stores, *(changes or ())
        finally:
            await connection.close()

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Let an import do all but commit while the block lasts."""
        connection = await connect(self.database.owner)
        await connection.execute("SELECT pg_advisory_lock_shared($1)", _FENCING)
        try:
            yield
        finally:
            await connection.close()

    async def waiting(self) -> None:
        """Wait until an import has done all but commit."""
        connection = await connect(self.database.owner)
        question = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                while not await connection.fetchval(question, _FENCING):
                    await asyncio.sleep(0.05)
        finally:
            await connection.close()


@pytest.fixture
async def files(platform: Platform, admin: dict[str, str], databases: dict[str, TestDatabase]) -> Files:
    for database in (databases["client"], databases["store"]):
        await database.empty()
    body = {"name": "Kopi", "email": "kopi@imports.example"}
    made = await platform.http.post("/v1/master-client", json=body, headers=admin)
    assert made.status_code == 201, made.text
    return Files(platform, admin, databases["store"], made.json()["data"]["uuid"])


async def test_a_file_is_streamed_through_the_gateway(files: Files) -> None:
    done = await files.finished(await files.start(ROWS))
    assert (done["state"], done["created"], done["failed"]) == ("completed", ROWS, 0)
    assert await files.counts() == (ROWS, ROWS, ROWS)


@pytest.mark.parametrize("clock_is_set_back", [False, True])
async def test_a_process_that_is_killed_leaves_no_half_import(
    files: Files, *, clock_is_set_back: bool
) -> None:
    async with files.held():
        url = await files.start(ROWS)
        await files.waiting()
        files.platform.kill("store")
        assert await files.counts() == (0, 0, 0)
    if clock_is_set_back:  # the database's, by an hour, as its lease shows
        await files.run("UPDATE imports SET leased_until = leased_until + interval '1 hour'")
    await files.platform.start("store")
    done = await files.finished(url)
    assert (done["state"], done["created"], done["failed"]) == ("completed", ROWS, 0)
    assert await files.counts() == (ROWS, ROWS, ROWS)


async def test_a_process_that_is_stopped_hands_its_import_back(files: Files) -> None:
    async with files.held():
        url = await files.start(ROWS)
        await files.waiting()
        process = files.platform.processes["store"]
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, _LIMIT_SECONDS)
        connection = await connect(files.database.owner)
        row = await connection.fetchrow("SELECT state, owner, leased_until, attempts FROM imports")
        await connection.close()
        assert tuple(row or ()) == ("queued", None, None, 0)
        assert await files.counts() == (0, 0, 0)
    await files.platform.start("store")
    assert (await files.finished(url))["created"] == ROWS


async def test_what_was_staged_and_lost_is_said(files: Files) -> None:
    """A crash of PostgreSQL empties the table of staged rows."""
    async with files.held():
        url = await files.start(10)
        await files.waiting()
        files.platform.kill("store")
    connection = await connect(files.database.owner)
    await connection.execute("TRUNCATE import_rows")
    await connection.close()
    await files.platform.start("store")
    done = await files.finished(url)
    assert (done["state"], done["created"]) == ("failed", 0)
    assert "Send the file again" in done["reason"]
    assert await files.counts() == (0, 0, 0)


async def test_an_export_is_streamed_to_a_slow_reader_and_ends_with_one_who_leaves(files: Files) -> None:
    await files.finished(await files.start(ROWS))
    url = "/v1/stores/export?format=ndjson"
    async with files.platform.http.stream("GET", url, headers=files.admin) as answer:
        assert answer.status_code == 200
        lines = answer.aiter_lines()
        codes = [msgspec.json.decode(await anext(lines))["code"]]
        connection = await connect(files.database.owner)
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gerai-store'"
            " AND state <> 'idle' AND pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(_LIMIT_SECONDS):  # until what lies between is full
            while await connection.fetchval(query):
                await asyncio.sleep(0.05)  # a reader who pauses would hold a connection
        await connection.close()
        codes += [msgspec.json.decode(line)["code"] async for line in lines]
    assert len(codes) == len(set(codes)) == ROWS
    for _ in range(20):  # more than there are connections
        async with files.platform.http.stream("GET", url, headers=files.admin) as answer:
            assert answer.status_code == 200
            await anext(answer.aiter_raw())
    assert (await files.platform.http.get("/v1/stores", headers=files.admin)).status_code == 200
