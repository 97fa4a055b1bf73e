"""The client and auth services as the store service meets them, for its own tests.

`tests/contract` holds this fake to what the client service really does.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec

from services.store.schema import Client
from shared.identifiers import new_uuid
from shared.schedules.known import Parts
from shared.security.credentials import TOKEN_PATH
from tests.support.stores import facts, with_schedule
from tests.support.tokens import access_token

_CLIENT = re.compile(r"/internal/clients/(?P<uuid>[0-9a-f-]{36})")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class FakeNeighbours:
    """An ASGI application that grants tokens and knows clients.

    With `instead`, that status and body is the answer about every client; while `moving` is not set, none
    comes; with `granting` false, tokens are refused.
    """

    def __init__(self) -> None:
        self.clients: dict[UUID, Client] = {}
        self.schedules: dict[UUID, Parts] = {}
        self.asked = 0
        self.granted = 0
        self.instead: tuple[int, bytes] | None = None
        self.granting = True
        self.moving = asyncio.Event()
        self.moving.set()

    def add(self, *, is_active: bool = True) -> UUID:
        """Add a client and return its id."""
        client = facts(new_uuid(), is_active=is_active)
        self.clients[client.uuid] = client
        return client.uuid

    async def __call__(self, scope: dict[str, Any], receive: object, send: Send) -> None:
        """Answer one request."""
        del receive
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if scope["path"] == TOKEN_PATH:
            status, body = self._grant()
        elif not headers.get(b"authorization", b"").startswith(b"Bearer "):
            status, body = _refusal(401, "UNAUTHENTICATED", "Sign in first.")
        else:
            whole = scope["query_string"] == b"include=schedule"
            status, body = await self._client(scope["path"], whole=whole)
        start = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": body})

    def _grant(self) -> tuple[int, bytes]:
        if not self.granting:
            return 401, b'{"error": "invalid_client"}'
        self.granted += 1
        answer = {"access_token": access_token("service"), "token_type": "Bearer", "expires_in": 900}
        return 200, msgspec.json.encode(answer)

    async def _client(self, path: str, *, whole: bool) -> tuple[int, bytes]:
        self.asked += 1
        await self.moving.wait()
        if self.instead:
            return self.instead
        asked = _CLIENT.fullmatch(path)
        if asked is None:
            return _refusal(404, "NOT_FOUND", "Nothing is here.")
        client = self.clients.get(UUID(asked["uuid"]))
        if client is None:
            return _refusal(404, "CLIENT_NOT_FOUND", f"Client with id '{asked['uuid']}' not found")
        data = with_schedule(client, self.schedules.get(client.uuid)) if whole else client
        return 200, msgspec.json.encode({"status_code": 200, "message": "Success", "data": data})


def _refusal(status: int, code: str, message: str) -> tuple[int, bytes]:
    error: dict[str, Any] = {"code": code, "trace_id": "0" * 32, "details": []}
    return status, msgspec.json.encode({"status_code": status, "message": message, "error": error})
