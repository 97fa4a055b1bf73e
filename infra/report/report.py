"""The topics of a report, asked of one database."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

import asyncpg

from infra.report import indexes, overview, sessions, statements, tables
from infra.report.databases import MAINTENANCE, Place
from infra.report.section import Answer, Limits, Section

SECTIONS = (*indexes.SECTIONS, *tables.SECTIONS, *sessions.SECTIONS)


async def report(place: Place, limits: Limits | None = None) -> AsyncGenerator[Answer]:
    """Ask for one topic after another.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be asked.
    """
    async with place.connected() as connection:
        row = await connection.fetchrow(overview.SQL)
        yield overview.overview(row)
        yield await _slow(connection, place)
        for section in SECTIONS:
            yield await _answer(connection, section, limits or Limits(), row)


async def _answer(connection: Any, section: Section, limits: Limits, row: Mapping[str, Any]) -> Answer:  # noqa: ANN401 - asyncpg's connection has incomplete types
    title = f"{section.title}, counted {overview.counted_since(row)}" if section.counted else section.title
    answer = Answer(title, section.columns, [], section.advice)
    try:
        found = await connection.fetch(section.sql, *(getattr(limits, name) for name in section.limits))
    except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
        return replace(answer, instead=f"Not known: {error}.")
    return replace(answer, rows=found, instead="" if found else section.nothing)


async def _slow(connection: Any, place: Place) -> Answer:  # noqa: ANN401 - likewise
    section = statements.SLOW
    answer = Answer(section.title, section.columns, [], section.advice)
    if not await statements.counted(connection):
        return replace(answer, instead=statements.NOT_LOADED)
    found = await statements.ask(connection, place.name)
    if found is None:
        try:
            async with place.connected(MAINTENANCE) as other:
                found = await statements.ask(other, place.name)
        except (OSError, asyncpg.PostgresError) as error:
            return replace(answer, instead=f"{statements.NOT_MADE} The latter says: {error}.")
    if found is None:
        return replace(answer, instead=statements.NOT_MADE)
    return replace(answer, rows=found, instead="" if found else section.nothing)
