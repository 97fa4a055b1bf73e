from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from services.store.errors import ClientInactive, ClientNotFound, DuplicateStore, StoreNotFound
from services.store.schema import ChangeStore, CreateStore, StoreQuery, StoreWithClient
from services.store.usecase.known_clients import KnownClients
from services.store.usecase.stores import Stores
from shared.errors import Forbidden, GatewayTimeout, GeraiError, InvalidInput, ServiceUnavailable
from shared.events.history import HistoryQuery
from shared.identifiers import new_uuid
from shared.security.principal import Principal
from tests.support.caches import listed
from tests.support.histories import FakeHistory
from tests.support.stores import FakeCopies, FakeDirectory, FakeStores, Journal, facts, store
from tests.support.tokens import principal

C, D, INACTIVE = new_uuid(), new_uuid(), new_uuid()
OURS, THEIRS, IDLE = store(client_uuid=C), store(client_uuid=D), store(client_uuid=INACTIVE)

ADMIN = principal("admin")
MANAGER = principal("manager")
MANAGER_OF_C = principal("manager", C)
USER = principal("user")
USER_OF_C = principal("user", C)
SERVICE = principal("service")

RENAMED = ChangeStore(name="Changed")


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def directory(journal: Journal) -> FakeDirectory:
    return FakeDirectory(facts(C), facts(D), facts(INACTIVE, is_active=False), journal=journal)


@pytest.fixture
def rows(journal: Journal) -> FakeStores:
    return FakeStores(OURS, THEIRS, IDLE, journal=journal)


@pytest.fixture
def stores(rows: FakeStores, directory: FakeDirectory) -> Stores:
    return Stores(rows, directory, KnownClients(FakeCopies(), directory), FakeHistory())


def new(client_uuid: object = C, **fields: Any) -> CreateStore:  # noqa: ANN401 - a store's fields
    members: dict[str, Any] = {"client_uuid": client_uuid, "code": "BDG-01", "name": "Bandung", **fields}
    return CreateStore(**members)


Action = Callable[[Stores, Principal], Awaitable[Any]]


