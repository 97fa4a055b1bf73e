"""The gateway beside a plain forwarder and nginx, and the time it adds to an answer."""

import os
from statistics import median

from benchmarks.load import Target, at_rate, target
from benchmarks.peers import nginx
from benchmarks.processes import Server, Stage, python
from benchmarks.report import Result, comparison
from benchmarks.rounds import Contender, Plan, Samples, Spread, alternate
from infra.embedded.ports import free_port
from tests.support.tokens import SECRET, access_token

PATH = "/v1/stores/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"

FORWARDER_RATIO = 8.0
NGINX_RATIO = 0.18
ADDED_MILLISECONDS = 3.0

_OURS, _FORWARDER, _NGINX = "gateway forwarding", "Litestar + httpx.AsyncClient", "nginx"
_RATE_SHARE = 0.25
_TOKENS = 16


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Compare forwarding the same small answer, and take latencies at a quarter of what it reaches."""
    upstream = stage.helper(python("upstream", port := free_port(), "benchmarks.upstream", str(port)))
    tokens = tuple(access_token() for _ in range(_TOKENS))
    contenders = [Contender(each, target(each.port, PATH, tokens)) for each in _servers(stage, upstream)]
    samples = alternate(contenders, plan)
    rate = _RATE_SHARE * median(sample.rate for sample in samples[_OURS])
    near = stage.measured(python("upstream beside", port := free_port(), "benchmarks.upstream", str(port)))
    direct = target(near.port, PATH, tokens)
    return [
        comparison(samples, _OURS, _FORWARDER, FORWARDER_RATIO),
        _beside_nginx(samples),
        _added_latency(contenders[0].target, direct, rate, plan),
    ]


def _servers(stage: Stage, upstream: Server) -> list[Server]:
    url = f"http://127.0.0.1:{upstream.port}"
    settings = environment(url)
    gateway = python(_OURS, int(settings["SERVICE_PORT"]), "gateway", environment=settings)
    port = free_port()
    forwarder = python(_FORWARDER, port, "benchmarks.peers.httpx_forwarder", str(port), url)
    servers = [stage.measured(gateway), stage.measured(forwarder)]
    if executable := nginx.installed():
        proxy = nginx.program(executable, free_port(), upstream.port, stage.folder)
        servers.append(stage.measured(proxy))
    return servers


def environment(upstream: str) -> dict[str, str]:
    """Return the gateway's environment: what is not named here is as in production.

    Like its peers it writes no line for each request, so that the same work is compared.
    """
    return {
        "ENV_FILE": os.devnull,
        "LOG_LEVEL": "WARNING",
        "SERVICE_PORT": str(free_port()),
        "METRICS_PORT": str(free_port()),
        "JWT_ALGORITHM": "HS256",
        "JWT_SECRET": SECRET,
        "AUTH_URL": upstream,
        "CLIENT_URL": upstream,
        "STORE_URL": upstream,
    }


def _beside_nginx(samples: Samples) -> Result:
    if _NGINX in samples:
        return comparison(samples, _OURS, _NGINX, NGINX_RATIO)
    missing = "not installed (Debian: nginx-light)"
    return Result(f"{_OURS}, beside {_NGINX}", "", missing, "", f">= {NGINX_RATIO}x", None)


def _added_latency(through: Target, direct: Target, rate: float, plan: Plan) -> Result:
    """Compare the 99th percentiles at one rate: of the gateway, and of the upstream on the gateway's core.

    When the upstream alone takes as long as the gateway may add, the machine is too busy to tell.
    """
    pairs = [_percentiles(through, direct, rate, plan) for _ in range(plan.rounds)]
    added = Spread(tuple(mine - its for mine, its in pairs))
    mine, its = (median(values) for values in zip(*pairs, strict=True))
    return Result(
        f"gateway's 99th percentile at {rate:,.0f}/s",
        f"{mine:.2f} ms",
        f"{its:.2f} ms direct",
        f"+{added.middle:.2f} ms ({added.low:.2f} to {added.high:.2f})",
        f"< +{ADDED_MILLISECONDS} ms",
        added.middle < ADDED_MILLISECONDS if its < ADDED_MILLISECONDS else None,
    )


def _percentiles(through: Target, direct: Target, rate: float, plan: Plan) -> tuple[float, float]:
    """Return both 99th percentiles, in milliseconds."""
    mine, its = (1000 * at_rate(each, plan.seconds, rate).percentile(0.99) for each in (through, direct))
    plan.say(f"at {rate:,.0f}/s  99th percentile {mine:.2f} ms, without the gateway {its:.2f} ms")
    return mine, its
