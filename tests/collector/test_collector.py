"""A real collector with our configuration, between the platform and where its traces and lines go."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from infra.collector import collector
from infra.embedded.ports import free_port
from infra.embedded.state import ROOT
from shared.config import RedisConfig
from tests.support.databases import TestDatabase
from tests.support.otlp import Sink, collecting
from tests.support.platform import Platform, exporting, running
from tests.support.programs import serving
from tests.support.span_tree import (
    assert_consumed,
    assert_tree_of_new_store,
    create_client,
    create_store,
    is_whole,
    new_trace,
)

pytestmark = pytest.mark.collector

CONFIG = ROOT / "infra" / "otel-collector" / "config.yaml"
LIMIT_SECONDS = 30
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
LINE = {
    "time": "2026-11-25T08:00:00.123456Z",
    "level": "WARNING",
    "service": "store",
    "message": "GET /v1/stores",
    "trace_id": TRACE_ID,
    "span_id": "b7ad6b7169203331",
    "status": 200,
}


@dataclass
class Running:
    """The collector: where it takes spans, and the folder of containers' logs that it reads."""

    url: str
    containers: Path


@pytest.fixture(scope="module")
def program() -> Path:
    found = collector()
    if not found.exists():
        pytest.fail("The collector is not built: ./taskw test:collector builds it, and needs Go.")
    return found


@pytest.fixture(scope="module")
def sink() -> Generator[Sink]:
    with collecting() as sink:
        yield sink


@pytest.fixture(scope="module")
def between(program: Path, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """Our configuration with other ports, other neighbours and another folder."""
    folder = tmp_path_factory.mktemp("collector")
    config = yaml.safe_load(CONFIG.read_text())
    grpc, http, health, metrics = (free_port() for _ in range(4))
    protocols = config["receivers"]["otlp"]["protocols"]
    protocols["grpc"]["endpoint"], protocols["http"]["endpoint"] = f"127.0.0.1:{grpc}", f"127.0.0.1:{http}"
    config["receivers"]["filelog"]["include"] = [f"{folder}/containers/*/*-json.log"]
    config["exporters"]["otlphttp/tempo"]["endpoint"] = sink.url
    config["exporters"]["otlphttp/loki"]["endpoint"] = f"{sink.url}/otlp"
    config["extensions"]["health_check"]["endpoint"] = f"127.0.0.1:{health}"
    [reader] = config["service"]["telemetry"]["metrics"]["readers"]
    reader["pull"]["exporter"]["prometheus"] |= {"host": "127.0.0.1", "port": metrics}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "containers" / "1").mkdir(parents=True)
    command = [program, "--config", folder / "config.yaml"]
    with serving(command, f"http://127.0.0.1:{health}", folder / "output"):
        yield Running(f"http://127.0.0.1:{http}", folder / "containers")


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase],
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
    between: Running,
) -> AsyncGenerator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    async with running(databases, redis_config, folder, exporting(between.url)) as platform:
        yield platform


def test_the_configuration_is_valid_as_it_stands(program: Path) -> None:
    command = [program, "validate", "--config", CONFIG]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_a_trace_arrives_whole(platform: Platform, sink: Sink) -> None:
    admin = await platform.sign_in()
    of_client, traceparent = new_trace()
    client = await create_client(platform, admin | {"traceparent": traceparent})
    of_store, traceparent = new_trace()
    await create_store(platform, admin | {"traceparent": traceparent}, client)
    async with asyncio.timeout(LIMIT_SECONDS):
        while not is_whole(sink.trace(of_store)) or not any(of_client in span.links for span in sink.spans):
            await asyncio.sleep(0.05)
    assert_tree_of_new_store(sink.trace(of_store))
    assert_consumed(sink.spans, of_client)


async def test_a_container_s_lines_arrive_with_their_service_and_trace(between: Running, sink: Sink) -> None:
    printed = [json.dumps(LINE), "Listening on port 5432"]
    docker = [{"log": f"{line}\n", "stream": "stdout", "time": "2026-11-25T08:00:01Z"} for line in printed]
    log = between.containers / "1" / "1-json.log"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in docker))
    async with asyncio.timeout(LIMIT_SECONDS):
        while len(sink.lines) < len(printed):
            await asyncio.sleep(0.05)
    ours, other = sorted(sink.lines, key=lambda line: line.service, reverse=True)
    assert (ours.service, ours.level, ours.trace_id) == ("gerai-store", "WARNING", TRACE_ID)
    assert json.loads(ours.body) == LINE
    assert (other.service, other.body.rstrip()) == ("", "Listening on port 5432")
