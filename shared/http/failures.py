"""What can become of a call, and what the caller of this process is told of it.

::

    Rejected            the neighbour understood and refused: for whoever called to deal with
    CallFailure
    ├── CircuitOpen     not sent: the neighbour keeps failing          503
    ├── Busy            not sent: too many calls to it are under way   503
    ├── Unavailable     it said that it cannot serve now               503
    └── UnusableAnswer  it answered with something else                502
    httpx.RequestError  no answer: a time-out 504, anything else       503
"""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable


class Rejected(Exception):
    """The neighbour understood and refused: a 4xx answer with its code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class CallFailure(Exception):
    """A call without a usable answer."""


class CircuitOpen(CallFailure):
    """The call was not sent; in `seconds` one may be."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"calls are refused for {seconds:.1f} s more")
        self.seconds = seconds


class Busy(CallFailure):
    """The call was not sent: too many are under way."""


class Unavailable(CallFailure):
    """The neighbour cannot serve now, and perhaps said for how many seconds."""

    def __init__(self, status: int, seconds: float | None) -> None:
        super().__init__(f"the neighbour answered {status}")
        self.status = status
        self.seconds = seconds


class UnusableAnswer(CallFailure):
    """The neighbour's answer is not what was asked for."""


def retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait (RFC 9110, section 10.2.3), if it is one."""
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())


def told(service: str, failure: CallFailure | httpx.RequestError) -> GeraiError:
    """Return the error that the caller of this process gets when a call to `service` failed."""
    if isinstance(failure, UnusableAnswer | httpx.DecodingError):
        return BadGateway(service=service)
    if isinstance(failure, httpx.TimeoutException):
        return GatewayTimeout(service=service)
    seconds = failure.seconds if isinstance(failure, CircuitOpen | Unavailable) else None
    headers = {"Retry-After": str(max(1, math.ceil(seconds)))} if seconds else None
    return ServiceUnavailable(service=service, headers=headers)
