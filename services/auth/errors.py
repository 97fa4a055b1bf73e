"""Errors of the auth service."""

from collections.abc import Mapping
from typing import ClassVar

from services.auth import constants
from shared.errors import Conflict, NotFound, ServiceUnavailable, TooManyRequests, Unauthenticated


class UserNotFound(NotFound):
    """No living user of that id exists for the caller."""

    code = "USER_NOT_FOUND"
    template = constants.USER_NOT_FOUND


class DuplicateUser(Conflict):
    """Another living user has this e-mail address."""

    code = "DUPLICATE_USER"
    template = constants.DUPLICATE_USER


class LastAdmin(Conflict):
    """Without this user nobody could manage users."""

    code = "LAST_ADMIN"
    template = constants.LAST_ADMIN


class InvalidCredentials(Unauthenticated):
    """No active user has this e-mail address and password; which of them is wrong is not told."""

    code = "INVALID_CREDENTIALS"
    template = constants.INVALID_CREDENTIALS


class SignInSlowed(TooManyRequests):
    """The account, existing or not, has failed too often to be tried again right now."""

    code = "SIGN_IN_SLOWED"
    template = constants.SIGN_IN_SLOWED


class SignInBusy(ServiceUnavailable):
    """More passwords wait to be hashed than can be in time."""

    code = "SIGN_IN_BUSY"
    template = constants.SIGN_IN_BUSY


class InvalidRefresh(Unauthenticated):
    """The refresh token is unknown or expired, or its session has ended."""

    code = "INVALID_REFRESH"
    template = constants.INVALID_REFRESH


class RefreshAlreadyUsed(Unauthenticated):
    """The refresh token lost a race: its successor is the newest of the session, which lives on."""

    code = "REFRESH_ALREADY_USED"
    template = constants.REFRESH_ALREADY_USED


class RefreshReused(Unauthenticated):
    """The refresh token was used before: somebody may have copied it, so its session has been ended."""

    code = "REFRESH_REUSED"
    template = constants.REFRESH_REUSED


class OAuthError(Exception):
    """A refusal of the token endpoint, in the words of RFC 6749, section 5.2."""

    status: ClassVar[int] = 400
    code: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class InvalidOAuthRequest(OAuthError):
    """The form lacks a parameter, repeats one or cannot be read."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown or its secret is wrong."""

    status = 401
    code = "invalid_client"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Basic realm="gerai", charset="UTF-8"'}


class UnsupportedGrantType(OAuthError):
    """Only client credentials are granted."""

    code = "unsupported_grant_type"
