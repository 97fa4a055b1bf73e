"""Admins alone read the audit."""

import pytest

from services.auth.repository.audit import AuditRepository
from services.auth.schema import AuditEntry, AuditQuery, Role
from services.auth.usecase.audit import Audit
from shared.errors import Forbidden
from shared.listing import Listing
from shared.responses import Meta
from shared.security.principal import Principal
from tests.support.tokens import principal


class FakeEntries(AuditRepository):
    def __init__(self) -> None:
        self.asked: list[AuditQuery] = []

    async def list(self, query: AuditQuery) -> Listing[AuditEntry]:
        self.asked.append(query)
        return Listing([], Meta(limit=query.limit, total=0, total_pages=0, next_cursor=None))


async def test_an_admin_reads_it() -> None:
    entries, query = FakeEntries(), AuditQuery(type="session.opened")
    await Audit(entries).list(principal("admin"), query)
    assert entries.asked == [query]


ROLES: list[Role] = ["manager", "user"]


@pytest.mark.parametrize(
    "caller", [*(principal(role) for role in ROLES), Principal("service:store", "service")]
)
async def test_nobody_else_does(caller: Principal) -> None:
    entries = FakeEntries()
    with pytest.raises(Forbidden):
        await Audit(entries).list(caller, AuditQuery())
    assert entries.asked == []
