"""What imports take and answer, whatever they import."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Mode = Literal["create", "upsert"]
State = Literal["queued", "running", "completed", "failed"]

MOST_ERRORS = 1000
"""An import shows the first of its errors, and says how many there are."""


class ImportQuery(msgspec.Struct, kw_only=True, frozen=True):
    """How a file is imported."""

    mode: Annotated[
        Mode, Meta(description="upsert: a row whose key exists changes the fields it has instead.")
    ] = "create"
    atomic: Annotated[bool, Meta(description="One bad row, and nothing is imported.")] = False
    dry_run: Annotated[bool, Meta(description="Tells what would come of it, and changes nothing.")] = False


class RowError(msgspec.Struct, frozen=True):
    """What is wrong with a row: the line of the file on which it starts, the field, or "" for all of it."""

    line: int
    field: str
    message: str


class Import(msgspec.Struct, kw_only=True, frozen=True):
    """An import: how far it is, and how many rows came to what.

    `created`, `changed` and `unchanged` are 0 until it is completed; after a dry run they say what would have
    been. `errors` are the first 1,000 of `errors_total`; a row may have several. `reason` says why it failed.
    """

    uuid: UUID
    state: State
    mode: Mode
    atomic: bool
    dry_run: bool
    rows: int
    created: int
    changed: int
    unchanged: int
    failed: int
    errors: list[RowError]
    errors_total: int
    reason: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Problems:
    """What is wrong with the rows of one import: the first errors by line, and how many there are."""

    def __init__(self, errors: list[RowError] | None = None, total: int = 0, failed: int = 0) -> None:
        self.total = total
        self.failed = failed
        self._errors = errors or []

    def add(self, errors: list[RowError], *, total: int, failed: int) -> None:
        """Add `errors`: all of `total`, or the first of them, in `failed` rows."""
        self.total += total
        self.failed += failed
        self._errors = sorted([*self._errors, *errors], key=_line)[:MOST_ERRORS]

    def note(self, errors: list[RowError]) -> None:
        """Add the errors of one row; rows come in the order of their lines."""
        self.total += len(errors)
        self.failed += 1
        self._errors += errors[: MOST_ERRORS - len(self._errors)]

    def copy(self) -> "Problems":
        """Return what can be added to apart from these."""
        return Problems([*self._errors], self.total, self.failed)

    def columns(self) -> dict[str, Any]:
        """Return what is kept of them."""
        return {
            "errors": msgspec.to_builtins(self._errors),
            "errors_total": self.total,
            "failed": self.failed,
        }


def _line(error: RowError) -> int:
    return error.line
