"""The caller of a request, as its access token names it."""

from typing import Literal
from uuid import UUID

import msgspec

from shared.errors import Forbidden

Role = Literal["admin", "manager", "user", "service"]


class Principal(msgspec.Struct, frozen=True):
    """A person or a service with one role; `client_uuid` is the tenant a person is confined to."""

    subject: str
    role: Role
    client_uuid: UUID | None = None
    session: UUID | None = None

    def require(self, *roles: Role) -> None:
        """Raise Forbidden unless the caller has one of `roles`."""
        if self.role not in roles:
            raise Forbidden

    def sees(self, client_uuid: UUID) -> bool:
        """Tell whether objects of this tenant exist for the caller."""
        return self.client_uuid is None or self.client_uuid == client_uuid
