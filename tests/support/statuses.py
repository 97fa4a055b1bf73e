"""What is told of whether something is open, and of pauses, whoever owns the hours."""

from datetime import UTC, datetime, timedelta

from tests.support.exceptions import EVENING
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.workhours import DAY_NAMES, DAYS, MONDAY, NIGHT, owned


async def assert_states_follow_the_schedule(owners: Resource, source: str) -> None:
    """See the state at instants that regular hours, a night, an exception and a time zone decide about."""
    one = await owned(owners)
    assert await one.state("2026-11-23T03:00:00Z") == ("unknown", "no_schedule", "none")
    assert (await one.status("2026-11-23T03:00:00Z"))["next_change_at"] is None
    await one.put([MONDAY, NIGHT])
    assert await one.status("2026-11-23T10:00:00+07:00") == {
        "state": "open",
        "evaluated_at": "2026-11-23T10:00:00+07:00",
        "timezone": "Asia/Jakarta",
        "next_change_at": "2026-11-23T10:00:00Z",
        "source": source,
        "reason": "regular_hours",
    }
    assert await one.state("2026-11-23T10:00:00Z") == ("closed", "regular_hours", source)
    assert await one.state("2026-11-28T18:59:59.999999Z") == ("open", "regular_hours", source)
    await one.add(**{"from": "2026-11-23", "to": "2026-11-23", "intervals": [EVENING]})
    assert await one.state("2026-11-23T03:00:00Z") == ("closed", "exception", source)
    assert await one.state("2026-11-23T11:00:00Z") == ("open", "exception", source)
    await one.put([MONDAY], timezone="Asia/Kathmandu")
    assert (await one.status("2026-11-30T03:14:59Z"))["next_change_at"] == "2026-11-30T03:15:00Z"
    await one.put([])
    assert await one.state("2026-11-30T04:00:00Z") == ("closed", "regular_hours", source)
    await owners.change(one.owner, is_active=False)
    assert await one.state("2026-11-23T11:00:00Z") == ("closed", "inactive", source)


async def assert_now_is_the_default(owners: Resource) -> None:
    """See that the state is that of now, and that only instants are taken."""
    one = await owned(owners)
    await one.put([{"day": day, "opens": "00:00", "closes": "24:00"} for day in ("monday", "tuesday")])
    before = datetime.now(UTC)
    told = await one.status()
    assert before <= datetime.fromisoformat(told["evaluated_at"]) <= datetime.now(UTC)
    for at in ("now", "2026-11-23", "2026-11-23T10:00:00", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"):
        answer = await one.http.get(f"{one.url}/status", params={"at": at})
        assert fields_of(refused(answer, 400)) == ["at"], at
    refused(await one.http.get(f"{one.url}/status?when=now"), 400)
    first, second = await one.http.get(f"{one.url}/status"), await one.http.get(one.url)
    assert {first.headers["x-cache"], second.headers["x-cache"]} == {"HIT"}


async def assert_a_pause_closes_at_once(owners: Resource) -> None:
    """See a pause begin, last longer, end, and be over by itself."""
    one = await owned(owners)
    await one.put([{"day": day, "opens": "00:00", "closes": "24:00"} for day in DAY_NAMES])
    assert (await one.status())["state"] == "open"
    until = datetime.now(UTC) + timedelta(hours=1)
    first = await one.pause(until)
    told = await one.status()
    assert (told["state"], told["reason"]) == ("closed", "pause")
    assert datetime.fromisoformat(told["next_change_at"]) == until
    longer = await one.pause(until + timedelta(hours=1))
    assert (longer["uuid"], longer["version"], longer["created_at"]) == (
        first["uuid"],
        2,
        first["created_at"],
    )
    assert (await one.status((until + timedelta(minutes=30)).isoformat()))["reason"] == "pause"
    assert (await one.status((until - timedelta(days=1)).isoformat()))["state"] == "open"
    for _ in range(2):
        assert (await one.http.delete(f"{one.url}/pause")).status_code == 204
    assert (await one.status())["state"] == "open"
    kind = "workhour_pause."
    assert (await one.told())[:3] == [kind + "deleted", kind + "changed", kind + "created"]
    await one.pause(until)
    await owners.run("UPDATE workhour_pauses SET created_at = now() - interval '2 h', until = now()")
    again = await one.pause(until)
    assert (again["version"], again["uuid"] == first["uuid"]) == (1, False)


async def assert_a_pause_ends_later(owners: Resource) -> None:
    """See that only an instant in the future ends a pause."""
    one = await owned(owners)
    past = datetime.now(UTC) - timedelta(seconds=1)
    untils = (past.isoformat(), "2999-01-01", "2999-01-01T00:00:00", "soon", "9999-12-31T23:59:59-12:00")
    bodies: list[Json] = [{}, *({"until": until} for until in (*untils, None, 7))]
    for body in bodies:
        answer = await one.http.post(f"{one.url}/pause", json=body)
        assert fields_of(refused(answer, 400)) == ["until"], body
    assert await one.told() == (await one.told())[-1:]


async def assert_hours_are_told_to_search_engines(owners: Resource) -> None:
    """See the schedule as JSON-LD, with an entity tag and without an envelope."""
    one = await owned(owners)
    await one.put([MONDAY])
    await one.add()
    answer = await one.http.get(one.url, params={"format": "schema.org"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")
    told = answer.json()
    assert told["@context"] == "https://schema.org"
    (regular, closed), (special,) = (
        told["openingHoursSpecification"],
        told["specialOpeningHoursSpecification"],
    )
    assert (regular["dayOfWeek"], regular["opens"]) == (["https://schema.org/Monday"], "09:00")
    assert (len(closed["dayOfWeek"]), closed["opens"], closed["closes"]) == (6, "00:00", "00:00")
    assert (special["validFrom"], special["validThrough"]) == (DAYS["from"], DAYS["to"])
    headers = {"If-None-Match": answer.headers["etag"]}
    same = await one.http.get(one.url, params={"format": "schema.org"}, headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    for query in ("format=json", "format=", "as=schema.org"):
        refused(await one.http.get(f"{one.url}?{query}"), 400)
