"""A server that data is lost on, with an archive of backups, and the commands as a person gives them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from infra.backup.archive import Archive
from infra.embedded import postgres
from infra.embedded.ports import free_port
from infra.embedded.postgres import Cluster, passable, serving
from infra.embedded.state import ROOT

_LIMIT_SECONDS = 60


@dataclass
class Original:
    """A running server and its archive."""

    cluster: Cluster
    url: str
    archive: Archive
    state: Path
    entered: tuple[str, ...] = ()
    """What comes before each command, such as `nsenter` with its options."""

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `./taskw backup`."""
        line = self._line(*arguments)
        return subprocess.Popen(
            line,
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `./taskw backup` or `./taskw restore` to its end."""
        return subprocess.run(
            self._line(*arguments),
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def following(self, every: int = 2) -> Generator["subprocess.Popen[str]"]:
        """Archive every change during the block, from the first time that it did."""
        before = self.archive.through()
        process = self.start("backup", "--follow", "--every", str(every))
        try:
            limit = time.monotonic() + _LIMIT_SECONDS
            while self.archive.through() == before:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < limit
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=_LIMIT_SECONDS)

    def archived(self, until: datetime) -> None:
        """Wait until everything before a time is archived."""
        limit = time.monotonic() + _LIMIT_SECONDS
        while (through := self.archive.through()) is None or through <= until:
            assert time.monotonic() < limit
            time.sleep(0.05)

    def environment(self) -> dict[str, str]:
        """Return the environment of the commands."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "GERAI_STATE_DIR": str(self.state),
            "DATABASE_URL": self.url,
        }

    def _line(self, *arguments: str) -> list[str]:
        return [*self.entered, sys.executable, "-m", "infra.backup", *arguments]


@pytest.fixture
def original(tmp_path: Path) -> Generator[Original]:
    with passable(tmp_path / "original") as folder:
        cluster = postgres.cluster(folder / "postgres")
        cluster.prepare()
        port, state = free_port(), tmp_path / "state"
        archive = Archive(state / "backups", state / "backup.key")
        with serving(cluster, port, durable=True):
            yield Original(cluster, cluster.url(port), archive, state)
