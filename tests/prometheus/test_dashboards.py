"""Every panel of every dashboard, on a real Prometheus that has scraped the platform at work.

`./taskw test:prometheus` runs this.
"""

from collections.abc import AsyncGenerator, Generator

import pytest

from infra.debian import ProgramMissing
from shared.config import RedisConfig
from tests.prometheus.load import Load
from tests.prometheus.servers import watching
from tests.support.caches import PATIENT_MS
from tests.support.catalogue import SERVICES
from tests.support.dashboards import FILES, Query, panels, queries, read
from tests.support.databases import TestDatabase
from tests.support.otlp import Sink, collecting
from tests.support.platform import running
from tests.support.prometheus import Prometheus

pytestmark = pytest.mark.prometheus

LOAD_SECONDS = 45
GUESSES = 22
"""Wrong passwords of one account, the last of which are slowed."""

RATE_INTERVAL = "30s"
"""What Grafana would make of `$__rate_interval`, for what is scraped every second."""

NEED_TEMPO = {("gerai-overview", "Who calls whom")}
"""Panels that only Tempo can fill; ./taskw test:tempo has one."""


@pytest.fixture(scope="module")
def sink() -> Generator[Sink]:
    """Where spans go."""
    with collecting() as sink:
        yield sink


@pytest.fixture(scope="module")
async def prometheus(
    sink: Sink,
    databases: dict[str, TestDatabase],
    postgres_url: str,
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Prometheus]:
    """One that has scraped the platform under load; the services believe to have a replica."""
    for database in databases.values():
        await database.empty()
    folder = tmp_path_factory.mktemp("platform")
    common = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url}
    service = common | {"DB_READ_HOST": "localhost", "REDIS_TIMEOUT_MS": str(PATIENT_MS)}
    changes = dict.fromkeys(SERVICES, service) | {"gateway": common}
    async with running(databases, redis_config, folder, changes) as platform:
        load = Load(platform, await platform.sign_in())
        try:
            async with watching(platform, postgres_url, redis_config, folder) as prometheus:
                await load.guess_passwords(GUESSES)
                await load.run(LOAD_SECONDS)
                yield prometheus
        except ProgramMissing as missing:
            pytest.fail(str(missing))


def id_of(query: Query) -> str:
    return f"{query.dashboard}: {query.panel}"


@pytest.mark.parametrize("query", list(queries()), ids=id_of)
async def test_a_panel_has_data(prometheus: Prometheus, query: Query) -> None:
    expression = query.expression.replace("$__rate_interval", RATE_INTERVAL)
    assert "$" not in expression
    assert await prometheus.values(expression), expression


def test_what_is_not_asked_of_prometheus_is_known() -> None:
    others = {
        (dashboard["uid"], panel["title"])
        for dashboard in map(read, FILES)
        for panel in panels(dashboard)
        if panel["datasource"]["type"] != "prometheus"
    }
    assert others == NEED_TEMPO


@pytest.mark.parametrize("service", ["gateway", "store"])
async def test_points_of_latency_lead_to_traces(prometheus: Prometheus, sink: Sink, service: str) -> None:
    selector = f'http_server_request_duration_seconds_bucket{{service="{service}"}}'
    traces = await prometheus.exemplars(selector)
    assert traces
    assert traces & {span.trace_id for span in sink.spans if span.service == f"gerai-{service}"}


async def test_every_rule_can_be_evaluated(prometheus: Prometheus) -> None:
    assert await prometheus.failed_rules() == []


@pytest.mark.parametrize("record", ["requests:rate5m", "errors:ratio_rate5m", "slow:ratio_rate5m"])
async def test_what_objectives_are_measured_by_has_data(prometheus: Prometheus, record: str) -> None:
    assert await prometheus.values(f"gateway:http_{record}")


async def test_an_expression_without_data_would_show(prometheus: Prometheus) -> None:
    assert await prometheus.values('rate(http_server_requests_seconds_count{job="gerai"}[1m])') == []
    with pytest.raises(ValueError, match="parse error"):
        await prometheus.values("sum(rate(up[1m])")
