"""Identifiers of aggregates, requests and tokens."""

from uuid import UUID

from uuid_utils import uuid7


def new_uuid() -> UUID:
    """Return a UUID version 7 (RFC 9562): unique, and sorted by the time it was made."""
    return UUID(int=uuid7().int)
