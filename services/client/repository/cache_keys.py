"""Under which keys answers about clients are cached, and which tags they depend on."""

import hashlib
from uuid import UUID

import msgspec

from services.client.schema import ClientQuery
from shared.events.changes import Change
from shared.schedules.statements import tag_of_schedule


def tag_of_client(uuid: UUID) -> str:
    """Return the tag of everything that shows this client."""
    return f"client:{uuid}"


def tag_of_list(tenant: UUID | None) -> str:
    """Return the tag of the lists that a tenant sees, which hold its client alone, or of those of all."""
    return tag_of_client(tenant) if tenant else "clients"


def tags_of_client(uuid: UUID) -> list[str]:
    """Return the tags of everything that a change of this client concerns."""
    return [tag_of_client(uuid), tag_of_list(None)]


def tags_of_change(change: Change) -> list[str]:
    """Return the tags of everything that a recorded change concerns."""
    if change.part_of:
        return [tag_of_schedule(change.part_of)]
    return tags_of_client(change.aggregate_id)


def is_cached(query: ClientQuery) -> bool:
    """Tell whether this list is cached: searches, ids and walks by cursor hardly come twice."""
    return query.q is None and query.uuids is None and query.cursor is None


def list_key(query: ClientQuery, tenant: UUID | None) -> str:
    """Return the key of a list: page, limit, whose eyes it is for, and a digest of all that was asked."""
    asked = msgspec.json.encode(query, order="deterministic")
    digest = hashlib.sha256(asked).hexdigest()[:32]
    return f"clients:page:{query.page or 1}:limit:{query.limit}:tenant:{tenant or 'all'}:{digest}"
