"""Attempts to sign in, counted by account whether it exists or not. All times are the database's."""

import math
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, bindparam, case, delete, extract, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.auth import constants
from services.auth.model import sign_in_attempts as attempts
from services.auth.pseudonyms import Pseudonyms
from shared.db import Database, Question, WriteConnection

_WINDOW = timedelta(seconds=constants.FAILURE_WINDOW_SECONDS)
_INTERVAL = timedelta(seconds=constants.SLOWED_INTERVAL_SECONDS)
_MOST_PURGED = 10

# Not now(), which is when the statement was sent: claims wait for one another.
_CLOCK = func.clock_timestamp()


def _is_past(instant: ColumnElement[datetime], span: timedelta) -> ColumnElement[bool]:
    """Tell whether `span` has passed since; what lies in the future is from before a clock was set back."""
    return ~instant.between(_CLOCK - span, _CLOCK + span)


_WINDOW_IS_OVER = _is_past(attempts.c.window_started_at, _WINDOW)
_MAY_TRY = or_(
    _WINDOW_IS_OVER,
    attempts.c.attempts < constants.FAILURES_BEFORE_SLOWING,
    _is_past(attempts.c.last_attempt_at, _INTERVAL),
)
_FIRST = insert(attempts).values(
    account=bindparam("account"), attempts=1, window_started_at=_CLOCK, last_attempt_at=_CLOCK
)
_CLAIM = Question(
    _FIRST.on_conflict_do_update(
        index_elements=[attempts.c.account],
        set_={
            "attempts": case((_WINDOW_IS_OVER, 1), else_=attempts.c.attempts + 1),
            "window_started_at": case((_WINDOW_IS_OVER, _CLOCK), else_=attempts.c.window_started_at),
            "last_attempt_at": _CLOCK,
            "refused": case((_WINDOW_IS_OVER, 0), else_=attempts.c.refused),
        },
        where=_MAY_TRY,
    ).returning(attempts.c.attempts)
)
_NEXT_ADMITTED_AT = func.least(attempts.c.last_attempt_at + _INTERVAL, attempts.c.window_started_at + _WINDOW)
_REFUSE = Question(
    attempts.update()
    .where(attempts.c.account == bindparam("refused_account"))
    .values(refused=attempts.c.refused + 1)
    .returning(attempts.c.refused, extract("epoch", _NEXT_ADMITTED_AT - _CLOCK).label("seconds"))
)
_OLD = attempts.c.window_started_at <= _CLOCK - _WINDOW
_OVER = select(attempts.c.account).where(_OLD).order_by(attempts.c.window_started_at)
_PURGE = Question(
    delete(attempts).where(
        attempts.c.account.in_(_OVER.limit(_MOST_PURGED).with_for_update(skip_locked=True))
    )
)


class Attempt(msgspec.Struct, frozen=True):
    """One attempt: the `number`th that was admitted since the account's window began.

    With `seconds` it was refused, the `number`th to be so; after them one will be admitted.
    """

    number: int
    seconds: int = 0


class AttemptRepository:
    """Counts attempts; each statement commits by itself, so that nothing later takes a failure back."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._pseudonyms = pseudonyms

    async def claim(self, email: str) -> Attempt:
        """Count one attempt, and tell whether it is admitted.

        If so it counts as a failure until `clear`. One statement decides, so that parallel attempts cannot
        slip past.
        """
        account = self._pseudonyms.of_account(email)
        claimed = await self._database.fetch_one(_CLAIM, primary=True, account=account)
        if claimed is None:
            return await self._refused(account)
        if claimed["attempts"] == 1:
            await self._purge()
        return Attempt(claimed["attempts"])

    async def _refused(self, account: bytes) -> Attempt:
        row = await self._database.fetch_one(_REFUSE, primary=True, refused_account=account)
        # Without a row, a success has just forgotten the failures.
        return Attempt(row["refused"], max(1, math.ceil(row["seconds"]))) if row else Attempt(1, seconds=1)

    async def _purge(self) -> None:
        """Delete a few rows whose window is over: more than are inserted, so that none pile up."""
        await self._database.fetch_one(_PURGE, primary=True)


class AttemptWriter:
    """Forgets attempts inside one transaction."""

    def __init__(self, connection: WriteConnection, pseudonyms: Pseudonyms) -> None:
        self._connection = connection
        self._pseudonyms = pseudonyms

    async def clear(self, email: str) -> None:
        """Forget the failures of an account: its right password was given."""
        account = self._pseudonyms.of_account(email)
        await self._connection.execute(delete(attempts).where(attempts.c.account == account))
