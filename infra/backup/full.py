"""A full backup: the whole cluster by pg_basebackup, verified, and each database as a logical dump."""

import asyncio
import shutil
import tarfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from infra.backup import manifest, metrics
from infra.backup.archive import Archive, Full
from infra.backup.errors import BackupError
from infra.backup.server import Server
from infra.backup.vault import SUFFIX, Vault, sync_folder, write

DATABASES = ("gerai_auth", "gerai_client", "gerai_store")


def make(server: Server, archive: Archive, keep: int) -> Full:
    """Make a full backup, remove those beyond the newest `keep`, and return the new one.

    Raises:
        BackupError: it cannot be made; nothing that could be restored is left of it.
    """
    vault = archive.prepare()
    with archive.lock("backup", "making a backup"):
        started = time.monotonic()
        making = archive.making()
        try:
            full = _Making(making, server, vault).run()
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        making.rename(archive.full(full.name))
        sync_folder(archive.full(full.name).parent)
        archive.retain(keep)
        _tell(archive, full, time.monotonic() - started)
    return full


@dataclass(frozen=True)
class _Seen:
    """What the server says of itself."""

    time: datetime
    system: str
    size: int
    superuser: bool


class _Making:
    """A backup that is being made in a folder of its own."""

    def __init__(self, folder: Path, server: Server, vault: Vault) -> None:
        self._folder = folder
        self._server = server
        self._vault = vault
        self._before = asyncio.run(_look(server))
        self._name = f"{self._before.time:%Y%m%dT%H%M%SZ}"

    def run(self) -> Full:
        _require_room(self._folder, self._before.size)
        first = self._copy()
        ended = asyncio.run(_look(self._server)).time
        for database in DATABASES:
            self._dump(database)
        if self._before.superuser:  # another role's password opens nothing in what is restored
            self._seal("superuser-password", self._server.password().encode())
        size = sum(file.stat().st_size for file in self._folder.iterdir())
        full = Full(self._name, self._before.time, ended, first, self._before.system, size)
        write(self._folder / "backup.json", msgspec.json.encode(full))
        return full

    def _copy(self) -> str:
        """Copy the cluster, and return the segment with which its recovery begins."""
        plain = self._folder / "plain"
        print("  copying the cluster …", flush=True)
        self._server.run(
            "pg_basebackup", "--pgdata", str(plain), "--wal-method=stream", "--checkpoint=fast",
            "--manifest-checksums=SHA256", "--no-password",
        )  # fmt: skip
        print("  verifying the copy …", flush=True)
        manifest.verify(plain)
        print("  encrypting it …", flush=True)
        path, name = self._place("base.tar")
        with self._vault.writing(path, name) as target, _tar(target) as tar:
            tar.add(plain, arcname=".")
        first = _first_segment(plain)
        shutil.rmtree(plain)
        return first

    def _dump(self, database: str) -> None:
        print(f"  dumping {database} …", flush=True)
        path, name = self._place(f"{database}.dump")
        with self._vault.writing(path, name) as target:
            # Compressed by the vault, as everything is.
            self._server.pipe(
                "pg_dump", ["--format=custom", "--compress=0", "--no-password", database], target
            )

    def _seal(self, file: str, content: bytes) -> None:
        path, name = self._place(file)
        with self._vault.writing(path, name) as target:
            target.write(content)

    def _place(self, file: str) -> tuple[Path, str]:
        """Return where a file of the backup is written, and what it is called there."""
        return self._folder / f"{file}{SUFFIX}", f"{self._name}/{file}"


async def _look(server: Server) -> _Seen:
    """Return what the server says of itself now."""
    async with server.connected() as connection:
        row = await connection.fetchrow(
            "SELECT clock_timestamp() AS now,"
            " (SELECT system_identifier FROM pg_control_system())::text AS system,"
            " (SELECT sum(pg_database_size(oid)) FROM pg_database)::bigint AS size,"
            " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser"
        )
    if row is None:
        raise ValueError
    return _Seen(row["now"].astimezone(UTC), row["system"], row["size"], row["superuser"])


def _tar(target: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=target, mode="w|")


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    # The copy before it is encrypted, and at worst as much again.
    if free < 2 * needed:
        raise BackupError(
            f"A backup may need {2 * needed / 1e6:,.0f} MB and {folder.parent} has {free / 1e6:,.0f} MB free."
            " Make room, keep fewer backups (--keep), or set GERAI_BACKUP_DIR to another disk."
        )


def _first_segment(plain: Path) -> str:
    """Return the name of the segment with which recovery begins, from the line `START WAL LOCATION`."""
    return (plain / "backup_label").read_text().split("(file ", 1)[1].split(")", 1)[0]


def _tell(archive: Archive, full: Full, seconds: float) -> None:
    values = {
        "backup_last_success_timestamp_seconds": time.time(),
        "backup_duration_seconds": seconds,
        "backup_size_bytes": full.size,
    }
    metrics.write(archive.metrics / "backup.prom", values)
