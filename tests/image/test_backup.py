"""The image of backups, confined as in production: it backs a real server up, and gives it back."""

import asyncio
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.backup.archive import Archive
from infra.backup.vault import make_key
from infra.embedded import postgres
from infra.embedded.ports import free_port
from infra.embedded.postgres import Cluster, passable, serving
from infra.embedded.state import ROOT
from infra.embedded.unprivileged import account
from infra.postgres.provision import BACKUP, ServiceDatabase, provide_backup, provision
from tests.support.base_image import postgres_image
from tests.support.containers import REVISION, CannotBuild, Containers
from tests.support.databases import PASSWORD, SERVICES

DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile.backup"
USER = 65532
LIMIT_SECONDS = 60
MOST_BYTES = 150_000_000
PRIVATE_FOR_BACKUPS = "with a / and an @ in it"


@dataclass(frozen=True)
class Source:
    """A server that is backed up, by a role that is no superuser, into a folder of the container's user."""

    cluster: Cluster
    port: int
    backups: Path
    key: Path

    @property
    def archive(self) -> Archive:
        return Archive(self.backups / "gerai", self.key)

    def options(self) -> list[str]:
        variables = {
            "DATABASE_URL": f"postgresql://{BACKUP}@127.0.0.1:{self.port}/postgres?sslmode=disable",
            "PGPASSWORD": PRIVATE_FOR_BACKUPS,
            "GERAI_BACKUP_KEY_FILE": "/run/key/backup.key",
        }
        given = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        volumes = [f"{self.backups}:/backups", f"{self.key.parent}:/run/key:ro"]
        return [*given, *(part for volume in volumes for part in ("--volume", volume))]

    def asked(self, statement: str, database: str = "gerai_store") -> object:
        return asyncio.run(_asked(self.cluster.url(self.port), database, statement))

    def archived(self, until: datetime) -> None:
        """Wait until everything before a time is archived."""
        limit = time.monotonic() + LIMIT_SECONDS
        while (through := self.archive.through()) is None or through <= until:
            assert time.monotonic() < limit
            time.sleep(0.05)


@pytest.fixture(scope="module")
def image(containers: Containers, base: str) -> str:
    assert base
    arguments = {"BASE": postgres_image(containers), "REVISION": REVISION}
    return containers.build_from(DOCKERFILE, ROOT, arguments)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Generator[Source]:
    with passable(tmp_path_factory.mktemp("source")) as folder:
        cluster, port, backups = postgres.cluster(folder / "postgres"), free_port(), folder / "backups"
        cluster.prepare()
        key = folder / "key" / "backup.key"
        make_key(key)
        backups.mkdir()
        for path in (backups, key):
            os.chown(path, USER, USER)
        with serving(cluster, port, durable=True):
            asyncio.run(_provide(cluster.url(port)))
            yield Source(cluster, port, backups, key)


def test_it_holds_the_code_of_backups_and_no_other(containers: Containers, image: str) -> None:
    with containers.files(image) as files:
        found = {path.relative_to(files / "app") for path in (files / "app").rglob("*.py")}
        code = {path for path in found if path.parts[0] != "packages"}
        assert {str(path.parent) for path in code} == {"infra/backup", "infra/embedded", "shared"}
        assert all((ROOT / path).exists() for path in code)
        packages = {path.name.split("-")[0] for path in (files / "app" / "packages").glob("*.dist-info")}
        assert packages == {
            "asyncpg",
            "cffi",
            "cryptography",
            "msgspec",
            "psutil",
            "pycparser",
            "python_dotenv",
        }
        assert not list((files / "usr" / "bin").glob("pip*"))


