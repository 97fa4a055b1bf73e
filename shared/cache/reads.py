"""Answers kept in Redis, of which none is older than the last acknowledged write.

An answer depends on tags. Each tag is a key in Redis that holds the random token of its present generation;
an answer is kept with the tokens that were seen before it was looked up in the primary, and is used only
while the tags still have those. A write marks its tags before it commits, and ends their generations
afterwards, before it is acknowledged. So an answer that was looked up before a commit can neither be kept
nor used after it; neither can one when Redis has lost its data, for then the tokens are gone as well.
`era` covers what tokens cannot: a writer that does not reach Redis, and a Redis that comes back with old
data.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from secrets import token_hex
from typing import cast

from shared.cache import scripts, status
from shared.cache.era import CONFIRMED_SECONDS, Era
from shared.cache.link import KEY_PREFIX, RedisAway, RedisLink
from shared.cache.metrics import CacheMetrics
from shared.cache.status import Cached
from shared.deadline import outlive_request

TAG_PREFIX = KEY_PREFIX + "tag:"

KEPT_SECONDS = 60
ABSENCE_SECONDS = 3
"""How long it is remembered that something does not exist."""

_JITTER = 0.15
_CLAIM_MILLISECONDS = 10_000
_WRITE_MILLISECONDS = 30_000
"""Longer than any transaction: a writer that dies leaves its tags unusable, not its answers stale."""

_END_PATIENCE = 5
"""A write waits longer than a read, for without Redis everything cached must be given up."""

Load = Callable[[], Awaitable[bytes | None]]


class ReadCache:
    """Keeps JSON answers of one service."""

    def __init__(self, link: RedisLink, era: Era, metrics: CacheMetrics | None = None) -> None:
        self._link = link
        self._era = era
        self._metrics = metrics or CacheMetrics()
        self._fills: dict[tuple[str, bytes], asyncio.Task[Cached]] = {}
        self._ends: set[asyncio.Task[None]] = set()

    async def read(self, key: str, tags: Sequence[str], load: Load, *, fresh: bool = False) -> Cached:
        """Return the answer of this key: the one that is kept, else what `load` reads from the primary.

        `fresh` answers from `load` in any case. Concurrent readers of one generation share one `load`.
        """
        if fresh:
            found = Cached(await load(), status.REQUESTED)
        else:
            found = await self._read(key, tags, load)
        self._metrics.found(key, found.status.result)
        return found

    @asynccontextmanager
    async def changing(self) -> AsyncGenerator["Changing"]:
        """Surround a transaction that changes what cached answers depend on.

        At the end of the block no answer from before is usable, in this process and all others; if Redis
        cannot be reached, within the time that `era` states.

        Raises:
            ServiceUnavailable: when neither Redis nor PostgreSQL could be told; the write may have happened.
        """
        changing = Changing(self._link)
        try:
            yield changing
        finally:
            if changing.tags:
                # Its caller may be cancelled, or its client gone; the transaction may have been committed.
                ending = asyncio.create_task(self._end(changing))
                self._ends.add(ending)
                ending.add_done_callback(self._ends.discard)
                await asyncio.shield(ending)

    async def invalidate(self, tags: Sequence[str]) -> None:
        """End the generations of `tags`, as the end of `changing` does."""
        if tags:
            async with self.changing() as changing:
                changing.note(tags)

    async def invalidate_all(self) -> None:
        """Let nothing that is kept be used any more; return once no process uses it."""
        self._metrics.ended_all()
        await self._era.advance()
        await asyncio.sleep(CONFIRMED_SECONDS)

    async def start(self) -> None:
        """Confirm the era, and keep confirming it."""
        await self._era.start()

    async def close(self) -> None:
        """Finish what is under way, then close every connection."""
        await self._era.stop()
        under_way = [*self._ends, *self._fills.values()]
        if under_way:
            await asyncio.wait(under_way)
        await self._link.close()

    async def _read(self, key: str, tags: Sequence[str], load: Load) -> Cached:
        tag_keys = [TAG_PREFIX + tag for tag in tags]
        try:
            self._require_era()
            reply = await self._link.command("MGET", KEY_PREFIX + key, *tag_keys)
            entry, *tokens = cast("list[bytes | None]", reply)
            era = self._require_era()  # asked again: the reply may be the first of another run of Redis
            stamp = _stamp(era, tokens)
            if entry and stamp and entry.startswith(stamp):
                return Cached(entry[len(stamp) :] or None, status.HIT)
            if None in tokens:
                stamp = _stamp(era, await self._claim(tag_keys))
        except RedisAway:
            return Cached(await load(), status.UNAVAILABLE)
        if stamp is None:  # what it depends on is being written
            return Cached(await load(), status.NOT_STORED)
        return await self._filled(key, tag_keys, stamp, load)

    def _require_era(self) -> bytes:
        era = self._era.current()
        if era is None:
            raise RedisAway
        return era

    async def _claim(self, tag_keys: Sequence[str]) -> list[bytes | None]:
        token = f"G{token_hex(8)}"
        arguments = (len(tag_keys), *tag_keys, token, _CLAIM_MILLISECONDS)
        return cast("list[bytes | None]", await self._link.command("EVAL", scripts.CLAIM, *arguments))

    async def _filled(self, key: str, tag_keys: Sequence[str], stamp: bytes, load: Load) -> Cached:
        # The stamp is part of the name: who joins a fill has seen the same generation after asking, so no
        # write was acknowledged between the beginning of that fill and the asking.
        name = (key, stamp)
        running = self._fills.get(name)
        if running is None:
            fill = asyncio.create_task(self._fill(key, tag_keys, stamp, load))
            self._fills[name] = fill
            fill.add_done_callback(lambda done: self._forget(name, done))
            return await asyncio.shield(fill)
        joined = await asyncio.shield(running)
        return Cached(joined.content, status.COLLAPSED)

    def _forget(self, name: tuple[str, bytes], fill: asyncio.Task[Cached]) -> None:
        del self._fills[name]
        if not fill.cancelled():
            fill.exception()  # whoever waits gets it; perhaps nobody does any more

    async def _fill(self, key: str, tag_keys: Sequence[str], stamp: bytes, load: Load) -> Cached:
        outlive_request()  # others may have joined
        content = await load()
        tokens = stamp.rstrip(b"\n").partition(b" ")[2].split(b",")
        seconds = ABSENCE_SECONDS if content is None else KEPT_SECONDS
        milliseconds = int(1000 * seconds * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - spreads expiries
        keys = (len(tag_keys) + 1, KEY_PREFIX + key, *tag_keys)
        entry = stamp + (content or b"")
        try:
            kept = await self._link.command("EVAL", scripts.FILL, *keys, entry, milliseconds, *tokens)
        except RedisAway:
            kept = 0
        return Cached(content, status.STORED if kept else status.NOT_STORED)

    async def _end(self, changing: "Changing") -> None:
        self._metrics.ended(changing.tags)
        try:
            arguments = (*changing.keys(), changing.token)
            await self._link.command("EVAL", scripts.END, *arguments, patience=_END_PATIENCE)
        except RedisAway:
            await self._era.advance()


class Changing:
    """The tags of a write that is under way."""

    def __init__(self, link: RedisLink) -> None:
        self.tags: list[str] = []
        self.token = f"W{token_hex(8)}"
        self._link = link

    def note(self, tags: Sequence[str]) -> None:
        """Add tags without announcing them."""
        self.tags += tags

    async def begin(self, tags: Sequence[str]) -> None:
        """Announce that what these tags stand for is going to change; call it before the commit."""
        self.note(tags)
        keys = [TAG_PREFIX + tag for tag in tags]
        with suppress(RedisAway):  # the end of the write is what counts
            await self._link.command("EVAL", scripts.BEGIN, len(keys), *keys, self.token, _WRITE_MILLISECONDS)

    def keys(self) -> list[str | int]:
        """Return the number of keys, then the keys, as scripts take them."""
        return [len(self.tags), *(TAG_PREFIX + tag for tag in self.tags)]


def _stamp(era: bytes, tokens: Sequence[bytes | None]) -> bytes | None:
    """Return what a usable answer begins with; None when a tag has no generation."""
    found = [token for token in tokens if token and token.startswith(b"G")]
    return b"%b %b\n" % (era, b",".join(found)) if len(found) == len(tokens) else None
