"""Archiving WAL as the server writes it: pg_receivewal receives it, we encrypt what it received.

It asks for no setting of the server and no restart, and works for any server that lets us stream. The slot
keeps what is not archived yet; max_slot_wal_keep_size bounds it.
"""

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import asyncpg
import msgspec

from infra.backup import metrics
from infra.backup.archive import SEGMENT_BYTES, Archive, Through, is_segment
from infra.backup.errors import BackupError
from infra.backup.server import Server
from infra.backup.vault import SUFFIX, Vault, write
from infra.embedded import processes

SLOT = "gerai_backup"

_RECEIVED_SECONDS = 60
_STOP_SECONDS = 10


def reserve(server: Server) -> bool:
    """Have the server keep WAL until it is archived; tell whether that begins now.

    What was written before is not archived, so full backups from before cannot be restored to a time.
    """
    return asyncio.run(_reserve(server))


async def _reserve(server: Server) -> bool:
    async with server.connected() as connection:
        try:
            # pg_receivewal makes a slot that keeps nothing until it is first used.
            await connection.execute("SELECT pg_create_physical_replication_slot($1, true)", SLOT)
        except asyncpg.DuplicateObjectError:
            return False
    return True


def follow(
    server: Server, archive: Archive, every: float, told: Callable[[datetime], None], *, once: bool = False
) -> None:
    """Archive WAL, once it is `reserve`d, until interrupted: every `every` seconds, all of it.

    `told` hears the time up to which everything is archived.

    Raises:
        BackupError: the server ends the stream, or no longer has what is missing.
    """
    vault = archive.prepare()
    with archive.lock("wal", "archiving WAL"), _receiving(server, archive) as process:
        for left in archive.wal.glob(".*.draft"):
            left.unlink()  # by a killed one
        while True:
            due = time.monotonic() + every
            told(asyncio.run(_cycle(server, archive, vault, process)))
            if once:
                return
            time.sleep(max(due - time.monotonic(), 0))


@contextmanager
def _receiving(server: Server, archive: Archive) -> Generator[subprocess.Popen[bytes]]:
    pid_file = archive.spool / "receiver.pid"
    if left := processes.of_pid_file(pid_file, "pg_receivewal", archive.spool):
        # Of a killed one: it holds the slot.
        processes.end(left, (signal.SIGTERM, signal.SIGKILL), _STOP_SECONDS)
    slot, directory = ("--slot", SLOT), ("--directory", str(archive.spool))
    command = server.command(
        "pg_receivewal", *slot, *directory, "--no-password", "--synchronous", "--no-loop"
    )
    with (archive.spool / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=server.environment(), stdout=log, stderr=log, cwd=archive.spool
        )
    try:
        pid_file.write_text(str(process.pid))
        yield process
    finally:
        processes.stop(process, signal.SIGTERM, _STOP_SECONDS)
        pid_file.unlink(missing_ok=True)


async def _cycle(
    server: Server, archive: Archive, vault: Vault, process: subprocess.Popen[bytes]
) -> datetime:
    """Archive everything that is committed now, and return that time."""
    async with server.connected(_RECEIVED_SECONDS) as connection:
        # A commit that changes nothing: recovery to any earlier time has a commit to stop before.
        time_ = await connection.fetchval("SELECT clock_timestamp()")
        await connection.fetchval("SELECT pg_logical_emit_message(true, 'gerai-backup', '')")
        position = await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        await _received(connection, position, archive, process)
    while not _ship(archive, vault):
        pass
    through = time_.astimezone(UTC)
    write(archive.wal / "through.json", msgspec.json.encode(Through(through)))
    archived = {"backup_archived_through_timestamp_seconds": through.timestamp()}
    metrics.write(archive.metrics / "follow.prom", archived)
    return through


async def _received(
    connection: "asyncpg.Connection[asyncpg.Record]",
    position: str,
    archive: Archive,
    process: subprocess.Popen[bytes],
) -> None:
    limit = time.monotonic() + _RECEIVED_SECONDS
    query = "SELECT restart_lsn >= $2::text::pg_lsn FROM pg_replication_slots WHERE slot_name = $1"
    while not await connection.fetchval(query, SLOT, position):
        if process.poll() is not None or time.monotonic() > limit:
            raise BackupError(_why(archive))
        await asyncio.sleep(0.05)


def _why(archive: Archive) -> str:
    said = (archive.spool / "log").read_text().strip()
    if "No space left" in said or shutil.disk_usage(archive.spool).free < SEGMENT_BYTES:
        return (
            f"The disk of {archive.folder} is full. Make room and start this again: the server keeps what is"
            " not archived, as far as max_slot_wal_keep_size lets it."
        )
    return (
        f"The server's WAL no longer arrives:\n{said}\nIf it no longer has what is missing, drop the"
        f" replication slot {SLOT}, start this again, and make a full backup at once."
    )


def _ship(archive: Archive, vault: Vault) -> bool:
    """Encrypt what was received; what is complete leaves the spool once it is archived.

    False: a segment was completed, and so renamed, meanwhile, and has to be looked for again.
    """
    for file in sorted(archive.spool.iterdir()):
        name = file.name
        if not (is_segment(name.removesuffix(".partial")) or name.endswith(".history")):
            continue
        try:
            source = file.open("rb")
        except FileNotFoundError:
            return False
        with source, vault.writing(archive.wal / f"{name}{SUFFIX}", f"wal/{name}") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        if is_segment(name):
            (archive.wal / f"{name}.partial{SUFFIX}").unlink(missing_ok=True)
            file.unlink()
    return True
