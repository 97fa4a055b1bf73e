"""HTTP in and out of users."""

from litestar import Response
from litestar.params import FromPath, JSONBody

from services.auth import constants
from services.auth.schema import ChangeUser, CreateUser, User, UserQuery
from services.auth.usecase.users import Users
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.idempotency.routes import creating
from shared.preconditions import etag, if_match, if_none_match, not_modified
from shared.request import JsonRequest
from shared.responses import Envelope, Page


class UserController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def create(self, request: JsonRequest, data: JSONBody[CreateUser]) -> Response[Envelope[User]]:
        """Create a user. For admins; managers create users of their own client."""
        creation = self._users.create(request.auth, data)
        return await creating(request, constants.USER_CREATED, creation)

    async def list(self, request: JsonRequest) -> Page[User]:
        """List the users the caller manages."""
        listing = await self._users.list(request.auth, request.query(UserQuery))
        return Page(data=listing.items, meta=listing.meta)

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Envelope[User]]:
        """Return one user."""
        user = await self._users.read(request.auth, to_uuid("uuid", uuid))
        tag = etag(user.version)
        if if_none_match(request).names(tag):
            return not_modified(tag)
        return Response(Envelope(data=user), headers={"ETag": tag})

    async def change(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[ChangeUser]
    ) -> Response[Envelope[User]]:
        """Change a user by JSON Merge Patch (RFC 7396).

        A new role, client, password or is_active ends the user's sessions. With `If-Match` only when the user
        is as that entity tag was.
        """
        user = await self._users.change(request.auth, to_uuid("uuid", uuid), data, if_match(request))
        envelope = Envelope(message=constants.USER_CHANGED, data=user)
        return Response(envelope, headers={"ETag": etag(user.version)})

    async def delete(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """End a user and their sessions. With `If-Match` only when the user is as that entity tag was."""
        await self._users.delete(request.auth, to_uuid("uuid", uuid), if_match(request))
