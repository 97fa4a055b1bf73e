"""The whole platform as its users meet it: four real processes behind the gateway."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra.embedded.ports import free_port
from shared.config import RedisConfig
from tests.support.databases import TestDatabase

ADMIN_EMAIL = "admin@gerai.example"
ADMIN_PASSWORD = "correct horse battery staple"

_READY_SECONDS = 90
_STOP_SECONDS = 30
_ROOT = Path(__file__).parents[2]
_MODULES = {
    "auth": "services.auth",
    "client": "services.client",
    "store": "services.store",
    "gateway": "gateway",
}


@dataclass
class Platform:
    """The running processes and how to talk to them."""

    ports: dict[str, int]
    environments: dict[str, dict[str, str]]
    http: httpx.AsyncClient
    processes: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, "subprocess.Popen[bytes]"]
    )

    modules: dict[str, str] = field(default_factory=lambda: dict(_MODULES))
    logs: Path | None = None
    runner: tuple[str, ...] = ()

    def twin(self, name: str, of: str, **environment: str) -> None:
        """Describe another process of a service; `start` starts it."""
        self.ports[name] = free_port()
        self.modules[name] = self.modules[of]
        port = {"SERVICE_PORT": str(self.ports[name])}
        self.environments[name] = {**self.environments[of], **port, **environment}

    def url(self, process: str) -> str:
        """Return the base URL of one process."""
        return f"http://127.0.0.1:{self.ports[process]}"

    def command(self, name: str) -> list[str]:
        """Return the command line that starts a process."""
        return [sys.executable, "-m", *self.runner, self.modules[name]]

    async def start(self, *names: str) -> None:
        """Start processes and wait until each is ready."""
        for name in names:
            self._spawn(name)
        async with asyncio.timeout(_READY_SECONDS):
            await asyncio.gather(*(self._ready(name) for name in names))

    def _spawn(self, name: str) -> None:
        with ExitStack() as files:
            output = files.enter_context((self.logs / name).open("ab")) if self.logs else None
            self.processes[name] = subprocess.Popen(
                self.command(name),
                cwd=_ROOT,
                env={**_inherited(), **self.environments[name]},
                stdout=output,
                stderr=output,
            )

    def kill(self, name: str) -> None:
        """End a process at once, as a lost machine would."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        """Ask every process to stop and wait for it."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(_STOP_SECONDS)

    async def sign_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> dict[str, str]:
        """Return the Authorization header of a person."""
        answer = await self.http.post("/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}

    async def _ready(self, name: str) -> None:
        async with httpx.AsyncClient(base_url=self.url(name)) as client:
            while True:
                assert self.processes[name].poll() is None, f"{name} ended while starting"
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)


def exporting(url: str, **variables: str) -> dict[str, dict[str, str]]:
    """Return changes of environments by which every process exports its spans to a collector at `url`."""
    return {name: {"OTEL_EXPORTER_OTLP_ENDPOINT": url, **variables} for name in _MODULES}


@asynccontextmanager
async def running(
    databases: Mapping[str, TestDatabase],
    redis: RedisConfig,
    folder: Path,
    changes: Mapping[str, Mapping[str, str]] | None = None,
    *,
    logs: Path | None = None,
    ports: Mapping[str, int] | None = None,
    runner: tuple[str, ...] = (),
    kind: type[Platform] = Platform,
) -> AsyncGenerator[Platform]:
    """Run the platform until the block ends, with `changes` to the processes' environments.

    Its processes write to files named after them in the folder `logs`, if there is one. Their ports are free
    ones but for those given; with a `runner`, that module runs theirs. Another `kind` of platform
    starts them in its own way.
    """
    ports = {name: free_port() for name in (*_MODULES, "metrics")} | dict(ports or {})
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['gateway']}", timeout=30) as client:
        environments = _environments(ports, databases, redis, folder)
        platform = kind(ports, environments, client, logs=logs, runner=runner)
        for name, values in (changes or {}).items():
            platform.environments[name] |= values
        try:
            await platform.start("auth", "client", "store")
            await platform.start("gateway")
            yield platform
        finally:
            await asyncio.to_thread(platform.stop)  # proxies of this process serve them to the end


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}


def _environments(
    ports: Mapping[str, int], databases: Mapping[str, TestDatabase], redis: RedisConfig, folder: Path
) -> dict[str, dict[str, str]]:
    urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in ("auth", "client", "store")}
    secrets = {name: f"only-for-tests-{name}" for name in ("client", "store")}
    common = {
        **urls,
        "ENV_FILE": os.devnull,
        "SERVICE_ENVIRONMENT": "test",
        "LOG_LEVEL": "WARNING",
        "JWT_KEY_FILE": str(folder / "jwt.pem"),
        "REDIS_HOST": redis.host,
        "REDIS_PORT": str(redis.port),
        "REDIS_PASSWORD": redis.password.reveal() if redis.password else "",
        "ADMIN_EMAIL": ADMIN_EMAIL,
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "OAUTH_CLIENTS": ",".join(f"{name}:{secret}" for name, secret in secrets.items()),
        "IDEMPOTENCY_SECRET": "only-for-tests-" + "0123456789abcdef" * 2,
        "METRICS_PORT": str(ports["metrics"]),
    }
    environments = {name: {**common, "SERVICE_PORT": str(ports[name])} for name in _MODULES}
    for name, database in databases.items():
        environments[name] |= _database(database)
    for name, secret in secrets.items():
        environments[name] |= {"OAUTH_CLIENT_ID": name, "OAUTH_CLIENT_SECRET": secret}
    return environments


def _database(database: TestDatabase) -> dict[str, str]:
    config = database.app
    return {
        "DB_HOST": config.host,
        "DB_PORT": str(config.port),
        "DB_USER": config.user,
        "DB_PASSWORD": config.password.reveal(),
        "DB_NAME": config.name,
        "DB_SSLMODE": config.sslmode,
        "DB_POOL_SIZE": "5",
        "DB_POOL_WAIT_MS": str(config.pool_wait_ms),
    }
