"""Who may see and change the hours of stores."""

import pytest

from services.store.errors import ClientInactive, StoreNotFound
from services.store.repository.workhours import LearnClient, WorkhourRepository
from services.store.usecase.known_clients import KnownClients
from services.store.usecase.stores import Stores
from services.store.usecase.workhours import StoreOwners
from shared.cache.status import HIT, Cached
from shared.errors import Forbidden, GeraiError
from shared.identifiers import new_uuid
from shared.security.principal import Principal
from tests.support.histories import FakeHistory
from tests.support.stores import FakeCopies, FakeDirectory, FakeStores, Journal, facts, store
from tests.support.tokens import principal

C, D, INACTIVE = new_uuid(), new_uuid(), new_uuid()
OURS, THEIRS, IDLE = store(client_uuid=C), store(client_uuid=D), store(client_uuid=INACTIVE)
ADMIN = principal("admin")


class FakeSchedules(WorkhourRepository):
    """Knows one schedule, of whichever store is asked for."""

    def __init__(self) -> None: ...

    async def read(
        self, uuid: object, client_uuid: object, learn_client: LearnClient, *, fresh: bool = False
    ) -> Cached:
        del client_uuid, learn_client, fresh
        return Cached(str(uuid).encode(), HIT)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def owners(journal: Journal) -> StoreOwners:
    directory = FakeDirectory(facts(C), facts(D), facts(INACTIVE, is_active=False), journal=journal)
    known = KnownClients(FakeCopies(), directory)
    rows = FakeStores(OURS, THEIRS, IDLE, journal=journal)
    return StoreOwners(Stores(rows, directory, known, FakeHistory()), rows, FakeSchedules(), known)


# fmt: off
CALLERS: list[tuple[Principal, type[GeraiError] | None, type[GeraiError] | None, type[GeraiError] | None]] = [
    # caller                 reads a store of D, changes one of C, changes one of D
    (ADMIN,                   None,          None,      None),
    (principal("manager"),    None,          None,      None),
    (principal("manager", C), StoreNotFound, None,      StoreNotFound),
    (principal("user"),       None,          Forbidden, Forbidden),
    (principal("user", C),    StoreNotFound, Forbidden, Forbidden),
    (principal("service"),    Forbidden,     Forbidden, Forbidden),
]
# fmt: on


@pytest.mark.parametrize(("who", "reading", "ours", "theirs"), CALLERS)
async def test_who_may_do_what(
    owners: StoreOwners,
    who: Principal,
    reading: type[GeraiError] | None,
    ours: type[GeraiError] | None,
    theirs: type[GeraiError] | None,
) -> None:
    for attempt, refusal in (
        (owners.read(who, THEIRS.uuid), reading),
        (owners.require_changeable(who, OURS.uuid), ours),
        (owners.require_changeable(who, THEIRS.uuid, urgent=True), theirs),
    ):
        if refusal is None:
            await attempt
        else:
            with pytest.raises(refusal):
                await attempt


async def test_the_client_has_to_be_active_unless_it_is_urgent(owners: StoreOwners, journal: Journal) -> None:
    with pytest.raises(ClientInactive):
        await owners.require_changeable(ADMIN, IDLE.uuid)
    journal.clear()
    await owners.require_changeable(ADMIN, IDLE.uuid, urgent=True)
    assert journal == ["latest store read"]


async def test_an_unknown_store_has_no_hours(owners: StoreOwners) -> None:
    for attempt in (owners.read(ADMIN, new_uuid()), owners.require_changeable(ADMIN, new_uuid())):
        with pytest.raises(StoreNotFound):
            await attempt
