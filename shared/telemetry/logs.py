"""Log lines: one JSON object each, or coloured text for a person at a terminal.

No line has a token, a password or a whole e-mail address, whatever a library's message says.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.config import LogConfig
from shared.telemetry.context import RequestContext, current_request
from shared.telemetry.redaction import redacted

logger = logging.getLogger("gerai.http")

_COLOURS = {
    "DEBUG": "\x1b[2m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[31m",
}
_DIM = "\x1b[2m"
_RESET = "\x1b[0m"

FLUSH_SECONDS = 0.05
"""How long the line of a request waits for others."""


class JsonFormatter(logging.Formatter):
    """A JSON object a line, with the ids of the request being served."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`; fields given as `extra={"fields": …}` become members."""
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {"time": time, "level": record.levelname, "service": self._service}
        line["message"] = _message(record)
        request = current_request()
        if request:
            line["request_id"], line["trace_id"] = request.request_id, request.trace_id
            line["span_id"] = request.span_id
        line.update(_fields(record))
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=str).decode()


class ConsoleFormatter(logging.Formatter):
    """A coloured line for a terminal."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, with a traceback below it where there is one."""
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        colour = _COLOURS.get(record.levelname, "")
        level = f"{colour}{record.levelname:<7}{_RESET}"
        told = [_message(record), *(_shown(*each) for each in _fields(record).items() if each[1] is not None)]
        request = current_request()
        if request:
            told.append(f"{_DIM}trace={request.trace_id}{_RESET}")
        line = f"{clock} {level} {self._service:<7} {' '.join(told)}"
        return f"{line}\n{redacted(self.formatException(record.exc_info))}" if record.exc_info else line


class _RequestLine(msgspec.Struct, gc=False):
    """What `JsonFormatter` would write, at a fifth of the time."""

    time: datetime
    level: str
    service: str
    message: str
    request_id: str
    trace_id: str
    span_id: str
    route: str | None
    status: int
    duration_ms: float
    user: str | None
    tenant: UUID | None


_TOLD = _RequestLine.__struct_fields__[7:]
_encode = msgspec.json.Encoder().encode


class RequestLog:
    """Writes a line for each request, unless the level hides them.

    JSON goes past `logging`, whose records take longer to make than everything else about the line, and is
    written every `FLUSH_SECONDS`, as writing takes longest. Lines that cannot be written are lost, as with
    `logging`; the requests are not.
    """

    def __init__(self, service: str, config: LogConfig) -> None:
        self.wanted = config.level in {"DEBUG", "INFO"}
        self._service = service
        self._as_json = config.format == "json"
        self._lines: list[bytes] = []

    def write(
        self, request: RequestContext, method: str, route: str | None, status: int, seconds: float
    ) -> None:
        """Write the line of `request`, answered with `status` after so many seconds."""
        message, milliseconds = f"{method} {route or '(no route)'}", round(seconds * 1000, 2)
        if not self._as_json:
            told = route, status, milliseconds, request.user, request.tenant
            logger.info(message, extra={"fields": dict(zip(_TOLD, told, strict=True))})
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        line = _RequestLine(
            datetime.now(UTC),
            "INFO",
            self._service,
            message,
            request.request_id,
            request.trace_id,
            request.span_id,
            route,
            status,
            milliseconds,
            request.user,
            request.tenant,
        )
        self._lines.append(_encode(line))

    def flush(self) -> None:
        """Write the lines that wait."""
        text, self._lines = b"\n".join([*self._lines, b""]), []
        with suppress(OSError, ValueError):
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()


def configure_logging(service: str, config: LogConfig) -> None:
    """Send every logger of this process to standard output in the configured format."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service) if config.format == "json" else ConsoleFormatter(service))
    logging.basicConfig(handlers=[handler], level=config.level, force=True)
    for chatty in ("httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _message(record: logging.LogRecord) -> str:
    return redacted(record.getMessage())


def _shown(name: str, value: object) -> str:
    """Return a field for a person, who looks for statuses that are no success."""
    text = f"{name}={value}"
    if name == "status" and isinstance(value, int) and value >= 400:
        return f"{_COLOURS['ERROR' if value >= 500 else 'WARNING']}{text}{_RESET}"
    return text


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return getattr(record, "fields", {})
