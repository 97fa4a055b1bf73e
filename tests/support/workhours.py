"""What every owner of a schedule promises, seen over HTTP."""

import asyncio
from datetime import datetime
from typing import Any

import httpx

from tests.support.resource import Json, Resource, fields_of, refused

MANY = 30

MONDAY: Json = {"day": "monday", "opens": "09:00", "closes": "17:00"}
NIGHT: Json = {"day": "saturday", "opens": "20:00", "closes": "02:00"}

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DAYS: Json = {"from": "2026-12-24", "to": "2026-12-26", "intervals": [], "title": "Natal"}

BAD_HOURS: dict[str, tuple[Any, str]] = {
    "no array": ({}, "hours"),
    "null": (None, "hours"),
    "text": (["monday"], "hours[0]"),
    "an unknown day": ([{**MONDAY, "day": "Monday"}], "hours[0].day"),
    "no day": ([{"opens": "09:00", "closes": "17:00"}], "hours[0]"),
    "an unknown member": ([{**MONDAY, "note": "x"}], "hours[0]"),
    "a wrong time": ([{**MONDAY, "opens": "9:00"}], "hours[0].opens"),
    "opening at 24:00": ([{**MONDAY, "opens": "24:00"}], "hours[0].opens"),
    "equal times": ([MONDAY, {"day": "friday", "opens": "09:00", "closes": "09:00"}], "hours[1].closes"),
    "an overlap": ([MONDAY, {**MONDAY, "opens": "16:59", "closes": "18:00"}], "hours[1].opens"),
    "Sunday into Monday": (
        [{"day": "sunday", "opens": "22:00", "closes": "09:01"}, MONDAY],
        "hours[1].opens",
    ),
    "eleven in a day": (
        [{"day": "monday", "opens": f"{hour:02}:00", "closes": f"{hour:02}:30"} for hour in range(11)],
        "hours[10].day",
    ),
    "a million": ([MONDAY] * 20_000, "hours"),
}
"""Weeks that nobody can have, and the field that is wrong."""


