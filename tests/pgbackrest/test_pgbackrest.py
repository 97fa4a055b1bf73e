"""pgBackRest with our configuration, on a repository in a folder: what is lost is restored to just before."""

import json
import time

import pytest

from tests.pgbackrest.conftest import CONFIGURATION, DATA, OLDEST, Machine, version

CONTENT = "SELECT count(*) || ' ' || md5(string_agg(text, '' ORDER BY text)) FROM things"
LIMIT_SECONDS = 60
MARK = "seen-by-nobody"
FLIP = 'open F, "+<", $ARGV[0]; seek F, 2000, 0; read F, $b, 1; seek F, 2000, 0; print F chr(ord($b) ^ 1);'


def write(machine: Machine, rows: int) -> None:
    machine.asked(f"INSERT INTO things SELECT '{MARK}' || g FROM generate_series(1, {rows}) AS g")  # noqa: S608


@pytest.fixture
def backed_up(machine: Machine) -> Machine:
    """A table in a full backup, more of it in an incremental one, and more since."""
    machine.asked("CREATE DATABASE gerai_store", "postgres")
    machine.asked("CREATE TABLE things (text text)")
    write(machine, 1000)
    machine.pgbackrest("stanza-create")
    machine.pgbackrest("check")
    machine.pgbackrest("--type=full", "backup")
    write(machine, 2000)
    machine.pgbackrest("--type=incr", "backup")
    write(machine, 3000)
    return machine


def test_an_accident_is_undone_to_just_before_it(backed_up: Machine) -> None:
    machine = backed_up
    assert version(machine) >= OLDEST
    content = machine.asked(CONTENT)
    moment = machine.asked("SELECT clock_timestamp()")
    machine.asked("TRUNCATE things")
    machine.pgbackrest("check")  # switches the segment of WAL, and waits until that is archived
    assert machine.asked(CONTENT) != content
    machine.stop()

    target = ["--type=time", f"--target={moment}", "--target-action=promote", "--delta"]
    machine.pgbackrest(*target, "restore")
    machine.start()
    limit = time.monotonic() + LIMIT_SECONDS
    while machine.asked("SELECT pg_is_in_recovery()") == "t":
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert machine.asked(CONTENT) == content
    assert content.startswith("6000 ")
    machine.run("pg_amcheck", "--all", "--install-missing", "--heapallindexed", "--parent-check")
    write(machine, 10)
    machine.pgbackrest("check")


def test_what_is_kept_is_whole_and_can_be_read_by_nobody(backed_up: Machine) -> None:
    machine = backed_up
    told = machine.pgbackrest("--output=text", "--verbose", "verify")
    assert "status: ok" in told
    [stanza] = json.loads(machine.pgbackrest("--output=json", "info"))
    assert stanza["cipher"] == "aes-256-cbc"
    assert [each["type"] for each in stanza["backup"]] == ["full", "incr"]
    assert not any(each["error"] for each in stanza["backup"])
    for place, found in (("/var/lib/pgbackrest", 1), (DATA, 0)):
        assert machine.tried("grep", "--recursive", "--quiet", MARK, place).returncode == found


def test_a_damaged_backup_is_found(backed_up: Machine) -> None:
    machine = backed_up
    [bundle, *_] = machine.run("find", "/var/lib/pgbackrest/backup", "-path", "*/bundle/*").splitlines()
    machine.run("perl", "-e", FLIP, bundle)
    told = machine.tried("pgbackrest", "--stanza=gerai", "--output=text", "verify")
    assert "status: error" in told.stdout


def test_the_bucket_s_options_are_ones_that_it_knows(machine: Machine) -> None:
    repository = (CONFIGURATION / "repository.conf").read_text()
    machine.run("sh", "-c", 'printf %s "$1" > /etc/pgbackrest/conf.d/repository.conf', "sh", repository)
    nowhere = {
        "PGBACKREST_REPO1_S3_KEY_TYPE": "shared",
        "PGBACKREST_REPO1_S3_KEY": "key",
        "PGBACKREST_REPO1_S3_KEY_SECRET": "secret",
        "PGBACKREST_REPO1_STORAGE_HOST": "127.0.0.1",
        "PGBACKREST_REPO1_STORAGE_PORT": "1",
        "PGBACKREST_IO_TIMEOUT": "1",
    }
    done = machine.tried("pgbackrest", "--stanza=gerai", "stanza-create", **nowhere)
    said = done.stdout + done.stderr
    assert "unable to connect to '127.0.0.1:1'" in said
    assert "WARN" not in said
