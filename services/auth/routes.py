"""The URL table of the auth service, read once at start."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Operation

from services.auth.controller.account import AccountController
from services.auth.controller.audit import AuditController
from services.auth.controller.oauth import OAuthController, render_oauth_error
from services.auth.controller.sign_in import SignInController
from services.auth.controller.users import UserController
from services.auth.errors import (
    DuplicateUser,
    InvalidCredentials,
    InvalidRefresh,
    LastAdmin,
    OAuthError,
    RefreshAlreadyUsed,
    RefreshReused,
    SignInBusy,
    SignInSlowed,
    UserNotFound,
)
from services.auth.schema import AuditQuery, UserQuery
from shared.errors import Forbidden, InvalidInput, MalformedBody, Unauthenticated, UnsupportedMediaType
from shared.idempotency.routes import IdempotentRoutes
from shared.openapi import responses, with_query
from shared.preconditions import PreconditionFailed
from shared.security.guards import PUBLIC

SIGN_IN = "sign-in"
USERS = "users"
AUDIT = "audit"

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_KNOWN = (Unauthenticated, Forbidden)
_CHECKING = (SignInSlowed, SignInBusy)
_PUBLIC = {PUBLIC: True}


@dataclass
class PublicOperation(Operation):
    """An operation that takes no token."""

    def __post_init__(self) -> None:
        self.security = []


def routes(
    sign_in: SignInController,
    account: AccountController,
    users: UserController,
    audit: AuditController,
    idempotent: IdempotentRoutes,
) -> list[HTTPRouteHandler]:
    """Return the endpoints apps reach through the gateway."""
    return [
        *_session_routes(sign_in),
        *_account_routes(account),
        *_user_routes(users, idempotent),
        get(
            "/audit",
            summary="Read who signed in or failed to, and who changed whom",
            tags=[AUDIT],
            responses=responses(InvalidInput, *_KNOWN),
            operation_class=with_query(AuditQuery),
        )(audit.list),
    ]


def internal_routes(oauth: OAuthController) -> list[HTTPRouteHandler]:
    """Return the endpoints outside the versioned prefix; /internal is for services alone."""
    keys = get(
        "/.well-known/jwks.json",
        summary="Read the keys that verify access tokens",
        tags=[SIGN_IN],
        opt=_PUBLIC,
        operation_class=PublicOperation,
    )
    token = post(
        "/internal/oauth/token",
        status_code=200,
        opt=_PUBLIC,
        exception_handlers={OAuthError: render_oauth_error},
        include_in_schema=False,
    )
    return [keys(oauth.keys), token(oauth.token)]


def _session_routes(sign_in: SignInController) -> Sequence[HTTPRouteHandler]:
    login = post(
        "/auth/login",
        summary="Sign in",
        status_code=200,
        tags=[SIGN_IN],
        opt=_PUBLIC,
        operation_class=PublicOperation,
        responses=responses(*_BODY, InvalidCredentials, *_CHECKING),
    )
    refresh = post(
        "/auth/refresh",
        summary="Exchange a refresh token",
        status_code=200,
        tags=[SIGN_IN],
        opt=_PUBLIC,
        operation_class=PublicOperation,
        responses=responses(*_BODY, InvalidRefresh, RefreshAlreadyUsed, RefreshReused),
    )
    logout = post(
        "/auth/logout", summary="Sign out", status_code=204, tags=[SIGN_IN], responses=responses(*_KNOWN)
    )
    return [login(sign_in.login), refresh(sign_in.refresh), logout(sign_in.logout)]


def _account_routes(account: AccountController) -> Sequence[HTTPRouteHandler]:
    path, tags = "/auth/me", [SIGN_IN]
    changing = responses(*_BODY, *_KNOWN)
    read = get(path, summary="Read who is signed in", tags=tags, responses=responses(*_KNOWN))
    change = patch(path, summary="Change one's own name", tags=tags, responses=changing)
    change_password = post(
        "/auth/password",
        summary="Change one's own password",
        status_code=204,
        tags=tags,
        responses=responses(*_BODY, *_KNOWN, *_CHECKING),
    )
    return [read(account.read), change(account.change), change_password(account.change_password)]


def _user_routes(users: UserController, idempotent: IdempotentRoutes) -> Sequence[HTTPRouteHandler]:
    path, one, tags = "/users", "/users/{uuid:str}", [USERS]
    listing = responses(InvalidInput, *_KNOWN)
    creating = (*_BODY, *_KNOWN, DuplicateUser, SignInBusy)
    reading = responses(InvalidInput, *_KNOWN, UserNotFound)
    changing = responses(
        *_BODY, *_KNOWN, UserNotFound, DuplicateUser, LastAdmin, PreconditionFailed, SignInBusy
    )
    deleting = responses(InvalidInput, *_KNOWN, UserNotFound, LastAdmin, PreconditionFailed)
    query = with_query(UserQuery)
    return [
        idempotent.post(path, summary="Create a user", tags=tags, errors=creating)(users.create),
        get(path, summary="List users", tags=tags, responses=listing, operation_class=query)(users.list),
        get(one, summary="Read a user", tags=tags, responses=reading)(users.read),
        patch(one, summary="Change a user", tags=tags, responses=changing)(users.change),
        delete(one, summary="End a user", tags=tags, responses=deleting)(users.delete),
    ]
