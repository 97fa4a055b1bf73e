"""Taking a logical dump out of a full backup, for pg_restore: a table, or a row, that was lost."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from infra.backup.archive import Archive
from infra.backup.errors import BackupError
from infra.backup.vault import SUFFIX, read_key


def take(archive: Archive, database: str, backup: str | None, file: Path) -> None:
    """Decrypt the dump of a database in a backup, or in the newest one, into a new file for its owner alone.

    Raises:
        BackupError: there is no such backup, its file was changed, or there is such a file already.
    """
    name = backup or _newest(archive)
    source = archive.full(name) / f"{database}.dump{SUFFIX}"
    if not source.exists():
        raise BackupError(f"There is no backup {name}. ./taskw backup -- --list tells which there are.")
    if file.exists():
        raise BackupError(f"{file} exists already. Name another with --into.")
    draft = file.with_name(f".{file.name}.draft")
    try:
        with (
            read_key(archive.key_file).reading(source, f"{name}/{database}.dump") as dump,
            _new(draft) as target,
        ):
            shutil.copyfileobj(dump, target)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def _new(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _newest(archive: Archive) -> str:
    fulls = archive.fulls()
    if not fulls:
        raise BackupError(f"There is no backup in {archive.folder}. Make one with ./taskw backup.")
    return fulls[-1].name
