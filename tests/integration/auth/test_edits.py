"""Edits of users cannot overwrite one another."""

import pytest

from tests.support.auth import AuthApi
from tests.support.databases import TestDatabase
from tests.support.edits import assert_edits_are_conditional, assert_one_of_many_edits_wins
from tests.support.resource import Json, Resource
from tests.support.tokens import bearer

PASSWORD = "correct horse battery staple"


@pytest.fixture
def users(api: AuthApi, auth_database: TestDatabase) -> Resource:
    api.http.headers.update(bearer())
    return Resource(api.http, "/v1/users", _sample, auth_database)


def _sample(number: int) -> Json:
    return {
        "email": f"person{number}@example.com",
        "name": "A person",
        "password": PASSWORD,
        "roles": ["user"],
    }


async def test_edits_are_conditional(users: Resource) -> None:
    await assert_edits_are_conditional(users)


async def test_one_of_many_edits_wins(users: Resource) -> None:
    await assert_one_of_many_edits_wins(users)


async def test_who_has_the_present_user_is_told_so(users: Resource) -> None:
    made = await users.make()
    again = await users.http.get(users.url(made), headers={"If-None-Match": '"1"'})
    assert (again.status_code, again.content) == (304, b"")
