"""The audit tells each change of keys once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from services.auth.repository.signing_keys import SigningKeyLog, SigningKeyWriter
from services.auth.schema import KeysInUse
from services.auth.usecase.key_changes import KeyChanges


def keys(signing: str, *verifying: str) -> KeysInUse:
    return KeysInUse(algorithm="EdDSA", signing=signing, verifying=[signing, *verifying])


class FakeLog(SigningKeyLog, SigningKeyWriter):
    def __init__(self) -> None:
        self.told: list[tuple[KeysInUse | None, KeysInUse]] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[SigningKeyWriter]:
        yield self

    async def last(self) -> KeysInUse | None:
        return self.told[-1][1] if self.told else None

    async def add(self, before: KeysInUse | None, after: KeysInUse) -> None:
        self.told.append((before, after))


A, B, B_AND_A = keys("a"), keys("b"), keys("b", "a")


@pytest.mark.parametrize(
    ("starts", "told"),
    [
        ([A], [(None, A)]),
        ([A, A, A], [(None, A)]),
        ([A, B_AND_A, B_AND_A, B], [(None, A), (A, B_AND_A), (B_AND_A, B)]),
        ([A, B, A], [(None, A), (A, B), (B, A)]),
    ],
)
async def test_a_start_tells_what_is_new(
    starts: list[KeysInUse], told: list[tuple[KeysInUse | None, KeysInUse]]
) -> None:
    log = FakeLog()
    for each in starts:
        await KeyChanges(log, each).tell()
    assert log.told == told
