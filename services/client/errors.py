"""Errors of the client service."""

from collections.abc import Mapping
from typing import ClassVar

from services.client import constants
from shared.errors import Conflict, NotFound, ServiceUnavailable


class ClientNotFound(NotFound):
    """No living client of that id exists for the caller."""

    code = "CLIENT_NOT_FOUND"
    template = constants.CLIENT_NOT_FOUND


class DuplicateClient(Conflict):
    """Another living client has this e-mail address."""

    code = "DUPLICATE_CLIENT"
    template = constants.DUPLICATE_CLIENT


class ClientHasStores(Conflict):
    """Stores of the client live and are not to end with it."""

    code = "CLIENT_HAS_STORES"
    template = constants.CLIENT_HAS_STORES


class DeletionUnderWay(Conflict):
    """Another deletion of the client is under way; within ten seconds it is carried out or undone."""

    code = "DELETION_UNDER_WAY"
    template = constants.DELETION_UNDER_WAY
    default_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "10"}


class DeletionUndone(ServiceUnavailable):
    """A deletion was given up before it was carried out."""

    code = "DELETION_UNDONE"
    template = constants.DELETION_UNDONE
