"""Errors of the store service."""

from collections.abc import Sequence

from services.store import constants
from shared.errors import Conflict, FieldError, InvalidInput, NotFound

COORDINATES_TOGETHER = tuple(
    FieldError(field, constants.COORDINATES_BELONG_TOGETHER.format(other=other))
    for field, other in (("latitude", "longitude"), ("longitude", "latitude"))
)


class StoreNotFound(NotFound):
    """No living store of that id exists for the caller."""

    code = "STORE_NOT_FOUND"
    template = constants.STORE_NOT_FOUND


class DuplicateStore(Conflict):
    """Another living store of the client has this code."""

    code = "DUPLICATE_STORE"
    template = constants.DUPLICATE_STORE


class ClientNotFound(NotFound):
    """The store's client does not exist, or not for the caller."""

    code = "CLIENT_NOT_FOUND"
    template = constants.CLIENT_NOT_FOUND


class ClientInactive(Conflict):
    """The store's client is known and not active."""

    code = "CLIENT_INACTIVE"
    template = constants.CLIENT_INACTIVE


class ClientBeingDeleted(Conflict):
    """The store's client is fenced: it is being deleted, or was."""

    code = "CLIENT_BEING_DELETED"
    template = constants.CLIENT_BEING_DELETED


class FenceOutdated(Conflict):
    """A fence is set by an attempt to delete a client that has already failed."""

    code = "FENCE_OUTDATED"
    template = constants.FENCE_OUTDATED


class IncompleteCoordinates(InvalidInput):
    """One of latitude and longitude would be without the other."""

    def __init__(self, *, details: Sequence[FieldError] = COORDINATES_TOGETHER) -> None:
        super().__init__(details=details)
