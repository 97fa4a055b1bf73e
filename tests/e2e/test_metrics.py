"""What the processes tell Prometheus: every metric of docs/metrics.md, and no series that callers make."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from shared.config import RedisConfig
from shared.identifiers import new_uuid
from tests.support.caches import PATIENT_MS
from tests.support.catalogue import SERVICES, documented
from tests.support.databases import TestDatabase
from tests.support.exposition import Exposition, exposed, grown
from tests.support.platform import Platform, running
from tests.support.tokens import SECRET, bearer

pytestmark = pytest.mark.e2e

LIMIT_SECONDS = 30
PROCESSES = (*sorted(SERVICES), "gateway")
REQUESTS = "http_server_request_duration_seconds_count"
CALLS = "http_client_request_duration_seconds_count"


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Platform]:
    """A platform whose tokens this test can sign, and that believes to have a replica."""
    for database in databases.values():
        await database.empty()
    common = {"JWT_ALGORITHM": "HS256", "JWT_SECRET": SECRET, "SERVICE_REVISION": "0123abc"}
    service = common | {"DB_READ_HOST": "localhost", "REDIS_TIMEOUT_MS": str(PATIENT_MS)}
    changes = {name: service if name in SERVICES else common for name in PROCESSES}
    async with running(databases, redis_config, tmp_path_factory.mktemp("platform"), changes) as platform:
        yield platform


async def all_exposed(platform: Platform) -> dict[str, Exposition]:
    return {name: await exposed(platform, name) for name in PROCESSES}


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await true():
            await asyncio.sleep(0.1)


async def made(platform: Platform, path: str, body: dict[str, object], headers: dict[str, str]) -> str:
    answer = await platform.http.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["uuid"]


async def test_what_is_documented_is_exposed_and_what_is_exposed_is_documented(platform: Platform) -> None:
    await platform.sign_in()
    for process, families in documented().items():
        found = (await exposed(platform, process)).families
        assert found.keys() == families.keys()
        for name, family in families.items():
            assert found[name].type == family.type, name
            # A metric that has no series yet has no labels either.
            assert found[name].labels in (family.labels, frozenset()), name


async def test_a_journey_is_counted_where_it_went(platform: Platform) -> None:
    admin = await platform.sign_in()
    before = await all_exposed(platform)
    client = await made(
        platform, "/v1/master-client", {"name": "Kopi", "email": f"{uuid4()}@a.example"}, admin
    )
    store = await made(platform, "/v1/stores", {"client_uuid": client, "code": "1", "name": "Kopi"}, admin)
    for _ in range(2):
        await platform.http.get(f"/v1/stores/{store}", headers=admin)
    await platform.http.get(f"/v1/uncached/stores/{store}", headers=admin)
    await platform.http.patch(f"/v1/stores/{store}", json={"name": "Teh"}, headers=admin)
    await platform.http.patch(f"/v1/stores/{store}", json={"latitude": 1}, headers=admin)  # rolled back
    after = await all_exposed(platform)

    def added(process: str, name: str, **labels: str) -> float:
        return after[process].value(name, **labels) - before[process].value(name, **labels)

    assert added("gateway", REQUESTS, route="/v1/stores", status="201") == 1
    assert added("gateway", CALLS, target="store", method="PATCH", status="200") == 1
    assert added("gateway", CALLS, target="store", method="GET", status="200") == 3
    assert added("store", REQUESTS, route="/v1/stores/{uuid}", method="GET") == 2
    assert added("store", CALLS, target="client", method="GET", status="200") >= 1
    assert added("client", REQUESTS, route="/internal/clients/{uuid}") >= 1
    assert added("store", "gerai_changes_total", aggregate="store", change="created") == 1
    assert added("store", "gerai_changes_total", aggregate="store", change="changed") == 1
    assert added("client", "gerai_changes_total", aggregate="client", change="created") == 1
    assert added("store", "cache_requests_total", cache="store", result="hit") == 1
    assert added("store", "cache_requests_total", cache="store", result="miss") == 1
    assert added("store", "cache_requests_total", cache="store", result="bypass") == 1
    assert added("store", "cache_invalidations_total", cache="store") >= 2
    assert added("store", "redis_client_commands_total", command="MGET") >= 2
    assert added("store", "redis_client_round_trip_seconds_count") >= 2
    assert added("store", "db_client_connection_wait_seconds_count", pool="write") >= 3
    assert added("store", "event_loop_lag_seconds_count") > 0
    assert after["store"].value("db_client_connections_max", pool="write") == 5
    assert after["store"].value("redis_client_available") == 1
    assert after["store"].value("gerai_build_info", service="store", revision="0123abc") == 1
    assert after["gateway"].value("http_server_active_requests") == 0
    assert after["store"].value("http_server_active_requests") == 1  # the scrape itself


async def test_signing_in_is_counted_by_its_result(platform: Platform) -> None:
    before = await exposed(platform, "auth")
    wrong = {"email": "nobody@a.example", "password": "not this one, surely"}
    answers = [(await platform.http.post("/v1/auth/login", json=wrong)).status_code for _ in range(21)]
    await platform.sign_in()
    after = await exposed(platform, "auth")

    def added(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    assert answers == [401] * 20 + [429]
    assert added("auth_sign_ins_total", result="refused") == 20
    assert added("auth_sign_ins_total", result="slowed") == 1
    assert added("auth_sign_ins_total", result="succeeded") == 1
    assert added("http_server_rate_limited_total", reason="sign_in_slowed") == 1
    started = after.value("process_start_time_seconds")
    assert after.value("auth_signing_key_created_timestamp_seconds") == pytest.approx(started, abs=60)


async def test_imports_are_counted_with_what_their_rows_came_to(platform: Platform) -> None:
    admin = await platform.sign_in()
    csv = f"name,email\nKopi,{uuid4()}@a.example\nTeh,{uuid4()}@a.example\nBad,no-address\n"
    before = await exposed(platform, "client")
    started = await platform.http.post(
        "/v1/master-client/import", content=csv, headers=admin | {"Content-Type": "text/csv"}
    )
    assert started.status_code == 202, started.text

    async def finished() -> bool:
        return (await exposed(platform, "client")).value(
            "imports_finished_total", resource="client", state="completed"
        ) > before.value("imports_finished_total", resource="client", state="completed")

    await until(finished)
    after = await exposed(platform, "client")
    rows = {
        result: after.value("import_rows_total", result=result)
        - before.value("import_rows_total", result=result)
        for result in ("created", "changed", "unchanged", "failed")
    }
    assert rows == {"created": 2, "changed": 0, "unchanged": 0, "failed": 1}
    name = "gerai_changes_total"
    assert after.value(name, change="created") - before.value(name, change="created") == 2


async def test_a_thousand_paths_users_and_ids_add_no_series(platform: Platform) -> None:
    async def ask(base: str, http: httpx.AsyncClient) -> None:
        """Ask for everything at random once, as somebody nobody knows."""
        caller, uuid = bearer(), new_uuid()
        headers = caller | {"X-Request-ID": str(uuid), "User-Agent": str(uuid), "traceparent": _trace()}
        await http.get(f"{base}/{uuid}", headers=headers)
        await http.get(f"{base}/v1/{uuid}/{uuid}", headers=headers)
        await http.get(f"{base}/v1/stores/{uuid}", headers=headers)
        await http.get(f"{base}/v1/stores?client_uuid={uuid}&name={uuid}", headers=headers)
        await http.request(f"X{uuid.hex[:6]}", f"{base}/v1/stores/{uuid}", headers=headers)

    async with httpx.AsyncClient(timeout=30) as http:
        for base in (platform.url("gateway"), platform.url("store")):
            await ask(base, http)
        before = await all_exposed(platform)
        for base in (platform.url("gateway"), platform.url("store")):
            for _ in range(100):
                await asyncio.gather(*(ask(base, http) for _ in range(2)))
    after = await all_exposed(platform)
    assert after["gateway"].value(REQUESTS) - before["gateway"].value(REQUESTS) >= 800
    # How a process gets on is no caller's doing: a slow statement fills another bucket of a series that is
    # there, an error of Redis may come at any time.
    assert {each for each in grown(before, after) if "error" not in repr(each)} == set()


def _trace() -> str:
    return f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
