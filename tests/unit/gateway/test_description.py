"""How long a description is kept, and what becomes of it when a service is away."""

import httpx
import pytest

from gateway.constants import DOCUMENT_SECONDS
from gateway.description import Description
from gateway.errors import DocumentUnavailable
from gateway.routes import RouteTable, platform_routes
from shared.http import ServiceClient

NOT_FOUND = {"status_code": 404, "message": "x", "error": {"code": "X", "trace_id": ""}}


class FakeStore:
    """A service that describes itself, while it is there."""

    def __init__(self) -> None:
        self.path = "/v1/stores"
        self.there = True
        self.asked = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.there:
            return httpx.Response(404, json=NOT_FOUND)
        assert request.url.path == "/openapi.json"
        return httpx.Response(200, json={"paths": {self.path: {"get": {}}}})


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def description(store: FakeStore, clock: Clock) -> Description:
    client = ServiceClient("store", "http://store.test", transport=httpx.MockTransport(store.answer))
    return Description({"store": client}, RouteTable(platform_routes("/v1")), "/v1", clock)


async def test_it_is_kept_for_a_while_and_then_fetched_again(
    store: FakeStore, description: Description, clock: Clock
) -> None:
    await description.document()
    clock.now += DOCUMENT_SECONDS - 0.1
    await description.document()
    assert store.asked == 1
    store.path = "/v1/stores/{uuid}"
    clock.now += 0.2
    assert list((await description.document())["paths"]) == ["/v1/stores/{uuid}"]
    assert store.asked == 2


async def test_a_service_that_goes_away_is_described_as_it_was(
    store: FakeStore, description: Description, clock: Clock
) -> None:
    await description.document()
    store.there = False
    clock.now += DOCUMENT_SECONDS
    assert list((await description.document())["paths"]) == ["/v1/stores"]


async def test_a_service_that_never_was_there_is_named(store: FakeStore, description: Description) -> None:
    store.there = False
    with pytest.raises(DocumentUnavailable, match="store"):
        await description.document()


async def test_it_says_where_to_sign_in(description: Description) -> None:
    assert "/v1/auth/login" in (await description.document())["info"]["description"]
