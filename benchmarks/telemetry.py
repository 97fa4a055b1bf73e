"""What observing costs: the gateway and the store service as in production, beside themselves unobserved."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from benchmarks import gateway, store
from benchmarks.collector import Collector, collecting
from benchmarks.errors import BenchmarkError
from benchmarks.load import target
from benchmarks.processes import Server, Stage, python
from benchmarks.report import Result, comparison
from benchmarks.rounds import Contender, Plan, alternate
from infra.embedded import postgres, redis
from infra.embedded.ports import free_port
from tests.support.databases import migrated
from tests.support.tokens import access_token

GATEWAY_RATIO = 0.75
STORE_RATIO = 0.80
SAMPLED = 0.1

_PEER = "itself unobserved"
_UNOBSERVED = "benchmarks.peers.unobserved"
_TOKENS = 16


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Compare forwarding, and reads of a store, with metrics, lines and a tenth recorded, and with none."""
    with collecting() as collector:
        results = [*_gateway(stage, collector, plan), *_store(stage, collector, plan)]
    if not collector.exports:
        raise BenchmarkError("No span was exported, so this is not what observing costs.")
    return results


def _gateway(stage: Stage, collector: Collector, plan: Plan) -> list[Result]:
    upstream = stage.helper(python("upstream", port := free_port(), "benchmarks.upstream", str(port)))
    environment = gateway.environment(f"http://127.0.0.1:{upstream.port}")
    servers = _both(stage, "gateway", environment, collector)
    return [_compared("gateway forwarding", servers, gateway.PATH, GATEWAY_RATIO, plan)]


def _store(stage: Stage, collector: Collector, plan: Plan) -> list[Result]:
    folder = stage.folder / "store"
    with postgres.running(folder) as url, redis.running(folder) as redis_url:
        config = migrated(url)["store"].app
        uuid = asyncio.run(store.add_store(config))
        servers = _both(stage, "services.store", store.environment(config, redis_url), collector)
        return [
            _compared("store read", servers, f"/v1/uncached/stores/{uuid}", STORE_RATIO, plan),
            _compared("store read, cached", servers, f"/v1/stores/{uuid}", STORE_RATIO, plan),
        ]


def _both(
    stage: Stage, module: str, environment: Mapping[str, str], collector: Collector
) -> tuple[Server, Server]:
    """Start the process twice: observed as in production, and not at all."""
    observing = {
        "LOG_LEVEL": "INFO",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER_ARG": str(SAMPLED),
    }
    observed = python(f"{module} observed", port := free_port(), module)
    observed = replace(observed, environment=_at(port, {**environment, **observing}))
    unobserved = python(f"{module} unobserved", port := free_port(), _UNOBSERVED, module)
    return stage.measured(observed), stage.measured(replace(unobserved, environment=_at(port, environment)))


def _at(port: int, environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "SERVICE_PORT": str(port), "METRICS_PORT": str(free_port())}


def _compared(figure: str, servers: tuple[Server, Server], path: str, least: float, plan: Plan) -> Result:
    tokens = tuple(access_token() for _ in range(_TOKENS))
    ours = f"{figure}, observed"
    named = (replace(server, name=name) for server, name in zip(servers, (ours, _PEER), strict=True))
    samples = alternate([Contender(each, target(each.port, path, tokens)) for each in named], plan)
    return comparison(samples, ours, _PEER, least)
