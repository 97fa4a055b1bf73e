"""The platform's description and the page that shows it."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from gateway.pages import CONTENT_SECURITY_POLICY
from tests.support.fake_service import FakeService, Received, fake_service
from tests.support.gateway import RunningGateway, running_gateway


def document(*paths: str) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {}, "paths": {path: {"get": {}} for path in paths}, "components": {}}


def describing(service: FakeService, described: dict[str, Any]) -> None:
    body = json.dumps(described).encode()
    service.answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )


class Described:
    """A gateway whose services describe themselves."""

    def __init__(self, gateway: RunningGateway, services: dict[str, FakeService]) -> None:
        self.gateway = gateway
        self.services = services

    async def get(self, path: str = "/openapi.json") -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.gateway.url) as client:
            return await client.get(path)


@pytest.fixture
async def described() -> AsyncGenerator[Described]:
    async with fake_service() as auth, fake_service() as client, fake_service() as store:
        describing(auth, document("/v1/users", "/internal/oauth/token"))
        describing(client, document("/v1/master-client"))
        describing(store, document("/v1/stores"))
        services = {"auth": auth, "client": client, "store": store}
        async with running_gateway({name: each.url for name, each in services.items()}) as gateway:
            yield Described(gateway, services)


async def test_the_services_are_described_as_one_and_asked_only_now_and_then(described: Described) -> None:
    answers = await asyncio.gather(*(described.get() for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert set(answers[0].json()["paths"]) == {"/v1/users", "/v1/master-client", "/v1/stores"}
    assert answers[0].headers["content-type"].startswith("application/json")
    assert [len(service.requests) for service in described.services.values()] == [1, 1, 1]


async def test_an_undescribed_service_is_said_to_be_unavailable_until_it_is_described(
    described: Described,
) -> None:
    async def broken(request: Received, writer: asyncio.StreamWriter) -> None:
        await request.body()
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")

    described.services["store"].behaviour = broken
    answer = await described.get()
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "DOCUMENT_UNAVAILABLE"
    described.services["store"].behaviour = None
    assert (await described.get()).status_code == 200


async def test_the_page_and_all_that_it_loads_come_from_here(described: Described) -> None:
    page = await described.get("/swagger/index.html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for name in loaded:
        assert "/" not in name
        answer = await described.get(f"/swagger/{name}")
        assert answer.status_code == 200, name
        assert answer.content
    assert "/openapi.json" in (await described.get("/swagger/start.js")).text


async def test_nothing_may_be_loaded_from_elsewhere() -> None:
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "script-src 'self';" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", ["/swagger", "/swagger/"])
async def test_the_folder_leads_to_the_page(described: Described, path: str) -> None:
    answer = await described.get(path)
    assert answer.status_code in {301, 302, 307, 308}
    assert answer.headers["location"] == "/swagger/index.html"


@pytest.mark.parametrize(
    "path",
    ["/swagger/x", "/swagger/a/b", "/swagger/swagger-editor-bundle.js", "/swagger/%2e%2e/%2e%2e/pages.py"],
)
async def test_no_other_file_is_served(described: Described, path: str) -> None:
    answer = await described.get(path)
    assert answer.status_code == 404
    assert answer.json()["status_code"] == 404


async def test_another_method_is_refused(described: Described) -> None:
    async with httpx.AsyncClient(base_url=described.gateway.url) as client:
        answer = await client.post("/openapi.json")
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
