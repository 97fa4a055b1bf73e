"""The compose stack on an engine: docker-compose.yml by Docker Compose, as a person runs it."""

import json
import os
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from infra.embedded.ports import free_port
from infra.embedded.state import ROOT
from tests.support.engine import Engine
from tests.support.launcher import until

FILE = ROOT / "docker-compose.yml"

_LIMIT_SECONDS = 300
_PROJECT = "gerai"
_LOGS = "/var/lib/docker/containers"


class ComposeFailed(Exception):
    """What Docker Compose said, at its end."""


@dataclass(frozen=True)
class Container:
    """A service's container."""

    name: str
    state: Mapping[str, Any]
    restarts: int
    networks: Mapping[str, Any]
    host_config: Mapping[str, Any]

    @property
    def privileges(self) -> dict[str, str]:
        """The user of its first process, and what that may do, as the kernel tells it."""
        status = Path("/proc", str(self.state["Pid"]), "status").read_text()
        return dict(re.findall(r"^(Uid|CapEff|NoNewPrivs):\s*(\S+)", status, re.MULTILINE))

    @property
    def started(self) -> datetime:
        """When it started last."""
        return datetime.fromisoformat(self.state["StartedAt"])

    @property
    def finished(self) -> datetime:
        """When it ended last."""
        return datetime.fromisoformat(self.state["FinishedAt"])

    @property
    def address(self) -> str:
        """Its address in the network that has a way out."""
        return self.networks[f"{_PROJECT}_app"]["IPAddress"]

    @property
    def host(self) -> str:
        """This machine's address in that network."""
        return self.networks[f"{_PROJECT}_app"]["Gateway"]

    @property
    def is_healthy(self) -> bool:
        """Whether it runs and its last health check succeeded."""
        return bool(self.state["Running"]) and self.state["Health"]["Status"] == "healthy"


class Stack:
    """A project of Docker Compose whose gateway listens on a free port."""

    def __init__(self, engine: Engine, program: str, folder: Path, tag: str) -> None:
        self.engine = engine
        self._port = free_port()
        self.logs = folder / "logs"
        """Where the collector looks for what containers print."""
        self.logs.mkdir(mode=0o710)
        self._command = [program, "--file", str(FILE), "--env-file", os.devnull]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DOCKER_HOST": engine.url,
            "GERAI_TAG": tag,
            "GATEWAY_PORT": str(self._port),
        }
        override = folder / "override.yml"
        override.write_text(self._override())
        self._command += ["--file", str(override)]

    def compose(self, *arguments: str, **variables: str) -> str:
        """Run Docker Compose and return what it prints.

        Raises:
            ComposeFailed: with what it says when it fails.
        """
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
        if done.returncode:
            raise ComposeFailed("\n".join(done.stderr.splitlines()[-15:]))
        return done.stdout

    def up(self, *options: str, only: Collection[str] = (), **variables: str) -> None:
        """Start what does not run, and wait until everything that has a health check is healthy."""
        self.compose(*options, "up", "--detach", "--no-build", "--pull", "never", *only, **variables)
        self._until_healthy(only or self.services(*options), *options)

    def up_alone(self, service: str, *options: str, **variables: str) -> None:
        """Start one service without those it waits for, and wait until it is healthy."""
        self.compose(*options, "up", "--detach", "--no-deps", "--pull", "never", service, **variables)
        self._until_healthy([service], *options)

    def services(self, *options: str) -> dict[str, Any]:
        """Return the services as Docker Compose understands the file."""
        return json.loads(self.compose(*options, "config", "--format", "json"))["services"]

    def container(self, service: str) -> Container:
        """Return the container of a service."""
        found = self.engine.inspect(f"{_PROJECT}-{service}-1")
        networks = found["NetworkSettings"]["Networks"]
        return Container(found["Name"], found["State"], found["RestartCount"], networks, found["HostConfig"])

    def http(self) -> httpx.Client:
        """Return a client of the port that the gateway publishes."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=30)

    def admin(self) -> httpx.Client:
        """Return a client that is signed in as README.md says."""
        account = json.loads(self.compose("exec", "-T", "auth", "cat", "/run/gerai/sign-in.json"))
        with self.http() as stranger:
            answer = stranger.post("/v1/auth/login", json=account)
        assert answer.status_code == 200, answer.text
        admin = self.http()
        admin.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
        return admin

    def _until_healthy(self, names: Collection[str], *options: str) -> None:
        services = self.services(*options)
        checked = [name for name in names if "healthcheck" in services[name]]
        until(lambda: all(self.container(name).is_healthy for name in checked), _LIMIT_SECONDS)

    def _override(self) -> str:
        """Return what changes what podman's API is too old for, ports that may be in use, Docker's folder."""
        services: dict[str, Any] = {}
        for name, each in self.services("--profile", "*").items():
            fixed = "ports" in each and name != "gateway"
            newer = "start_interval" in each.get("healthcheck", {})
            logs = any(volume["target"] == _LOGS for volume in each.get("volumes", []))
            lines = ["ports: !reset []"] * fixed + ["healthcheck: {start_interval: !reset null}"] * newer
            lines += [f"volumes: ['{self.logs}:{_LOGS}:ro']"] * logs
            services |= {name: lines} if lines else {}
        return "\n".join(
            ["services:", *(f"  {name}: {{{', '.join(each)}}}" for name, each in services.items()), ""]
        )
