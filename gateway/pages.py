"""What the gateway answers itself: the platform's description, and Swagger UI from local files."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from gateway.description import Description
from shared.errors import NotFound
from shared.security.guards import PUBLIC

# What the page may load: nothing that is not served here. Swagger UI shows its icons as data URLs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_OWN = Path(__file__).parent / "swagger"
_UI = Path(str(distribution("swagger-ui-py").locate_file("swagger_ui/static")))  # its files, not its code
_FILES = {
    "index.html": (_OWN / "index.html", MediaType.HTML),
    "start.js": (_OWN / "start.js", "text/javascript"),
    "swagger-ui.css": (_UI / "swagger-ui.css", MediaType.CSS),
    "swagger-ui-bundle.js": (_UI / "swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": (_UI / "favicon-32x32.png", "image/png"),
}


def pages(description: Description) -> list[HTTPRouteHandler]:
    """Return the handlers of the gateway's own pages."""

    @get("/openapi.json", opt={PUBLIC: True}, include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return await description.document()

    @get(["/swagger"], opt={PUBLIC: True}, include_in_schema=False)
    async def swagger() -> Redirect:
        return Redirect("/swagger/index.html")

    @get("/swagger/{name:str}", opt={PUBLIC: True}, include_in_schema=False)
    async def swagger_file(name: FromPath[str]) -> Response[bytes]:
        if name not in _FILES:
            raise NotFound(path=f"/swagger/{name}")
        file, media_type = _FILES[name]
        return Response(
            file.read_bytes(),
            media_type=media_type,
            headers={
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
                "Cache-Control": "no-cache",
            },
        )

    return [openapi, swagger, swagger_file]
