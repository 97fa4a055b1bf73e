"""Deletions of clients under way, kept in memory."""

import itertools
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.client.repository.deletions import Deletion, DeletionRepository, DeletionWriter


@dataclass(frozen=True)
class Intention:
    """A row of the table of deletions; `is_late` when its time is over."""

    number: int
    undone: bool = False
    is_late: bool = False


@dataclass
class FakeDeletions(DeletionRepository):
    """Deletions in memory; with `failure`, the database is away."""

    rows: dict[UUID, Intention] = field(default_factory=dict[UUID, Intention])
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    failure: Exception | None = None

    def change(self, uuid: UUID, *, undone: bool = False, is_late: bool = False) -> None:
        self.rows[uuid] = replace(self.rows[uuid], undone=undone, is_late=is_late)

    async def give_up(self, deletion: Deletion) -> None:
        if self.failure:
            raise self.failure
        if self._holds(deletion):
            self.change(deletion.client_uuid, undone=True)

    async def give_up_abandoned(self) -> list[Deletion]:
        if self.failure:
            raise self.failure
        found = [uuid for uuid, row in self.rows.items() if row.undone or row.is_late]
        for uuid in found:
            self.change(uuid, undone=True)
        return [Deletion(uuid, self.rows[uuid].number) for uuid in found]

    async def forget(self, deletion: Deletion) -> None:
        if self._holds(deletion) and self.rows[deletion.client_uuid].undone:
            del self.rows[deletion.client_uuid]

    def _holds(self, deletion: Deletion) -> bool:
        row = self.rows.get(deletion.client_uuid)
        return row is not None and row.number == deletion.number


class FakeDeletionWriter(DeletionWriter):
    """Changes a copy of the deletions."""

    def __init__(self, deletions: FakeDeletions) -> None:
        self.rows = dict(deletions.rows)
        self._numbers = deletions.numbers

    async def begin(self, client_uuid: UUID, *, cascade: bool) -> Deletion | None:
        del cascade
        number, row = next(self._numbers), self.rows.get(client_uuid)
        if row and not (row.undone or row.is_late):
            return None
        self.rows[client_uuid] = Intention(number)
        return Deletion(client_uuid, number)

    async def end(self, deletion: Deletion) -> bool:
        row = self.rows.get(deletion.client_uuid)
        if row is None or row.undone or row.number != deletion.number:
            return False
        del self.rows[deletion.client_uuid]
        return True
