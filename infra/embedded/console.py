"""Printing without ever waiting for the reader."""

import os
import queue
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

_MOST_WAITING_LINES = 10_000


class Console:
    """Standard output, written by a thread of its own.

    A reader that stalls, such as a full pipe, must not keep us from seeing a request to stop. Lines beyond
    what can wait are dropped: all of them are in the log files. A reader that has gone is no reason to stop.
    """

    def __init__(self, descriptor: int = 1) -> None:
        """Write to a file descriptor."""
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING_LINES)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    @property
    def is_terminal(self) -> bool:
        """Tell whether a person reads along."""
        return os.isatty(self._descriptor)

    def say(self, text: str = "") -> None:
        """Print a text and a line break, soon."""
        with suppress(queue.Full):
            self._lines.put_nowait(text)

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Print a line with the time that the block took, when it succeeds."""
        started = time.monotonic()
        yield
        self.say(f"  {name:<12}{time.monotonic() - started:6.1f} s")

    def close(self, seconds: float = 2.0) -> None:
        """Print what is waiting, for at most `seconds`."""
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        self._writer.join(seconds)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            rest = f"{line}\n".encode(errors="replace")
            with suppress(OSError):
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