def test_it_is_small_and_runs_as_nobody(containers: Containers, image: str) -> None:
    described: dict[str, Any] = json.loads(containers.podman("image", "inspect", image))[0]["Config"]
    assert described["User"] == f"{USER}:{USER}"
    assert described["Entrypoint"] == ["python3", "-m", "infra.backup"]
    assert described["StopSignal"] == "SIGTERM"
    assert described["Labels"]["org.opencontainers.image.revision"] == REVISION
    assert containers.size(image) - containers.size(postgres_image(containers)) < MOST_BYTES


def test_what_was_lost_is_restored_by_it(containers: Containers, image: str, source: Source) -> None:
    owner = "gerai_store_owner"
    source.asked(f"SET ROLE {owner}; CREATE TABLE things AS SELECT generate_series(1, 1000) AS id")
    port, name = free_port(), f"gerai-test-{os.getpid()}-backup"
    arguments = ["backup", "--follow", "--every", "1", "--metrics-port", str(port)]
    follower = subprocess.Popen(
        containers.command(image, "--name", name, *source.options(), arguments=arguments)
    )
    try:
        began = source.asked("SELECT clock_timestamp()")
        assert isinstance(began, datetime)
        source.archived(began)
        told = containers.run(image, *source.options(), arguments=["backup"])
        assert "Done: " in told
        source.asked("INSERT INTO things SELECT generate_series(1001, 2000)")
        moment = source.asked("SELECT clock_timestamp()")
        source.asked("TRUNCATE things")
        assert isinstance(moment, datetime)
        source.archived(moment)
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        assert "\nbackup_last_success_timestamp_seconds " in metrics
        assert "\nbackup_archived_through_timestamp_seconds " in metrics
    finally:
        containers.stop(name)
    assert follower.wait(LIMIT_SECONDS) == 0
    assert len(source.archive.fulls()) == 2

    into = ["--to", moment.isoformat(), "--into", "/backups/restored"]
    containers.run(image, *source.options(), arguments=["restore", *into])
    assert _restored(source) == 2000


def test_a_drill_tells_what_a_loss_would_have_cost(
    containers: Containers, image: str, source: Source
) -> None:
    told = containers.run(image, *source.options(), arguments=["drill", "--into", "/backups/drill"])
    assert "RPO" in told
    assert "RTO" in told
    assert not (source.backups / "drill").exists()
    kept = "".join(file.read_text() for file in source.archive.metrics.glob("*.prom"))
    for name in ("recovery_point_seconds", "recovery_time_seconds"):
        assert f"\nbackup_drill_{name} " in kept
    assert "\nbackup_restore_last_success_timestamp_seconds " in kept


def test_it_says_in_a_sentence_what_is_missing(containers: Containers, image: str, source: Source) -> None:
    refused = [*source.options(), "--env", "PGPASSWORD=wrong"]
    with pytest.raises(CannotBuild, match="PostgreSQL does not answer: password authentication failed"):
        containers.run(image, *refused, arguments=["backup"])


async def _provide(url: str) -> None:
    databases = [ServiceDatabase(f"gerai_{name}", PASSWORD, PASSWORD) for name in SERVICES]
    await provision(url, databases)
    await provide_backup(url, PRIVATE_FOR_BACKUPS, [each.name for each in databases])


def _restored(source: Source) -> object:
    """Return how many things there are in what was restored, served here as its first user."""
    folder = source.backups / "restored"
    server = Cluster(folder, source.cluster.programs, account())
    for path in (folder, *folder.rglob("*")):
        if server.user:
            os.chown(path, server.user.uid, server.user.gid)
    port, password = free_port(), urlsplit(source.cluster.url(0)).password
    with serving(server, port):
        url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        return asyncio.run(_asked(url, "gerai_store", "SELECT count(*) FROM things"))


async def _asked(url: str, database: str, statement: str) -> object:
    connection = await asyncpg.connect(f"{url.rsplit('/', 1)[0]}/{database}")
    try:
        *before, last = statement.split("; ")
        for each in before:
            await connection.execute(each)
        return await connection.fetchval(last)
    finally:
        await connection.close()
