"""What this process logs."""

import logging


class Lines(logging.Handler):
    """Keeps the lines that a logger writes, with their tracebacks."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
