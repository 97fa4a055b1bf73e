"""The launcher as a person uses it: `up` in one terminal, `down` in another."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from infra.embedded.ports import free_port
from infra.embedded.processes import of_state
from infra.embedded.settings import PORTS
from infra.embedded.state import ROOT, State

_LIMIT_SECONDS = 60
_POLL_SECONDS = 0.05
_UNSET = ("DATABASE_URL", "REDIS_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD", "SERVICE_ENDPOINT_V")
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")

UP = (sys.executable, "-m", "infra.embedded", "up")
DOWN = (sys.executable, "-m", "infra.embedded", "down")


@dataclass
class Launcher:
    """A platform with a state folder and ports of its own."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})

    started: "list[subprocess.Popen[bytes]]" = field(default_factory=list["subprocess.Popen[bytes]"])

    @property
    def state(self) -> State:
        """The platform's files."""
        return State(self.folder / "state")

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command on this platform; a developer's `.env` does not count."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        ports = {variable: str(self.ports[name]) for name, variable in PORTS.items()}
        own = {
            "GERAI_STATE_DIR": str(self.state.folder),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "ADMIN_PASSWORD": "",
        }
        return {**inherited, **ports, **own, **more}

    def start(self, command: Sequence[str] = UP, **more: str) -> "Run":
        """Start a command in the checkout."""
        output = self.folder / f"output-{time.monotonic_ns()}"
        with output.open("wb") as file:
            environment = self.environment(**more)
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        self.started.append(process)
        return Run(process, output)

    def url(self, process: str) -> str:
        """Return the base URL of a process."""
        return f"http://127.0.0.1:{self.ports[process]}"

    def is_ready(self, process: str) -> bool:
        """Tell whether a process says that it can serve."""
        try:
            return httpx.get(f"{self.url(process)}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def processes(self, module: str = "") -> list[psutil.Process]:
        """Return the platform's living processes whose command line contains `module`."""
        found: list[psutil.Process] = []
        for process in of_state(self.state.folder.resolve()):
            with suppress(psutil.Error):
                if module in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def clean_up(self) -> None:
        """Stop everything, and remove what is elsewhere because PostgreSQL could not enter the folder."""
        self.start(DOWN)
        for process in self.started:
            process.wait(_LIMIT_SECONDS)
        place = self.state.folder / "postgres"
        if place.is_symlink():
            shutil.rmtree(place.readlink())


@dataclass
class Run:
    """A started command and its output."""

    process: "subprocess.Popen[bytes]"
    output: Path

    @property
    def text(self) -> str:
        """All that it has printed."""
        return self.output.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until it has printed `text`."""
        until(lambda: text in self.text or self.process.poll() is not None)
        assert text in self.text, self.text

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(_LIMIT_SECONDS)


def until(condition: Callable[[], bool], seconds: float = _LIMIT_SECONDS) -> None:
    """Wait until `condition` holds, and fail when it does not in time."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"did not happen within {seconds} s"
        time.sleep(_POLL_SECONDS)
