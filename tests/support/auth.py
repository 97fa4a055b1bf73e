"""The auth service as its tests meet it: over HTTP, with a look at its database."""

import itertools
from datetime import timedelta
from typing import Any

import httpx

from tests.support.databases import TestDatabase, connect
from tests.support.tokens import bearer

PASSWORD = "a long enough password"

_numbers = itertools.count(1)


class AuthApi:
    """Speaks with a running auth service; time passes by moving the times that its database stores."""

    def __init__(self, http: httpx.AsyncClient, database: TestDatabase) -> None:
        self.http = http
        self._database = database

    async def make(self, role: str = "user", client_uuid: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Create a user with PASSWORD, as an admin would."""
        answer = await self.http.post(
            "/v1/users", json=user_body(role, client_uuid, **fields), headers=bearer()
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def login(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.http.post("/v1/auth/login", json={"email": email, "password": password})

    async def sign_in(self, email: str, password: str = PASSWORD) -> "Session":
        """Sign in, which has to succeed."""
        answer = await self.login(email, password)
        assert answer.status_code == 200, answer.text
        return Session(answer.json()["data"])

    async def refresh(self, token: str) -> httpx.Response:
        return await self.http.post("/v1/auth/refresh", json={"refresh_token": token})

    async def audit(self, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a query string
        """Return what the audit tells an admin, the newest first."""
        answer = await self.http.get("/v1/audit", params={"limit": 100, **query}, headers=bearer())
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def run(self, statement: str, *values: object) -> list[Any]:
        """Run a statement as the database's owner and return its rows."""
        connection = await connect(self._database.owner)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def age_tokens(self, seconds: float) -> None:
        """Let refresh tokens and sessions look `seconds` older."""
        ago = timedelta(seconds=seconds)
        for table, column in [("refresh_tokens", "used_at"), ("sessions", "revoked_at")]:
            older = f"{column} = {column} - $1::interval, expires_at = expires_at - $1::interval"
            await self.run(f"UPDATE {table} SET {older}", ago)  # noqa: S608 - both names are ours

    async def age_attempts(self, seconds: float) -> None:
        """Let attempts to sign in look `seconds` older."""
        await self.run(
            "UPDATE sign_in_attempts SET window_started_at = window_started_at - $1::interval,"
            " last_attempt_at = last_attempt_at - $1::interval",
            timedelta(seconds=seconds),
        )

    async def end_account(self, how: str) -> None:
        """Make every user inactive or deleted, and leave their sessions as they are."""
        statements = {
            "inactive": "UPDATE users SET is_active = false",
            "deleted": "UPDATE users SET deleted_at = now()",
        }
        await self.run(statements[how])


class Session:
    """The tokens of a sign-in."""

    def __init__(self, tokens: dict[str, Any]) -> None:
        self.access_token: str = tokens["access_token"]
        self.refresh_token: str = tokens["refresh_token"]
        self.headers = {"Authorization": f"Bearer {self.access_token}"}


def user_body(role: str = "user", client_uuid: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the body that creates a user."""
    number = next(_numbers)
    return {
        "email": f"person{number}@example.com",
        "name": f"Person {number}",
        "password": PASSWORD,
        "roles": [role],
        "client_uuid": client_uuid,
        **fields,
    }


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code of an answer."""
    return answer.status_code, answer.json()["error"]["code"]


def fields(answer: httpx.Response) -> set[str]:
    """Return the fields that a 400 names."""
    assert answer.status_code == 400, answer.text
    return {detail["field"] for detail in answer.json()["error"]["details"]}
