"""A gate between two services: tests hold a request before it arrives, or its answer before it returns."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

_KEPT = (b"authorization", b"content-type")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Gate:
    """An ASGI application that passes requests on to `target`.

    While `closed` names a method and a side of it, requests of that method wait there: `reached` is set once
    one does, and `open` lets all pass.
    """

    target: str
    closed: tuple[str, Literal["before", "after"]] | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def close(self, method: str, side: Literal["before", "after"]) -> None:
        """Hold requests of `method` on this side of their being served."""
        self.closed = (method, side)
        self.reached.clear()
        self._opened.clear()

    def open(self) -> None:
        """Let everything pass, what has been held included."""
        self.closed = None
        self._opened.set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back."""
        if scope["type"] != "http":
            return
        method, body = scope["method"], (await receive())["body"]
        await self._pass(method, "before")
        query = scope["query_string"].decode()
        url = f"{self.target}{scope['path']}?{query}" if query else f"{self.target}{scope['path']}"
        headers = [(name, value) for name, value in scope["headers"] if name in _KEPT]
        async with httpx.AsyncClient() as http:
            answer = await http.request(method, url, content=body, headers=headers)
        await self._pass(method, "after")
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() in _KEPT]
        length = [] if answer.status_code == 204 else [(b"content-length", str(len(answer.content)).encode())]
        start = {"type": "http.response.start", "status": answer.status_code, "headers": kept + length}
        await send(start)
        await send({"type": "http.response.body", "body": answer.content})

    async def _pass(self, method: str, side: str) -> None:
        if self.closed == (method, side):
            self.reached.set()
            await self._opened.wait()
