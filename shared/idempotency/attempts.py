"""One attempt at a request that has a key, and the transaction in which it creates something once.

The key is taken by an advisory lock that ends with the transaction: a twin is told at once that the first is
under way, and a process that dies leaves no key taken. The answer is kept in the transaction that creates, so
that it is there exactly when what it tells of is.
"""

import hashlib
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, MetaData, func, select

from shared.db import ReadConnection, WriteConnection
from shared.idempotency.answers import Answer
from shared.idempotency.errors import KeyInFlight, KeyReused
from shared.idempotency.keys import Fingerprint
from shared.idempotency.tables import idempotency_table

A = TypeVar("A")

_keys = idempotency_table(MetaData())

_attempt: ContextVar["Attempt | None"] = ContextVar("idempotent attempt", default=None)


class Scope(msgspec.Struct, frozen=True):
    """Where a key is one's own: what one caller sends to one route."""

    caller: str
    route: str
    key: str

    def lock(self) -> int:
        """Return the number of its advisory lock, 64 bits with a sign."""
        digest = hashlib.sha256(msgspec.json.encode(self)).digest()
        return int.from_bytes(digest[:8], "big", signed=True)


class Replay(Exception):
    """The request was answered before."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Kept(msgspec.Struct, frozen=True):
    """What is known of a key that was used."""

    fingerprint: bytes
    authority: str
    answer: Answer


class Attempt:
    """One request with a key; `answer` is set once what it creates is, to be sent when that is committed.

    `fingerprint` is that of the request as soon as all of it has been read.
    """

    def __init__(self, scope: Scope, fingerprint: Fingerprint, authority: str) -> None:
        self.scope = scope
        self.authority = authority
        self.rendered: Callable[[Any], Answer] | None = None
        self.answer: Answer | None = None
        self.fingerprint = fingerprint

    async def known_authority(self, connection: ReadConnection) -> str | None:
        """Return what the caller was who used the key, whatever for; None when nobody did."""
        question = select(_keys.c.authority).where(*self._own())
        return (await connection.execute(question)).scalar_one_or_none()

    async def find(self, connection: ReadConnection | WriteConnection) -> Kept | None:
        """Return what is kept of the key; raises KeyReused when it belongs to another request."""
        columns = [_keys.c[name] for name in ("fingerprint", "authority", "status", "headers", "body")]
        row = (await connection.execute(select(*columns).where(*self._own()))).one_or_none()
        if row is None:
            return None
        if row.fingerprint != self.fingerprint.digest():
            raise KeyReused
        return Kept(row.fingerprint, row.authority, Answer(row.status, row.headers, row.body))

    async def claim(self, connection: WriteConnection) -> None:
        """Take the key until the transaction ends.

        Raises:
            KeyInFlight: when a twin has it.
            KeyReused: when it belongs to another request.
            Replay: when the request was answered before.
        """
        lock = select(func.pg_try_advisory_xact_lock(self.scope.lock()))
        if not (await connection.execute(lock)).scalar_one():
            raise KeyInFlight
        # A statement of its own: it sees what was committed before the lock was granted.
        kept = await self.find(connection)
        if kept:
            raise Replay(kept.answer)

    async def keep(self, connection: WriteConnection, made: Any) -> None:  # noqa: ANN401 - whatever `rendered` tells of
        """Keep the answer that tells of what was made."""
        if self.rendered is None:
            raise TypeError("what a keyed request creates needs `creating` in its controller")
        self.answer = self.rendered(made)
        own, answer = msgspec.structs.asdict(self.scope), msgspec.structs.asdict(self.answer)
        values = {**own, **answer, "fingerprint": self.fingerprint.digest(), "authority": self.authority}
        await connection.execute(_keys.insert().values(**values))

    def _own(self) -> list[ColumnElement[bool]]:
        return [_keys.c[name] == value for name, value in msgspec.structs.asdict(self.scope).items()]


def current_attempt() -> Attempt | None:
    """Return the attempt that is being served; None when the request has no key."""
    return _attempt.get()


@contextmanager
def serving(attempt: Attempt) -> Generator[None]:
    """Let `attempt` be the current one."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


async def once(connection: WriteConnection, create: Callable[[], Awaitable[A]]) -> A:
    """Return what `create` makes in the transaction of `connection`, made once for each key.

    Raises as `Attempt.claim` does, before anything is created.
    """
    attempt = current_attempt()
    if attempt is None:
        return await create()
    await attempt.claim(connection)
    made = await create()
    await attempt.keep(connection, made)
    return made
