"""The folder of backups: full ones, the WAL that was written since, and how far that reaches."""

import fcntl
import re
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from infra.backup.errors import BackupError
from infra.backup.vault import SUFFIX, Vault, make_key, read_key

SEGMENT_DIGITS = 24
SEGMENT_BYTES = 16 << 20

_SEGMENTS_A_LOG = (1 << 32) // SEGMENT_BYTES


class Full(msgspec.Struct, frozen=True):
    """What is known of a full backup: `ended` is the earliest time that it can be restored to."""

    name: str
    started: datetime
    ended: datetime
    first_segment: str
    system: str
    size: int


class Through(msgspec.Struct, frozen=True):
    """How far the archived WAL reaches: every commit before `time` is in it."""

    time: datetime


@dataclass(frozen=True)
class Archive:
    """The folder of backups and the file with their key."""

    folder: Path
    key_file: Path

    @property
    def wal(self) -> Path:
        """The encrypted WAL."""
        return self.folder / "wal"

    @property
    def spool(self) -> Path:
        """WAL as it is received, not yet encrypted."""
        return self.folder / "spool"

    @property
    def metrics(self) -> Path:
        """What node_exporter's textfile collector reads."""
        return self.folder / "metrics"

    def prepare(self) -> Vault:
        """Make the folders and, before the first backup, the key; return the vault.

        Raises:
            BackupError: there are backups but no key.
        """
        for folder in (self.folder, self.folder / "full", self.wal, self.spool, self.metrics):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755 if folder == self.metrics else 0o711 if folder == self.folder else 0o700)
        if not self.key_file.exists() and not self.fulls() and not any(self.wal.iterdir()):
            make_key(self.key_file)
        return read_key(self.key_file)

    def full(self, name: str) -> Path:
        """Return the folder of a full backup."""
        return self.folder / "full" / name

    def making(self) -> Path:
        """Return a new folder for a full backup, and remove what interrupted ones left.

        A program that outlived one may still write to that one's folder, never to this.
        """
        for left in (self.folder / "full").glob(".making-*"):
            shutil.rmtree(left, ignore_errors=True)
        place = self.full(f".making-{secrets.token_hex(4)}")
        place.mkdir(mode=0o700)
        return place

    def fulls(self) -> list[Full]:
        """Return the whole full backups, oldest first. One that was interrupted has no name yet."""
        found = (self.folder / "full").glob("[0-9]*/backup.json")
        return sorted((_read(file) for file in found), key=lambda full: full.ended)

    def through(self) -> datetime | None:
        """Return the time before which every commit is archived, if any WAL is."""
        file = self.wal / "through.json"
        return msgspec.json.decode(file.read_bytes(), type=Through).time if file.exists() else None

    def is_followed(self, full: Full) -> bool:
        """Tell whether WAL is archived from where the recovery of a full backup begins."""
        names = (
            file.name.removesuffix(SUFFIX).removesuffix(".partial") for file in self.wal.glob(f"*{SUFFIX}")
        )
        return any(is_segment(name) and number(name) == number(full.first_segment) for name in names)

    def segments(self, first: str) -> list[tuple[str, Path]]:
        """Return the names and files of WAL from a segment on without a gap, and the timelines' histories."""
        files = {file.name.removesuffix(SUFFIX): file for file in self.wal.glob(f"*{SUFFIX}")}
        histories = [(name, file) for name, file in files.items() if name.endswith(".history")]
        whole = {name.removesuffix(".partial") for name in files if is_segment(name.removesuffix(".partial"))}
        found: list[tuple[str, Path]] = []
        expected = number(first)
        while these := sorted(name for name in whole if number(name) == expected):
            found += [(name, files.get(name) or files[f"{name}.partial"]) for name in these]
            expected += 1
        return histories + found

    @contextmanager
    def lock(self, name: str, doing: str) -> Generator[None]:
        """Be the only one that is `doing` something until the block ends.

        Raises:
            BackupError: another process is.
        """
        with (self.folder / f"{name}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(
                    f"Another process is {doing} in {self.folder}. Wait until it ends."
                ) from None
            yield

    def retain(self, count: int) -> list[str]:
        """Remove all but the newest `count` full backups, and the WAL that none of those needs."""
        fulls = self.fulls()
        old, kept = fulls[:-count], fulls[-count:]
        for full in old:
            # Without this file it is no backup any more, however far the removal gets.
            (self.full(full.name) / "backup.json").unlink()
            shutil.rmtree(self.full(full.name))
        needed = min((number(full.first_segment) for full in kept), default=0)
        for file in self.wal.glob(f"*{SUFFIX}"):
            name = file.name.removesuffix(SUFFIX).removesuffix(".partial")
            if is_segment(name) and number(name) < needed:
                file.unlink()
        return [full.name for full in old]


def is_segment(name: str) -> bool:
    """Tell whether a file of WAL is a segment; the others are histories of timelines."""
    return re.fullmatch(f"[0-9A-F]{{{SEGMENT_DIGITS}}}", name) is not None


def number(segment: str) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(segment[8:16], 16) * _SEGMENTS_A_LOG + int(segment[16:], 16)


def _read(file: Path) -> Full:
    return msgspec.json.decode(file.read_bytes(), type=Full)
