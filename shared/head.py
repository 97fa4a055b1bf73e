"""HEAD, which every resource that answers GET answers too (RFC 9110, section 9.3.2)."""

from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

_ASKED = "gerai.head"


def is_head(scope: Scope) -> bool:
    """Tell whether HEAD is answered as GET here: nobody will see a body, so none needs to be made."""
    return _ASKED in scope


class HeadAsGet:
    """Lets an application answer HEAD as it would GET; the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = cast("HTTPScope", {**scope, "method": "GET", _ASKED: True})
        try:
            await self._app(asked, receive, send)
        finally:
            if "path_template" in asked:
                scope["path_template"] = asked["path_template"]
