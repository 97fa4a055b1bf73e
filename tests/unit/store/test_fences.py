"""Every branch of setting and lifting fences, with one kept in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from services.store.errors import FenceOutdated
from services.store.repository.fences import Fence, FenceRepository, FenceWriter
from services.store.schema import FenceState, SetFence
from services.store.usecase.fences import Fences
from shared.errors import Forbidden
from shared.identifiers import new_uuid
from shared.security.principal import Role
from tests.support.tokens import principal

C = new_uuid()
SERVICE = principal("service")


class FakeFence(FenceWriter, FenceRepository):
    """The fence of one client, and how many stores of it live."""

    def __init__(self, fence: Fence, living: int) -> None:
        self.fence = fence
        self.living = living

    @asynccontextmanager
    async def transaction(self, client_uuid: UUID) -> AsyncGenerator["FakeFence"]:
        assert client_uuid == C
        yield self

    async def find(self) -> Fence:
        return self.fence

    async def count_stores(self) -> int:
        return self.living

    async def put(self, fence: Fence) -> None:
        self.fence = fence


NONE, SET, LIFTED = Fence(), Fence(5, is_set=True), Fence(5, is_set=False)


@pytest.mark.parametrize(
    ("known", "number", "cascade", "living", "then"),
    [
        (NONE, 1, False, 0, Fence(1, is_set=True)),
        (NONE, 1, False, 2, NONE),
        (NONE, 1, True, 2, Fence(1, is_set=True)),
        (SET, 5, False, 0, SET),
        (SET, 6, True, 1, Fence(6, is_set=True)),
        (SET, 6, False, 1, SET),
        (LIFTED, 6, False, 0, Fence(6, is_set=True)),
        (SET, 4, True, 0, None),
        (LIFTED, 4, True, 0, None),
        (LIFTED, 5, True, 0, None),
    ],
)
async def test_setting(known: Fence, number: int, *, cascade: bool, living: int, then: Fence | None) -> None:
    row = FakeFence(known, living)
    command = SetFence(number=number, cascade=cascade)
    if then is None:
        with pytest.raises(FenceOutdated):
            await Fences(row).set(SERVICE, C, command)
        assert row.fence == known
        return
    state = await Fences(row).set(SERVICE, C, command)
    assert row.fence == then
    assert state == FenceState(is_set=then.number == number, living_stores=living)


@pytest.mark.parametrize(
    ("known", "number", "then"),
    [
        (NONE, 1, Fence(1, is_set=False)),
        (SET, 5, LIFTED),
        (SET, 6, Fence(6, is_set=False)),
        (LIFTED, 5, LIFTED),
        (SET, 4, SET),
    ],
)
async def test_lifting(known: Fence, number: int, then: Fence) -> None:
    row = FakeFence(known, 0)
    await Fences(row).lift(SERVICE, C, number)
    assert row.fence == then


@pytest.mark.parametrize("known", [NONE, SET, LIFTED])
async def test_reading(known: Fence) -> None:
    state = await Fences(FakeFence(known, 3)).read(SERVICE, C)
    assert state == FenceState(is_set=known.is_set, living_stores=3)


@pytest.mark.parametrize("role", ["admin", "manager", "user"])
async def test_fences_are_for_services(role: Role) -> None:
    row = FakeFence(NONE, 0)
    fences, person = Fences(row), principal(role)
    with pytest.raises(Forbidden):
        await fences.read(person, C)
    with pytest.raises(Forbidden):
        await fences.set(person, C, SetFence(number=1, cascade=True))
    with pytest.raises(Forbidden):
        await fences.lift(person, C, 1)
    assert row.fence == NONE
