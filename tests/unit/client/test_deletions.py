"""Deleting a client in two databases: every branch, with both sides in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.client.errors import ClientHasStores, ClientNotFound, DeletionUnderWay, DeletionUndone
from services.client.repository.deletions import Deletion
from services.client.usecase import deletions as module
from services.client.usecase.deletions import Deletions, Undoing
from shared.errors import Forbidden, GatewayTimeout, ServiceUnavailable
from shared.identifiers import new_uuid
from shared.security.principal import Role
from tests.support.clients import FakeClients, client
from tests.support.fences import FakeFences
from tests.support.tokens import principal

C = client()
ADMIN = principal("admin")
AWAY = ServiceUnavailable(service="store")


@pytest.fixture
def rows() -> FakeClients:
    return FakeClients(C)


@pytest.fixture
def fences() -> FakeFences:
    return FakeFences()


@pytest.fixture
def deletions(rows: FakeClients, fences: FakeFences) -> Deletions:
    return Deletions(rows, rows.deletions, fences)


def assert_alive(rows: FakeClients, fences: FakeFences) -> None:
    assert C.uuid in rows.rows
    assert rows.deletions.rows == {}
    assert not fences.is_set(C.uuid)


async def test_a_client_without_stores_ends_behind_its_fence(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    await deletions.delete(ADMIN, C.uuid, cascade=False)
    assert (rows.rows, rows.deletions.rows) == ({}, {})
    assert fences.is_set(C.uuid)
    assert fences.asked == ["set"]
    assert rows.actors == [ADMIN.subject, ADMIN.subject]


async def test_the_intention_is_there_before_the_fence(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    async def look(uuid: UUID) -> None:
        assert uuid in rows.rows
        assert not rows.deletions.rows[uuid].undone

    fences.on_set = look
    await deletions.delete(ADMIN, C.uuid, cascade=False)
    assert rows.rows == {}


async def test_a_client_with_stores_stays(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    fences.stores[C.uuid] = 3
    with pytest.raises(ClientHasStores, match=r": 3\. .*cascade=true"):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    assert deletions.given_up.is_set()
    await deletions.undo_abandoned()
    assert_alive(rows, fences)
    assert not deletions.given_up.is_set()


async def test_with_cascade_it_ends_with_its_stores(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    fences.stores[C.uuid] = 3
    await deletions.delete(ADMIN, C.uuid, cascade=True)
    assert rows.rows == {}
    assert fences.is_set(C.uuid)


@pytest.mark.parametrize("role", ["manager", "user", "service"])
async def test_only_admins_delete(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, role: Role
) -> None:
    with pytest.raises(Forbidden):
        await deletions.delete(principal(role), C.uuid, cascade=True)
    assert fences.asked == []
    assert rows.actors == []


async def test_an_unknown_client_is_not_fenced(deletions: Deletions, fences: FakeFences) -> None:
    with pytest.raises(ClientNotFound):
        await deletions.delete(ADMIN, new_uuid(), cascade=False)
    assert fences.asked == []


@pytest.mark.parametrize("failure", [AWAY, GatewayTimeout(service="store")], ids=repr)
@pytest.mark.parametrize("deaf", [False, True])
async def test_without_an_answer_nothing_has_changed(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, failure: ServiceUnavailable, *, deaf: bool
) -> None:
    fences.failure, fences.deaf = failure, deaf
    with pytest.raises(type(failure)):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    await deletions.undo_abandoned()
    assert rows.deletions.rows[C.uuid].undone
    fences.failure = None
    await deletions.undo_abandoned()
    assert_alive(rows, fences)


async def test_one_that_cannot_be_undone_does_not_keep_others_waiting(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    other = client(email="other@example.com")
    rows.rows[other.uuid] = other
    fences.failure = AWAY
    for uuid in (C.uuid, other.uuid):
        with pytest.raises(ServiceUnavailable):
            await deletions.delete(ADMIN, uuid, cascade=False)
    await deletions.undo_abandoned()
    assert fences.asked == ["set", "set", "lift", "lift"]


async def test_a_database_that_fails_is_a_deletion_given_up(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(deletions, "_carry_out", fail)
    with pytest.raises(OSError):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    await deletions.undo_abandoned()
    assert_alive(rows, fences)


async def test_a_deletion_that_is_cut_off_is_undone(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    async def hang(uuid: UUID) -> None:
        del uuid
        await asyncio.Event().wait()

    fences.on_set = hang
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await deletions.delete(ADMIN, C.uuid, cascade=False)
    assert deletions.given_up.is_set()
    rows.deletions.failure = OSError("away")
    with pytest.raises(OSError, match="away"):
        await deletions.undo_abandoned()
    rows.deletions.failure = None
    await deletions.undo_abandoned()
    assert_alive(rows, fences)


async def test_a_second_deletion_waits_for_the_first(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    async def again(uuid: UUID) -> None:
        fences.on_set = None
        with pytest.raises(DeletionUnderWay) as raised:
            await deletions.delete(ADMIN, uuid, cascade=False)
        assert raised.value.headers["Retry-After"] == "10"

    fences.on_set = again
    await deletions.delete(ADMIN, C.uuid, cascade=False)
    assert rows.rows == {}
    assert fences.asked == ["set"]


async def given_up(deletions: Deletions, rows: FakeClients, fences: FakeFences) -> None:
    """Another process holds that it took too long."""
    rows.deletions.change(C.uuid, is_late=True)
    await deletions.undo_abandoned()
    assert not fences.is_set(C.uuid)


async def marked(deletions: Deletions, rows: FakeClients, fences: FakeFences) -> None:
    """Another process has given it up and not lifted the fence yet."""
    rows.deletions.change(C.uuid, undone=True)
    assert fences.is_set(C.uuid)
    del deletions


Meanwhile = Callable[[Deletions, FakeClients, FakeFences], Awaitable[None]]


@pytest.mark.parametrize("meanwhile", [given_up, marked])
async def test_what_was_given_up_is_not_carried_out(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, meanwhile: Meanwhile
) -> None:
    async def interfere(uuid: UUID) -> None:
        del uuid
        await meanwhile(deletions, rows, fences)

    fences.on_set = interfere
    with pytest.raises(DeletionUndone):
        await deletions.delete(ADMIN, C.uuid, cascade=True)
    await deletions.undo_abandoned()
    assert_alive(rows, fences)


@pytest.mark.parametrize("undone", [True, False])
async def test_a_deletion_follows_one_that_failed(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, *, undone: bool
) -> None:
    """And what the failed one still does has no effect."""

    async def crash(uuid: UUID) -> None:
        del uuid
        raise KeyboardInterrupt

    fences.on_set = crash
    with pytest.raises(KeyboardInterrupt):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    failed = Deletion(C.uuid, rows.deletions.rows[C.uuid].number)
    assert fences.is_set(C.uuid)
    rows.deletions.change(C.uuid, undone=undone, is_late=not undone)
    fences.on_set = None
    await deletions.delete(ADMIN, C.uuid, cascade=False)
    await rows.deletions.give_up(failed)
    await fences.lift(*failed)
    await rows.deletions.forget(failed)
    assert (rows.rows, rows.deletions.rows) == ({}, {})
    assert fences.is_set(C.uuid)


async def test_a_client_that_is_gone_keeps_its_fence(
    deletions: Deletions, rows: FakeClients, fences: FakeFences
) -> None:
    async def vanish(uuid: UUID) -> None:
        del rows.rows[uuid]

    fences.on_set = vanish
    with pytest.raises(ClientNotFound):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    await deletions.undo_abandoned()
    assert fences.is_set(C.uuid)
    assert rows.deletions.rows == {}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_failed_deletions_are_undone_in_the_background(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDOING_SECONDS", 60)
    undoing = Undoing(deletions)
    await undoing.start()
    fences.stores[C.uuid] = 1
    with pytest.raises(ClientHasStores):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    await until(lambda: not rows.deletions.rows)
    assert fences.asked == ["set", "lift"]
    await undoing.stop()


async def test_undoing_goes_on_when_the_database_comes_back(
    deletions: Deletions, rows: FakeClients, fences: FakeFences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDOING_SECONDS", 0.001)
    rows.deletions.failure, fences.failure = OSError("away"), AWAY
    undoing = Undoing(deletions)
    await undoing.start()
    with pytest.raises(OSError):
        await deletions.delete(ADMIN, C.uuid, cascade=False)
    rows.deletions.failure = fences.failure = None
    rows.deletions.change(C.uuid, is_late=True)
    await until(lambda: not rows.deletions.rows)
    await undoing.stop()


async def test_what_never_started_can_be_stopped(deletions: Deletions) -> None:
    await Undoing(deletions).stop()
