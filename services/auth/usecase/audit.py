"""Reading what happened to the security of the platform."""

from services.auth.repository.audit import AuditRepository
from services.auth.schema import AuditEntry, AuditQuery
from shared.listing import Listing
from shared.security.principal import Principal


class Audit:
    """The use case of those who watch over the platform."""

    def __init__(self, entries: AuditRepository) -> None:
        self._entries = entries

    async def list(self, principal: Principal, query: AuditQuery) -> Listing[AuditEntry]:
        """Return a page of what happened; for admins."""
        principal.require("admin")
        return await self._entries.list(query)
