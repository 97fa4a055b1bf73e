"""Who may see and change the hours of clients."""

from uuid import UUID

import pytest

from services.client.errors import ClientNotFound
from services.client.repository.workhours import WorkhourRepository
from services.client.usecase.workhours import ClientOwners
from shared.cache.status import HIT, Cached
from shared.errors import Forbidden, GeraiError
from shared.identifiers import new_uuid
from shared.security.principal import Principal
from tests.support.clients import FakeClients, client
from tests.support.tokens import principal

C, D = client(), client(email="other@example.com")


class FakeSchedules(WorkhourRepository):
    """Knows the schedules of C and D."""

    def __init__(self) -> None: ...

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        del fresh
        return Cached(b"{}" if uuid in {C.uuid, D.uuid} else None, HIT)


@pytest.fixture
def owners() -> ClientOwners:
    return ClientOwners(FakeClients(C, D), FakeSchedules())


# fmt: off
CALLERS: list[tuple[Principal, type[GeraiError] | None, type[GeraiError] | None, type[GeraiError] | None]] = [
    # caller                      reads D,        changes C, changes D
    (principal("admin"),           None,           None,      None),
    (principal("manager"),         None,           None,      None),
    (principal("manager", C.uuid), ClientNotFound, None,      ClientNotFound),
    (principal("user"),            None,           Forbidden, Forbidden),
    (principal("user", C.uuid),    ClientNotFound, Forbidden, Forbidden),
    (principal("service"),         None,           Forbidden, Forbidden),
]
# fmt: on


@pytest.mark.parametrize(("who", "reading", "ours", "theirs"), CALLERS)
async def test_who_may_do_what(
    owners: ClientOwners,
    who: Principal,
    reading: type[GeraiError] | None,
    ours: type[GeraiError] | None,
    theirs: type[GeraiError] | None,
) -> None:
    for attempt, refusal in (
        (owners.read(who, D.uuid), reading),
        (owners.require_changeable(who, C.uuid), ours),
        (owners.require_changeable(who, D.uuid, urgent=True), theirs),
    ):
        if refusal is None:
            await attempt
        else:
            with pytest.raises(refusal):
                await attempt


async def test_an_unknown_client_has_no_hours(owners: ClientOwners) -> None:
    with pytest.raises(ClientNotFound):
        await owners.read(principal("admin"), new_uuid())
