"""A Debian of its own with PostgreSQL and pgBackRest, as a production's server has them."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.embedded.state import ROOT

CACHE = Path.home() / ".cache" / "gerai" / "pgbackrest"
RELEASE = "forky"  # the first of Debian's with a pgBackRest that we want
OLDEST = (2, 58)
CONFIGURATION = ROOT / "infra" / "pgbackrest"
DATA = "/var/lib/postgresql/18/main"

_PROGRAMS = "/usr/lib/postgresql/18/bin"
_PACKAGES = "postgresql-18,pgbackrest,ca-certificates"
_SCRIPT = "/usr/share/debootstrap/scripts/sid"
_OWN = ("var/lib/postgresql", "var/lib/pgbackrest", "var/spool/pgbackrest", "etc/pgbackrest", "run", "tmp")
_REPOSITORY = "[global]\nrepo1-type=posix\nrepo1-path=/var/lib/pgbackrest\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.pgbackrest)


@dataclass(frozen=True)
class Machine:
    """Runs programs inside, as PostgreSQL's user, on files that go away with it."""

    root: Path
    entered: tuple[str, ...]

    def run(self, *command: str, **variables: str) -> str:
        """Run a program to its end and return what it prints; it has to succeed."""
        done = self.tried(*command, **variables)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def tried(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        line = [*self.entered, "chroot", "--userspec=postgres:postgres", str(self.root), *command]
        environment = {"PATH": f"{_PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **variables}
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)

    def pgbackrest(self, *arguments: str) -> str:
        return self.run("pgbackrest", "--stanza=gerai", *arguments)

    def asked(self, statement: str, database: str = "gerai_store") -> str:
        options = ["--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        return self.run("psql", *options, f"--dbname={database}", f"--command={statement}")

    def start(self) -> None:
        self.run("pg_ctl", "--pgdata", DATA, "--wait", "--log", "/tmp/log", "start")  # noqa: S108 - the machine's

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "--pgdata", DATA, "--wait", "--mode", mode, "stop")


@pytest.fixture(scope="session")
def debian() -> Path:
    """The files of that Debian, made once."""
    if os.geteuid() or not shutil.which("debootstrap"):
        pytest.fail("A Debian of its own takes root and Debian's package debootstrap.")
    root = CACHE / RELEASE
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=root.parent))
        options = ["--variant=minbase", f"--include={_PACKAGES}"]
        done = subprocess.run(
            ["unshare", "--mount", "debootstrap", *options, RELEASE, str(making), _mirror(), _SCRIPT],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        making.chmod(0o755)
        making.rename(root)  # at the end: what an interrupted run leaves is never taken for the whole
    return root


def _mirror() -> str:
    """Return where this machine has its packages of Debian from."""
    query = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"]
    found = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    return next(line for line in found.split() if line.rstrip("/").endswith("/debian"))


@pytest.fixture
def machine(debian: Path) -> Generator[Machine]:
    """That Debian with our configuration, a repository in a folder, and a server that runs."""
    with _entered(debian) as machine:
        _configure(machine)
        machine.run("initdb", "--pgdata", DATA, "--no-sync", "--auth=trust", "--data-checksums")
        settings = "".join(
            f"{line}\n" for line in (CONFIGURATION / "postgresql.conf").read_text().splitlines()
        )
        _write(machine, f"{DATA}/postgresql.conf", settings + "listen_addresses = ''\n")
        machine.start()
        try:
            yield machine
        finally:
            machine.stop("immediate")


@contextmanager
def _entered(root: Path) -> Generator[Machine]:
    own = " && ".join(
        [f"mkdir -p '{root}/{place}' && mount -t tmpfs -o mode=1777 tmpfs '{root}/{place}'" for place in _OWN]
    )
    mounting = f"mount --rbind /dev '{root}/dev' && mount -t proc proc '{root}/proc' && {own}"
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", f"{mounting} && echo mounted && exec sleep infinity"],  # noqa: S607
        stdout=subprocess.PIPE,
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"mounted\n"
            yield Machine(root, ("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"))
        finally:
            holder.kill()


def _configure(machine: Machine) -> None:
    machine.run("mkdir", "-p", "/etc/pgbackrest/conf.d", "/run/postgresql")
    _write(machine, "/etc/pgbackrest/pgbackrest.conf", (CONFIGURATION / "pgbackrest.conf").read_text())
    _write(machine, "/etc/pgbackrest/conf.d/repository.conf", _REPOSITORY)
    secret = f"[global]\nrepo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass={secrets.token_urlsafe(48)}\n"
    _write(machine, "/etc/pgbackrest/conf.d/cipher.conf", secret)


def _write(machine: Machine, path: str, text: str) -> None:
    machine.run("sh", "-c", 'umask 077; printf %s "$1" > "$2"', "sh", text, path)


def version(machine: Machine) -> tuple[int, ...]:
    """Return pgBackRest's version."""
    found = re.search(r"(\d+)\.(\d+)", machine.run("pgbackrest", "version"))
    assert found
    return int(found[1]), int(found[2])
