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

_VERSION_7 = 0x7 << 76 | 0b10 << 62
_RANDOM_BITS = 0xFFF << 64 | (1 << 62) - 1


class Dice:
    """Twelve throws and a UUID that depend on `kind` and `number` alone."""

    def __init__(self, kind: str, number: int) -> None:
        digest = blake2b(f"{kind} {number}".encode()).digest()
        self._bits = int.from_bytes(digest[:16], "big")
        self._throws = iter(_DRAWS.unpack(digest[16:]))

    def uuid(self, instant: datetime) -> UUID:
        """Return a UUID version 7 (RFC 9562, section 5.7) of `instant`."""
        milliseconds = int(instant.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | _VERSION_7 | self._bits & _RANDOM_BITS)

    def chance(self) -> float:
        """Return a number from 0 to 1, excluding 1."""
        return next(self._throws) / _RANGE

    def choice(self, options: Sequence[T]) -> T:
        """Return one of `options`."""
        return options[int(self.chance() * len(options))]
