"""What is kept, what is refused, and what is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from infra.backup.archive import Archive, Full, Through
from infra.backup.errors import BackupError
from infra.backup.restore import choose
from infra.backup.vault import SUFFIX, Vault, read_key

pytestmark = pytest.mark.restore

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_BIG = bytes(range(256)) * 20_000


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "backups", tmp_path / "backup.key")
    archive.prepare()
    return archive


def _full(archive: Archive, day: int, segment: int) -> Full:
    first = f"{1:08X}{0:08X}{segment:08X}"
    full = Full(f"2026010{day}T000000Z", _THEN, _THEN + timedelta(days=day), first, "1", 1)
    archive.full(full.name).mkdir()
    (archive.full(full.name) / "backup.json").write_bytes(msgspec.json.encode(full))
    return full


def _segment(archive: Archive, number: int) -> Path:
    name = f"{1:08X}{0:08X}{number:08X}"
    path = archive.wal / f"{name}{SUFFIX}"
    with read_key(archive.key_file).writing(path, f"wal/{name}") as target:
        target.write(b"WAL")
    return path


def _through(archive: Archive, time: datetime) -> None:
    (archive.wal / "through.json").write_bytes(msgspec.json.encode(Through(time)))


def _read(vault: Vault, path: Path, name: str = "big") -> bytes:
    with vault.reading(path, name) as source:
        return source.read()


@pytest.fixture
def sealed(archive: Archive) -> Path:
    path = archive.folder / "big"
    with read_key(archive.key_file).writing(path, "big") as target:
        for start in range(0, len(_BIG), 1000):
            target.write(_BIG[start : start + 1000])
    return path


def test_what_was_sealed_is_read_again_and_is_not_plain(archive: Archive, sealed: Path) -> None:
    assert _read(read_key(archive.key_file), sealed) == _BIG
    assert bytes(range(64)) not in sealed.read_bytes()
    assert sealed.stat().st_mode & 0o77 == archive.key_file.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("place", [30, -1])
def test_a_changed_byte_is_refused(archive: Archive, sealed: Path, place: int) -> None:
    content = bytearray(sealed.read_bytes())
    content[place] ^= 1
    sealed.write_bytes(content)
    with pytest.raises(BackupError, match="changed or cut off"):
        _read(read_key(archive.key_file), sealed)


@pytest.mark.parametrize("left", [0, 10, 32, 100])
def test_a_file_that_was_cut_off_is_refused(archive: Archive, sealed: Path, left: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:left])
    with pytest.raises(BackupError, match="changed or cut off"):
        _read(read_key(archive.key_file), sealed)


def test_a_file_in_the_place_of_another_is_refused(archive: Archive, sealed: Path) -> None:
    with pytest.raises(BackupError, match="changed or cut off"):
        _read(read_key(archive.key_file), sealed, "other")


def test_another_key_is_told_from_damage(sealed: Path) -> None:
    with pytest.raises(BackupError, match="another key"):
        _read(Vault(b"x" * 32), sealed)


def test_a_lost_key_is_not_replaced_while_there_are_backups(archive: Archive) -> None:
    _full(archive, 1, 1)
    archive.key_file.unlink()
    with pytest.raises(BackupError, match="is missing"):
        archive.prepare()
    assert not archive.key_file.exists()


def test_retention_keeps_what_a_kept_backup_needs(archive: Archive) -> None:
    first, second, third = (_full(archive, day, 10 * day) for day in (1, 2, 3))
    wal = {number: _segment(archive, number) for number in (10, 19, 20, 25, 30)}
    assert archive.retain(2) == [first.name]
    assert archive.fulls() == [second, third]
    assert [number for number, file in wal.items() if file.exists()] == [20, 25, 30]


def test_wal_after_a_gap_is_not_offered(archive: Archive) -> None:
    for number in (1, 2, 4):
        _segment(archive, number)
    assert [name[-1] for name, _ in archive.segments(f"{1:08X}{0:08X}{1:08X}")] == ["1", "2"]


def test_segments_follow_on_beyond_a_log_file(archive: Archive) -> None:
    _segment(archive, 255)
    next_ = f"{1:08X}{1:08X}{0:08X}"
    (archive.wal / f"{next_}.partial{SUFFIX}").touch()
    assert [name for name, _ in archive.segments(f"{1:08X}{0:08X}{255:08X}")][1:] == [next_]


def test_one_backup_at_a_time(archive: Archive) -> None:
    another = archive.lock("backup", "making a backup")
    with (
        archive.lock("backup", "making a backup"),
        pytest.raises(BackupError, match="Another process is making a backup"),
        another,
    ):
        pass


def test_a_killed_backup_is_no_backup(archive: Archive) -> None:
    (killed := archive.making() / "backup.json").write_bytes(b"{}")
    assert archive.fulls() == []
    assert archive.making() != killed.parent
    assert not killed.exists()
    with pytest.raises(BackupError, match="There is no whole backup"):
        choose(archive, _THEN)


def test_the_nearest_earlier_backup_is_chosen(archive: Archive) -> None:
    _, second, _ = (_full(archive, day, day) for day in (1, 2, 3))
    for number in (1, 2, 3):
        _segment(archive, number)
    _through(archive, _THEN + timedelta(days=5))
    assert choose(archive, _THEN + timedelta(days=2, hours=3)) == second


@pytest.mark.parametrize("hours", [23, 49])
def test_a_time_outside_tells_which_can_be_restored(archive: Archive, hours: int) -> None:
    _full(archive, 1, 1)
    _segment(archive, 1)
    _through(archive, _THEN + timedelta(days=2))
    with pytest.raises(BackupError, match=r"from 2026-01-02T.* to 2026-01-03T"):
        choose(archive, _THEN + timedelta(hours=hours))


def test_no_archived_wal_is_told(archive: Archive) -> None:
    _full(archive, 1, 1)
    with pytest.raises(BackupError, match="--follow"):
        choose(archive, _THEN + timedelta(days=1))


def test_a_backup_from_before_wal_was_kept_is_never_chosen(archive: Archive) -> None:
    _full(archive, 1, 1)
    followed = _full(archive, 2, 4)
    for number in (3, 4):
        _segment(archive, number)
    _through(archive, _THEN + timedelta(days=5))
    assert choose(archive, _THEN + timedelta(days=3)) == followed
    with pytest.raises(BackupError, match=r"cannot be restored. What can: from 2026-01-03T"):
        choose(archive, _THEN + timedelta(days=1, hours=1))
