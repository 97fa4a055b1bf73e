"""A store is created and its answer is lost on the way back; who asks again with the same key gets it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import httpx
import pytest

from infra.embedded.ports import free_port
from shared.idempotency.keys import HEADER
from tests.support.events import until
from tests.support.platform import Platform
from tests.support.proxy import Proxy, proxying

SECONDS = 3
GATEWAY = "far-gateway"

Loss = Callable[["Journey"], None]


@dataclass
class Journey:
    """A caller, and what lies between it, a gateway and the store service."""

    http: httpx.AsyncClient
    front: Proxy
    behind: Proxy
    client: str

    async def create(self, code: str, key: str) -> httpx.Response:
        body = {"client_uuid": self.client, "code": code, "name": "Kopi Tuku"}
        limit = {"X-Request-Timeout-Ms": str(1000 * SECONDS)}
        return await self.http.post("/v1/stores", json=body, headers={HEADER: key, **limit})

    async def found(self, platform: Platform, code: str) -> list[str]:
        """Return the stores with a code, asked for past what is broken."""
        query, headers = {"client_uuid": self.client, "code": code}, self.http.headers
        answer = await platform.http.get("/v1/stores", params=query, headers=headers)
        return [store["uuid"] for store in answer.json()["data"]]


@pytest.fixture(scope="module")
async def journey(platform: Platform, admin: dict[str, str]) -> AsyncGenerator[Journey]:
    async with proxying(platform.ports["store"]) as behind:
        url = f"http://127.0.0.1:{behind.port}"
        platform.twin(GATEWAY, "gateway", STORE_URL=url, METRICS_PORT=str(free_port()))
        await platform.start(GATEWAY)
        body = {"name": "Kopi", "email": "halo@kopi.example"}
        client = (await platform.http.post("/v1/master-client", json=body, headers=admin)).json()["data"]
        async with (
            proxying(platform.ports[GATEWAY]) as front,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.port}", headers=admin, timeout=30) as http,
        ):
            yield Journey(http, front, behind, client["uuid"])


def reset_behind_the_gateway(journey: Journey) -> None:
    journey.behind.reset_answers()


def held_up_behind_the_gateway(journey: Journey) -> None:
    journey.behind.stall_answers()


@pytest.mark.parametrize(
    ("lose", "status"), [(reset_behind_the_gateway, 502), (held_up_behind_the_gateway, 504)]
)
async def test_an_error_says_to_repeat_with_the_key(
    platform: Platform, journey: Journey, lose: Loss, status: int
) -> None:
    """Between the gateway and the service: the caller is told 502 or 504, and what to do."""
    code = f"S-{status}"
    lose(journey)
    lost = await journey.create(code, code)
    journey.behind.heal()
    assert lost.status_code == status, lost.text
    assert f"with the same {HEADER}" in lost.json()["message"]
    await _assert_it_is_made_once(platform, journey, code)


async def test_a_connection_that_breaks_says_nothing(platform: Platform, journey: Journey) -> None:
    """Between the caller and the gateway: there is no answer at all."""
    journey.front.reset_answers()
    with pytest.raises(httpx.TransportError):
        await journey.create("S-0", "S-0")
    journey.front.heal()
    await _assert_it_is_made_once(platform, journey, "S-0")


async def _assert_it_is_made_once(platform: Platform, journey: Journey, code: str) -> None:
    async def is_there() -> bool:
        return bool(await journey.found(platform, code))

    await until(is_there)
    again = await journey.create(code, code)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert await journey.found(platform, code) == [again.json()["data"]["uuid"]]
    other = await journey.create(code, f"another-{code}")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "DUPLICATE_STORE")
