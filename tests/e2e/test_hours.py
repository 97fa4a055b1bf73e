"""Hours of clients and of the stores that inherit them, through the gateway."""

import itertools
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.events import until
from tests.support.platform import Platform
from tests.support.resource import Json
from tests.support.workhours import DAY_NAMES

pytestmark = pytest.mark.e2e

ALL_DAY = [{"day": day, "opens": "00:00", "closes": "24:00"} for day in DAY_NAMES]
SHOWN_SECONDS = 1.0

_numbers = itertools.count()


@pytest.fixture(scope="module")
async def api(platform: Platform, admin: dict[str, str]) -> AsyncGenerator[httpx.AsyncClient]:
    """The gateway as an admin calls it."""
    async with httpx.AsyncClient(base_url=platform.http.base_url, headers=admin) as http:
        yield http


class Hours:
    """The hours at one URL."""

    def __init__(self, api: httpx.AsyncClient, url: str) -> None:
        self.api = api
        self.url = url

    async def put(self, hours: list[Json]) -> None:
        assert (await self.api.put(self.url, json={"hours": hours})).status_code == 200

    async def week(self) -> tuple[str, object]:
        told = (await self.api.get(self.url)).json()["data"]
        return told["source"], told["hours"]

    async def state(self, at: str | None = None) -> tuple[str, str, str]:
        query = {"at": at} if at else {}
        told = (await self.api.get(f"{self.url}/status", params=query)).json()["data"]
        return told["state"], told["reason"], told["source"]

    async def shows(self, hours: object, *, source: str = "client") -> None:
        """Wait until the week is this one, as long as it may take to follow a client."""
        started = time.monotonic()

        async def is_shown() -> bool:
            return await self.week() == (source, hours)

        await until(is_shown)
        assert time.monotonic() - started < SHOWN_SECONDS

    async def comes_to(self, *expected: str, at: str | None = None) -> None:
        async def is_so() -> bool:
            return await self.state(at) == expected

        await until(is_so)


async def made(api: httpx.AsyncClient, path: str, body: Json) -> str:
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['data']['uuid']}"


@pytest.fixture
async def client(api: httpx.AsyncClient) -> Hours:
    """The hours of a new client."""
    number = next(_numbers)
    body = {"name": f"Hours {number}", "email": f"hours{number}@example.com"}
    return Hours(api, f"{await made(api, '/v1/master-client', body)}/workhour")


@pytest.fixture
async def store(api: httpx.AsyncClient, client: Hours) -> Hours:
    """The hours of a store of the client, in another time zone."""
    client_uuid = client.url.split("/")[3]
    body = {"client_uuid": client_uuid, "code": "A", "name": "A", "timezone": "Asia/Jayapura"}
    return Hours(api, f"{await made(api, '/v1/stores', body)}/workhour")


async def test_a_store_follows_its_client_unless_it_has_a_week_of_its_own(
    client: Hours, store: Hours
) -> None:
    assert (await store.week(), await store.state()) == (
        ("none", None),
        ("unknown", "no_schedule", "none"),
    )
    await client.put(ALL_DAY)
    await store.shows(ALL_DAY)
    assert await store.state() == ("open", "regular_hours", "client")
    await store.put([])
    assert (await store.week(), (await store.state())[0]) == (("store", []), "closed")
    await client.put([])
    assert (await store.api.delete(store.url)).status_code == 204
    await store.shows([])
    await client.put(ALL_DAY[:3])
    await store.shows(ALL_DAY[:3])
    assert (await client.api.delete(client.url)).status_code == 204
    await store.shows(None, source="none")


async def test_exceptions_and_pauses_of_a_client_reach_its_store(client: Hours, store: Hours) -> None:
    await client.put(ALL_DAY)
    closed: Json = {"from": "2027-01-01", "to": "2027-01-02", "intervals": [], "title": "Tahun Baru"}
    exception = await made(client.api, f"{client.url}/exceptions", closed)
    noon = "2027-01-01T03:00:00Z"
    await store.comes_to("closed", "exception", "client", at=noon)
    # The client's first of January ends two hours after the store's.
    await store.comes_to("closed", "exception", "client", at="2026-12-31T15:00:00Z")
    assert await client.state("2026-12-31T15:00:00Z") == ("open", "regular_hours", "client")
    open_anyway: Json = {**closed, "intervals": [{"opens": "08:00", "closes": "14:00"}]}
    await made(store.api, f"{store.url}/exceptions", open_anyway)
    assert (await store.state(noon))[:2] == ("open", "exception")
    assert (await client.api.delete(exception)).status_code == 204
    soon = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert (await client.api.post(f"{client.url}/pause", json=soon)).status_code == 200
    await store.comes_to("closed", "pause", "client")
    assert (await client.api.delete(f"{client.url}/pause")).status_code == 204
    await store.comes_to("open", "regular_hours", "client")


async def test_stores_are_found_by_place_and_by_what_is_open(api: httpx.AsyncClient) -> None:
    owner = {"name": "Roti", "email": f"roti-{next(_numbers)}@example.com"}
    client = await made(api, "/v1/master-client", owner)
    place: Json = {"client_uuid": client.rpartition("/")[2], "name": "Roti", "longitude": 106.8}
    for code, latitude in (("far", -6.3), ("near", -6.21), ("nearest", -6.2), ("bandung", -6.9)):
        store = await made(api, "/v1/stores", {**place, "code": code, "latitude": latitude})
        await Hours(api, f"{store}/workhour").put(ALL_DAY if code != "near" else ALL_DAY[:1])

    async def found(**query: str | int | bool) -> tuple[list[str], Json]:
        answer = await api.get("/v1/stores", params={"client_uuid": place["client_uuid"], **query})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return [row["code"] for row in body["data"]], body

    around: Json = {"near": "-6.2,106.8", "radius_m": 20_000}
    codes, body = await found(**around)
    assert codes == ["nearest", "near", "far"]
    distances = [row["distance_m"] for row in body["data"]]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert 11_000 < distances[2] < 11_200
    monday, tuesday = "2026-01-05T05:00:00Z", "2026-01-06T05:00:00Z"
    assert (await found(**around, open_at=monday))[0] == ["nearest", "near", "far"]
    assert (await found(**around, open_at=tuesday))[0] == ["nearest", "far"]
    assert set((await found(open_at=tuesday))[0]) == {"nearest", "far", "bandung"}
    codes, body = await found(**around, open_now=True)
    assert {"nearest", "far"} <= set(codes)
    evaluated = datetime.fromisoformat(body["meta"]["evaluated_at"])
    assert abs(datetime.now(UTC) - evaluated) < timedelta(minutes=1)
    first = (await found(**around, limit=1))[1]["meta"]["next_cursor"]
    assert (await found(**around, limit=1, cursor=first))[0] == ["near"]


async def test_histories_tell_of_hours(client: Hours) -> None:
    await client.put(ALL_DAY)
    await client.put([])
    history = (await client.api.get(client.url.replace("workhour", "history"))).json()["data"]
    assert [entry["type"] for entry in history] == ["workhour.changed", "workhour.created", "client.created"]
    assert (history[0]["before"]["hours"], history[0]["after"]["hours"]) == (ALL_DAY, [])
