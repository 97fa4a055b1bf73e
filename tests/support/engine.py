"""An engine for Docker Compose where there is no Docker: podman behind its Docker-compatible API.

All that it keeps is in one folder of its own, so no other user of podman on the machine sees it. Images it
takes from the storage that `Containers` builds into. Compose and containers behave as with Docker but for two
things: podman would have systemd run health checks, so they are run from here; and it keeps what containers
print in files of its own kind, so that `keep_log` writes those that Docker has.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tests.support.containers import CACHE, CannotBuild, limits
from tests.support.launcher import until

_START_INTERVAL_SECONDS = 1
_CHECKS_OF_HEALTHY = (
    5  # a healthy one is asked at every fifth turn, which is the interval of docker-compose.yml
)
_LIMIT_SECONDS = 30
_CONTAINERS = """
[containers]
default_ulimits = {ulimits}
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{temporary}"
[network]
network_backend = "netavark"
network_config_dir = "{networks}"
"""
_STORAGE = """
[storage]
driver = "overlay"
graphroot = "{storage}"
runroot = "{run}"
[storage.options]
additionalimagestores = ["{images}"]
"""
_NETWORKING = [Path("/usr/lib/podman", name) for name in ("netavark", "aardvark-dns")]


class Engine:
    """Podman with settings of its own, and what its API's clients need."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder / 'socket'}"
        self.healthy: dict[str, datetime] = {}
        """By the name of a container, when its first check that succeeded began."""
        self._environment = os.environ | _settings(folder) | {"DISABLE_HC_SYSTEMD": "true"}

    def podman(self, *arguments: str) -> str:
        """Run podman and return what it prints.

        Raises:
            CannotBuild: with what it says when it fails.
        """
        done = self._try(*arguments)
        if done.returncode:
            raise CannotBuild(f"podman {arguments[0]} failed with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what podman knows of a container."""
        return json.loads(self.podman("container", "inspect", container))[0]

    def keep_log(self, container: str, folder: Path) -> None:
        """Write what a container has printed into `folder`, as Docker's json-file driver does."""
        place = folder / container
        place.mkdir(mode=0o710)
        log = place / f"{container}-json.log"
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        lines = [{"log": f"{line}\n", "stream": "stdout", "time": now} for line in self._printed(container)]
        log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        log.chmod(0o640)

    def _printed(self, container: str) -> list[str]:
        return self.podman("logs", container).splitlines()

    def serve(self, log: Path) -> "subprocess.Popen[bytes]":
        """Start the API; it ends with the process."""
        with log.open("wb") as output:
            command = ["podman", "system", "service", "--time", "0", self.url]
            return subprocess.Popen(command, env=self._environment, stdout=output, stderr=output)

    def check_health(self, stopped: Event) -> None:
        """Run the health checks of containers until `stopped`."""
        turn = 0
        while not stopped.wait(_START_INTERVAL_SECONDS):
            turn += 1
            for line in self._try("ps", "--format", "{{.Names}}\t{{.Status}}").stdout.splitlines():
                name, status = line.split("\t")
                settled = "(healthy)" in status and turn % _CHECKS_OF_HEALTHY
                if status.endswith(")") and not settled:
                    self._check(name)

    def _check(self, container: str) -> None:
        began = datetime.now(UTC)
        if not self._try("healthcheck", "run", container).returncode:
            self.healthy.setdefault(container, began)

    def _try(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["podman", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)


@contextmanager
def engine() -> Generator[Engine]:
    """Run an engine until the block ends, be it by an interrupt or SIGTERM; nothing of it is left then.

    Raises:
        CannotBuild: naming what is missing.
    """
    missing = [path.name for path in _NETWORKING if not path.exists()]
    if missing:
        raise CannotBuild(f"Debian's packages {', '.join(missing)} are missing; apt-get installs them.")
    with tempfile.TemporaryDirectory(prefix="gerai-") as name:
        folder, stopped = Path(name), Event()
        found = Engine(folder)
        service = found.serve(folder / "log")
        checks = Thread(target=found.check_health, args=(stopped,))
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        checks.start()
        try:
            until((folder / "socket").exists, _LIMIT_SECONDS)
            yield found
        finally:
            signal.signal(signal.SIGTERM, before)
            stopped.set()
            checks.join()
            found.podman("rm", "--all", "--force", "--time", "0")
            service.terminate()
            service.wait(_LIMIT_SECONDS)


def _settings(folder: Path) -> dict[str, str]:
    """Write the settings of podman and of its storage; return the variables that name them."""
    containers, storage = folder / "containers.conf", folder / "storage.conf"
    containers.write_text(
        _CONTAINERS.format(
            ulimits=json.dumps(limits()), temporary=folder / "tmp", networks=folder / "networks"
        )
    )
    kept = {"storage": folder / "storage", "run": folder / "run", "images": CACHE / "storage"}
    storage.write_text(_STORAGE.format(**kept))
    return {"CONTAINERS_CONF": str(containers), "CONTAINERS_STORAGE_CONF": str(storage)}
