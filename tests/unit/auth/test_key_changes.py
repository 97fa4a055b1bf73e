"""The audit tells each change of keys once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.auth.metrics import AuthMetrics
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

    async def first_signed_with(self, key: str) -> datetime:
        return FIRST if key == "a" else LATER

    async def add(self, before: KeysInUse | None, after: KeysInUse) -> None:
        self.told.append((before, after))


FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LATER = FIRST + timedelta(days=30)

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


async def test_the_age_of_the_signing_key_is_told_at_every_start() -> None:
    log, registry = FakeLog(), CollectorRegistry()
    metrics = AuthMetrics(registry)

    def told() -> float | None:
        return registry.get_sample_value("auth_signing_key_created_timestamp_seconds")

    await KeyChanges(log, A, metrics).tell()
    assert told() == FIRST.timestamp()
    await KeyChanges(log, B_AND_A, metrics).tell()
    assert told() == LATER.timestamp()
    await KeyChanges(log, A, metrics).tell()
    assert told() == FIRST.timestamp()
