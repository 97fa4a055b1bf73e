"""HTTP out of the audit."""

from services.auth.schema import AuditEntry, AuditQuery
from services.auth.usecase.audit import Audit
from shared.controller import Controller
from shared.request import JsonRequest
from shared.responses import Page


class AuditController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def list(self, request: JsonRequest) -> Page[AuditEntry]:
        """List sign-ins, changes of users, services' tokens and signing keys, newest first. For admins."""
        listing = await self._audit.list(request.auth, request.query(AuditQuery))
        return Page(data=listing.items, meta=listing.meta)
