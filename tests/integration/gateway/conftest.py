"""One gateway process for all these tests, in front of one service that each test makes up."""

from collections.abc import AsyncGenerator

import pytest

from infra.embedded.ports import free_port
from tests.support.fake_service import OK, FakeService, fake_service
from tests.support.gateway import RunningGateway, running_gateway


@pytest.fixture(scope="session")
async def started() -> AsyncGenerator[tuple[RunningGateway, FakeService]]:
    async with fake_service() as service:
        urls = {"auth": service.url, "store": service.url, "client": f"http://127.0.0.1:{free_port()}"}
        async with running_gateway(urls) as running:
            yield running, service


@pytest.fixture
def gateway(started: tuple[RunningGateway, FakeService]) -> RunningGateway:
    """The gateway; nothing listens where it expects the client service."""
    return started[0]


@pytest.fixture
def store(started: tuple[RunningGateway, FakeService]) -> FakeService:
    """The store and auth services, which answer OK until the test says otherwise."""
    service = started[1]
    service.behaviour, service.answer, service.left = None, OK, 0
    service.requests.clear()
    service.bodies.clear()
    return service
