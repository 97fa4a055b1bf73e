"""The OpenAPI document of the whole platform, merged from what each service says of itself."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.constants import DOCUMENT_SECONDS
from gateway.errors import DocumentUnavailable
from gateway.routes import RouteTable
from shared.app import VERSION
from shared.errors import GeraiError
from shared.http import Rejected, ServiceClient

Document = dict[str, Any]

INFO = {
    "title": "Gerai",
    "version": VERSION,
    "description": (
        "The system of record for client companies, their stores and their working hours. "
        "Sign in at /v1/auth/login and send the access token as `Authorization: Bearer …`."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


class Description:
    """Fetches and merges the services' documents, keeping the result for ten seconds."""

    def __init__(self, services: Mapping[str, ServiceClient], routes: RouteTable) -> None:
        self._services = services
        self._routes = routes
        self._known: dict[str, Document] = {}
        self._merged: Document = {}
        self._fresh_until = float("-inf")

    async def document(self) -> Document:
        """Return the merged document; a service that is away is described as it last described itself.

        Raises:
            DocumentUnavailable: when a service never has.
        """
        if time.monotonic() >= self._fresh_until:
            await asyncio.gather(*(self._fetch(name) for name in self._services))
            self._merged = merge({name: self._known[name] for name in self._services}, self._routes)
            self._fresh_until = time.monotonic() + DOCUMENT_SECONDS
        return self._merged

    async def _fetch(self, name: str) -> None:
        try:
            self._known[name] = await self._services[name].get("/openapi.json", Document)
        except (GeraiError, Rejected) as error:
            if name not in self._known:
                raise DocumentUnavailable(service=name) from error


def merge(documents: Mapping[str, Document], routes: RouteTable) -> Document:
    """Return one document of all that `routes` let through.

    Components that services share are kept once; of those that differ under one name, later ones are
    renamed after their service.
    """
    merged: Document = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": {}},
        "security": [{"bearer": []}],
    }
    for service, document in documents.items():
        own = _renamed(document, service, merged["components"]["schemas"])
        routed = {path: item for path, item in own["paths"].items() if routes.find(path.encode())}
        merged["paths"].update(routed)
        merged["tags"] += own.get("tags", [])
        merged["components"]["schemas"].update(own["components"].get("schemas", {}))
        merged["components"]["securitySchemes"].update(own["components"].get("securitySchemes", {}))
    return merged


def _renamed(document: Document, service: str, taken: Document) -> Document:
    schemas: Document = document["components"].get("schemas", {})
    clashing = {name for name, schema in schemas.items() if name in taken and taken[name] != schema}
    text = msgspec.json.encode(document).decode()
    for name in clashing:
        new = f"{service.capitalize()}{name}"
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{new}"')
        text = text.replace(f'"{name}":{{', f'"{new}":{{')
    return msgspec.json.decode(text)
