"""A database with nothing in it, for things to be planted and found."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.report.databases import Place, of_url
from infra.report.report import report
from infra.report.section import Answer, Limits

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Ask: TypeAlias = Callable[[str], Awaitable[Answer]]

SENSITIVE = Limits(long_transaction_seconds=0, index_bytes=0, bloat_bytes=100_000)

_names = itertools.count()


@pytest.fixture
async def url(postgres_url: str) -> AsyncGenerator[str]:
    name = f"planted_{next(_names)}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"CREATE DATABASE {name}")
    yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def place(url: str) -> Place:
    [place] = await of_url(url)
    return place


@pytest.fixture
async def planted(url: str) -> AsyncGenerator[Connection]:
    """A connection for planting."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
def ask(place: Place, planted: Connection) -> Ask:
    """Return the answer on a topic, with all that was planted counted."""

    async def ask(title: str) -> Answer:
        await planted.execute("SELECT pg_stat_force_next_flush()")
        [answer] = [each async for each in report(place, SENSITIVE) if each.title.startswith(title)]
        return answer

    return ask
