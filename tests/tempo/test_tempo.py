"""A real Tempo with our configuration: a request's whole trace is found in it, by TraceQL.

`TEMPO` says where the program is. It is under the AGPL, so whether to have it is for who runs this to decide.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.embedded.ports import free_port
from infra.embedded.state import ROOT
from shared.config import RedisConfig
from tests.support.databases import TestDatabase
from tests.support.otlp import ReceivedSpan, spans_in
from tests.support.platform import Platform, exporting, running
from tests.support.programs import serving
from tests.support.span_tree import (
    assert_tree_of_new_store,
    create_client,
    create_store,
    is_whole,
    new_trace,
)

pytestmark = pytest.mark.tempo

CONFIG = ROOT / "infra" / "tempo" / "tempo.yaml"
LIMIT_SECONDS = 60

FROM_GATEWAY_TO_ROW = (
    '{ resource.service.name = "gerai-gateway" && span.http.route = "/v1/stores" }'
    ' >> { resource.service.name = "gerai-store" && name = "INSERT stores" }'
)


@dataclass
class Tempo:
    """A running Tempo: where it takes spans, and where it is asked."""

    spans_url: str
    api: httpx.AsyncClient

    async def found(self, query: str) -> list[str]:
        """Return the ids of the traces of the last hour that a TraceQL query finds."""
        hour = {"start": int(time.time()) - 3600, "end": int(time.time()) + 60}
        answer = await self.api.get("/api/search", params={"q": query, **hour})
        answer.raise_for_status()
        return [trace["traceID"].zfill(32) for trace in answer.json()["traces"]]

    async def trace(self, trace_id: str) -> Sequence[ReceivedSpan]:
        """Return the spans of a trace, none when it is not known."""
        answer = await self.api.get(f"/api/traces/{trace_id}", headers={"Accept": "application/protobuf"})
        if answer.status_code == 404:
            return []
        answer.raise_for_status()
        # Tempo's Trace has the fields of an export.
        return list(spans_in(ExportTraceServiceRequest.FromString(answer.content)))


@pytest.fixture(scope="module")
def program() -> Path:
    named = os.environ.get("TEMPO", "")
    if not os.access(named, os.X_OK):
        pytest.fail(
            "There is no Tempo to test with: TEMPO=/path/to/tempo ./taskw test:tempo, with one of 3.0."
        )
    return Path(named)


@pytest.fixture(scope="module")
async def tempo(program: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Tempo]:
    folder = tmp_path_factory.mktemp("tempo")
    api, spans = free_port(), free_port()
    (folder / "tempo.yaml").write_text(yaml.safe_dump(configuration(folder, api, spans)))
    url, command = f"http://127.0.0.1:{api}", [program, f"-config.file={folder}/tempo.yaml"]
    with serving(command, f"{url}/ready", folder / "output"):
        async with httpx.AsyncClient(base_url=url) as client:
            yield Tempo(f"http://127.0.0.1:{spans}", client)


def configuration(folder: Path, api: int, spans: int) -> dict[str, object]:
    """Return our configuration with other ports and folders, and nobody to tell metrics."""
    config = yaml.safe_load(CONFIG.read_text().replace("/var/tempo", str(folder)))
    config["server"] |= {"http_listen_port": api, "http_listen_address": "127.0.0.1"}
    config["server"] |= {"grpc_listen_port": free_port(), "grpc_listen_address": "127.0.0.1"}
    protocols = config["distributor"]["receivers"]["otlp"]["protocols"]
    protocols["grpc"]["endpoint"] = f"127.0.0.1:{free_port()}"
    protocols["http"]["endpoint"] = f"127.0.0.1:{spans}"
    config["metrics_generator"]["storage"]["remote_write"] = []
    return config


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase],
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
    tempo: Tempo,
) -> AsyncGenerator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    async with running(databases, redis_config, folder, exporting(tempo.spans_url)) as platform:
        yield platform


def test_the_configuration_is_valid_as_it_stands(program: Path) -> None:
    command = [program, f"-config.file={CONFIG}", "-config.verify=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_the_whole_trace_of_a_request_is_found(platform: Platform, tempo: Tempo) -> None:
    admin = await platform.sign_in()
    client = await create_client(platform, admin)
    trace_id, traceparent = new_trace()
    await create_store(platform, admin | {"traceparent": traceparent}, client)
    async with asyncio.timeout(LIMIT_SECONDS):
        while not is_whole(await tempo.trace(trace_id)) or trace_id not in await tempo.found(
            FROM_GATEWAY_TO_ROW
        ):
            await asyncio.sleep(0.2)
    assert_tree_of_new_store(await tempo.trace(trace_id))


async def test_a_failed_request_is_found_by_its_status(platform: Platform, tempo: Tempo) -> None:
    trace_id, traceparent = new_trace()
    answer = await platform.http.get("/v1/stores", headers={"traceparent": traceparent})
    assert answer.status_code == 401
    async with asyncio.timeout(LIMIT_SECONDS):
        while trace_id not in await tempo.found("{ span.http.response.status_code = 401 }"):
            await asyncio.sleep(0.2)
