"""Why a change of a schedule is refused."""

from shared.errors import Conflict, NotFound


class ExceptionNotFound(NotFound):
    """The owner has no exception of that id."""

    code = "EXCEPTION_NOT_FOUND"
    template = "Exception with id '{uuid}' not found"


class ExceptionOverlaps(Conflict):
    """Another exception of the owner covers one of the days."""

    code = "EXCEPTION_OVERLAPS"
    template = "Another exception covers one of these days already. Change that one, or leave its days to it."


class TooManyExceptions(Conflict):
    """The owner has as many exceptions as one may have."""

    code = "TOO_MANY_EXCEPTIONS"
    template = "There are {most} exceptions already, the most there can be. Delete some that are over."
