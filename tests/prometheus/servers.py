"""Prometheus and the exporters it scrapes beside the platform, out of Debian's packages."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from infra.debian import program
from infra.embedded.ports import free_port
from infra.embedded.state import ROOT
from shared.config import RedisConfig
from tests.support.exposition import metrics_url
from tests.support.platform import Platform
from tests.support.prometheus import Prometheus

SCRAPE_SECONDS = 1

_LIMIT_SECONDS = 60
_STOP_SECONDS = 15
_LOCAL = "127.0.0.1"
_RULES = ROOT / "infra/prometheus/rules"


@asynccontextmanager
async def watching(
    platform: Platform, postgres_url: str, redis: RedisConfig, folder: Path
) -> AsyncGenerator[Prometheus]:
    """Run Prometheus, and exporters of PostgreSQL and Redis, until the block ends.

    Raises:
        ProgramMissing: where one of them cannot be had.
    """
    postgres, cache, own = free_port(), free_port(), free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(json.dumps(_configuration(platform, postgres, cache)))  # which is YAML, too
    command = [
        program("prometheus", "prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={_LOCAL}:{own}",
        "--enable-feature=exemplar-storage",
    ]
    async with AsyncExitStack() as stack:
        stack.enter_context(_exporting_postgres(postgres_url, postgres, folder / "postgres.log"))
        stack.enter_context(_exporting_redis(redis, cache, folder / "redis.log"))
        stack.enter_context(_Running(command, {}, folder / "prometheus.log"))
        url = f"http://{_LOCAL}:{own}"
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=_LIMIT_SECONDS))
        prometheus = Prometheus(http)
        await _until_up(prometheus)
        yield prometheus


class _Running:
    """A process that lasts as long as a block."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log

    def __enter__(self) -> None:
        with self._log.open("wb") as file:
            self._process = subprocess.Popen(
                self._command, env=dict(self._environment), stdout=file, stderr=file
            )

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_STOP_SECONDS)


def _exporting_postgres(url: str, port: int, log: Path) -> _Running:
    server = urlsplit(url)
    source = (
        f"postgresql://{server.username}:{server.password}@{_LOCAL}:{server.port}/postgres?sslmode=disable"
    )
    command = [_exporter("postgres"), f"--web.listen-address={_LOCAL}:{port}", "--auto-discover-databases"]
    return _Running(command, {"DATA_SOURCE_NAME": source}, log)


def _exporting_redis(redis: RedisConfig, port: int, log: Path) -> _Running:
    address = f"--redis.addr=redis://{redis.host}:{redis.port}"
    command = [_exporter("redis"), f"--web.listen-address={_LOCAL}:{port}", address]
    return _Running(command, {"REDIS_PASSWORD": redis.password.reveal() if redis.password else ""}, log)


def _exporter(name: str) -> str:
    package = f"prometheus-{name}-exporter"
    return program(package, package)


def _configuration(platform: Platform, postgres: int, cache: int) -> dict[str, Any]:
    """Return a configuration with the jobs and labels of infra/prometheus, for processes on free ports."""
    processes = [
        {
            "targets": [urlsplit(metrics_url(platform, process)).netloc],
            "labels": {"service": process},
        }
        for process in platform.environments
    ]
    seconds = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": seconds, "scrape_timeout": seconds, "evaluation_interval": seconds},
        "scrape_configs": [
            {"job_name": "gerai", "static_configs": processes},
            {"job_name": "postgres", "static_configs": [{"targets": [f"{_LOCAL}:{postgres}"]}]},
            {"job_name": "redis", "static_configs": [{"targets": [f"{_LOCAL}:{cache}"]}]},
        ],
        "rule_files": [str(_RULES / "*.yml")],
    }


async def _until_up(prometheus: Prometheus) -> None:
    problem: object = None
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            while True:
                try:
                    problem = await prometheus.down()
                except httpx.HTTPError as error:  # it is starting
                    problem = error
                else:
                    if not problem:
                        return
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise TimeoutError(f"Prometheus does not scrape everything: {problem!r}") from None
