"""Every statement of the client service."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Insert, Select, Update, bindparam, func, select

from services.client.errors import DuplicateClient
from services.client.model import clients
from services.client.repository.cache_keys import (
    is_cached,
    list_key,
    tag_of_client,
    tag_of_list,
    tags_of_change,
    tags_of_client,
)
from services.client.repository.deletions import DeletionWriter
from services.client.repository.workhours import find_schedule
from services.client.schema import ChangeClient, Client, ClientQuery, ClientWithSchedule, CreateClient
from shared.bulk.walking import walk
from shared.cache.reads import Changing, ReadCache
from shared.cache.status import NOT_CACHED, Cached
from shared.conversion import set_fields
from shared.db import Database, Question, Row, WriteConnection
from shared.db_errors import constraint_errors
from shared.events.changes import Announced, Change, ChangeRecorder
from shared.events.metrics import count_committed
from shared.idempotency.attempts import once
from shared.identifiers import new_uuid
from shared.listing import Listing, Picked, fetch_page
from shared.preconditions import Condition
from shared.schedules.known import OwnerSchedule, Parts
from shared.schedules.repository import ScheduleWriter
from shared.schedules.statements import parts_column
from shared.search import begins_words
from shared.sorting import Sorting
from shared.text import clean, unique_key, words

_LIVING = clients.c.deleted_at.is_(None)
_SHOWN = [clients.c[name] for name in Client.__struct_fields__]
_CONSTRAINTS = {"clients_email_unique": DuplicateClient}

_BY_UUID = Question(select(*_SHOWN).where(clients.c.uuid == bindparam("uuid"), _LIVING))
_WITH_SCHEDULE = Question(
    select(*_SHOWN, parts_column(clients.c.uuid)).where(clients.c.uuid == bindparam("uuid"), _LIVING)
)

SORTING = Sorting(
    {
        "name": clients.c.name_key,
        "email": clients.c.email_key,
        "created_at": clients.c.created_at,
        "updated_at": clients.c.updated_at,
    },
    unique=clients.c.uuid,
)

_SORTED_BY_TIME = {None, "created_at", "-created_at"}


class ClientRepository:
    """Reads clients, and opens transactions that change them."""

    def __init__(self, database: Database, cache: ReadCache) -> None:
        self._database = database
        self._cache = cache
        self._announced = Announced()

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the living client of this id, as JSON; with `fresh`, not from the cache."""

        async def load() -> bytes | None:
            row = await self._database.fetch_one(_BY_UUID, primary=True, uuid=uuid)
            return msgspec.json.encode(_client(row)) if row else None

        return await self._cache.read(f"client:{uuid}", [tag_of_client(uuid)], load, fresh=fresh)

    async def find_with_schedule(self, uuid: UUID) -> ClientWithSchedule | None:
        """Return the living client of this id and what it has of a schedule, as the primary knows them."""
        row = await self._database.fetch_one(_WITH_SCHEDULE, primary=True, uuid=uuid)
        if row is None:
            return None
        parts = msgspec.json.decode(row["parts"], type=Parts)
        return ClientWithSchedule(**msgspec.structs.asdict(_client(row)), schedule=parts)

    async def list(
        self, query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None, *, fresh: bool = False
    ) -> Cached:
        """Return a page of the living clients that `query` asks for and `tenant` may see: a JSON `Listing`.

        With `fresh` it is not from the cache.
        """

        async def load(*, primary: bool = True) -> bytes:
            return msgspec.json.encode(await self._page(query, uuids, tenant, primary=primary))

        if not is_cached(query):
            return Cached(await load(primary=fresh), NOT_CACHED)
        return await self._cache.read(list_key(query, tenant), [tag_of_list(tenant)], load, fresh=fresh)

    def all(
        self, query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None
    ) -> AsyncIterator[Sequence[Client]]:
        """Yield living clients that `query` asks for and `tenant` may see, some at a time, by age."""
        order = (clients.c.created_at, clients.c.uuid)
        return walk(self._database, _matching(query, uuids, tenant), order, _client)

    @asynccontextmanager
    async def transaction(self, actor: str) -> AsyncGenerator["ClientWriter"]:
        """Open a transaction of `actor`: committed at the end of the block, rolled back on an error."""
        with self._announced.surrounding() as announce:
            async with self._cache.changing() as changing, self._database.transaction(actor) as connection:
                writer = ClientWriter(connection, actor, changing)
                yield writer
                announce(writer.changes.recorded)
            count_committed(writer.changes.recorded)

    async def invalidate(self, changes: Sequence[Change]) -> None:
        """Let no cached answer from before these changes be used: their writers may have died before."""
        tags = [tag for each in self._announced.others(changes) for tag in tags_of_change(each)]
        await self._cache.invalidate(list(dict.fromkeys(tags)))

    async def _page(
        self, query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None, *, primary: bool
    ) -> Listing[Client]:
        statement = _matching(query, uuids, tenant)
        page = await self._database.read(
            lambda connection: fetch_page(
                connection, statement, query, SORTING, scope=tenant, picked=_picked(query, uuids, tenant)
            ),
            primary=primary,
        )
        return Listing([_client(row) for row in page.items], page.meta)


