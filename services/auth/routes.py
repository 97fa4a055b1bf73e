"""The URL table of the auth service, read once at start."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Operation

from services.auth.controller.account import AccountController
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
from services.auth.schema import UserQuery
from shared.errors import Forbidden, InvalidInput, MalformedBody, Unauthenticated, UnsupportedMediaType
from shared.openapi import responses, with_query
from shared.security.guards import PUBLIC

SIGN_IN = "sign-in"
USERS = "users"

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_CHECKING = (SignInSlowed, SignInBusy)


@dataclass
class PublicOperation(Operation):
    """An operation that takes no token."""

    def __post_init__(self) -> None:
        self.security = []


def routes(
    sign_in: SignInController, account: AccountController, users: UserController
) -> list[HTTPRouteHandler]:
    """Return the endpoints apps reach through the gateway."""
    return [*_session_routes(sign_in), *_account_routes(account), *_user_routes(users)]


def internal_routes(oauth: OAuthController) -> list[HTTPRouteHandler]:
    """Return the endpoints outside the versioned prefix; /internal is for services alone."""
    public = {PUBLIC: True}
    token = post(
        "/internal/oauth/token",
        status_code=200,
        opt=public,
        exception_handlers={OAuthError: render_oauth_error},
        include_in_schema=False,
    )
    keys = get("/.well-known/jwks.json", tags=[SIGN_IN], opt=public, operation_class=PublicOperation)
    return [token(oauth.token), keys(oauth.keys)]


def _session_routes(sign_in: SignInController) -> Sequence[HTTPRouteHandler]:
    refreshing = responses(*_BODY, InvalidRefresh, RefreshAlreadyUsed, RefreshReused)
    public = {PUBLIC: True}
    return [
        post(
            "/auth/login",
            status_code=200,
            tags=[SIGN_IN],
            opt=public,
            operation_class=PublicOperation,
            responses=responses(*_BODY, InvalidCredentials, *_CHECKING),
        )(sign_in.login),
        post(
            "/auth/refresh",
            status_code=200,
            tags=[SIGN_IN],
            opt=public,
            operation_class=PublicOperation,
            responses=refreshing,
        )(sign_in.refresh),
        post(
            "/auth/logout", status_code=204, tags=[SIGN_IN], responses=responses(Unauthenticated, Forbidden)
        )(sign_in.logout),
    ]


def _account_routes(account: AccountController) -> Sequence[HTTPRouteHandler]:
    path, tags = "/auth/me", [SIGN_IN]
    known = (Unauthenticated, Forbidden)
    changing_password = responses(*_BODY, *known, *_CHECKING)
    return [
        get(path, tags=tags, responses=responses(*known))(account.read),
        patch(path, tags=tags, responses=responses(*_BODY, *known))(account.change),
        post("/auth/password", status_code=204, tags=tags, responses=changing_password)(
            account.change_password
        ),
    ]


def _user_routes(users: UserController) -> Sequence[HTTPRouteHandler]:
    path, one, tags = "/users", "/users/{uuid:str}", [USERS]
    known = (Unauthenticated, Forbidden)
    listing = responses(InvalidInput, *known)
    creating = responses(*_BODY, *known, DuplicateUser, SignInBusy)
    changing = responses(*_BODY, *known, UserNotFound, DuplicateUser, LastAdmin, SignInBusy)
    deleting = responses(InvalidInput, *known, UserNotFound, LastAdmin)
    return [
        post(path, tags=tags, responses=creating)(users.create),
        get(path, tags=tags, responses=listing, operation_class=with_query(UserQuery))(users.list),
        get(one, tags=tags, responses=responses(InvalidInput, *known, UserNotFound))(users.read),
        patch(one, tags=tags, responses=changing)(users.change),
        delete(one, tags=tags, responses=deleting)(users.delete),
    ]
