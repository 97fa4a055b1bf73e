"""Which stores a list shows, in which order, and how they are found."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import ColumnElement, RowMapping, Select, select

from services.store.model import stores
from services.store.repository.near import distance_m, within
from services.store.repository.opening import opening
from services.store.schema import ListedStore, Near, Store, StoreMeta, StoreQuery, Wanted
from shared.cursors import carried_by
from shared.db import ReadConnection
from shared.listing import Listing, Picked, asked, fetch, gather, plan_by_index
from shared.search import begins_words
from shared.sorting import Sorting, SortKey
from shared.text import unique_key

_LIVING = stores.c.deleted_at.is_(None)
_SHOWN = [stores.c[name] for name in Store.__struct_fields__]

SORTING = Sorting(
    {
        "name": stores.c.name_key,
        "code": stores.c.code_key,
        "created_at": stores.c.created_at,
        "updated_at": stores.c.updated_at,
    },
    unique=stores.c.uuid,
)

_SORTED_BY_TIME = {None, "created_at", "-created_at"}
_MOST_NARROWINGS = 12
"""50 km become 24 m: whatever is closer together than that is not told apart."""


class _Found(NamedTuple):
    """A page, and the radius within which all are listed when they are near a place."""

    page: Listing[RowMapping]
    radius_m: float | UnsetType = UNSET


async def find_page(
    connection: ReadConnection, query: StoreQuery, wanted: Wanted, tenant: UUID | None
) -> Listing[ListedStore]:
    """Return a page of the living stores that are asked for and `tenant` may see.

    Raises:
        InvalidInput: as `asked` and `fetch` do.
    """
    await plan_by_index(connection)
    statement, knows_all_hours = matching(query, wanted, tenant), True
    if wanted.open_at:
        whether_open = await opening(connection, _at_all(statement, wanted.near), wanted.open_at)
        statement, knows_all_hours = statement.where(whether_open.condition), whether_open.is_whole
    page, radius_m = await _page(connection, statement, query, wanted, tenant)
    page.meta.capped |= not knows_all_hours
    meta = StoreMeta(
        **msgspec.structs.asdict(page.meta), radius_m=radius_m, evaluated_at=wanted.open_at or UNSET
    )
    return Listing([_listed(row) for row in page.items], meta)


def matching(query: StoreQuery, wanted: Wanted, tenant: UUID | None) -> Select[Any]:
    """Return the statement of the living stores that are asked for and `tenant` may see, near or far."""
    conditions = _one_clients(query, tenant)
    if wanted.uuids is not None:
        conditions.append(stores.c.uuid.in_(wanted.uuids))
    if query.q is not None:
        conditions.append(begins_words(stores.c.search, query.q))
    keys = {stores.c.code_key: query.code, stores.c.city_key: query.city}
    conditions += [column == unique_key(text) for column, text in keys.items() if text is not None]
    plain = {stores.c.country: query.country, stores.c.is_active: query.is_active}
    conditions += [column == value for column, value in plain.items() if value is not None]
    return select(*_SHOWN).where(*conditions)


async def everything(
    connection: ReadConnection, query: StoreQuery, wanted: Wanted, tenant: UUID | None
) -> Select[Any]:
    """Return the statement of the living stores that are asked for and `tenant` may see."""
    await plan_by_index(connection)
    statement = _at_all(matching(query, wanted, tenant), wanted.near)
    if wanted.open_at:
        statement = statement.where((await opening(connection, statement, wanted.open_at)).condition)
    return statement


def _one_clients(query: StoreQuery, tenant: UUID | None) -> list[ColumnElement[bool]]:
    """Return the conditions for which `model.stores` has an index in every order."""
    owners = [owner for owner in (tenant, query.client_uuid) if owner is not None]
    return [_LIVING, *(stores.c.client_uuid == owner for owner in owners)]


def _picked(query: StoreQuery, wanted: Wanted, tenant: UUID | None) -> Picked | None:
    """Tell how filters pick these stores; None when an index has them in order."""
    owned = _one_clients(query, tenant)
    others = [each for each in (query.city, query.country, query.is_active) if each is not None]
    searched = [each for each in (query.q, wanted.open_at) if each is not None]
    unordered = [*searched, *(each for each in (query.code, wanted.uuids) if each is not None)]
    is_in_order_of_time = len(others) == 1 and len(owned) == 1 and query.sort in _SORTED_BY_TIME
    if not unordered and (not others or is_in_order_of_time):
        return None
    return Picked(select(stores).where(*owned), is_search=bool(searched))


def _at_all(statement: Select[Any], near: Near | None) -> Select[Any]:
    return statement.where(*within(near, near.radius_m)) if near else statement


async def _page(
    connection: ReadConnection, statement: Select[Any], query: StoreQuery, wanted: Wanted, tenant: UUID | None
) -> _Found:
    carried: dict[str, object] = {"evaluated_at": wanted.open_at} if query.open_now else {}
    if wanted.near:
        return await _nearest(connection, statement, query, wanted.near, (tenant, carried))
    page = asked(statement, query, SORTING.keys(query.sort), tenant, carried)
    return _Found(await fetch(connection, page, _picked(query, wanted, tenant)))


async def _nearest(
    connection: ReadConnection,
    statement: Select[Any],
    query: StoreQuery,
    near: Near,
    walk: tuple[UUID | None, dict[str, object]],
) -> _Found:
    """Return a page of the stores within the radius, the nearest first.

    Where more than can be gathered are within it, it is halved until they can; so the page shows the nearest
    ones in any case. A walk by cursor keeps to the radius that its first page found.
    """
    tenant, carried = walk
    keys = [SortKey(distance_m(near)), SortKey(stores.c.uuid)]
    radius_m, smaller = _radius(query, near), 0
    while True:
        part = statement.add_columns(distance_m(near)).where(*within(near, radius_m))
        whole_walk = {**carried, "radius_m": radius_m}
        found = await gather(connection, asked(part, query, keys, tenant, whole_walk))
        if found.is_whole or smaller == _MOST_NARROWINGS:
            break
        radius_m, smaller = radius_m / 2, smaller + 1
    found.listing.meta.capped = radius_m < near.radius_m or not found.is_whole
    return _Found(found.listing, radius_m)


def _radius(query: StoreQuery, near: Near) -> float:
    """Return the radius to try first: that of the first page of a walk by cursor, else what is asked for."""
    carried = carried_by(query.cursor).get("radius_m")
    return carried if isinstance(carried, float) and 0 < carried <= near.radius_m else near.radius_m


def _listed(row: RowMapping) -> ListedStore:
    distance = row.get("distance_m")
    shown = {name: row[name] for name in Store.__struct_fields__}
    return ListedStore(**shown, distance_m=UNSET if distance is None else round(distance, 1))
