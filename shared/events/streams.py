"""Redis Streams, with commands that Redis 6.2 has. They carry events and may lose them; tables keep them.

A stream entry has one field, `event`. The marker beside a stream says which run of Redis it was last seen
whole in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from shared.config import RedisConfig

FAILURES = (RedisError, OSError, TimeoutError, RuntimeError)
"""What a Redis that is away, restarting or full raises; the last is uvloop's after a reset."""

START = "0-0"
_FIELD = "event"
_TIMEOUT_SECONDS = 2


class Entry(NamedTuple):
    """One entry of a stream; `event` is None when its content was trimmed."""

    id: str
    event: str | None


class Group(NamedTuple):
    """How far a group of consumers is: what it was given last, and its oldest unacknowledged entry."""

    name: str
    last_delivered: str
    pending: int
    oldest_pending: str | None
    lag: int | None


def stream_name(service: str) -> str:
    """Return the stream that holds the events of a service."""
    return f"gerai:events:{service}"


def streams_client(config: RedisConfig) -> Redis:
    """Return a client for streams: it waits longer than the cache's and leaves trying again to its user."""
    return Redis(
        host=config.host,
        port=config.port,
        db=config.db,
        password=config.password.reveal() if config.password else None,
        ssl=config.tls,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        encoding_errors="replace",
        protocol=2,
    )


class Stream:
    """The stream of one service as its relay sees it."""

    def __init__(self, redis: Redis, service: str) -> None:
        self.name = stream_name(service)
        self._marker = f"{self.name}:run"
        self._redis = cast("Any", redis)  # its annotations leave the commands' results open

    async def publish(self, events: Sequence[bytes]) -> None:
        """Append events in order."""
        pipeline = self._redis.pipeline(transaction=False)
        for event in events:
            pipeline.xadd(self.name, {_FIELD: event})
        await pipeline.execute()

    async def run(self) -> str:
        """Return what identifies this run of the server."""
        return str((await self._redis.info("server"))["run_id"])

    async def marked_run(self) -> str | None:
        """Return the run that the stream was last known to be whole in; None when the stream is not there."""
        run, exists = await self._redis.get(self._marker), await self._redis.exists(self.name)
        return run if exists else None

    async def mark(self, run: str) -> None:
        """Note that the stream is whole in this run, making it where there is none."""
        made = f"{self.name}:making"
        await create_group(self._redis, self.name, made)
        await self._redis.xgroup_destroy(self.name, made)
        await self._redis.set(self._marker, run)

    async def newest(self) -> Entry | None:
        """Return the last entry."""
        found = await self._redis.xrevrange(self.name, count=1)
        return entries(found)[0] if found else None

    async def groups(self) -> list[Group]:
        """Return how far each group is."""
        found: list[dict[str, Any]] = await self._redis.xinfo_groups(self.name)
        return [await self._group(each) for each in found]

    async def now(self) -> int:
        """Return the server's time in milliseconds, the one that entries are numbered by."""
        seconds, microseconds = await self._redis.time()
        return seconds * 1000 + microseconds // 1000

    async def length(self) -> int:
        """Return how many entries there are."""
        return await self._redis.xlen(self.name)

    async def trim(self, before: str) -> int:
        """Remove the entries before this one and return how many they were."""
        return await self._redis.xtrim(self.name, minid=before, approximate=False)

    async def trim_some(self, before: str, most: int) -> int:
        """Remove about `most` of the entries before this one, the oldest, and return how many they were."""
        return await self._redis.xtrim(self.name, minid=before, approximate=True, limit=most)

    async def _group(self, found: dict[str, Any]) -> Group:
        name, pending = found["name"], found["pending"]
        summary = await self._redis.xpending(self.name, name) if pending else {"min": None}
        return Group(name, found["last-delivered-id"], pending, summary["min"], found.get("lag"))


async def create_group(redis: Any, stream: str, group: str) -> bool:  # noqa: ANN401 - see Stream
    """Create a group that begins with the oldest entry, unless it is there; tell whether it was not."""
    try:
        await redis.xgroup_create(stream, group, START, mkstream=True)
    except ResponseError as error:
        if str(error).startswith("BUSYGROUP"):
            return False
        raise
    return True


def entries(found: Sequence[tuple[str | None, dict[str, str] | None]]) -> list[Entry]:
    """Return entries as redis-py gives them; those whose content is gone have no event."""
    return [Entry(id_, (fields or {}).get(_FIELD)) for id_, fields in found if id_]


def milliseconds(entry_id: str) -> int:
    """Return when an entry was added."""
    return int(entry_id.partition("-")[0])


def instant(entry_id: str) -> datetime:
    """Return when an entry was added."""
    return datetime.fromtimestamp(milliseconds(entry_id) / 1000, UTC)


def order(entry_id: str) -> tuple[int, int]:
    """Return what sorts entries as the stream does."""
    first, _, second = entry_id.partition("-")
    return int(first), int(second or 0)
