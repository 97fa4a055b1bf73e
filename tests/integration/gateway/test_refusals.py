"""What the gateway refuses, and that a service hears nothing of it."""

import asyncio

import httpx
import pytest

from gateway.constants import MOST_JSON_BYTES
from shared.protocol import MOST_HEAD_BYTES
from tests.support.fake_service import FakeService
from tests.support.gateway import QUICK_SECONDS, RunningGateway
from tests.support.tokens import access_token


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Authorization: Bearer\r\n",
        b"Authorization: Bearer x.y.z\r\n",
        b"Authorization: Basic YTpi\r\n",
        b"Authorization: Bearer " + access_token(iss="another").encode() + b"\r\n",
        b"Authorization: Bearer " + access_token(exp=1).encode() + b"\r\n",
        2 * (b"Authorization: Bearer " + access_token().encode() + b"\r\n"),
        b"X-User-ID: 1\r\nX-Roles: admin\r\n",
        b"Authorization: \xff\r\n",
    ],
)
@pytest.mark.parametrize("target", [b"/v1/stores", b"/v1/users", b"/v1/auth/me"])
async def test_a_protected_route_needs_a_valid_token(
    gateway: RunningGateway, store: FakeService, header: bytes, target: bytes
) -> None:
    answer = await gateway.send(b"GET " + target + b" HTTP/1.1\r\n" + header + b"\r\n", signed_in=False)
    assert answer.status == 401
    assert answer.error["code"] == "UNAUTHENTICATED"
    assert answer.all(b"www-authenticate")[0].startswith(b"Bearer")
    assert not store.requests


@pytest.mark.parametrize("target", [b"/v1/auth/login", b"/v1/auth/refresh", b"/.well-known/jwks.json"])
async def test_a_public_route_needs_none(gateway: RunningGateway, store: FakeService, target: bytes) -> None:
    answer = await gateway.send(b"GET " + target + b" HTTP/1.1\r\n\r\n", signed_in=False)
    assert answer.status == 200
    assert store.requests[0].target == target


async def test_a_wrong_method_is_the_services_to_refuse(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = b"HTTP/1.1 405 Method Not Allowed\r\nallow: POST\r\ncontent-length: 0\r\n\r\n"
    answer = await gateway.send(b"GET /v1/auth/login HTTP/1.1\r\n\r\n", signed_in=False)
    assert answer.status == 405
    assert answer.all(b"allow") == [b"POST"]


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/v1",
        b"/v1/storesx",
        b"/internal",
        b"/internal/stores",
        b"/metrics",
        b"/v2/stores",
        b"/v1/nothing",
        b"//internal",
    ],
)
async def test_an_unknown_path_is_not_found(
    gateway: RunningGateway, store: FakeService, target: bytes
) -> None:
    answer = await gateway.send(b"GET " + target + b" HTTP/1.1\r\n\r\n")
    assert answer.status == 404
    assert answer.error["code"] == "NOT_FOUND"
    assert not store.requests


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/stores/../../internal/x",
        b"/v1/stores/%2e%2e/%2e%2e/internal/x",
        b"/v1/stores/..%2f..%2finternal",
        b"/v1/stores/..%5c..%5cinternal",
        b"/v1/stores/..;/internal",
        b"/v1/stores/./x",
        b"/v1/stores/%00",
        b"/v1/stores/%0d%0aX-Roles:%20admin",
        b"/v1/stores/a%2Fb",
        b"/v1/stores\\x",
    ],
)
@pytest.mark.parametrize("host", [b"", b"http://gerai.test"])
async def test_an_ambiguous_path_is_refused_never_resolved(
    gateway: RunningGateway, store: FakeService, target: bytes, host: bytes
) -> None:
    answer = await gateway.send(b"GET " + host + target + b" HTTP/1.1\r\n\r\n")
    assert answer.status == 400
    assert answer.error["code"] in {"AMBIGUOUS_PATH", "MALFORMED_REQUEST"}
    assert not store.requests


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"HELLO\r\n\r\n",
        b"GET /v1/stores HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        b"GET /v1/stores HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /v1/stores HTTP/1.1\r\nHost: x\r\nX : 1\r\n\r\n",
        b"GET /v1/stores?q=\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/stores HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v1/stores HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/stores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_an_envelope(
    gateway: RunningGateway, store: FakeService, request_bytes: bytes
) -> None:
    answer = await gateway.send_bare(request_bytes)
    assert answer.status == 400
    assert answer.error["code"] == "MALFORMED_REQUEST"
    assert not store.requests


