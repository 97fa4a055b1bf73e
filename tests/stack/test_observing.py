"""The observability profile of docker-compose.yml.

Grafana, Tempo and Loki are in no registry that tests ask, so they do not run.
"""

import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest

from tests.support import launcher
from tests.support.events import until
from tests.support.prometheus import Prometheus
from tests.support.rules import rules
from tests.support.stack import Stack

LIMIT_SECONDS = 90
ALERT_SECONDS = 180
OBSERVABILITY = ("--profile", "observability")
NOT_TO_BE_HAD = {"grafana", "tempo", "loki"}
COLLECTOR = "otel-collector"
PLATFORM = ("auth", "client", "gateway", "store")
NO_PRIVILEGE = {"CapEff": "0" * 16, "NoNewPrivs": "1"}


@pytest.fixture(scope="module")
def observers(stack: Stack) -> Generator[set[str]]:
    """The names of the profile's services, which run, and are sent spans."""
    platform = stack.services()
    names = set(stack.services(*OBSERVABILITY)) - set(platform) - NOT_TO_BE_HAD
    collector = f"http://{COLLECTOR}:4318"
    waiting = [*platform, *names - {COLLECTOR}]
    stack.up(*OBSERVABILITY, only=waiting, OTEL_EXPORTER_OTLP_ENDPOINT=collector)
    stack.up_alone(COLLECTOR, *OBSERVABILITY)  # it would wait for Tempo and Loki
    yield names
    stack.compose(*OBSERVABILITY, "rm", "--stop", "--force", *names)


@pytest.fixture(scope="module")
async def prometheus(stack: Stack, observers: set[str]) -> AsyncGenerator[Prometheus]:
    assert "prometheus" in observers
    url = f"http://{stack.container('prometheus').address}:9090"
    async with httpx.AsyncClient(base_url=url) as http:
        yield Prometheus(http)


def test_each_runs_since_its_first_start(stack: Stack, observers: set[str]) -> None:
    containers = {name: stack.container(name) for name in observers}
    assert {name for name, each in containers.items() if each.restarts or not each.state["Running"]} == set()


def test_each_is_as_confined_as_the_file_says(stack: Stack, observers: set[str]) -> None:
    services = stack.services(*OBSERVABILITY)
    for name in observers:
        container, limits = stack.container(name), services[name]["deploy"]["resources"]["limits"]
        privileges = container.privileges
        assert (privileges.pop("Uid") == "0") == (name == COLLECTOR), name
        assert privileges == NO_PRIVILEGE, name
        assert container.host_config["ReadonlyRootfs"], name
        assert container.host_config["Memory"] == int(limits["memory"]), name
        assert container.host_config["NanoCpus"] == float(limits["cpus"]) * 1e9, name


def test_no_secret_is_in_what_the_engine_tells_of_containers(stack: Stack, observers: set[str]) -> None:
    volume = json.loads(stack.engine.podman("volume", "inspect", "gerai_kept-secrets"))[0]
    secrets: dict[str, str] = json.loads(Path(volume["Mountpoint"], "secrets.json").read_text())
    assert {"redis", "gerai_monitor", "jwt.pem"} <= set(secrets)
    for name in {*observers, *stack.services()}:
        told = json.dumps(stack.engine.inspect(stack.container(name).name))
        assert [secret for secret, text in secrets.items() if json.dumps(text)[1:-1] in told] == [], name


async def test_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    async def all_succeed() -> bool:
        return not await prometheus.failed_rules()

    await until(all_succeed, LIMIT_SECONDS)
    assert sorted(await prometheus.rules()) == sorted(rule.get("alert") or rule["record"] for rule in rules())


async def test_everything_but_tempo_is_scraped(prometheus: Prometheus) -> None:
    async def only_tempo_is_down() -> bool:
        return [problem.split()[0] for problem in await prometheus.down()] == ["http://tempo:3200/metrics"]

    await until(only_tempo_is_down, LIMIT_SECONDS)
    for service in PLATFORM:
        await prometheus.comes_to(f'up{{job="gerai", service="{service}"}}')


@pytest.mark.parametrize(
    "told",
    [
        "pg_up",
        *(f'pg_database_size_bytes{{datname="gerai_{name}"}}' for name in ("auth", "client", "store")),
        "pg_stat_statements_calls_total",
        "min(pg_scrape_collector_success)",
        "redis_up",
        'redis_db_keys{db="db0"}',
        'probe_success{instance="http://gateway:8080/healthz"}',
        "node_textfile_scrape_error == bool 0",
        'alertmanager_build_info{job="alertmanager"}',
        'otelcol_process_uptime{job="otel-collector"}',
    ],
)
async def test_exporters_tell(prometheus: Prometheus, told: str) -> None:
    await prometheus.comes_to(told)


async def test_a_request_is_counted_at_each_step(stack: Stack, prometheus: Prometheus) -> None:
    with stack.admin() as admin:
        assert admin.get("/v1/stores?q=observed").status_code == 200
    for service in ("gateway", "store"):
        served = f'service="{service}", route=~"/v1/stores.*", status="200"'
        await prometheus.comes_to(f"http_server_request_duration_seconds_count{{{served}}}")


async def test_its_spans_and_lines_reach_the_collector(stack: Stack, prometheus: Prometheus) -> None:
    with stack.admin() as admin:
        assert admin.get("/v1/stores?q=traced").status_code == 200
    await prometheus.comes_to("otelcol_receiver_accepted_spans")
    stack.engine.keep_log(stack.container("gateway").name, stack.logs)
    await prometheus.comes_to('otelcol_receiver_accepted_log_records{receiver="filelog"}')


async def test_alertmanager_hears_of_a_service_that_is_gone(stack: Stack, prometheus: Prometheus) -> None:
    stack.compose("stop", "store")
    url = f"http://{stack.container('alertmanager').address}:9093/api/v2/alerts"
    try:
        async with httpx.AsyncClient() as http:

            async def is_told() -> bool:
                alerts = (await http.get(url, params={"filter": "alertname=ServiceDown"})).json()
                return [each["labels"]["service"] for each in alerts] == ["store"]

            await until(is_told, ALERT_SECONDS)
        assert await prometheus.values('ALERTS{alertname="ServiceDown", alertstate="firing"}') == [1]
    finally:
        stack.compose("start", "store")
        with stack.admin() as admin:
            launcher.until(lambda: admin.get("/v1/stores").status_code == 200, LIMIT_SECONDS)
