"""Attempts to sign in, counted by account whether it exists or not. All times are the database's."""

import hashlib
import math
from datetime import timedelta

from sqlalchemy import ColumnElement, case, delete, extract, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.auth import constants
from services.auth.model import sign_in_attempts as attempts
from shared.db import WriteConnection
from shared.text import unique_key

_WINDOW = timedelta(seconds=constants.FAILURE_WINDOW_SECONDS)
_INTERVAL = timedelta(seconds=constants.SLOWED_INTERVAL_SECONDS)
_MOST_PURGED = 10

# Not now(), which is the beginning of the transaction: claims wait for one another.
_CLOCK = func.clock_timestamp()
_WINDOW_IS_OVER = attempts.c.window_started_at <= _CLOCK - _WINDOW
_MAY_TRY = or_(
    _WINDOW_IS_OVER,
    attempts.c.attempts < constants.FAILURES_BEFORE_SLOWING,
    attempts.c.last_attempt_at <= _CLOCK - _INTERVAL,
)
_FIRST = insert(attempts).values(attempts=1, window_started_at=_CLOCK, last_attempt_at=_CLOCK)
_CLAIM = _FIRST.on_conflict_do_update(
    index_elements=[attempts.c.account],
    set_={
        "attempts": case((_WINDOW_IS_OVER, 1), else_=attempts.c.attempts + 1),
        "window_started_at": case((_WINDOW_IS_OVER, _CLOCK), else_=attempts.c.window_started_at),
        "last_attempt_at": _CLOCK,
    },
    where=_MAY_TRY,
).returning(attempts.c.attempts)


class AttemptWriter:
    """Counts attempts inside one transaction."""

    def __init__(self, connection: WriteConnection) -> None:
        self._connection = connection

    async def claim(self, email: str) -> int:
        """Count one attempt and return 0, or return in how many seconds one will be admitted.

        It counts as a failure until `clear`. One statement decides, so parallel attempts cannot slip past.
        """
        account = _account(email)
        claimed = (await self._connection.execute(_CLAIM, {"account": account})).scalar_one_or_none()
        if claimed is None:
            return await self._seconds_left(attempts.c.account == account)
        if claimed == 1:
            await self._purge()
        return 0

    async def clear(self, email: str) -> None:
        """Forget the failures of an account: its right password was given."""
        await self._connection.execute(delete(attempts).where(attempts.c.account == _account(email)))

    async def _seconds_left(self, account: ColumnElement[bool]) -> int:
        admitted_at = func.least(
            attempts.c.last_attempt_at + _INTERVAL, attempts.c.window_started_at + _WINDOW
        )
        left = select(extract("epoch", admitted_at - _CLOCK)).where(account)
        return max(1, math.ceil((await self._connection.execute(left)).scalar() or 0))

    async def _purge(self) -> None:
        """Delete a few rows whose window is over: more than are inserted, so that none pile up."""
        over = select(attempts.c.account).where(_WINDOW_IS_OVER).limit(_MOST_PURGED)
        some = over.order_by(attempts.c.window_started_at).with_for_update(skip_locked=True)
        await self._connection.execute(delete(attempts).where(attempts.c.account.in_(some)))


def _account(email: str) -> bytes:
    return hashlib.sha256(unique_key(email).encode()).digest()
