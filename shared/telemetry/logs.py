"""Log lines: one JSON object each, or coloured text for a person at a terminal."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.config import LogConfig
from shared.telemetry.context import current_request

_COLOURS = {
    "DEBUG": "\x1b[2m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[31m",
}
_RESET = "\x1b[0m"


class JsonFormatter(logging.Formatter):
    """A JSON object a line, with the ids of the request being served."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`; fields given as `extra={"fields": …}` become members."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "service": self._service,
            "message": record.getMessage(),
            **_request_fields(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
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
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        level = f"{colour}{record.levelname:<7}{_RESET}"
        line = f"{clock} {level} {self._service:<7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(service: str, config: LogConfig) -> None:
    """Send every logger of this process to standard output in the configured format."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service) if config.format == "json" else ConsoleFormatter(service))
    logging.basicConfig(handlers=[handler], level=config.level, force=True)
    for chatty in ("httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _request_fields() -> dict[str, str]:
    request = current_request()
    return {"request_id": request.request_id, "trace_id": request.trace_id} if request else {}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})
