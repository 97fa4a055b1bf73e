"""What becomes of each answer of the store service, and of none."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from services.client.client_api import FenceState, StoreApi
from services.client.errors import DeletionUndone
from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable
from shared.http import ServiceClient
from shared.identifiers import new_uuid

UUID = new_uuid()
SET: dict[str, Any] = {"status_code": 200, "message": "Success", "data": {"is_set": True, "living_stores": 2}}

Answer = Callable[[httpx.Request], httpx.Response]


def api(answer: Answer) -> StoreApi:
    return StoreApi(ServiceClient("store", "http://store.test", transport=httpx.MockTransport(answer)))


def refusal(status: int, code: str) -> httpx.Response:
    error: dict[str, Any] = {"code": code, "trace_id": "0" * 32, "details": []}
    return httpx.Response(status, json={"status_code": status, "message": "No.", "error": error})


async def test_a_fence_is_set_by_its_number() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("PUT", f"/internal/clients/{UUID}/fence")
        assert msgspec.json.decode(request.content) == {"number": 7, "cascade": True}
        return httpx.Response(200, json=SET)

    assert await api(answer).set(UUID, 7, cascade=True) == FenceState(is_set=True, living_stores=2)


async def test_a_fence_is_lifted_by_its_number() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == (
            "DELETE",
            f"http://store.test/internal/clients/{UUID}/fence?number=7",
        )
        return httpx.Response(204)

    await api(answer).lift(UUID, 7)


async def test_an_attempt_that_is_out_of_date_was_undone() -> None:
    with pytest.raises(DeletionUndone):
        await api(lambda _: refusal(409, "FENCE_OUTDATED")).set(UUID, 7, cascade=True)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(409, "CONFLICT"),
        refusal(404, "NOT_FOUND"),
        refusal(403, "FORBIDDEN"),
        httpx.Response(500, json={}),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.content[:60]!r}",
)
async def test_an_answer_that_makes_no_sense_is_a_bad_gateway(answer: httpx.Response) -> None:
    with pytest.raises(BadGateway):
        await api(lambda _: answer).set(UUID, 7, cascade=True)
    with pytest.raises(BadGateway):
        await api(lambda _: answer).lift(UUID, 7)


@pytest.mark.parametrize("body", [b"{}", b"no JSON", b'{"data": {"is_set": 1, "living_stores": 0}}'])
async def test_a_fence_is_not_taken_for_set(body: bytes) -> None:
    with pytest.raises(BadGateway):
        await api(lambda _: httpx.Response(200, content=body)).set(UUID, 7, cascade=True)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), ServiceUnavailable),
        (httpx.ReadTimeout("no answer"), GatewayTimeout),
        (httpx.RemoteProtocolError("broken off"), ServiceUnavailable),
    ],
    ids=repr,
)
async def test_silence_is_told_apart(failure: Exception, error: type[GeraiError]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(error):
        await api(answer).set(UUID, 7, cascade=True)
    with pytest.raises(error):
        await api(answer).lift(UUID, 7)
