"""The store and auth services as the client service meets them, for its own tests.

`tests/contract` holds this fake to what the store service really does.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec

from services.client.client_api import FenceState, StoreFences
from services.client.errors import DeletionUndone
from shared.errors import GeraiError
from shared.security.credentials import TOKEN_PATH
from tests.support.tokens import access_token

_FENCE = re.compile(r"/internal/clients/(?P<uuid>[0-9a-f-]{36})/fence")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class FakeFences(StoreFences):
    """Fences in memory; with `failure`, nothing is known to be done, though with `deaf` it is.

    `on_set` runs when a fence has been set, before the answer.
    """

    def __init__(self) -> None:
        self.stores: dict[UUID, int] = {}
        self.fences: defaultdict[UUID, tuple[int, bool]] = defaultdict(lambda: (0, False))
        self.failure: GeraiError | None = None
        self.deaf = False
        self.on_set: Callable[[UUID], Awaitable[None]] | None = None
        self.asked: list[str] = []

    def is_set(self, client_uuid: UUID) -> bool:
        return self.fences[client_uuid][1]

    async def set(self, client_uuid: UUID, number: int, *, cascade: bool) -> FenceState:
        self.asked.append("set")
        if self.failure and not self.deaf:
            raise self.failure
        known, is_set = self.fences[client_uuid]
        if number < known or (number == known and not is_set):
            raise DeletionUndone
        living = self.stores.get(client_uuid, 0)
        if cascade or not living:
            self.fences[client_uuid] = (number, True)
            if self.on_set:
                await self.on_set(client_uuid)
        if self.failure:
            raise self.failure
        return FenceState(is_set=cascade or not living, living_stores=living)

    async def lift(self, client_uuid: UUID, number: int) -> None:
        self.asked.append("lift")
        if self.failure:
            raise self.failure
        if self.fences[client_uuid][0] <= number:
            self.fences[client_uuid] = (number, False)


class FakeStoreService:
    """An ASGI application that grants tokens and keeps fences.

    While `moving` is not set, nothing is answered. With `instead`, that status and body is the answer about
    every fence.
    """

    def __init__(self) -> None:
        self.fences = FakeFences()
        self.instead: tuple[int, bytes] | None = None
        self.moving = asyncio.Event()
        self.moving.set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, content = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> tuple[int, bytes]:
        if scope["path"] == TOKEN_PATH:
            grant = {"access_token": access_token("service"), "token_type": "Bearer", "expires_in": 900}
            return 200, msgspec.json.encode(grant)
        await self.moving.wait()
        if self.instead:
            return self.instead
        if not dict(scope["headers"]).get(b"authorization", b"").startswith(b"Bearer "):
            return _refusal(401, "UNAUTHENTICATED")
        asked = _FENCE.fullmatch(scope["path"])
        if asked is None:
            return _refusal(404, "NOT_FOUND")
        return await self._fence(scope, UUID(asked["uuid"]), receive)

    async def _fence(self, scope: dict[str, Any], uuid: UUID, receive: Receive) -> tuple[int, bytes]:
        if scope["method"] == "DELETE":
            await self.fences.lift(uuid, int(scope["query_string"].removeprefix(b"number=")))
            return 204, b""
        body = msgspec.json.decode((await receive())["body"])
        try:
            state = await self.fences.set(uuid, body["number"], cascade=body["cascade"])
        except DeletionUndone:
            return _refusal(409, "FENCE_OUTDATED")
        return 200, msgspec.json.encode({"status_code": 200, "message": "Success", "data": state})


def _refusal(status: int, code: str) -> tuple[int, bytes]:
    error: dict[str, Any] = {"code": code, "trace_id": "0" * 32, "details": []}
    return status, msgspec.json.encode({"status_code": status, "message": "No.", "error": error})
