"""What the exceptions of every owner promise, seen over HTTP."""

import asyncio
from typing import Any

from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer
from tests.support.workhours import DAYS, MANY, MONDAY, owned

EVENING: Json = {"opens": "17:00", "closes": "01:00"}
MORNING: Json = {"opens": "08:00", "closes": "12:00"}

BAD_DAYS: dict[str, tuple[Json, str]] = {
    "no date": ({"from": "tomorrow"}, "from"),
    "a day that does not exist": ({"from": "2027-02-29"}, "from"),
    "an instant": ({"to": "2026-12-26T00:00:00Z"}, "to"),
    "a number": ({"from": 20261224}, "from"),
    "the end before the beginning": ({"to": "2026-12-23"}, "to"),
    "367 days": ({"to": "2027-12-25"}, "to"),
    "equal times": ({"intervals": [{"opens": "09:00", "closes": "09:00"}]}, "intervals[0].closes"),
    "an overlap": ({"intervals": [EVENING, {"opens": "23:00", "closes": "24:00"}]}, "intervals[1].opens"),
    "a wrong time": ({"intervals": [{**MORNING, "opens": "25:00"}]}, "intervals[0].opens"),
    "a day": ({"intervals": [MONDAY]}, "intervals[0]"),
    "null": ({"intervals": None}, "intervals"),
    "an empty title": ({"title": ""}, "title"),
    "a long title": ({"title": "x" * 201}, "title"),
    "a control character": ({"title": "a\x00b"}, "title"),
    "an id": ({"uuid": "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"}, "uuid"),
}
"""What is no exception, and the field that is wrong."""


async def assert_exceptions_are_kept(owners: Resource) -> None:
    """See an exception from beginning to end."""
    one = await owned(owners)
    answer = await one.post(intervals=[EVENING], title="  Cafe\u0301 ")
    added = answer.json()["data"]
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == one.url_of(added)
    assert {**added, **DAYS} == {**added, "intervals": [], "title": "Natal"}
    assert (added["title"], added["intervals"], added["version"]) == ("Caf\u00e9", [EVENING], 1)
    read = await one.http.get(one.url_of(added))
    assert (read.json()["data"], read.headers["etag"]) == (added, '"1"')
    unmodified = await one.http.get(one.url_of(added), headers={"If-None-Match": '"1"'})
    assert (unmodified.status_code, unmodified.content) == (304, b"")
    patch = {"title": None, "intervals": [MORNING], "to": "2026-12-31"}
    changed = await one.http.patch(one.url_of(added), json=patch, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    after = changed.json()["data"]
    assert after == {**added, **patch, "version": 2, "updated_at": after["updated_at"]}
    assert await one.exceptions() == [after]
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
        stale = await one.http.request(method, one.url_of(added), json=body, headers={"If-Match": '"1"'})
        refused(stale, 412, "PRECONDITION_FAILED")
    same = await one.http.patch(one.url_of(added), json={})
    assert same.json()["data"] == after
    assert (await one.http.delete(one.url_of(added), headers={"If-Match": '"2"'})).status_code == 204
    refused(await one.http.get(one.url_of(added)), 404, "EXCEPTION_NOT_FOUND")
    refused(await one.http.delete(one.url_of(added)), 404, "EXCEPTION_NOT_FOUND")
    kind = "workhour_exception."
    assert (await one.told())[:3] == [kind + "deleted", kind + "changed", kind + "created"]


async def assert_exceptions_are_listed_by_day(owners: Resource) -> None:
    """See an owner's exceptions in order, page by page, and nobody else's."""
    one, other = await owned(owners), await owned(owners)
    days = [f"2027-{month:02}-01" for month in (3, 1, 12, 7, 5)]
    for day in days:
        await one.add(**{"from": day, "to": day})
    await other.add()
    walked, cursor = list[str](), ""
    while cursor is not None:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await one.http.get(f"{one.url}/exceptions", params=query)).json()
        walked += [each["from"] for each in page["data"]]
        cursor = page["meta"]["next_cursor"]
        assert page["meta"]["total"] == len(days)
    assert walked == sorted(days)
    assert [each["from"] for each in await one.exceptions(sort="-from", limit=1)] == [max(days)]
    theirs = (await other.exceptions())[0]
    refused(await one.http.get(one.url_of(theirs)), 404, "EXCEPTION_NOT_FOUND")
    refused(await one.http.patch(one.url_of(theirs), json={"title": "x"}), 404, "EXCEPTION_NOT_FOUND")
    for query in ("sort=title", "limit=0", "from=2027-01-01", "cursor=x"):
        refused(await one.http.get(f"{one.url}/exceptions?{query}"), 400)


