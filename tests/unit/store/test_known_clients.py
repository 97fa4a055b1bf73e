import pytest

from services.store.usecase.known_clients import KnownClients
from shared.errors import ServiceUnavailable
from shared.identifiers import new_uuid
from tests.support.stores import FakeCopies, FakeDirectory, facts

C = facts(new_uuid())
AWAY = ServiceUnavailable(service="client")


async def test_what_is_known_is_not_asked_for() -> None:
    directory = FakeDirectory()
    directory.failure = AWAY
    known = KnownClients(FakeCopies(**{str(C.uuid): C}), directory)
    assert await known.find(C.uuid) == C
    assert directory.journal == []


async def test_a_client_known_to_be_deleted_is_none() -> None:
    directory = FakeDirectory(C)
    assert await KnownClients(FakeCopies(**{str(C.uuid): None}), directory).find(C.uuid) is None
    assert directory.journal == []


async def test_what_is_not_known_is_asked_for_once() -> None:
    directory = FakeDirectory(C)
    known = KnownClients(FakeCopies(), directory)
    assert [await known.find(C.uuid) for _ in range(2)] == [C, C]
    assert directory.journal == ["client asked for"]


async def test_of_a_client_that_does_not_exist_nothing_is_kept() -> None:
    directory, copies = FakeDirectory(), FakeCopies()
    assert await KnownClients(copies, directory).find(C.uuid) is None
    assert copies.rows == {}


async def test_who_cannot_be_asked_is_not_taken_for_deleted() -> None:
    directory = FakeDirectory()
    directory.failure = AWAY
    with pytest.raises(ServiceUnavailable):
        await KnownClients(FakeCopies(), directory).find(C.uuid)