class ClientWriter:
    """Changes clients inside one transaction, records each change and announces it to the cache."""

    def __init__(self, connection: WriteConnection, actor: str, changing: Changing) -> None:
        self._connection = connection
        self._changing = changing
        self.changes = ChangeRecorder(connection, "client", actor)
        self.deletions = DeletionWriter(connection, actor)

    async def add(self, command: CreateClient) -> Client:
        """Insert a client, raising DuplicateClient when its e-mail is taken."""
        return await once(self._connection, lambda: self._insert(command))

    async def change(self, uuid: UUID, command: ChangeClient, condition: Condition) -> Client | None:
        """Change the fields that are set and return the client, or None when none of this id lives.

        The row is locked first, so that concurrent changes of other fields are kept. Raises as `add` does,
        and PreconditionFailed.
        """
        before, changes = await self.lock(uuid), set_fields(command)
        if before:
            condition.require(before.version)
        if before is None or not changes:
            return before
        await self._changing.begin(tags_of_client(uuid))
        current = {name: getattr(before, name) for name in ChangeClient.__struct_fields__}
        values = stored_columns({**current, **changes})
        statement = clients.update().where(clients.c.uuid == uuid)
        after = await self._returned(
            statement.values(updated_at=func.now(), version=clients.c.version + 1, **values)
        )
        await self.changes.changed(before, after)
        return after

    async def delete(self, uuid: UUID, condition: Condition) -> bool:
        """Mark the client deleted; tell whether there was one.

        Raises:
            PreconditionFailed: when it is not as `condition` wants it.
        """
        client = await self.lock(uuid)
        if client is None:
            return False
        condition.require(client.version)
        await self._changing.begin(tags_of_client(uuid))
        await self._connection.execute(
            clients.update()
            .where(clients.c.uuid == uuid)
            .values(deleted_at=func.now(), updated_at=func.now(), version=clients.c.version + 1)
        )
        await self.changes.deleted(client)
        return True

    def schedule(self, uuid: UUID) -> ScheduleWriter:
        """Return what changes the schedule of the living client of this id."""

        async def lock() -> OwnerSchedule | None:
            client = await self.lock(uuid)
            # A statement of its own: it sees what was committed before the lock was granted.
            return await find_schedule(self._connection, uuid) if client else None

        return ScheduleWriter(self._connection, uuid, self.changes, self._changing, lock)

    async def lock(self, uuid: UUID) -> Client | None:
        """Return the living client of this id, unchanged by others until the transaction ends."""
        statement = select(*_SHOWN).where(clients.c.uuid == uuid, _LIVING).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _client(row) if row else None

    async def _insert(self, command: CreateClient) -> Client:
        values = stored_columns(msgspec.structs.asdict(command))
        client = await self._returned(clients.insert().values(uuid=new_uuid(), **values))
        await self._changing.begin(tags_of_client(client.uuid))
        await self.changes.created(client)
        return client

    async def _returned(self, statement: Insert | Update) -> Client:
        with constraint_errors(_CONSTRAINTS):
            return _client((await self._connection.execute(statement.returning(*_SHOWN))).mappings().one())


def stored_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a client whose own fields these are: cleaned, with what is derived from them."""
    values = {name: clean(value) if isinstance(value, str) else value for name, value in fields.items()}
    return {
        **values,
        "name_key": unique_key(values["name"]),
        "email_key": unique_key(values["email"]),
        "city_key": unique_key(values["city"]) if values["city"] else None,
        "search": words(values["name"], values["email"], values["phone"], values["city"]),
    }


def _matching(query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [_LIVING]
    if tenant is not None:
        conditions.append(clients.c.uuid == tenant)
    if uuids is not None:
        conditions.append(clients.c.uuid.in_(uuids))
    if query.q is not None:
        conditions.append(begins_words(clients.c.search, query.q))
    keys = {clients.c.name_key: query.name, clients.c.email_key: query.email, clients.c.city_key: query.city}
    conditions += [column == unique_key(text) for column, text in keys.items() if text is not None]
    if query.country is not None:
        conditions.append(clients.c.country == query.country)
    if query.is_active is not None:
        conditions.append(clients.c.is_active == query.is_active)
    return select(*_SHOWN).where(*conditions)


def _picked(query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None) -> Picked | None:
    """Tell how filters pick these clients; None when an index has them in order."""
    among = select(clients).where(_LIVING)
    if query.q is not None:
        return Picked(among, is_search=True)
    others = [each for each in (query.city, query.country, query.is_active) if each is not None]
    picked = [each for each in (query.name, query.email, uuids, tenant) if each is not None]
    if picked or len(others) > 1 or (others and query.sort not in _SORTED_BY_TIME):
        return Picked(among, is_search=False)
    return None


def _client(row: Row) -> Client:
    return Client(**{name: row[name] for name in Client.__struct_fields__})
