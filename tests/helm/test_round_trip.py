"""What `helm test` runs in a pod, run against the platform that answers here."""

import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest

from infra.chart.readme import CHART
from shared.config import RedisConfig
from tests.helm.rendering import container, environment, render
from tests.support.databases import TestDatabase
from tests.support.platform import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, running


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Platform]:
    for database in databases.values():
        await database.empty()
    async with running(databases, redis_config, tmp_path_factory.mktemp("platform")) as platform:
        yield platform


def round_trip(platform: Platform, **changes: str) -> subprocess.CompletedProcess[str]:
    objects = render(CHART / "values-production.yaml")
    pod = next(each for each in objects if each["kind"] == "Pod")
    given = environment(pod, objects) | {"GATEWAY_URL": platform.url("gateway")}
    given |= {"ADMIN_EMAIL": ADMIN_EMAIL, "ADMIN_PASSWORD": ADMIN_PASSWORD, **changes}
    command = [sys.executable, *container(pod)["command"][1:]]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


async def test_it_signs_in_and_leaves_no_client_behind(platform: Platform) -> None:
    done = round_trip(platform)
    assert done.returncode == 0, done.stderr
    assert "POST /v1/master-client 201" in done.stdout
    answer = await platform.http.get("/v1/master-client", headers=await platform.sign_in())
    assert answer.json()["meta"]["total"] == 0


async def test_it_only_reads_when_told_so(platform: Platform) -> None:
    done = round_trip(platform, WRITES="no")
    assert done.returncode == 0, done.stderr
    assert "POST /v1/master-client" not in done.stdout


async def test_it_fails_when_nobody_can_sign_in(platform: Platform) -> None:
    done = round_trip(platform, ADMIN_PASSWORD="another horse battery")
    assert done.returncode != 0
    assert "401" in done.stderr
