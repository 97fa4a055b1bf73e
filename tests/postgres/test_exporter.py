"""A real postgres_exporter with our flags, as the role that monitors work as."""

import asyncio
import re
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from infra.debian import program
from infra.embedded.ports import free_port
from infra.embedded.state import ROOT
from infra.postgres.provision import MONITOR, ServiceDatabase, provide_monitor, provision
from tests.postgres.conftest import Server
from tests.support.programs import serving

FLAGS = ROOT / "infra" / "postgres_exporter" / "flags"
PACKAGE = "prometheus-postgres-exporter"
DATABASES = [f"gerai_{service}" for service in ("auth", "client", "store")]


@pytest.fixture(scope="module")
def metrics(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What it tells of a server with our databases."""
    asyncio.run(provision(server.url, [ServiceDatabase(name, "owner", "app") for name in DATABASES]))
    asyncio.run(provide_monitor(server.url, "monitor", DATABASES))
    asyncio.run(_make_slot(server.url))
    port, log = free_port(), tmp_path_factory.mktemp("exporter") / "log"
    source = f"postgresql://{MONITOR}:monitor@127.0.0.1:{urlsplit(server.url).port}/postgres?sslmode=disable"
    command = [
        program(PACKAGE, PACKAGE, suite="trixie"),
        f"@{FLAGS}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    url = f"http://127.0.0.1:{port}"
    with serving(command, url, log, {"DATA_SOURCE_NAME": source}):
        return httpx.get(f"{url}/metrics").text


async def _make_slot(url: str) -> None:
    """Make what a replica or a backup would: of servers without one, nothing is told of slots."""
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_create_physical_replication_slot('of_nobody', true)")
    await connection.close()


def test_every_collector_succeeds(metrics: str) -> None:
    results = dict(re.findall(r'pg_scrape_collector_success\{collector="(\w+)"\} (\d)', metrics))
    switched_on = set(re.findall(r"^--collector\.(\w+)$", FLAGS.read_text(), re.MULTILINE))
    assert switched_on <= set(results)
    assert {name for name, success in results.items() if success != "1"} == set()
    assert "stat_user_tables" not in results
    assert "pg_up 1" in metrics


def test_what_dashboards_and_alerts_ask_for_is_there(metrics: str) -> None:
    files = [
        *(ROOT / "infra/grafana/dashboards").glob("*.json"),
        *(ROOT / "infra/prometheus/rules").glob("*.yml"),
    ]
    wanted = {name for file in files for name in re.findall(r"\bpg_[a-z_]+", file.read_text())}
    assert len(wanted) > 10
    assert {name for name in wanted if f"\n{name}" not in metrics} == set()
    for name in DATABASES:
        assert f'pg_database_size_bytes{{datname="{name}"}}' in metrics