def create_in_c(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.create(who, new(C))


def create_in_d(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.create(who, new(D))


def read_in_c(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.read(who, OURS.uuid)


def read_in_d(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.read_with_client(who, THEIRS.uuid)


def list_all(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.list(who, StoreQuery())


def history_in_c(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.history(who, OURS.uuid, HistoryQuery())


def history_in_d(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.history(who, THEIRS.uuid, HistoryQuery())


def change_in_c(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.change(who, OURS.uuid, RENAMED)


def change_in_d(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.change(who, THEIRS.uuid, RENAMED)


def delete_in_c(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.delete(who, OURS.uuid)


def delete_in_d(stores: Stores, who: Principal) -> Awaitable[Any]:
    return stores.delete(who, THEIRS.uuid)


OK, FORBIDDEN, UNKNOWN = None, Forbidden, StoreNotFound
CALLERS = (ADMIN, MANAGER, MANAGER_OF_C, USER, USER_OF_C, SERVICE)

# fmt: off
MATRIX: list[tuple[Action, tuple[type[GeraiError] | None, ...]]] = [
    #             admin, manager, manager of C,  user,      user of C, service
    (create_in_c, (OK, OK,        OK,             FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (create_in_d, (OK, OK,        ClientNotFound, FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (read_in_c,   (OK, OK,        OK,             OK,        OK,        FORBIDDEN)),
    (read_in_d,   (OK, OK,        UNKNOWN,        OK,        UNKNOWN,   FORBIDDEN)),
    (list_all,    (OK, OK,        OK,             OK,        OK,        FORBIDDEN)),
    (history_in_c, (OK, OK,       OK,             FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (history_in_d, (OK, OK,       UNKNOWN,        FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (change_in_c, (OK, OK,        OK,             FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (change_in_d, (OK, OK,        UNKNOWN,        FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (delete_in_c, (OK, OK,        OK,             FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (delete_in_d, (OK, OK,        UNKNOWN,        FORBIDDEN, FORBIDDEN, FORBIDDEN)),
]
# fmt: on


@pytest.mark.parametrize("caller", range(len(CALLERS)))
@pytest.mark.parametrize(("action", "refusals"), MATRIX)
async def test_who_may_do_what(
    rows: FakeStores,
    stores: Stores,
    action: Action,
    refusals: tuple[type[GeraiError] | None, ...],
    caller: int,
) -> None:
    who, refusal, before = CALLERS[caller], refusals[caller], dict(rows.rows)
    if refusal is None:
        await action(stores, who)
        return
    with pytest.raises(refusal):
        await action(stores, who)
    assert rows.rows == before


async def test_a_role_is_judged_before_existence(stores: Stores, journal: Journal) -> None:
    with pytest.raises(Forbidden):
        await stores.change(USER, new_uuid(), RENAMED)
    with pytest.raises(Forbidden):
        await stores.delete(USER, new_uuid())
    with pytest.raises(Forbidden):
        await stores.create(USER, new(new_uuid()))
    assert journal == []


async def test_unknown_stores_are_not_found(stores: Stores) -> None:
    with pytest.raises(StoreNotFound):
        await stores.read(ADMIN, new_uuid())
    with pytest.raises(StoreNotFound):
        await stores.change(ADMIN, new_uuid(), RENAMED)
    with pytest.raises(StoreNotFound):
        await stores.delete(ADMIN, new_uuid())


async def test_the_client_is_asked_for_before_a_transaction_is_opened(
    stores: Stores, journal: Journal
) -> None:
    await stores.create(ADMIN, new())
    assert journal == ["client asked for", "transaction opened"]
    journal.clear()
    await stores.change(ADMIN, OURS.uuid, RENAMED)
    assert journal == ["latest store read", "client asked for", "transaction opened"]


async def test_closing_a_store_asks_nobody(
    stores: Stores, directory: FakeDirectory, journal: Journal
) -> None:
    directory.failure = ServiceUnavailable(service="client")
    await stores.delete(ADMIN, OURS.uuid)
    assert journal == ["transaction opened"]


async def test_another_tenants_client_is_not_even_asked_for(stores: Stores, journal: Journal) -> None:
    with pytest.raises(ClientNotFound):
        await stores.create(MANAGER_OF_C, new(D))
    assert journal == []


async def test_the_client_must_exist_and_be_active(rows: FakeStores, stores: Stores) -> None:
    before = dict(rows.rows)
    with pytest.raises(ClientNotFound):
        await stores.create(ADMIN, new(new_uuid()))
    with pytest.raises(ClientInactive):
        await stores.create(ADMIN, new(INACTIVE))
    with pytest.raises(ClientInactive):
        await stores.change(ADMIN, IDLE.uuid, RENAMED)
    assert rows.rows == before


@pytest.mark.parametrize(
    "failure", [ServiceUnavailable(service="client"), GatewayTimeout(service="client")], ids=repr
)
async def test_without_the_client_service_nothing_is_written(
    rows: FakeStores, stores: Stores, directory: FakeDirectory, failure: GeraiError
) -> None:
    directory.failure = failure
    before = dict(rows.rows)
    for attempt in (stores.create(ADMIN, new()), stores.change(ADMIN, OURS.uuid, RENAMED)):
        with pytest.raises(type(failure)):
            await attempt
    assert rows.rows == before


async def test_a_failed_transaction_leaves_nothing(rows: FakeStores, stores: Stores) -> None:
    await stores.create(ADMIN, new())
    before = dict(rows.rows)
    with pytest.raises(DuplicateStore):
        await stores.create(ADMIN, new())
    assert rows.rows == before


async def test_a_store_is_shown_with_its_client(stores: Stores) -> None:
    found = await stores.read_with_client(ADMIN, OURS.uuid)
    shown = msgspec.json.decode(found.content or b"", type=StoreWithClient)
    assert shown.uuid == OURS.uuid
    assert shown.client == facts(C)


async def test_a_store_outlives_its_client(stores: Stores, directory: FakeDirectory) -> None:
    directory.clients.clear()
    found = await stores.read_with_client(ADMIN, OURS.uuid)
    assert msgspec.json.decode(found.content or b"", type=StoreWithClient).client is None


async def test_every_problem_of_a_place_is_told(stores: Stores, journal: Journal) -> None:
    with pytest.raises(InvalidInput) as raised:
        await stores.create(ADMIN, new(country="XX", timezone="Mars/Olympus", latitude=1.5))
    fields = [problem.field for problem in raised.value.details]
    assert fields == ["country", "timezone", "latitude", "longitude"]
    assert journal == []


@pytest.mark.parametrize(
    "patch",
    [ChangeStore(latitude=1.5, longitude=None), ChangeStore(latitude=None, longitude=1.5)],
    ids=["without longitude", "without latitude"],
)
async def test_a_patch_cannot_halve_coordinates(stores: Stores, patch: ChangeStore) -> None:
    with pytest.raises(InvalidInput):
        await stores.change(ADMIN, OURS.uuid, patch)


async def test_lists_are_confined_to_the_tenant(rows: FakeStores, stores: Stores) -> None:
    found = listed(await stores.list(USER_OF_C, StoreQuery()))
    assert [each["uuid"] for each in found] == [str(OURS.uuid)]
    await stores.list(ADMIN, StoreQuery(uuids=f"{OURS.uuid},{THEIRS.uuid}"))
    await stores.list(ADMIN, StoreQuery(uuids=""))
    assert [(asked.uuids, tenant) for asked, tenant in rows.listed] == [
        (None, C),
        ([OURS.uuid, THEIRS.uuid], None),
        ([], None),
    ]
