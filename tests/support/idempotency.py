"""What every creating route promises to those who repeat a request with its key."""

import asyncio

import httpx

from tests.support.crowds import AT_ONCE, ROUNDS
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

KEY = "Idempotency-Key"


async def post(resource: Resource, body: Json, key: str, caller: dict[str, str]) -> httpx.Response:
    return await resource.http.post(resource.path, json=body, headers={**caller, KEY: key})


async def assert_a_repetition_is_replayed(resource: Resource) -> None:
    """See that the same request gets the same bytes, another one 422, and another caller their own."""
    body, caller = resource.body(), bearer()
    first = await post(resource, body, "abc", caller)
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers
    for key in ("abc", '"abc"'):
        again = await post(resource, dict(reversed(body.items())), key, caller)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        for name in ("location", "etag", "content-type"):
            assert again.headers[name] == first.headers[name]
    refused(await post(resource, {**body, "name": "Other"}, "abc", caller), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(await post(resource, body, "abc", bearer()), 409)
    assert (await post(resource, resource.body(), "abc", bearer())).status_code == 201
    assert len(await resource.listed()) == 2
    assert len(await resource.run("SELECT 1 FROM idempotency_keys")) == 2


async def assert_a_refusal_leaves_the_key_free(resource: Resource) -> None:
    """See that nothing is kept of what failed, and that the corrected request is served."""
    made, caller = resource.body(), bearer()
    assert (await post(resource, made, "first", caller)).status_code == 201
    refused(await post(resource, made, "second", caller), 409)
    assert len(await resource.run("SELECT 1 FROM idempotency_keys")) == 1
    assert (await post(resource, resource.body(), "second", caller)).status_code == 201


async def assert_rights_are_looked_at_again(resource: Resource) -> None:
    """See that a caller who is no longer what they were, and still may do this, gets the replay."""
    body, caller = resource.body(), bearer()
    assert (await post(resource, body, "abc", caller)).status_code == 201
    await resource.run("UPDATE idempotency_keys SET authority = 'manager of all'")
    again = await post(resource, body, "abc", caller)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")


async def assert_twins_create_one(resource: Resource) -> None:
    """See that of many at once one creates, and that the others are told to wait or get its answer."""
    for _ in ROUNDS:
        await _assert_one_is_created(resource)
    assert len(await resource.listed()) == len(ROUNDS)


async def _assert_one_is_created(resource: Resource) -> None:
    body, caller = resource.body(), bearer()
    answers = await asyncio.gather(*(post(resource, body, "abc", caller) for _ in range(AT_ONCE)))
    waiting = [answer for answer in answers if answer.status_code == 409]
    for answer in waiting:
        refused(answer, 409, "IDEMPOTENCY_IN_FLIGHT")
        assert answer.headers["retry-after"] == "1"
    done = [answer for answer in answers if answer.status_code == 201]
    assert len(done) + len(waiting) == AT_ONCE
    assert len({answer.content for answer in done}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in done) == 1


async def assert_only_keys_are_accepted(resource: Resource) -> None:
    """See that what is no key is refused by name, before anything is created."""
    for key in ("", '""', '"abc', 'abc"', "a b", "a,b", "a;b", '"a";b=1', "a\\b", "ö", "\x01", "x" * 256):
        caller = [(name.encode(), value.encode()) for name, value in bearer().items()]
        headers = [(KEY.encode(), key.encode()), *caller]
        answer = await resource.http.post(resource.path, json=resource.body(), headers=headers)
        assert fields_of(refused(answer, 400)) == [KEY], key
    assert await resource.listed() == []
    for key in ("x" * 255, '"a b, c"', r'"a\"b\\c"', "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", "a+b/c=="):
        assert (await post(resource, resource.body(), key, bearer())).status_code == 201, key
