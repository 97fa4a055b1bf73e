"""The time limit that a request carries from hop to hop.

`X-Request-Timeout-Ms` says how many milliseconds the caller still waits: a duration, so that clocks need not
agree. A service serves the request under it, and passes what is left on to its neighbours.
"""

import asyncio
import re
import time
from collections.abc import Awaitable
from contextvars import ContextVar
from functools import lru_cache
from typing import cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import REPEAT, FieldError, GatewayTimeout, GeraiError, InvalidInput
from shared.responses import error_body
from shared.telemetry.context import current_trace_id

HEADER = "X-Request-Timeout-Ms"
RAW_HEADER = HEADER.lower().encode()

TICK_SECONDS = 0.01

_MILLISECONDS = re.compile(rb"[0-9]{1,9}")

_limit: ContextVar["_Limit | None"] = ContextVar("limit", default=None)


class DeadlineExceeded(GatewayTimeout):
    """The time limit of the request has passed; whether it took effect is not known."""

    code = "DEADLINE_EXCEEDED"
    template = "The request could not be answered within its time limit. Allow more time. " + REPEAT


class InvalidTimeLimit(InvalidInput):
    """The header with the time limit cannot be read."""

    code = "INVALID_TIME_LIMIT"
    template = f"The header {HEADER} is not valid. See details."


@lru_cache(maxsize=1024)
def seconds_of(header: bytes) -> float:
    """Return the time limit that the header's value states, in seconds.

    Raises:
        InvalidTimeLimit: when it is no whole number of milliseconds.
    """
    if not _MILLISECONDS.fullmatch(header):
        problem = FieldError(HEADER, "must be a whole number of milliseconds below 10⁹")
        raise InvalidTimeLimit(details=[problem])
    return int(header) / 1000


def remaining() -> float | None:
    """Return the seconds left for the request being served: None without a limit, below 0 once it passed."""
    limit = _limit.get()
    return None if limit is None else limit.ends - time.monotonic()


def renew() -> None:
    """Count the time limit from now: for a body that is read piece by piece, and takes as long as it is."""
    limit = _limit.get()
    if limit:
        limit.ends = time.monotonic() + limit.seconds


def outlive_request() -> None:
    """Forget the time limit within this task: what it does is not for the request alone that began it."""
    _limit.set(None)


class Deadlines:
    """Serves each request within the time limit it carries, counted until its answer begins.

    One that takes longer is cancelled, with the query it waits for, and answered 504; one that has no time
    left is not begun. One timer looks at all requests every `TICK_SECONDS`: most are over before it sees
    them, and a timer for each would cost as much as routing them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limits: set[_Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == RAW_HEADER:
                    return self._limited(value, scope, receive, send)
        return self._app(scope, receive, send)

    async def _limited(self, header: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            seconds = seconds_of(header)
            if not seconds:
                raise DeadlineExceeded
            await self._within(seconds, scope, receive, send)
        except GeraiError as error:
            await _send_error(send, error)

    async def _within(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        limit = _Limit(seconds, send)
        _limit.set(limit)
        self._limits.add(limit)
        if self._timer is None:
            self._look()
        try:
            await self._app(scope, receive, limit.send)
        except asyncio.CancelledError:
            if not limit.ends_request():
                raise
            raise DeadlineExceeded from None
        finally:
            self._limits.discard(limit)

    def _look(self) -> None:
        now = time.monotonic()
        for limit in self._limits:
            limit.look(now)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_SECONDS, self._look) if self._limits else None


class _Limit:
    """Cancels the task that makes it when looked at past `ends`, unless its answer has begun."""

    __slots__ = ("_begun", "_expired", "_send", "_task", "ends", "seconds")

    def __init__(self, seconds: float, send: Send) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self._send = send
        self._begun = self._expired = False
        self._task = cast("asyncio.Task[None]", asyncio.current_task())

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on; the first one lifts the limit."""
        self._begun = True
        return self._send(message)

    def look(self, now: float) -> None:
        """Cancel the task, once, if its time is over."""
        if now >= self.ends and not self._begun and not self._expired:
            self._expired = True
            self._task.cancel()

    def ends_request(self) -> bool:
        """Tell whether a cancellation was the limit's alone, and nothing has been answered."""
        return self._expired and self._task.uncancel() == 0 and not self._begun


async def _send_error(send: Send, error: GeraiError) -> None:
    body = error_body(error, current_trace_id())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
