"""What becomes of each answer of the client service, and of none."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from services.store.client_api import ClientApi
from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable
from shared.http import ATTEMPTS, ServiceClient
from shared.identifiers import new_uuid
from tests.support.stores import facts

UUID = new_uuid()
FOUND: dict[str, Any] = {"status_code": 200, "message": "Success", "data": msgspec.to_builtins(facts(UUID))}

Answer = Callable[[httpx.Request], httpx.Response]


def api(answer: Answer) -> ClientApi:
    return ClientApi(ServiceClient("client", "http://client.test", transport=httpx.MockTransport(answer)))


def refusal(status: int, code: str) -> httpx.Response:
    error: dict[str, Any] = {"code": code, "trace_id": "0" * 32, "details": []}
    return httpx.Response(status, json={"status_code": status, "message": "No.", "error": error})


async def test_the_client_is_asked_for_by_its_id() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", f"/internal/clients/{UUID}")
        return httpx.Response(200, json=FOUND)

    assert await api(answer).find(UUID) == facts(UUID)


async def test_members_that_stores_do_not_need_are_ignored() -> None:
    data = {**FOUND["data"], "tax_id": "1", "colour": "red"}
    assert await api(lambda _: httpx.Response(200, json={"data": data})).find(UUID) == facts(UUID)


async def test_an_unknown_client_is_none() -> None:
    assert await api(lambda _: refusal(404, "CLIENT_NOT_FOUND")).find(UUID) is None


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, "NOT_FOUND"),
        refusal(401, "UNAUTHENTICATED"),
        refusal(403, "FORBIDDEN"),
        httpx.Response(404, text="<html>"),
        httpx.Response(500, json={}),
        httpx.Response(200, text="not JSON"),
        httpx.Response(200, content=b'{"data": "\xff"}'),
        httpx.Response(200, json={"data": {"uuid": str(UUID)}}),
        httpx.Response(200, json={"data": {**FOUND["data"], "is_active": "yes"}}),
        httpx.Response(302, headers={"location": "http://elsewhere.test"}),
    ],
    ids=["404", "401", "403", "a page", "500", "no JSON", "no text", "a part", "another type", "elsewhere"],
)
async def test_an_answer_that_makes_no_sense_is_a_bad_gateway(answer: httpx.Response) -> None:
    with pytest.raises(BadGateway):
        await api(lambda _: answer).find(UUID)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), ServiceUnavailable),
        (httpx.ConnectTimeout("no answer"), GatewayTimeout),
        (httpx.ReadTimeout("no answer"), GatewayTimeout),
        (httpx.RemoteProtocolError("broken off"), ServiceUnavailable),
    ],
    ids=repr,
)
async def test_silence_is_told_apart_from_absence(failure: Exception, error: type[GeraiError]) -> None:
    attempts: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        raise failure

    with pytest.raises(error):
        await api(answer).find(UUID)
    assert len(attempts) == ATTEMPTS


async def test_a_passing_failure_is_not_noticed() -> None:
    answers = iter([httpx.Response(503), httpx.Response(502), httpx.Response(200, json=FOUND)])
    assert await api(lambda _: next(answers)).find(UUID) == facts(UUID)
