"""The routes of imports, whatever is imported."""

from collections.abc import Mapping

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from shared.bulk.controller import ImportController
from shared.bulk.errors import ImportNotFound, TooManyRows, UploadTooSlow
from shared.bulk.intake import READERS
from shared.bulk.schema import ImportQuery
from shared.bulk.writing import CsvWriter, NdjsonWriter
from shared.errors import (
    Forbidden,
    InvalidInput,
    MalformedBody,
    PayloadTooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.idempotency.routes import IdempotentRoutes, Upload
from shared.openapi import responses

MOST_BYTES = 1024**3
"""The largest file that is imported."""

_STARTING = (
    *(InvalidInput, MalformedBody, Unauthenticated, Forbidden),
    *(UploadTooSlow, PayloadTooLarge, TooManyRows, UnsupportedMediaType),
)
_READING = (InvalidInput, Unauthenticated, Forbidden, ImportNotFound)


def import_routes(
    path: str,
    what: str,
    imports: ImportController,
    idempotent: IdempotentRoutes,
    tag: str,
    sample: Mapping[str, str],
) -> list[HTTPRouteHandler]:
    """Return the routes that import `what` below `path`; `sample` is one row, as examples show it."""
    upload = Upload(_examples(sample), ImportQuery, MOST_BYTES)
    importing = idempotent.upload(
        f"{path}/import", upload, summary=f"Import {what}", tags=[tag], errors=_STARTING
    )
    reading = get(
        f"{path}/imports/{{uuid:str}}",
        summary=f"Read what came of an import of {what}",
        tags=[tag],
        responses=responses(*_READING),
    )
    return [importing(imports.start), reading(imports.read)]


def _examples(sample: Mapping[str, str]) -> dict[str, str]:
    lines = {
        CsvWriter.media_type: ",".join(sample) + "\r\n" + ",".join(sample.values()) + "\r\n",
        NdjsonWriter.media_type: msgspec.json.encode(sample).decode() + "\n",
    }
    return {media_type: lines[media_type] for media_type in READERS}
