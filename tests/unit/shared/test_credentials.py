"""The token with which a service calls its neighbours."""

import asyncio
import itertools
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest

from shared.config import OAuthClientConfig, Secret
from shared.http import Rejected, ServiceClient
from shared.security import credentials
from shared.security.credentials import ServiceCredentials

REFUSAL = {"status_code": 401, "message": "no", "error": {"code": "UNAUTHENTICATED", "trace_id": "0"}}


class Answer(msgspec.Struct):
    used: str


class Neighbours:
    """An auth that numbers its tokens, and a service that takes only some."""

    def __init__(self) -> None:
        self.issued = itertools.count(1)
        self.taken = {"Bearer 1"}
        self.auth = ServiceClient("auth", "http://auth.test", transport=httpx.MockTransport(self._issue))
        config = OAuthClientConfig(client_id="store", client_secret=Secret("secret"))
        self.service = ServiceClient(
            "client",
            "http://client.test",
            auth=ServiceCredentials(self.auth, config),
            transport=httpx.MockTransport(self._serve),
        )

    async def ask(self) -> str:
        return (await self.service.get("/", Answer)).used

    def _issue(self, _: httpx.Request) -> httpx.Response:
        token = {"access_token": str(next(self.issued)), "token_type": "Bearer", "expires_in": 900}
        return httpx.Response(200, json=token)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"]
        return httpx.Response(200, json={"used": token}) if token in self.taken else refusal()


def refusal() -> httpx.Response:
    return httpx.Response(401, json=REFUSAL)


@pytest.fixture
async def neighbours() -> AsyncGenerator[Neighbours]:
    found = Neighbours()
    yield found
    await found.service.close()
    await found.auth.close()


async def test_a_token_is_used_again(neighbours: Neighbours) -> None:
    assert [await neighbours.ask() for _ in range(3)] == ["Bearer 1"] * 3
    assert next(neighbours.issued) == 2


async def test_a_token_that_is_refused_is_replaced_once(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "REPLACED_AFTER_SECONDS", 0.0)
    await neighbours.ask()
    neighbours.taken = {"Bearer 2"}
    assert await asyncio.gather(*(neighbours.ask() for _ in range(5))) == ["Bearer 2"] * 5
    assert next(neighbours.issued) == 3


async def test_tokens_that_are_all_refused_cost_auth_little(neighbours: Neighbours) -> None:
    neighbours.taken = set()
    for _ in range(10):
        with pytest.raises(Rejected):
            await neighbours.ask()
    assert next(neighbours.issued) == 2
