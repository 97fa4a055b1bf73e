"""The processes that are measured: started on their cores, waited for, stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.machine import Cores, bound_to
from infra.embedded import processes
from infra.embedded.logs import last_lines

_ROOT = Path(__file__).parent.parent
_READY_SECONDS = 30
_STOP_SECONDS = 15
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that the process and its children have used."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return sum(each.user + each.system for each in times)


@dataclass(frozen=True)
class Program:
    """What to start: a name for people, a command, the port it will listen on, its environment."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] | None = None


def python(name: str, port: int, *arguments: str, environment: Mapping[str, str] | None = None) -> Program:
    """Return a Python module as a program."""
    return Program(name, (sys.executable, "-m", *arguments), port, environment)


class Stage:
    """Where the processes of one comparison run."""

    def __init__(self, cores: Cores, folder: Path, processes: ExitStack) -> None:
        self.folder = folder
        self._cores = cores
        self._processes = processes

    @property
    def everywhere(self) -> frozenset[int]:
        """All cores, for what is measured as a whole."""
        return self._cores.others | {self._cores.server}

    def measured(self, program: Program) -> Server:
        """Start a server under test, on the core that only servers under test use."""
        return self._processes.enter_context(running(program, frozenset({self._cores.server}), self.folder))

    def helper(self, program: Program) -> Server:
        """Start what a measurement needs and does not measure."""
        return self._processes.enter_context(running(program, self._cores.others, self.folder))


@contextmanager
def running(program: Program, cores: frozenset[int], folder: Path) -> Generator[Server]:
    """Run a program on `cores` until the block ends; what it prints goes to a file in `folder`.

    Raises:
        BenchmarkError: it does not listen within 30 s; the text has the last lines it printed.
    """
    log = folder / f"{program.name.replace(' ', '-')}.log"
    with log.open("wb") as output, bound_to(cores):
        process = subprocess.Popen(
            program.command,
            cwd=_ROOT,
            env={**_inherited(), **(program.environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches only this process, which then stops the others
        )
    try:
        _await_listening(program, process, log)
        yield Server(program.name, program.port, psutil.Process(process.pid))
    finally:
        processes.stop(process, signal.SIGTERM, _STOP_SECONDS)


def _await_listening(program: Program, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _READY_SECONDS
    while not _listens(program.port):
        if process.poll() is not None or time.monotonic() > limit:
            raise BenchmarkError(f"{program.name} did not start. It printed:\n{last_lines(log)}")
        time.sleep(_POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
