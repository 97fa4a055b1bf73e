"""A full backup: the whole cluster by pg_basebackup, verified, and each database as a logical dump."""

import asyncio
import shutil
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import asyncpg
import msgspec

from infra.backup import manifest, metrics
from infra.backup.archive import Archive, Full
from infra.backup.errors import BackupError
from infra.backup.server import Server
from infra.backup.vault import SUFFIX, Vault, sync_folder

DATABASES = ("gerai_auth", "gerai_client", "gerai_store")

_MAKING = ".making"


def make(server: Server, archive: Archive, keep: int) -> Full:
    """Make a full backup, remove those beyond the newest `keep`, and return the new one.

    Raises:
        BackupError: it cannot be made; nothing that could be restored is left of it.
    """
    vault = archive.prepare()
    with archive.lock("backup", "making a backup"):
        started = time.monotonic()
        making = archive.full(_MAKING)
        shutil.rmtree(making, ignore_errors=True)  # what a killed one left
        making.mkdir(mode=0o700)
        try:
            full = _into(making, server, vault)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        making.rename(archive.full(full.name))
        sync_folder(archive.full(full.name).parent)
        archive.retain(keep)
        _tell(archive, full, time.monotonic() - started)
    return full


def _into(making: Path, server: Server, vault: Vault) -> Full:
    started, system, needed = asyncio.run(_look(server.url))
    _require_room(making, needed)
    name = f"{started:%Y%m%dT%H%M%SZ}"
    plain = making / "plain"
    print("  copying the cluster …", flush=True)
    server.run(
        "pg_basebackup", "--pgdata", str(plain), "--wal-method=stream", "--checkpoint=fast",
        "--manifest-checksums=SHA256", "--no-password",
    )  # fmt: skip
    print("  verifying the copy …", flush=True)
    manifest.verify(plain)
    print("  encrypting it …", flush=True)
    with vault.writing(making / f"base.tar{SUFFIX}", f"{name}/base.tar") as target, _tar(target) as tar:
        tar.add(plain, arcname=".")
    first = _first_segment(plain)
    shutil.rmtree(plain)
    ended, _, _ = asyncio.run(_look(server.url))
    for database in DATABASES:
        print(f"  dumping {database} …", flush=True)
        with vault.writing(making / f"{database}.dump{SUFFIX}", f"{name}/{database}.dump") as target:
            # Compressed by the vault, as everything is.
            server.pipe("pg_dump", ["--format=custom", "--compress=0", "--no-password", database], target)
    with vault.writing(making / f"superuser-password{SUFFIX}", f"{name}/superuser-password") as target:
        target.write(server.password().encode())
    size = sum(file.stat().st_size for file in making.iterdir())
    full = Full(name, started, ended, first, system, size)
    (making / "backup.json").write_bytes(msgspec.json.encode(full))
    return full


async def _look(url: str) -> tuple[datetime, str, int]:
    """Return the server's time, the cluster's identifier, and the bytes of all databases.

    Raises:
        BackupError: the server does not answer.
    """
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise BackupError(
            f"PostgreSQL does not answer: {str(error) or type(error).__name__}. Start the platform"
            " (./taskw up), or check DATABASE_URL."
        ) from None
    try:
        row = await connection.fetchrow(
            "SELECT clock_timestamp() AS now,"
            " (SELECT system_identifier FROM pg_control_system())::text AS system,"
            " (SELECT sum(pg_database_size(oid)) FROM pg_database)::bigint AS size"
        )
    finally:
        await connection.close()
    if row is None:
        raise ValueError
    return row["now"].astimezone(UTC), row["system"], row["size"]


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
