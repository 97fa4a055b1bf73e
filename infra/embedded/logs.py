"""Reading log files: their end, and what is added to them."""

import os
from pathlib import Path
from typing import BinaryIO

_TAIL_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024


def last_lines(path: Path, count: int = 15) -> str:
    """Return the last lines of a file, indented, or a remark when there are none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join(f"  {line}" for line in lines[-count:]) or "  (it wrote nothing)"


class Follower:
    """Yields the whole lines that are added to a file, also after it is rotated."""

    def __init__(self, path: Path) -> None:
        """Begin at the present end of the file, which need not exist yet."""
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._open()
        if self._file:
            self._file.seek(0, os.SEEK_END)

    def read(self) -> list[str]:
        """Return the lines added since the last call."""
        if self._file is None:
            self._open()
        added = self._read()
        if not added and self._was_rotated():
            self.close()
            self._open()
            added = self._read()
        *lines, self._rest = (self._rest + added).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        if self._path.exists():
            self._file = self._path.open("rb")

    def _read(self) -> bytes:
        return self._file.read(_CHUNK_BYTES) if self._file else b""

    def _was_rotated(self) -> bool:
        if self._file is None or not self._path.exists():
            return False
        mine, current = os.fstat(self._file.fileno()), self._path.stat()
        return mine.st_ino != current.st_ino or current.st_size < self._file.tell()
