"""Every statement of the store service."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Insert, Update, bindparam, func, select

from services.store.errors import DuplicateStore, IncompleteCoordinates
from services.store.model import stores
from services.store.repository.cache_keys import (
    is_cached,
    list_key,
    list_scope,
    tag_of_client,
    tag_of_list,
    tag_of_store,
    tags_of_change,
    tags_of_stores,
)
from services.store.repository.fences import keep_unfenced
from services.store.repository.listing import everything, find_page
from services.store.repository.workhours import file_schedule, find_schedule
from services.store.schema import ChangeStore, Client, CreateStore, Store, StoreQuery, StoreWithClient, Wanted
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
from shared.preconditions import Condition
from shared.schedules.known import OwnerSchedule
from shared.schedules.repository import ScheduleWriter
from shared.text import clean, unique_key, words

_LIVING = stores.c.deleted_at.is_(None)
_DELETED_AT_ONCE = 500
_SHOWN = [stores.c[name] for name in Store.__struct_fields__]
_CONSTRAINTS = {
    "stores_code_unique": DuplicateStore,
    "stores_coordinates_whole": IncompleteCoordinates,
}

_BY_UUID = Question(select(*_SHOWN).where(stores.c.uuid == bindparam("uuid"), _LIVING))


class StoreRepository:
    """Reads stores, and opens transactions that change them."""

    def __init__(self, database: Database, cache: ReadCache) -> None:
        self._database = database
        self._cache = cache
        self._announced = Announced()

    async def find(self, uuid: UUID) -> Store | None:
        """Return the living store of this id as the primary knows it."""
        row = await self._database.fetch_one(_BY_UUID, primary=True, uuid=uuid)
        return _store(row) if row else None

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the living store of this id, as JSON; with `fresh`, not from the cache."""

        async def load() -> bytes | None:
            store = await self.find(uuid)
            return msgspec.json.encode(store) if store else None

        return await self._cache.read(f"store:{uuid}", [tag_of_store(uuid)], load, fresh=fresh)

    async def read_with_client(
        self, store: Store, find_client: Callable[[UUID], Awaitable[Client | None]], *, fresh: bool = False
    ) -> Cached:
        """Return this store, if it lives, and its client as JSON; with `fresh`, not from the cache."""

        async def load() -> bytes | None:
            # Read again: `store` may have been found before the tags below were seen.
            latest = await self.find(store.uuid)
            client = await find_client(store.client_uuid) if latest else None
            return _with_client(latest, client) if latest else None

        tags = [tag_of_store(store.uuid), tag_of_client(store.client_uuid)]
        return await self._cache.read(f"store_with_client:{store.uuid}", tags, load, fresh=fresh)

    async def list(
        self, query: StoreQuery, wanted: Wanted, tenant: UUID | None, *, fresh: bool = False
    ) -> Cached:
        """Return a page of the living stores that are asked for and `tenant` may see, as JSON (`Listing`).

        With `fresh` it is not from the cache.
        """

        async def load(*, primary: bool = True) -> bytes:
            page = await self._database.read(
                lambda connection: find_page(connection, query, wanted, tenant), primary=primary
            )
            return msgspec.json.encode(page)

        if not is_cached(query):
            return Cached(await load(primary=fresh), NOT_CACHED)
        tags = [tag_of_list(list_scope(query, tenant))]
        return await self._cache.read(list_key(query, tenant), tags, load, fresh=fresh)

    async def all(
        self, query: StoreQuery, wanted: Wanted, tenant: UUID | None
    ) -> AsyncIterator[Sequence[Store]]:
        """Yield living stores that `query` asks for and `tenant` may see, some at a time, by age."""
        async with self._database.reading() as connection:
            statement = await everything(connection, query, wanted, tenant)
        async for some in walk(self._database, statement, (stores.c.created_at, stores.c.uuid), _store):
            yield some

    @asynccontextmanager
    async def transaction(self, actor: str) -> AsyncGenerator["StoreWriter"]:
        """Open a transaction of `actor`: committed at the end of the block, rolled back on an error."""
        with self._announced.surrounding() as announce:
            async with self._cache.changing() as changing, self._database.transaction(actor) as connection:
                writer = StoreWriter(connection, actor, changing)
                yield writer
                announce(writer.changes.recorded)
            count_committed(writer.changes.recorded)

    async def delete_of_client(self, client_uuid: UUID, actor: str) -> None:
        """Mark every store of a client deleted, in transactions that are short however many there are.

        It may be repeated. New stores are not waited for: a fence has to keep them from being created.
        """
        deleted = 1
        while deleted:
            async with self.transaction(actor) as stores:
                deleted = await stores.delete_some(client_uuid)

    async def invalidate(self, changes: Sequence[Change]) -> None:
        """Let no cached answer from before these changes be used: their writers may have died before."""
        tags = [tag for each in self._announced.others(changes) for tag in tags_of_change(each)]
        await self._cache.invalidate(list(dict.fromkeys(tags)))

    async def invalidate_clients(self, uuids: Sequence[UUID]) -> None:
        """Let no cached answer be used that shows these clients as they were."""
        await self._cache.invalidate([tag_of_client(uuid) for uuid in uuids])


