"""Processes whose wall clock a test sets forward and back, as NTP or a person may.

`python -m tests.support.clocks MODULE` runs a module whose wall clock is ahead by the seconds in the
file that WALL_CLOCK names. The monotonic clock goes on evenly, as it does when a system's clock is set.
"""

import mmap
import os
import runpy
import struct
import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

import jwt.api_jwt
import uuid_utils

from shared.events import changes

MODULE = "tests.support.clocks"

_AHEAD = struct.Struct("d")


class WallClock:
    """The wall clock of one process."""

    def __init__(self, file: Path) -> None:
        self.environment = {"WALL_CLOCK": str(file)}
        self._file = file
        file.write_bytes(_AHEAD.pack(0))

    def set(self, seconds: float) -> None:
        """Let it be ahead of that of this machine by `seconds`."""
        with self._file.open("r+b") as file:
            file.write(_AHEAD.pack(seconds))


def _move(ahead: Callable[[], float]) -> None:
    """Replace what this process's Python code learns the time from."""
    seconds, nanoseconds, uuid7 = time.time, time.time_ns, uuid_utils.uuid7

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] - as every datetime is
            return datetime.fromtimestamp(time.time(), tz)

    time.time = lambda: seconds() + ahead()
    time.time_ns = lambda: nanoseconds() + int(ahead() * 1e9)
    uuid_utils.uuid7 = lambda: uuid7(nanoseconds=time.time_ns())  # type: ignore[assignment] - never called with any
    for module in (jwt.api_jwt, changes):  # what tokens are compared with, and when a change occurred
        module.datetime = Moved  # type: ignore[misc]


def _main() -> None:
    with Path(os.environ["WALL_CLOCK"]).open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _move(lambda: float(_AHEAD.unpack_from(content)[0]))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
