"""Errors of the client service."""

from services.client import constants
from shared.errors import Conflict, NotFound


class ClientNotFound(NotFound):
    """No living client of that id exists for the caller."""

    code = "CLIENT_NOT_FOUND"
    template = constants.CLIENT_NOT_FOUND


class DuplicateClient(Conflict):
    """Another living client has this e-mail address."""

    code = "DUPLICATE_CLIENT"
    template = constants.DUPLICATE_CLIENT
