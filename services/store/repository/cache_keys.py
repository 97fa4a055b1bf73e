"""Under which keys answers about stores are cached, and which tags they depend on."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from services.store.schema import Store, StoreQuery
from shared.events.changes import Change
from shared.schedules.statements import tag_of_schedule


def tag_of_store(uuid: UUID | str) -> str:
    """Return the tag of everything that shows this store."""
    return f"store:{uuid}"


def tag_of_list(client_uuid: UUID | str | None) -> str:
    """Return the tag of the lists of one client's stores, or of those of all."""
    return f"stores:{client_uuid}" if client_uuid else "stores"


def tag_of_client(uuid: UUID) -> str:
    """Return the tag of everything that shows something of this client besides its id."""
    return f"client_of_stores:{uuid}"


def tags_of_stores(stores: Sequence[Store]) -> list[str]:
    """Return the tags of everything that a change of these stores concerns."""
    lists = {tag_of_list(store.client_uuid) for store in stores} | {tag_of_list(None)}
    return [*(tag_of_store(store.uuid) for store in stores), *sorted(lists)]


def tags_of_change(change: Change) -> list[str]:
    """Return the tags of everything that a recorded change concerns."""
    if change.part_of:
        return [tag_of_schedule(change.part_of)]
    shown = change.after or change.before or {}
    client_uuid = shown.get("client_uuid")
    return [tag_of_store(change.aggregate_id), tag_of_list(client_uuid), tag_of_list(None)]


def is_cached(query: StoreQuery) -> bool:
    """Tell whether this list is cached: one by words, place, ids or cursor is hardly asked for twice.

    One of what is open becomes another without a write, when time passes or hours change.
    """
    timeless = query.open_at is None and query.open_now is None
    return timeless and all(each is None for each in (query.q, query.near, query.uuids, query.cursor))


def list_scope(query: StoreQuery, tenant: UUID | None) -> UUID | None:
    """Return the client to whose stores this list is confined, if it is."""
    return tenant or query.client_uuid


def list_key(query: StoreQuery, tenant: UUID | None) -> str:
    """Return the key of a list: page, limit, whose eyes it is for, and a digest of all that was asked."""
    asked = msgspec.json.encode(query, order="deterministic")
    digest = hashlib.sha256(asked).hexdigest()[:32]
    return f"stores:page:{query.page or 1}:limit:{query.limit}:tenant:{tenant or 'all'}:{digest}"
