"""What one consumer of a group asks of Redis."""

from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis

from shared.events.streams import START, Entry, create_group, entries

READ_AT_ONCE = 100
BLOCK_MILLISECONDS = 250
"""How long a read waits for events; a consumer that is told to stop takes as long."""

_MOST_COUNTED = 1000


class GroupMember:
    """Reads the entries of `stream` for `group` as `member`, a name that it has again after a restart."""

    def __init__(self, redis: Redis, stream: str, group: str, member: str) -> None:
        self._redis = cast("Any", redis)  # its annotations leave the commands' results open
        self._stream = stream
        self._group = group
        self._member = member

    async def join(self) -> bool:
        """Make the group, from the stream's oldest entry, unless it is there; tell whether it was not."""
        return await create_group(self._redis, self._stream, self._group)

    async def own(self, after: str) -> list[Entry]:
        """Return entries after this one that were given to this member and not acknowledged."""
        return await self._read(after, None)

    async def new(self) -> list[Entry]:
        """Return entries that no member was given, waiting a moment for some."""
        return await self._read(">", BLOCK_MILLISECONDS)

    async def claim(self, idle_milliseconds: int) -> list[Entry]:
        """Take over entries that some member has had for that long without acknowledging them."""
        claimed, cursor = list[Entry](), START
        while True:
            # What it scans is bounded, so an empty answer is not the end; the cursor tells.
            found = await self._redis.xautoclaim(
                self._stream, self._group, self._member, idle_milliseconds, cursor, count=READ_AT_ONCE
            )
            cursor = found[0]
            claimed += entries(found[1])
            if cursor == START:
                return claimed

    async def take(self, ids: Sequence[str]) -> list[Entry]:
        """Return these pending entries once more, which counts as a delivery."""
        return entries(await self._redis.xclaim(self._stream, self._group, self._member, 0, ids))

    async def deliveries(self, id_: str) -> int:
        """Return how often a pending entry was given to a member."""
        found = await self._redis.xpending_range(self._stream, self._group, id_, id_, 1)
        return found[0]["times_delivered"] if found else 0

    async def acknowledge(self, ids: Sequence[str]) -> None:
        """Have done with entries."""
        await self._redis.xack(self._stream, self._group, *ids)

    async def remaining(self) -> tuple[int, int]:
        """Return how many entries the group was not given, and how many it has not acknowledged.

        Redis 6.2 does not say the first; it is counted up to a thousand.
        """
        for group in await self._redis.xinfo_groups(self._stream):
            if group["name"] == self._group:
                lag = group.get("lag")
                return await self._count_after(group["last-delivered-id"]) if lag is None else lag, group[
                    "pending"
                ]
        return 0, 0

    async def forget_gone(self, idle_milliseconds: int) -> None:
        """Forget members that have not shown up for so long and have nothing left to acknowledge."""
        for member in await self._redis.xinfo_consumers(self._stream, self._group):
            if not member["pending"] and member["idle"] > idle_milliseconds:
                await self._redis.xgroup_delconsumer(self._stream, self._group, member["name"])

    async def _count_after(self, id_: str) -> int:
        return len(await self._redis.xrange(self._stream, min=f"({id_}", count=_MOST_COUNTED))

    async def _read(self, after: str, block: int | None) -> list[Entry]:
        found = await self._redis.xreadgroup(
            self._group, self._member, {self._stream: after}, count=READ_AT_ONCE, block=block
        )
        return entries(found[0][1]) if found else []
