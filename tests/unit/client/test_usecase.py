from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.client.errors import ClientNotFound
from services.client.schema import ChangeClient, ClientQuery, CreateClient
from services.client.usecase.clients import Clients
from shared.errors import Forbidden, GeraiError, InvalidInput
from shared.events.history import HistoryQuery
from shared.identifiers import new_uuid
from shared.security.principal import Principal
from tests.support.caches import listed
from tests.support.clients import FakeClients, client
from tests.support.histories import FakeHistory
from tests.support.tokens import principal

OURS, THEIRS = client(name="Ours"), client(name="Theirs", email="theirs@example.com")
NEW = CreateClient(name="New", email="new@example.com")

ADMIN = principal("admin")
MANAGER = principal("manager")
MANAGER_OF_OURS = principal("manager", OURS.uuid)
USER = principal("user")
USER_OF_OURS = principal("user", OURS.uuid)
SERVICE = principal("service")


@pytest.fixture
def rows() -> FakeClients:
    return FakeClients(OURS, THEIRS)


@pytest.fixture
def clients(rows: FakeClients) -> Clients:
    return Clients(rows, FakeHistory())


Action = Callable[[Clients, Principal], Awaitable[Any]]


def create(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.create(who, NEW)


def read_ours(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.read(who, OURS.uuid)


def read_theirs(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.read(who, THEIRS.uuid)


def history_of_ours(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.history(who, OURS.uuid, HistoryQuery())


def history_of_theirs(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.history(who, THEIRS.uuid, HistoryQuery())


def change_ours(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.change(who, OURS.uuid, ChangeClient(name="Changed"))


def change_theirs(clients: Clients, who: Principal) -> Awaitable[Any]:
    return clients.change(who, THEIRS.uuid, ChangeClient(name="Changed"))


OK, FORBIDDEN, UNKNOWN = None, Forbidden, ClientNotFound
CALLERS = (ADMIN, MANAGER, MANAGER_OF_OURS, USER, USER_OF_OURS, SERVICE)

# fmt: off
MATRIX: list[tuple[Action, tuple[type[GeraiError] | None, ...]]] = [
    #               admin, manager, manager of ours, user, user of ours, service
    (create,        (OK, OK,        FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (read_ours,     (OK, OK,        OK,        OK,        OK,        OK)),
    (read_theirs,   (OK, OK,        UNKNOWN,   OK,        UNKNOWN,   OK)),
    (history_of_ours,   (OK, OK,    OK,        FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (history_of_theirs, (OK, OK,    UNKNOWN,   FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (change_ours,   (OK, OK,        OK,        FORBIDDEN, FORBIDDEN, FORBIDDEN)),
    (change_theirs, (OK, OK,        UNKNOWN,   FORBIDDEN, FORBIDDEN, FORBIDDEN)),
]
# fmt: on


@pytest.mark.parametrize("caller", range(len(CALLERS)))
@pytest.mark.parametrize(("action", "refusals"), MATRIX)
async def test_who_may_do_what(
    rows: FakeClients,
    clients: Clients,
    action: Action,
    refusals: tuple[type[GeraiError] | None, ...],
    caller: int,
) -> None:
    who, refusal, before = CALLERS[caller], refusals[caller], dict(rows.rows)
    if refusal is None:
        await action(clients, who)
        return
    with pytest.raises(refusal):
        await action(clients, who)
    assert rows.rows == before


async def test_a_role_is_judged_before_existence(clients: Clients) -> None:
    with pytest.raises(Forbidden):
        await clients.change(USER, new_uuid(), ChangeClient(name="Changed"))


async def test_unknown_clients_are_not_found(clients: Clients) -> None:
    with pytest.raises(ClientNotFound):
        await clients.read(ADMIN, new_uuid())
    with pytest.raises(ClientNotFound):
        await clients.change(ADMIN, new_uuid(), ChangeClient(name="Changed"))


async def test_places_must_exist(rows: FakeClients, clients: Clients) -> None:
    nowhere = CreateClient(name="New", email="new@example.com", country="XX", timezone="Mars/Olympus")
    with pytest.raises(InvalidInput) as raised:
        await clients.create(ADMIN, nowhere)
    assert [problem.field for problem in raised.value.details] == ["country", "timezone"]
    with pytest.raises(InvalidInput):
        await clients.change(ADMIN, OURS.uuid, ChangeClient(timezone="asia/jakarta"))
    assert set(rows.rows) == {OURS.uuid, THEIRS.uuid}


async def test_lists_are_confined_to_the_tenant(rows: FakeClients, clients: Clients) -> None:
    found = listed(await clients.list(USER_OF_OURS, ClientQuery()))
    assert [each["uuid"] for each in found] == [str(OURS.uuid)]
    await clients.list(ADMIN, ClientQuery(uuids=f"{OURS.uuid}, {THEIRS.uuid}"))
    await clients.list(ADMIN, ClientQuery(uuids=""))
    assert rows.listed == [(None, OURS.uuid), ([OURS.uuid, THEIRS.uuid], None), ([], None)]


@pytest.mark.parametrize(
    "uuids",
    ["x", str(OURS.uuid)[:-1], ",".join([str(OURS.uuid)] * 101)],
    ids=["no id", "short", "too many"],
)
async def test_ids_are_checked_before_anything_is_asked(
    rows: FakeClients, clients: Clients, uuids: str
) -> None:
    with pytest.raises(InvalidInput):
        await clients.list(ADMIN, ClientQuery(uuids=uuids))
    assert rows.listed == []
