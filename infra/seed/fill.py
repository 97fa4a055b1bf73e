"""Fills the databases of clients and stores, in batches, so that memory stays small."""

from pathlib import Path
from uuid import UUID

from dotenv import dotenv_values

from infra.seed.batches import Make, Rows, load_all
from infra.seed.cities import home_and_world
from infra.seed.companies import Demo
from infra.seed.errors import SeedError
from infra.seed.fill_hours import fill_hours_of_clients, fill_hours_of_stores
from infra.seed.load import Connection, Loader, connected
from services.client.model import clients
from services.client.repository import clients as client_repository
from services.store.model import clients as client_copies
from services.store.model import stores
from services.store.repository import stores as store_repository
from shared.config import ConfigurationError, DatabaseConfig, Fragment, load


class OwnerConfig(Fragment, frozen=True, kw_only=True):
    """The connection of a database's owner, who alone may make staging tables."""

    database: DatabaseConfig


async def fill(client_count: int, store_count: int, env_folder: Path) -> None:
    """Load the first clients and stores of the demo data, without those that are there.

    Raises:
        SeedError: a database cannot be opened, or has no tables yet.
    """
    client_database = _database(env_folder / "client-owner.env")
    store_database = _database(env_folder / "store-owner.env")
    async with connected(client_database) as client_side, connected(store_database) as store_side:
        demo = Demo(*home_and_world(), client_count)
        await load_all(Loader(client_side, clients), "Clients", client_count, _client_rows(demo))
        living = await _living(client_side, demo)
        copies = Loader(store_side, client_copies)
        unchanged = await _living(client_side, demo, "AND version = 1")
        await load_all(copies, "Clients known to stores", client_count, _copy_rows(demo, unchanged))
        await fill_hours_of_clients(client_side, store_side, demo, client_count)
        await load_all(Loader(store_side, stores), "Stores", store_count, _store_rows(demo, living))
        await fill_hours_of_stores(store_side, demo, store_count)


def _database(file: Path) -> DatabaseConfig:
    if not file.exists():
        raise SeedError(f"There is no {file}, so there is no platform here. Start it first: ./taskw up")
    values = {name: value for name, value in dotenv_values(file, interpolate=False).items() if value}
    try:
        return load(OwnerConfig, values).database
    except ConfigurationError as error:
        raise SeedError(f"{file}: {error}") from None


async def _living(connection: Connection, demo: Demo, condition: str = "") -> set[UUID]:
    """Return the demo's clients that exist: a store must not begin under one that was deleted."""
    question = f"SELECT uuid FROM clients WHERE uuid = ANY($1) AND deleted_at IS NULL {condition}"  # noqa: S608 - ours
    return {UUID(int=row["uuid"].int) for row in await connection.fetch(question, demo.client_uuids())}


def _client_rows(demo: Demo) -> Make:
    return lambda numbers: [client_repository.stored_columns(demo.client(number)) for number in numbers]


def _copy_rows(demo: Demo, unchanged: set[UUID]) -> Make:
    def rows(numbers: range) -> Rows:
        return [row for row in map(demo.client, numbers) if row["uuid"] in unchanged]

    return rows


def _store_rows(demo: Demo, living: set[UUID]) -> Make:
    def rows(numbers: range) -> Rows:
        made = (demo.store(number) for number in numbers)
        return [store_repository.stored_columns(row) for row in made if row["client_uuid"] in living]

    return rows
