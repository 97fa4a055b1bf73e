"""Whatever goes wrong, a caller gets the envelope, and bad input changes nothing."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.support.platform import Platform

HUGE = 2**70
NAME = {"name": "Kopi", "email": "kopi@example.com"}


def assert_envelope(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert body["status_code"] == status
    assert body["message"]
    assert body["error"]["code"].isupper()
    assert len(body["error"]["trace_id"]) == 32
    assert isinstance(body["error"]["details"], list)
    return body["error"]


async def total(platform: Platform, admin: dict[str, str]) -> int:
    return (await platform.http.get("/v1/master-client", headers=admin)).json()["meta"]["total"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/master-clientele", 404),
        ("GET", "/internal/clients/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", 404),
        ("POST", "/internal/oauth/token", 404),
        ("GET", "/metrics", 404),
        ("PUT", "/v1/master-client", 405),
        ("DELETE", "/v1/stores", 405),
        ("GET", "/v1/auth/login", 405),
        ("GET", "/v1/stores/../../internal/clients/x", 400),
        ("GET", "/v1/stores/%2e%2e/%2e%2e/internal/clients/x", 400),
        ("GET", "/v1/stores/not-a-uuid", 400),
        ("GET", "/v1/stores/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", 404),
        ("GET", "/v1/master-client/%00", 400),
        ("GET", "/v1/users/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", 404),
    ],
)
async def test_wrong_urls(
    platform: Platform, admin: dict[str, str], method: str, path: str, status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.ports["gateway"])
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: x",
        "connection: close",
        f"authorization: {admin['Authorization']}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    raw = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    first, _, body = raw.partition(b"\r\n\r\n")
    assert int(first.split()[1]) == status, raw
    assert json.loads(body)["status_code"] == status


@pytest.mark.parametrize("resource", ["master-client", "stores", "users"])
@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=1.5",
        "page=x",
        f"page={HUGE}",
        f"page={'9' * 5000}",
        "limit=0",
        "limit=101",
        "limit=1000000000",
        "sort=password",
        "sort=name,name",
        "sort=",
        "cursor=x",
        "cursor=%F0%9F%8D%9C",
        "page=1&cursor=WyJ4Il0",
        "page=1&page=2",
        "unknown=1",
        "q=%ff",
        "q=" + "x" * 300,
        "uuids=1,2",
        "is_active=maybe",
    ],
)
async def test_wrong_queries(platform: Platform, admin: dict[str, str], resource: str, query: str) -> None:
    error = assert_envelope(await platform.http.get(f"/v1/{resource}?{query}", headers=admin), 400)
    assert error["details"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"name": "\xff", "email": "a@b.co"}',
        b"[" * 100_000,
        b'{"name":' * 100_000,
        b'{"name": "a", "name": "b", "email": "a@b.co"}',
        b'{"name": "a\\u0000b", "email": "a@b.co"}',
        b'{"name": "a\\ud800", "email": "a@b.co"}',
        b'{"name": "a\\u202eb", "email": "a@b.co"}',
        b'{"name": 1, "email": "a@b.co"}',
        b'{"name": null, "email": "a@b.co"}',
        b'{"name": "' + b"x" * 1_000_000 + b'", "email": "a@b.co"}',
        b'{"name": "a", "email": "a@b.co", "is_active": "true"}',
        b'{"name": "a", "email": "a@b.co", "country": "Indonesia"}',
        b'{"name": "a", "email": "a@b.co", "country": "XX"}',
        b'{"name": "a", "email": "a@b.co", "timezone": "Mars/Olympus"}',
        b'{"name": "a", "email": "a@b.co", "version": 7}',
        b'{"name": "a", "email": "a@b.co", "uuid": "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"}',
    ],
)
async def test_wrong_bodies(platform: Platform, admin: dict[str, str], body: bytes) -> None:
    before = await total(platform, admin)
    headers = {**admin, "Content-Type": "application/json"}
    assert_envelope(await platform.http.post("/v1/master-client", content=body, headers=headers), 400)
    assert await total(platform, admin) == before


@pytest.mark.parametrize("value", [HUGE, -HUGE, 1e400, "NaN", 91, True, "1", [], {}])
async def test_wrong_numbers(platform: Platform, admin: dict[str, str], value: object) -> None:
    body = json.dumps(
        {"client_uuid": "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", "code": "A", "name": "A", "latitude": value}
    )
    headers = {**admin, "Content-Type": "application/json"}
    assert_envelope(await platform.http.post("/v1/stores", content=body, headers=headers), 400)


async def test_every_invalid_field_is_reported(platform: Platform, admin: dict[str, str]) -> None:
    body = {"name": "", "email": "x", "phone": "0812", "country": "id", "colour": "red"}
    error = assert_envelope(await platform.http.post("/v1/master-client", json=body, headers=admin), 400)
    assert {problem["field"] for problem in error["details"]} == set(body)


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "application/merge-patch+json"])
async def test_other_content_types(platform: Platform, admin: dict[str, str], media_type: str) -> None:
    headers = {**admin, "Content-Type": media_type}
    answer = await platform.http.post("/v1/master-client", content=json.dumps(NAME), headers=headers)
    assert_envelope(answer, 415)


async def test_a_body_over_two_mebibytes(platform: Platform, admin: dict[str, str]) -> None:
    body = json.dumps({**NAME, "name": "x" * (2 * 1024 * 1024)})
    headers = {**admin, "Content-Type": "application/json"}
    assert_envelope(await platform.http.post("/v1/master-client", content=body, headers=headers), 413)


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "x" * 8000])
async def test_other_tokens(platform: Platform, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode()}
    assert_envelope(await platform.http.get("/v1/stores", headers=headers), 401)


async def test_the_request_id_is_the_callers_when_it_is_sane(
    platform: Platform, admin: dict[str, str]
) -> None:
    sane = await platform.http.get("/v1/stores", headers={**admin, "X-Request-ID": "abc-123"})
    assert sane.headers.get_list("x-request-id") == ["abc-123"]
    strange = await platform.http.get("/v1/stores", headers={**admin, "X-Request-ID": "a b\tc"})
    assert strange.headers["x-request-id"] != "a b\tc"


async def test_the_trace_of_the_caller_goes_on(platform: Platform) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await platform.http.get(
        "/v1/nothing", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    )
    assert answer.json()["error"]["trace_id"] == trace_id