class Owned:
    """The schedule of one owner."""

    def __init__(self, owners: Resource, owner: Json) -> None:
        self.owners = owners
        self.owner = owner
        self.http = owners.http
        self.url = f"{owners.url(owner)}/workhour"

    async def put(self, hours: object, **fields: object) -> Json:
        """Set the week, which has to succeed."""
        answer = await self.http.put(self.url, json={"hours": hours, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def week(self) -> Json:
        answer = await self.http.get(self.url)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def tag(self) -> str:
        return (await self.http.get(self.url)).headers["etag"]

    async def told(self) -> list[str]:
        """Return what happened, the newest first."""
        history = (await self.http.get(f"{self.owners.url(self.owner)}/history?limit=100")).json()
        return [entry["type"] for entry in history["data"]]

    async def status(self, at: str | None = None) -> Json:
        """Return whether it is open."""
        query = {"at": at} if at else {}
        answer = await self.http.get(f"{self.url}/status", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def state(self, at: str) -> tuple[str, str, str]:
        """Return the state at an instant, why, and whose hours these are."""
        told = await self.status(at)
        return told["state"], told["reason"], told["source"]

    async def post(self, **days: object) -> httpx.Response:
        return await self.http.post(f"{self.url}/exceptions", json={**DAYS, **days})

    async def add(self, **days: object) -> Json:
        """Add an exception, which has to succeed."""
        answer = await self.post(**days)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def exceptions(self, **query: str | int) -> list[Json]:
        answer = await self.http.get(f"{self.url}/exceptions", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def url_of(self, exception: Json) -> str:
        return f"{self.url}/exceptions/{exception['uuid']}"

    async def pause(self, until: datetime) -> Json:
        """Close, which has to succeed."""
        answer = await self.http.post(f"{self.url}/pause", json={"until": until.isoformat()})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


async def owned(owners: Resource, **fields: object) -> Owned:
    """Make an owner."""
    return Owned(owners, await owners.make(**fields))


async def assert_a_week_is_replaced_whole(owners: Resource, source: str) -> None:
    """See a week from none to none, with its tags, its cache and its history."""
    one = await owned(owners)
    none = await one.http.get(one.url)
    assert none.json()["data"] == {"source": "none", "timezone": "Asia/Jakarta", "hours": None, "version": 0}
    week = await one.put([MONDAY, NIGHT])
    assert week == {"source": source, "timezone": "Asia/Jakarta", "hours": [MONDAY, NIGHT], "version": 1}
    first, second = await one.http.get(one.url), await one.http.get(one.url)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert first.json()["data"] == second.json()["data"] == week
    tag = first.headers["etag"]
    unmodified = await one.http.get(one.url, headers={"If-None-Match": tag})
    assert (unmodified.status_code, unmodified.content, unmodified.headers["etag"]) == (304, b"", tag)
    closed = await one.put([], timezone="Asia/Makassar")
    assert closed == {"source": source, "timezone": "Asia/Makassar", "hours": [], "version": 2}
    assert await one.week() == closed
    assert (await one.http.get(one.url, headers={"If-None-Match": tag})).status_code == 200
    assert (await one.put([MONDAY], timezone=None))["timezone"] == "Asia/Jakarta"
    for _ in range(2):
        assert (await one.http.delete(one.url)).status_code == 204
    assert (await one.http.get(one.url)).headers["etag"] == none.headers["etag"]
    told = await one.told()
    assert told[:4] == ["workhour.deleted", "workhour.changed", "workhour.changed", "workhour.created"]
    assert len(told) == 5


async def assert_weeks_are_conditional(owners: Resource) -> None:
    """See that a stale tag changes nothing, whoever changed the week before."""
    one = await owned(owners)
    none = await one.tag()
    await one.put([MONDAY])
    week = await one.week()
    for method in ("PUT", "DELETE"):
        body: Json | None = {"hours": []} if method == "PUT" else None
        for stale in (none, f"W/{await one.tag()}", '"1"'):
            answer = await one.http.request(method, one.url, json=body, headers={"If-Match": stale})
            refused(answer, 412, "PRECONDITION_FAILED")
            assert answer.headers["etag"] == await one.tag()
    assert fields_of(refused(await one.http.delete(one.url, headers={"If-Match": "x"}), 400)) == ["If-Match"]
    assert await one.week() == week
    tag = {"If-Match": f'"x", {await one.tag()}'}
    changed = await one.http.put(one.url, json={"hours": []}, headers=tag)
    assert (changed.status_code, changed.headers["etag"]) == (200, await one.tag())
    assert (await one.http.delete(one.url, headers={"If-Match": await one.tag()})).status_code == 204
    assert (await one.http.delete(one.url, headers={"If-Match": "*"})).status_code == 204


async def assert_one_of_many_weeks_wins(owners: Resource) -> None:
    """See that of many weeks set upon the same one, and its deletion, one is done and the others are told."""
    one = await owned(owners)
    for before in (None, [MONDAY]):
        if before:
            await one.put(before)
        headers = {"If-Match": await one.tag()}
        puts = [
            one.http.put(
                one.url,
                json={"hours": [{"day": "friday", "opens": "00:00", "closes": f"01:{number:02}"}]},
                headers=headers,
            )
            for number in range(MANY)
        ]
        deletions = [one.http.delete(one.url, headers=headers) for _ in range(3 if before else 0)]
        answers = await asyncio.gather(*puts, *deletions)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] in {200, 204}
        assert statuses[1:] == [412] * (len(answers) - 1)
        won = next(answer for answer in answers if answer.status_code < 300)
        assert (await one.week())["hours"] == (won.json()["data"]["hours"] if won.content else None)
        await one.http.delete(one.url)


async def assert_only_weeks_are_accepted(owners: Resource) -> None:
    """See that what is no week is refused by the name of the field, and changes nothing."""
    one = await owned(owners)
    await one.put([MONDAY])
    for name, (hours, field) in BAD_HOURS.items():
        answer = await one.http.put(one.url, json={"hours": hours})
        assert fields_of(refused(answer, 400))[0].startswith(field), name
    bodies: list[tuple[Json, str]] = [
        ({}, "hours"),
        ({"hours": [], "timezone": "Mars/Olympus"}, "timezone"),
        ({"hours": [], "timezone": 7}, "timezone"),
        ({"hours": [], "unknown": 1}, "unknown"),
    ]
    for body, field in bodies:
        assert fields_of(refused(await one.http.put(one.url, json=body), 400)) == [field]
    week = await one.week()
    assert (week["hours"], week["version"]) == ([MONDAY], 1)


async def assert_the_schedule_of_nobody_is_not_found(owners: Resource, code: str) -> None:
    """See that there are no hours where there is no owner, nor of one that has ended."""
    one, gone = await owned(owners), await owned(owners)
    await gone.put([MONDAY])
    await gone.week()
    assert (await gone.http.delete(owners.url(gone.owner))).status_code == 204
    for url in (gone.url, one.url.replace(one.owner["uuid"], "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f")):
        for answer in await everything(one.http, url):
            refused(answer, 404, code)
    for answer in await everything(one.http, one.url.replace(one.owner["uuid"], "x")):
        refused(answer, 400)


async def everything(http: httpx.AsyncClient, url: str) -> list[httpx.Response]:
    """Try every request that can be made about a schedule."""
    one = f"{url}/exceptions/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    return [
        await http.get(url),
        await http.get(url, params={"format": "schema.org"}),
        await http.put(url, json={"hours": []}),
        await http.delete(url),
        await http.get(f"{url}/status"),
        await http.post(f"{url}/pause", json={"until": "2999-01-01T00:00:00Z"}),
        await http.delete(f"{url}/pause"),
        await http.post(f"{url}/exceptions", json={**DAYS}),
        await http.get(f"{url}/exceptions"),
        await http.get(one),
        await http.patch(one, json={"title": None}),
        await http.delete(one),
    ]
