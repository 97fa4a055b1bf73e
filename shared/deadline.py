"""The time limit that a request carries from hop to hop.

`X-Request-Timeout-Ms` says how many milliseconds the caller still waits: a duration, so that clocks need not
agree. A service serves the request under it, and passes what is left on to its neighbours.
"""

import asyncio
import re
import time
from collections.abc import Awaitable
from contextvars import ContextVar

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import FieldError, GatewayTimeout, GeraiError, InvalidInput
from shared.responses import error_body
from shared.telemetry.context import current_trace_id

HEADER = "X-Request-Timeout-Ms"
RAW_HEADER = HEADER.lower().encode()

_MILLISECONDS = re.compile(rb"[0-9]{1,9}")

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class DeadlineExceeded(GatewayTimeout):
    """The time limit of the request has passed; whether it took effect is not known."""

    code = "DEADLINE_EXCEEDED"
    template = "The request could not be answered within its time limit. Try again, or allow more time."


class InvalidTimeLimit(InvalidInput):
    """The header with the time limit cannot be read."""

    template = f"The header {HEADER} is not valid. See details."

    def __init__(self) -> None:
        super().__init__(details=[FieldError(HEADER, "must be a whole number of milliseconds below 10⁹")])


def seconds_of(header: bytes) -> float:
    """Return the time limit that the header's value states, in seconds.

    Raises:
        InvalidTimeLimit: when it is no whole number of milliseconds.
    """
    if not _MILLISECONDS.fullmatch(header):
        raise InvalidTimeLimit
    return int(header) / 1000


def remaining() -> float | None:
    """Return the seconds left for the request being served: None without a limit, below 0 once it passed."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


def outlive_request() -> None:
    """Forget the time limit within this task: what it does is not for the request alone that began it."""
    _deadline.set(None)


class Deadlines:
    """Serves each request within the time limit it carries, counted until its answer begins.

    One that takes longer is cancelled, with the query it waits for, and answered 504; one that has no time
    left is not begun.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            _deadline.set(time.monotonic() + seconds)
            await self._within(seconds, scope, receive, send)
        except GeraiError as error:
            await _send_error(send, error)

    async def _within(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        limit = asyncio.timeout(seconds)
        answer = _Answer(send, limit)
        try:
            async with limit:
                await self._app(scope, receive, answer)
        except TimeoutError:
            if answer.begun or not limit.expired():
                raise
            raise DeadlineExceeded from None


class _Answer:
    """Passes messages on; the first one lifts the limit."""

    def __init__(self, send: Send, limit: asyncio.Timeout) -> None:
        self.begun = False
        self._send = send
        self._limit = limit

    def __call__(self, message: Message) -> Awaitable[None]:
        if not self.begun:
            self.begun = True
            if not self._limit.expired():
                self._limit.reschedule(None)
        return self._send(message)


async def _send_error(send: Send, error: GeraiError) -> None:
    body = error_body(error, current_trace_id())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
