"""The platform's description: what each service says of itself, fetched and merged."""

import asyncio
import time
from collections.abc import Callable, Mapping

from gateway.constants import DOCUMENT_SECONDS
from gateway.errors import DocumentUnavailable
from gateway.merge import Document, merge
from gateway.routes import RouteTable
from shared.app import VERSION
from shared.errors import GeraiError
from shared.http import Rejected, ServiceClient


class Description:
    """Fetches and merges the services' documents, keeping the result for ten seconds."""

    def __init__(
        self,
        services: Mapping[str, ServiceClient],
        table: RouteTable,
        version_prefix: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._table = table
        self._info = _info(version_prefix)
        self._clock = clock
        self._known: dict[str, Document] = {}
        self._merged: Document = {}
        self._fresh_until = float("-inf")
        self._fetching = asyncio.Lock()

    async def document(self) -> Document:
        """Return the merged document; a service that is away is described as it last described itself.

        Raises:
            DocumentUnavailable: when a service never has.
        """
        async with self._fetching:
            if self._clock() >= self._fresh_until:
                await asyncio.gather(*(self._fetch(name) for name in self._services))
                self._merged = merge(self._all_known(), self._table, self._info)
                self._fresh_until = self._clock() + DOCUMENT_SECONDS
        return self._merged

    async def _fetch(self, name: str) -> None:
        try:
            self._known[name] = await self._services[name].get("/openapi.json", Document)
        except (GeraiError, Rejected):
            if name not in self._known:
                raise DocumentUnavailable(service=name) from None

    def _all_known(self) -> dict[str, Document]:
        return {name: self._known[name] for name in self._services}


def _info(version_prefix: str) -> Document:
    return {
        "title": "Gerai",
        "version": VERSION,
        "description": (
            "The system of record for client companies, their stores and their working hours. "
            f"Sign in at {version_prefix}/auth/login and send the access token as `Authorization: Bearer …`."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