async def assert_a_day_is_covered_once(owners: Resource) -> None:
    """See that no two exceptions of an owner have a day in common, however they come to it."""
    one = await owned(owners)
    first = await one.add()
    for days in (
        {},
        {"from": "2026-12-26", "to": "2027-12-26"},
        {"from": "2026-12-01", "to": "2026-12-24"},
        {"from": "2026-12-25", "to": "2026-12-25", "title": None},
    ):
        refused(await one.post(**days), 409, "EXCEPTION_OVERLAPS")
    next_one = await one.add(**{"from": "2026-12-27", "to": "2027-12-27"})
    moved = {"to": "2026-12-27"}
    refused(await one.http.patch(one.url_of(first), json=moved), 409, "EXCEPTION_OVERLAPS")
    refused(await one.http.patch(one.url_of(first), json={"to": "2026-12-23"}), 400)
    assert await one.exceptions() == [first, next_one]
    shifted = await one.http.patch(one.url_of(first), json={"from": "2026-12-23", "to": "2026-12-25"})
    assert shifted.status_code == 200
    await one.add(**{"from": "2026-12-26", "to": "2026-12-26"})
    assert (await one.http.delete(one.url_of(next_one))).status_code == 204
    await one.add(**{"from": "2027-06-01", "to": "2027-06-01"})
    await (await owned(owners)).add()
    count = "SELECT count(*) FROM workhour_exception_days"
    assert (await owners.run(count))[0][0] == 3 + 1 + 1 + 3


async def assert_racing_exceptions_do_not_overlap(owners: Resource) -> None:
    """See that of many exceptions added at once with a day in common one is, and likewise of changes."""
    one = await owned(owners)
    lasts = [f"2026-12-{24 + number % 7}" for number in range(MANY)]
    added = await asyncio.gather(*(one.post(to=last) for last in lasts))
    assert sorted(answer.status_code for answer in added) == [201] + [409] * (MANY - 1)
    (winner,) = await one.exceptions()
    await one.http.delete(one.url_of(winner))
    apart = [await one.add(**{"from": f"2027-01-{day:02}", "to": f"2027-01-{day:02}"}) for day in range(1, 9)]
    move = {"from": "2027-03-01", "to": "2027-03-02"}
    moved = await asyncio.gather(*(one.http.patch(one.url_of(each), json=move) for each in apart))
    assert sorted(answer.status_code for answer in moved) == [200] + [409] * (len(apart) - 1)


async def assert_only_exceptions_are_accepted(owners: Resource) -> None:
    """See that what is no exception is refused by the name of the field."""
    one = await owned(owners)
    added = await one.add()
    for name, (days, field) in BAD_DAYS.items():
        for answer in (await one.post(**days), await one.http.patch(one.url_of(added), json=days)):
            assert fields_of(refused(answer, 400))[0].startswith(field), name
    for missing in ("from", "to", "intervals"):
        body = {name: value for name, value in DAYS.items() if name != missing}
        answer = await one.http.post(f"{one.url}/exceptions", json=body)
        assert fields_of(refused(answer, 400)) == [missing]
    refused(await one.http.patch(one.url_of(added), json={"from": None}), 400)
    refused(await one.http.get(f"{one.url}/exceptions/x"), 400)
    assert await one.exceptions() == [added]


async def assert_additions_can_be_repeated(owners: Resource) -> None:
    """See that a repeated addition gets the first answer, and that twins add one."""
    one, caller = await owned(owners), bearer()

    async def post(days: Json, key: str) -> Any:  # noqa: ANN401 - a response
        headers = {**caller, "Idempotency-Key": key}
        return await one.http.post(f"{one.url}/exceptions", json=days, headers=headers)

    first, again = await post(DAYS, "a"), await post(DAYS, "a")
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    refused(await post({**DAYS, "title": None}, "a"), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(await post(DAYS, "b"), 409, "EXCEPTION_OVERLAPS")
    later = {**DAYS, "from": "2027-05-01", "to": "2027-05-01"}
    twins = await asyncio.gather(*(post(later, "b") for _ in range(MANY)))
    done = [answer for answer in twins if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    for answer in twins:
        if answer.status_code != 201:
            refused(answer, 409, "IDEMPOTENCY_IN_FLIGHT")
    assert len(await one.exceptions()) == 2


async def assert_there_are_only_so_many(owners: Resource) -> None:
    """See that an owner cannot have more than 500."""
    one = await owned(owners)
    await owners.run(
        """
        WITH added AS (
            INSERT INTO workhour_exceptions (uuid, owner_uuid, first, last, intervals)
            SELECT gen_random_uuid(), $1, date '2030-01-01' + n, date '2030-01-01' + n, '[]'
            FROM generate_series(1, 500) n
            RETURNING uuid, owner_uuid, first
        )
        INSERT INTO workhour_exception_days (exception_uuid, owner_uuid, day) SELECT * FROM added
        """,
        one.owner["uuid"],
    )
    refused(await one.post(), 409, "TOO_MANY_EXCEPTIONS")
