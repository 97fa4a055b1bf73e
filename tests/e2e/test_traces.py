"""What one request leaves behind at a collector."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator

import pytest

from infra.embedded.ports import free_port
from shared.config import RedisConfig
from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase
from tests.support.otlp import SERVER, ReceivedSpan, Sink, collecting
from tests.support.platform import Platform, exporting, running
from tests.support.span_tree import (
    assert_consumed,
    assert_tree_of_new_store,
    create_client,
    create_store,
    is_whole,
    new_trace,
    only,
)

pytestmark = pytest.mark.e2e

LIMIT_SECONDS = 20
UNSAMPLED = {"OTEL_TRACES_SAMPLER_ARG": "0"}


@pytest.fixture(scope="module")
def sink() -> Generator[Sink]:
    with collecting() as sink:
        yield sink


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase],
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
    sink: Sink,
) -> AsyncGenerator[Platform]:
    for database in databases.values():
        await database.empty()
    folder = tmp_path_factory.mktemp("platform")
    async with running(databases, redis_config, folder, exporting(sink.url)) as platform:
        yield platform


@pytest.fixture(scope="module")
async def admin(platform: Platform) -> dict[str, str]:
    return await platform.sign_in()


async def trace_of(
    sink: Sink, answer_trace: str, complete: Callable[[list[ReceivedSpan]], bool]
) -> list[ReceivedSpan]:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not complete(found := sink.trace(answer_trace)):
            await asyncio.sleep(0.05)
    return found


def has(services: set[str]) -> Callable[[list[ReceivedSpan]], bool]:
    return lambda spans: services <= {span.service for span in spans if span.kind == SERVER}


async def test_creating_a_store_is_one_trace_from_gateway_to_rows(
    platform: Platform, admin: dict[str, str], sink: Sink
) -> None:
    client = await create_client(platform, admin)
    trace_id, traceparent = new_trace()
    headers = admin | {"traceparent": traceparent, "x-request-id": "job-7"}
    await create_store(platform, headers, client)
    spans = await trace_of(sink, trace_id, is_whole)
    assert_tree_of_new_store(spans)
    assert only(spans, service="gerai-store", kind=SERVER).attributes["gerai.request_id"] == "job-7"


async def test_the_consumer_of_an_event_is_linked_to_the_request_that_caused_it(
    platform: Platform, admin: dict[str, str], sink: Sink
) -> None:
    trace_id, traceparent = new_trace()
    await create_client(platform, admin | {"traceparent": traceparent})
    async with asyncio.timeout(LIMIT_SECONDS):
        while not (found := [each for each in sink.spans if trace_id in each.links]):
            await asyncio.sleep(0.05)
    assert_consumed(found, trace_id)


async def test_queries_and_tokens_are_in_no_span(
    platform: Platform, admin: dict[str, str], sink: Sink
) -> None:
    trace_id, traceparent = new_trace()
    await platform.http.get(
        "/v1/stores", params={"q": "rahasia"}, headers=admin | {"traceparent": traceparent}
    )
    spans = await trace_of(sink, trace_id, has({"gerai-gateway", "gerai-store"}))
    text = repr(spans)
    assert "rahasia" not in text
    assert admin["Authorization"].removeprefix("Bearer ") not in text


async def test_a_request_that_fails_is_recorded_at_any_ratio(
    databases: dict[str, TestDatabase],
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
    sink: Sink,
) -> None:
    changes = exporting(sink.url, **UNSAMPLED)
    changes["store"] |= {"CLIENT_URL": f"http://127.0.0.1:{free_port()}"}  # where nobody is
    folder = tmp_path_factory.mktemp("unsampled")
    async with running(databases, redis_config, folder, changes) as platform:
        admin = await platform.sign_in()
        good, failing = new_trace(), new_trace()
        await platform.http.get("/v1/stores", headers=admin | {"traceparent": good[1]})
        body = {"client_uuid": str(new_uuid()), "code": "JKT-1", "name": "Kopi"}
        headers = admin | {"traceparent": failing[1]}
        answer = await platform.http.post("/v1/stores", json=body, headers=headers)
        assert answer.status_code == 503, answer.text
        spans = await trace_of(sink, failing[0], lambda spans: len(spans) == 2)
    door, store = only(spans, service="gerai-gateway"), only(spans, service="gerai-store")
    assert door.failed
    assert store.failed
    assert store.parent_id == door.span_id
    assert store.attributes["error.type"] == "ServiceUnavailable"
    assert sink.trace(good[0]) == []


async def test_a_collector_that_is_away_costs_no_request(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changes = exporting(f"http://127.0.0.1:{free_port()}")
    folder = tmp_path_factory.mktemp("away")
    async with running(databases, redis_config, folder, changes) as platform:
        admin = await platform.sign_in()
        for _ in range(50):
            assert (await platform.http.get("/v1/stores", headers=admin)).status_code == 200
