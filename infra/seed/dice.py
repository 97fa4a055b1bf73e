"""Chance that falls the same way every time."""

import struct
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

_DRAWS = struct.Struct("<12I")
_RANGE = 2**32


class Dice:
    """Twelve throws and a UUID that depend on `kind` and `number` alone."""

    def __init__(self, kind: str, number: int) -> None:
        digest = blake2b(f"{kind} {number}".encode()).digest()
        self._bits = int.from_bytes(digest[:16], "big")
        self._throws = iter(_DRAWS.unpack(digest[16:]))

    def uuid(self, instant: datetime) -> UUID:
        """Return a UUID version 7 (RFC 9562, section 5.7) of `instant`."""
        milliseconds = int(instant.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | self._bits & (1 << 80) - 1, version=7)

    def chance(self) -> float:
        """Return a number from 0 to 1, excluding 1."""
        return next(self._throws) / _RANGE

    def choice(self, options: Sequence[T]) -> T:
        """Return one of `options`."""
        return options[int(self.chance() * len(options))]