class StoreWriter:
    """Changes stores inside one transaction, records each change and announces it to the cache."""

    def __init__(self, connection: WriteConnection, actor: str, changing: Changing) -> None:
        self._connection = connection
        self._changing = changing
        self.changes = ChangeRecorder(connection, "store", actor)

    async def add(self, command: CreateStore) -> Store:
        """Insert a store.

        Raises:
            ClientBeingDeleted: when its client is fenced.
            DuplicateStore: when another store of the client has its code.
            IncompleteCoordinates: when it has one of latitude and longitude.
        """
        return await once(self._connection, lambda: self._insert(command))

    async def change(self, uuid: UUID, command: ChangeStore, condition: Condition) -> Store | None:
        """Change the fields that are set and return the store, or None when none of this id lives.

        The row is locked first, so that concurrent changes of other fields are kept. Raises as `add` does,
        and PreconditionFailed.
        """
        before, changes = await self._locked(stores.c.uuid == uuid), set_fields(command)
        if before:
            condition.require(before.version)
        if before is None or not changes:
            return before
        await self._changing.begin(tags_of_stores([before]))
        current = {name: getattr(before, name) for name in ChangeStore.__struct_fields__}
        values = stored_columns({**current, **changes})
        statement = stores.update().where(stores.c.uuid == uuid)
        after = await self._returned(
            statement.values(updated_at=func.now(), version=stores.c.version + 1, **values)
        )
        await self.changes.changed(before, after)
        return after

    async def delete(self, uuid: UUID, tenant: UUID | None, condition: Condition) -> bool:
        """Mark the store deleted; tell whether there was one that `tenant` may see.

        Raises:
            PreconditionFailed: when it is not as `condition` wants it.
        """
        store = await self._locked(stores.c.uuid == uuid, *_visible(tenant))
        if store is None:
            return False
        condition.require(store.version)
        await self._changing.begin(tags_of_stores([store]))
        await self._connection.execute(
            stores.update()
            .where(stores.c.uuid == uuid)
            .values(deleted_at=func.now(), updated_at=func.now(), version=stores.c.version + 1)
        )
        await self.changes.deleted(store)
        return True

    @asynccontextmanager
    async def schedule(self, uuid: UUID) -> AsyncGenerator[ScheduleWriter]:
        """Yield what changes the schedule of the living store of this id; its row tells of it afterwards."""

        async def lock() -> OwnerSchedule | None:
            store = await self._locked(stores.c.uuid == uuid)
            # A statement of its own: it sees what was committed before the lock was granted.
            return await find_schedule(self._connection, uuid) if store else None

        yield ScheduleWriter(self._connection, uuid, self.changes, self._changing, lock)
        if self.changes.recorded:
            await file_schedule(self._connection, uuid)

    async def delete_some(self, client_uuid: UUID) -> int:
        """Mark a number of a client's stores deleted and return how many; 0 when none is left."""
        living = select(*_SHOWN).where(stores.c.client_uuid == client_uuid, _LIVING).order_by(stores.c.uuid)
        locked = living.limit(_DELETED_AT_ONCE).with_for_update()
        found = [_store(row) for row in (await self._connection.execute(locked)).mappings()]
        if found:
            await self._changing.begin(tags_of_stores(found))
            await self._connection.execute(
                stores.update()
                .where(stores.c.uuid.in_([store.uuid for store in found]))
                .values(deleted_at=func.now(), updated_at=func.now(), version=stores.c.version + 1)
            )
            await self.changes.deleted(*found)
        return len(found)

    async def _insert(self, command: CreateStore) -> Store:
        await keep_unfenced(self._connection, command.client_uuid)
        values = stored_columns(msgspec.structs.asdict(command))
        store = await self._returned(stores.insert().values(uuid=new_uuid(), **values))
        await self._changing.begin(tags_of_stores([store]))
        await self.changes.created(store)
        return store

    async def _locked(self, *conditions: ColumnElement[bool]) -> Store | None:
        statement = select(*_SHOWN).where(*conditions, _LIVING).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _store(row) if row else None

    async def _returned(self, statement: Insert | Update) -> Store:
        with constraint_errors(_CONSTRAINTS):
            return _store((await self._connection.execute(statement.returning(*_SHOWN))).mappings().one())


def stored_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a store whose own fields these are: cleaned, with what is derived from them."""
    values = {name: clean(value) if isinstance(value, str) else value for name, value in fields.items()}
    return {
        **values,
        "code_key": unique_key(values["code"]),
        "name_key": unique_key(values["name"]),
        "city_key": unique_key(values["city"]) if values["city"] else None,
        "search": words(values["name"], values["code"], values["city"]),
    }


def _visible(tenant: UUID | None) -> list[ColumnElement[bool]]:
    return [] if tenant is None else [stores.c.client_uuid == tenant]


def _store(row: Row) -> Store:
    return Store(**{name: row[name] for name in Store.__struct_fields__})


def _with_client(store: Store, client: Client | None) -> bytes:
    return msgspec.json.encode(StoreWithClient(**msgspec.structs.asdict(store), client=client))
