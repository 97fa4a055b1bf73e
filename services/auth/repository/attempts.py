"""Attempts to sign in, counted by account whether it exists or not. All times are the database's."""

import hashlib
import math
from datetime import timedelta

from sqlalchemy import bindparam, case, delete, extract, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.auth import constants
from services.auth.model import sign_in_attempts as attempts
from shared.db import Database, Question, WriteConnection
from shared.text import unique_key

_WINDOW = timedelta(seconds=constants.FAILURE_WINDOW_SECONDS)
_INTERVAL = timedelta(seconds=constants.SLOWED_INTERVAL_SECONDS)
_MOST_PURGED = 10

# Not now(), which is when the statement was sent: claims wait for one another.
_CLOCK = func.clock_timestamp()
_WINDOW_IS_OVER = attempts.c.window_started_at <= _CLOCK - _WINDOW
_MAY_TRY = or_(
    _WINDOW_IS_OVER,
    attempts.c.attempts < constants.FAILURES_BEFORE_SLOWING,
    attempts.c.last_attempt_at <= _CLOCK - _INTERVAL,
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
        },
        where=_MAY_TRY,
    ).returning(attempts.c.attempts)
)


_SECONDS_LEFT = Question(
    select(
        extract(
            "epoch",
            func.least(attempts.c.last_attempt_at + _INTERVAL, attempts.c.window_started_at + _WINDOW)
            - _CLOCK,
        ).label("seconds")
    ).where(attempts.c.account == bindparam("account"))
)
_OVER = select(attempts.c.account).where(_WINDOW_IS_OVER).order_by(attempts.c.window_started_at)
_PURGE = Question(
    delete(attempts).where(
        attempts.c.account.in_(_OVER.limit(_MOST_PURGED).with_for_update(skip_locked=True))
    )
)


class AttemptRepository:
    """Counts attempts; each statement commits by itself, so that nothing later takes a failure back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, email: str) -> int:
        """Count one attempt and return 0, or return in how many seconds one will be admitted.

        It counts as a failure until `clear`. One statement decides, so parallel attempts cannot slip past.
        """
        account = _account(email)
        claimed = await self._database.fetch_one(_CLAIM, primary=True, account=account)
        if claimed is None:
            left = await self._database.fetch_one(_SECONDS_LEFT, primary=True, account=account)
            return max(1, math.ceil(left["seconds"])) if left else 1
        if claimed["attempts"] == 1:
            await self._purge()
        return 0

    async def _purge(self) -> None:
        """Delete a few rows whose window is over: more than are inserted, so that none pile up."""
        await self._database.fetch_one(_PURGE, primary=True)


class AttemptWriter:
    """Forgets attempts inside one transaction."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def clear(self, email: str) -> None:
        """Forget the failures of an account: its right password was given."""
        await self._connection.execute(delete(attempts).where(attempts.c.account == _account(email)))


def _account(email: str) -> bytes:
    return hashlib.sha256(unique_key(email).encode()).digest()