async def test_an_endless_head_is_refused(gateway: RunningGateway, store: FakeService) -> None:
    reader, writer = await gateway.connect()
    writer.write(b"GET /v1/stores HTTP/1.1\r\nHost: x\r\n")
    line = b"X-Padding: " + b"x" * 4000 + b"\r\n"
    for _ in range(MOST_HEAD_BYTES // len(line) + 2):
        writer.write(line)
        await asyncio.sleep(0.005)
    assert await reader.readline() == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    writer.close()
    assert not store.requests


async def test_a_body_that_announces_too_much_is_refused_unread(
    gateway: RunningGateway, store: FakeService
) -> None:
    answer = await gateway.send(
        b"POST /v1/stores HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        % (MOST_JSON_BYTES + 1)
    )
    assert answer.status == 413
    assert answer.error["code"] == "PAYLOAD_TOO_LARGE"
    assert not store.requests


async def test_the_largest_body_passes(gateway: RunningGateway, store: FakeService) -> None:
    async with gateway.client() as client:
        answer = await client.post("/v1/stores", content=b"x" * MOST_JSON_BYTES)
    assert answer.status_code == 200
    assert len(store.bodies[0]) == MOST_JSON_BYTES


async def test_a_chunked_body_is_refused_once_it_is_too_large(
    gateway: RunningGateway, store: FakeService
) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = await gateway.send(
        b"POST /v1/stores HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * (MOST_JSON_BYTES // 0x10000 + 1)
    )
    assert answer.status == 413
    assert not store.bodies
    async with gateway.client() as client:
        assert (await client.get("/v1/stores")).status_code == 200


async def test_another_transfer_coding_is_refused(gateway: RunningGateway, store: FakeService) -> None:
    answer = await gateway.send(
        b"POST /v1/stores HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    )
    assert answer.status == 501
    assert answer.error["code"] == "UNKNOWN_TRANSFER_CODING"
    assert not store.requests


@pytest.mark.parametrize("length", [4, 100_000])
async def test_a_client_that_stops_sending_is_told(
    gateway: RunningGateway, store: FakeService, length: int
) -> None:
    started = asyncio.get_running_loop().time()
    answer = await gateway.send(b"POST /v1/quick HTTP/1.1\r\nContent-Length: %d\r\n\r\nab" % length)
    assert answer.status == 408
    assert answer.error["code"] == "REQUEST_TIMEOUT"
    assert QUICK_SECONDS <= asyncio.get_running_loop().time() - started < QUICK_SECONDS + 2
    assert not store.bodies


async def test_every_answer_is_safe_to_open_in_a_browser(gateway: RunningGateway, store: FakeService) -> None:
    del store
    for target in (b"/v1/stores", b"/v1/nothing", b"/healthz", b"/swagger/index.html"):
        answer = await gateway.send(b"GET " + target + b" HTTP/1.1\r\n\r\n")
        assert answer.all(b"x-content-type-options") == [b"nosniff"], target
        assert not answer.all(b"server")


async def test_metrics_are_told_on_the_private_port_alone(
    gateway: RunningGateway, store: FakeService
) -> None:
    del store
    async with httpx.AsyncClient() as client:
        await gateway.send(b"GET /v1/stores/secret-id HTTP/1.1\r\n\r\n")
        text = (await client.get(f"http://127.0.0.1:{gateway.metrics_port}/metrics")).text
    assert 'route="/v1/stores",status="200"' in text
    assert "secret-id" not in text


async def test_the_gateways_own_health_needs_no_token(gateway: RunningGateway, store: FakeService) -> None:
    for target in (b"/healthz", b"/readyz"):
        assert (await gateway.send(b"GET " + target + b" HTTP/1.1\r\n\r\n", signed_in=False)).status == 200
    assert not store.requests
