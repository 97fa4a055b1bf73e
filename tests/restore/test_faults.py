"""Processes that are killed, disks that are full, backups that were damaged: nothing acknowledged is lost."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from infra.backup.archive import Archive
from infra.backup.vault import SUFFIX, make_key
from infra.embedded import postgres
from infra.embedded.ports import free_port
from infra.embedded.postgres import serving
from infra.embedded.state import ROOT
from infra.postgres.provision import ServiceDatabase, provision
from tests.restore.conftest import Original
from tests.support.databases import PASSWORD, SERVICES

pytestmark = pytest.mark.restore

_LIMIT_SECONDS = 60
_ROWS = 1000


def asked(original: Original, *statements: str) -> object:
    """Return what the last statement tells in the stores' database."""
    return asyncio.run(_asked(original.url, statements))


async def _asked(url: str, statements: tuple[str, ...]) -> object:
    connection = await asyncpg.connect(f"{url.rsplit('/', 1)[0]}/gerai_store")
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def write(original: Original) -> datetime:
    """Acknowledge rows, and return a time after that."""
    insert = f"INSERT INTO things SELECT 'thing' FROM generate_series(1, {_ROWS})"  # noqa: S608
    now = asked(original, insert, "SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    return now.astimezone(UTC)


def restored(original: Original, to: datetime) -> int:
    """Restore to a time and count the rows there."""
    folder = original.state / "restored"
    told = original.command("restore", "--to", to.isoformat(), "--into", str(folder))
    assert told.returncode == 0, told.stdout
    copy, port = postgres.cluster(folder), free_port()
    with serving(copy, port):
        count = asyncio.run(_asked(copy.url(port), ("SELECT count(*) FROM things",)))
    assert isinstance(count, int)
    return count


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + _LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.fixture
def server(original: Original) -> Original:
    """A server with our databases and a table."""
    databases = [ServiceDatabase(f"gerai_{name}", PASSWORD, PASSWORD) for name in SERVICES]
    asyncio.run(provision(original.url, databases))
    asked(original, "CREATE TABLE things (text text)", "SELECT 1")
    return original


def test_a_killed_follower_loses_nothing_and_the_next_one_goes_on(server: Original) -> None:
    with server.following(every=1) as follower:
        server.archived(write(server))
        follower.kill()
        follower.wait()
    write(server)
    with server.following(every=1):
        moment = write(server)
        server.archived(moment)
    assert not list(server.archive.wal.glob(".*"))
    assert restored(server, moment) == 3 * _ROWS


def test_a_killed_backup_is_not_offered_and_the_next_one_is_whole(server: Original) -> None:
    with server.following():
        before = server.archive.fulls()
        killed = server.start("backup")
        until(lambda: bool(list(server.archive.full(".").glob(".making-*/plain/base"))))
        assert killed.poll() is None
        killed.kill()
        killed.communicate()
        assert server.archive.fulls() == before
        told = server.command("backup")
        assert told.returncode == 0, told.stdout
        assert len(server.archive.fulls()) == len(before) + 1
        moment = write(server)
        server.archived(moment)
    assert restored(server, moment) == _ROWS


@contextmanager
def small_disk(server: Original, options: str) -> Generator[Original]:
    """Let backups go to a small disk: a mount that only the commands see, and we through their eyes."""
    if os.geteuid():
        pytest.fail('Mounting a small disk takes root: sudo env "PATH=$PATH" ./taskw test:restore')
    folder = server.archive.folder
    folder.mkdir(parents=True)
    mounting = f'mount -t tmpfs -o {options} tmpfs "{folder}" && echo mounted && exec sleep infinity'
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", mounting],  # noqa: S607 - from PATH
        stdout=subprocess.PIPE,
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"mounted\n"
            entered = ("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", f"--wd={ROOT}")
            seen = Path(f"/proc/{holder.pid}/root", *folder.parts[1:])
            yield replace(server, entered=entered, archive=Archive(seen, server.archive.key_file))
        finally:
            holder.kill()


def test_a_backup_on_a_full_disk_is_told_and_not_offered(server: Original) -> None:
    with small_disk(server, "size=400m,nr_inodes=400") as small:
        told = small.command("backup")
        assert told.returncode == 1
        assert "pg_basebackup failed, so there is no new backup" in told.stdout
        assert "No space left on device" in told.stdout
        assert "Traceback" not in told.stdout + told.stderr
        assert "There is no backup" in small.command("backup", "--list").stdout
        assert not list(small.archive.full(".").iterdir())
    write(server)


def test_a_disk_that_fills_up_stops_the_follower_and_not_the_server(server: Original) -> None:
    with small_disk(server, "size=256m") as small:
        with small.following(every=1) as follower:
            filling = small.archive.folder / "of-somebody-else"
            fill(filling)
            write(server)
            asked(server, "SELECT pg_switch_wal()")
            write(server)
            until(lambda: follower.poll() is not None)
            told, _ = follower.communicate()
        assert follower.returncode == 1
        assert " is full" in told.splitlines()[-1]
        assert "Traceback" not in told
        assert len(small.archive.fulls()) == 1
        write(server)
        filling.unlink()
        with small.following(every=1):
            moment = write(server)
            small.archived(moment)
        assert restored(small, moment) == 4 * _ROWS


def fill(file: Path) -> None:
    """Write until there is no room."""
    with suppress(OSError), file.open("wb", buffering=0) as target:
        while target.write(bytes(1 << 20)):
            pass


@pytest.fixture
def kept(server: Original) -> tuple[Original, datetime]:
    """A backup with several segments of WAL after it."""
    with server.following(every=1):
        for _ in range(4):
            moment = write(server)
            asked(server, "SELECT pg_switch_wal()")
        moment = write(server)
        server.archived(moment)
    return server, moment


def test_what_is_wrong_with_backups_is_told_and_nothing_of_them_is_given(
    kept: tuple[Original, datetime],
) -> None:
    server, moment = kept
    segments = sorted(path for path in server.archive.wal.glob(f"0*{SUFFIX}") if "partial" not in path.name)
    [full] = server.archive.fulls()
    with changed(server.archive.key_file) as key:
        key.unlink()
        make_key(key)
        refused(server, moment, "was encrypted with another key")
    for damaged in (server.archive.full(full.name) / f"base.tar{SUFFIX}", segments[-1]):
        with changed(damaged) as file:
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
            refused(server, moment, "was changed or cut off since it was written")
    missing = segments[len(segments) // 2]
    with changed(missing) as file:
        file.unlink()
        refused(server, moment, "cannot be restored: WAL is missing after the segment ")
    assert restored(server, moment) == 5 * _ROWS


@contextmanager
def changed(file: Path) -> Generator[Path]:
    """Give a file to be changed, and put what it was back."""
    aside = file.with_name(f"{file.name}.aside")
    shutil.copy2(file, aside)
    try:
        yield file
    finally:
        aside.replace(file)


def refused(server: Original, moment: datetime, why: str) -> None:
    folder = server.state / "refused"
    told = server.command("restore", "--to", moment.isoformat(), "--into", str(folder))
    assert told.returncode == 1
    assert why in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
    assert not folder.exists()
    assert not folder.is_symlink()
