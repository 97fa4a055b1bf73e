"""Where in the primary's log each caller's latest write ended, kept in Redis for every process to see."""

import time
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import cast

from shared.cache.link import KEY_PREFIX, RedisAway, RedisLink

KEPT_SECONDS = 10
"""A replica that is farther behind than this answers nobody, so no note is needed for longer."""

DOUBT_SECONDS = KEPT_SECONDS
"""How long the absence of a note proves nothing, after Redis may have lost some."""

UNKNOWN = 2**63 - 1
"""A position that no log reaches: where a write ended is not known."""

_MEMORY = KEY_PREFIX + "written:memory"
"""A token without an expiry, gone when Redis has lost what it held."""

# Positions are written with leading zeros, so that they compare as text.
_NOTE = b"""
local noted = redis.call('GET', KEYS[1])
if noted and noted > ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
"""


class OwnWrites:
    """Notes and finds the latest writes of callers to the database of one service.

    That there is no note means something only while Redis could not have lost one: it answers, and is the
    same run, with the same memory, for as long as notes are kept.
    """

    def __init__(self, link: RedisLink, service: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._prefix = f"{KEY_PREFIX}written:{service}:"
        self._clock = clock
        self._memory: tuple[bytes, bytes] | None = None
        self._trusted_from = clock() + DOUBT_SECONDS

    async def note(self, caller: str, position: int) -> None:
        """Remember for KEPT_SECONDS that the caller's latest write ended at `position`."""
        arguments = (1, self._prefix + caller, b"%020d" % position, KEPT_SECONDS * 1000)
        try:
            await self._link.command("EVAL", _NOTE, *arguments)
        except RedisAway:
            self._distrust()

    async def latest(self, caller: str) -> int | None:
        """Return where the caller's latest write ended, 0 when none is as young as KEPT_SECONDS.

        None when that cannot be known: Redis is away, or may have lost what it held.
        """
        try:
            noted, token = await self._ask("MGET", self._prefix + caller, _MEMORY)
            self._recognise(token or await self._new_memory())
        except RedisAway:
            self._distrust()
            return None
        if self._clock() < self._trusted_from:
            return None
        return int(noted) if noted else 0

    async def probe(self) -> None:
        """Ask a Redis that is left alone for a sign of life, after which it is asked again."""
        if not self._link.available:
            with suppress(RedisAway):
                await self._link.probe()

    async def _ask(self, *command: str) -> list[bytes | None]:
        return cast("list[bytes | None]", await self._link.command(*command))

    async def _new_memory(self) -> bytes:
        await self._link.command("SET", _MEMORY, token_hex(8), "NX")
        [token] = await self._ask("MGET", _MEMORY)
        return token or b""

    def _recognise(self, token: bytes) -> None:
        memory = (self._link.run_id, token)
        if memory != self._memory:
            self._memory = memory
            self._distrust()

    def _distrust(self) -> None:
        self._trusted_from = self._clock() + DOUBT_SECONDS
