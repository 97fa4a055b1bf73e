"""What happened while something was broken, and whether it may have happened.

Each key is a register whose value is its version. A read may return any version that was possibly written
before it ended, and none below the highest that was acknowledged before it began (linearizability of single
registers, for acknowledged writes; Herlihy and Wing, 1990).
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["done", "refused", "unknown"]


@dataclass
class Operation:
    """A read or a write of one key, when it began and ended, and what came of it."""

    kind: Literal["read", "write"]
    key: str
    began: float
    ended: float = 0.0
    outcome: Outcome = "unknown"
    version: int = 0


@dataclass
class History:
    """The operations of one experiment."""

    operations: list[Operation] = field(default_factory=list[Operation])

    @contextmanager
    def recorded(self, kind: Literal["read", "write"], key: str) -> Generator[Operation]:
        """Record an operation; the block says what came of it."""
        operation = Operation(kind, key, time.monotonic())
        self.operations.append(operation)
        try:
            yield operation
        finally:
            operation.ended = time.monotonic()

    def writes(self, key: str, *outcomes: Outcome) -> list[Operation]:
        """Return the writes of a key with one of these outcomes."""
        found = (each for each in self.operations if each.kind == "write" and each.key == key)
        return [each for each in found if each.outcome in outcomes]

    def stale(self, tolerance: float = 0.0) -> list[Operation]:
        """Return the reads older than a write that was acknowledged `tolerance` seconds before they began."""
        return [
            read
            for read in self._reads()
            if read.version < self._acknowledged_before(read.key, read.began - tolerance)
        ]

    def invented(self) -> list[Operation]:
        """Return the reads of versions that nobody can have written by then; the first version is 1."""
        return [read for read in self._reads() if read.version > 1 + self._possible(read.key, read.ended)]

    def lost(self, final: dict[str, int]) -> list[str]:
        """Return the keys of which an acknowledged write is not in the final version."""
        now = time.monotonic()
        return [key for key, version in final.items() if version < self._acknowledged_before(key, now)]

    def surplus(self, final: dict[str, int]) -> list[str]:
        """Return the keys whose final version says that a refused write was made, or one twice."""
        now = time.monotonic()
        return [key for key, version in final.items() if version > 1 + self._possible(key, now)]

    def _reads(self) -> Iterator[Operation]:
        return (each for each in self.operations if each.kind == "read" and each.outcome == "done")

    def _acknowledged_before(self, key: str, moment: float) -> int:
        return max((each.version for each in self.writes(key, "done") if each.ended <= moment), default=1)

    def _possible(self, key: str, moment: float) -> int:
        return sum(each.began <= moment for each in self.writes(key, "done", "unknown"))
