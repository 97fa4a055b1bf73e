"""Decides what the gateway answers itself; all else is forwarded or refused by the proxy."""

from collections.abc import Awaitable

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway.proxy import NOSNIFF, Proxy

OWN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json", "/swagger"})
OWN_FOLDER = "/swagger/"


class Front:
    """The ASGI application in front of the gateway's own pages."""

    def __init__(self, own: ASGIApp, proxy: Proxy) -> None:
        self._own = own
        self._proxy = proxy

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in OWN_PATHS or scope["path"].startswith(OWN_FOLDER):
            return self._own(scope, receive, _saying_nosniff(send))
        return self._proxy(scope, receive, send)


def _saying_nosniff(send: Send) -> Send:
    async def observed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], NOSNIFF]
        await send(message)

    return observed
