"""Point-in-time recovery into a new server, beside the one that runs."""

import os
import shutil
import subprocess
import tarfile
import time
from datetime import datetime
from pathlib import Path

from infra.backup import metrics
from infra.backup.archive import Archive, Full, is_segment
from infra.backup.errors import BackupError
from infra.backup.programs import Clusters
from infra.backup.vault import SUFFIX, Vault, read_key
from infra.embedded import private
from infra.embedded.logs import last_lines
from infra.embedded.ports import free_port
from infra.embedded.postgres import Cluster
from infra.embedded.unprivileged import run_as

_POLL_SECONDS = 0.05


def restore(archive: Archive, to: datetime, folder: Path, cluster: Clusters) -> Cluster:
    """Make a `cluster` in `folder`, as it was just before the time `to`, checked and stopped.

    Raises:
        BackupError: there is no backup for that time, it cannot be read, or WAL is missing on the way.
    """
    started = time.monotonic()
    full = choose(archive, to)
    vault = read_key(archive.key_file)
    if folder.exists():
        raise BackupError(f"{folder} exists already. Name another folder with --into, or move it away.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    copy = cluster(folder)
    try:
        _fill(copy, archive, vault, full, to)
    except BaseException:
        shutil.rmtree(copy.folder)
        if folder.is_symlink():
            folder.unlink()
        raise
    values = {
        "backup_restore_last_success_timestamp_seconds": time.time(),
        "backup_restore_duration_seconds": time.monotonic() - started,
    }
    metrics.write(archive.metrics / "restore.prom", values)
    return copy


def _fill(copy: Cluster, archive: Archive, vault: Vault, full: Full, to: datetime) -> None:
    print(f"  reading the full backup of {full.started:%Y-%m-%d %H:%M:%S} UTC …", flush=True)
    _unpack(archive, vault, full, copy)
    print("  reading the WAL since …", flush=True)
    _unpack_wal(archive, vault, full, copy)
    _give(copy)
    print("  recovering …", flush=True)
    _recover(copy, to)
    print("  checking every page …", flush=True)
    _check(copy)
    shutil.rmtree(copy.folder / "wal")


def choose(archive: Archive, to: datetime) -> Full:
    """Return the full backup from which `to` is reached with the least WAL.

    Raises:
        BackupError: none; the text has the times that can be restored.
    """
    if not archive.fulls():
        raise BackupError(f"There is no whole backup in {archive.folder}. Make one with ./taskw backup.")
    fulls, through = list(filter(archive.is_followed, archive.fulls())), archive.through()
    if not fulls or through is None or through < fulls[0].ended:
        raise BackupError(
            f"No WAL was archived from the full backups in {archive.folder} on. Run ./taskw backup --"
            " --follow beside the platform; without it, use the logical dumps (docs/backup.md)."
        )
    before = [full for full in fulls if full.ended <= to]
    if not before or to > through:
        raise BackupError(
            f"{to.isoformat()} cannot be restored. What can: from {fulls[0].ended.isoformat()} to"
            f" {through.isoformat()}."
        )
    return before[-1]


def _unpack(archive: Archive, vault: Vault, full: Full, copy: Cluster) -> None:
    place = archive.full(full.name)
    with vault.reading(place / f"base.tar{SUFFIX}", f"{full.name}/base.tar") as source:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            tar.extractall(copy.data, filter="data")
        while source.read(1 << 20):
            pass  # to the mark at the end, without which the file was cut off
    password = place / f"superuser-password{SUFFIX}"
    if password.exists():  # else its role was not the superuser
        with vault.reading(password, f"{full.name}/superuser-password") as source:
            private.write(copy.folder / "superuser-password", source.read().decode())
    copy.data.chmod(0o700)
    (copy.data / "recovery.signal").touch()


def _unpack_wal(archive: Archive, vault: Vault, full: Full, copy: Cluster) -> None:
    """Decrypt all WAL that recovery may ask for, so that what is damaged is known before it begins."""
    place = copy.folder / "wal"
    place.mkdir(mode=0o700)
    for name, file in archive.segments(full.first_segment):
        kept = file.name.removesuffix(SUFFIX)
        with vault.reading(file, f"wal/{kept}") as source, (place / name).open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def _give(copy: Cluster) -> None:
    """Make all files of the cluster its server's user's."""
    if copy.user is None:
        return
    for path in copy.folder.rglob("*"):
        os.chown(path, copy.user.uid, copy.user.gid, follow_symlinks=False)


def _recover(copy: Cluster, to: datetime) -> None:
    """Replay WAL to just before `to`, promote, and stop."""
    log = copy.folder / "recovery.log"
    with copy.process(copy.command(free_port(), more=_recovery(copy, to)), log) as process:
        while (copy.data / "recovery.signal").exists() or not copy.is_ready():
            if process.poll() is not None:
                raise BackupError(_why(copy, log, to))
            time.sleep(_POLL_SECONDS)


def _recovery(copy: Cluster, to: datetime) -> dict[str, str]:
    """Return settings of this start alone: the copy can neither recover again nor archive."""
    return {
        "restore_command": f'cp "{copy.folder}/wal/%f" "%p"',
        "recovery_target_time": to.isoformat(),
        "recovery_target_inclusive": "off",
        "recovery_target_action": "promote",
        "archive_mode": "off",
        # Queries during recovery would ask for as many connections as the server had that was lost.
        "hot_standby": "off",
    }


def _why(copy: Cluster, log: Path, to: datetime) -> str:
    text = log.read_text(errors="replace")
    if "recovery ended before configured recovery target was reached" in text:
        found = [file.name for file in (copy.folder / "wal").iterdir() if is_segment(file.name)]
        last = max(found, default="that of the full backup")
        known = [line for line in text.splitlines() if "last completed transaction" in line]
        return (
            f"{to.isoformat()} cannot be restored: WAL is missing after the segment {last}. An earlier time"
            f" can be:\n{known[-1] if known else 'the end of the full backup'}"
        )
    return f"PostgreSQL could not recover. Its last log lines:\n{last_lines(log)}"


def _check(copy: Cluster) -> None:
    """Require every page's checksum to be right.

    Raises:
        BackupError: one is not.
    """
    program = str(copy.programs / "bin" / "pg_checksums")
    result = subprocess.run(
        [program, "--check", "--pgdata", str(copy.data)],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy.folder,
        **run_as(copy.user),
    )
    if result.returncode:
        raise BackupError(f"The restored data is damaged. Restore another backup:\n{result.stderr.strip()}")
