"""The URL table of the store service, read once at start."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import delete, get, patch, put
from litestar.handlers import HTTPRouteHandler

from services.store.controller.fences import FenceController
from services.store.controller.stores import StoreController
from services.store.errors import (
    ClientBeingDeleted,
    ClientInactive,
    ClientNotFound,
    DuplicateStore,
    StoreNotFound,
)
from services.store.schema import ReadQuery, StoreQuery
from shared.bulk.controller import ImportController
from shared.bulk.export import export_operation
from shared.bulk.routes import import_routes
from shared.errors import (
    BadGateway,
    Forbidden,
    GatewayTimeout,
    InvalidInput,
    MalformedBody,
    ServiceUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.events.history import HistoryQuery
from shared.idempotency.routes import IdempotentRoutes
from shared.openapi import responses, with_query
from shared.preconditions import PreconditionFailed
from shared.schedules.factory import ScheduleControllers
from shared.schedules.routes import ScheduleRoutes

TAG = "stores"

Handler = Callable[..., Awaitable[Any]]

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_CALLER = (Unauthenticated, Forbidden)
_CLIENT = (ClientNotFound, ClientInactive, BadGateway, ServiceUnavailable, GatewayTimeout)

IMPORT_SAMPLE = {
    "client_uuid": "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f",
    "code": "JKT-01",
    "name": "Kopi Nusantara Menteng",
    "city": "Jakarta",
}


def routes(
    stores: StoreController, imports: ImportController, idempotent: IdempotentRoutes
) -> list[HTTPRouteHandler]:
    """Return the endpoints apps reach through the gateway."""
    path, one = "/stores", "/stores/{uuid:str}"
    creating = (*_BODY, *_CALLER, *_CLIENT, ClientBeingDeleted, DuplicateStore)
    listing = responses(InvalidInput, *_CALLER)
    reading = responses(InvalidInput, *_CALLER, StoreNotFound, BadGateway, ServiceUnavailable, GatewayTimeout)
    changing = responses(*_BODY, *_CALLER, StoreNotFound, *_CLIENT, DuplicateStore, PreconditionFailed)
    deleting = responses(InvalidInput, *_CALLER, StoreNotFound, PreconditionFailed)

    def lists(path: str, summary: str, handler: Handler) -> HTTPRouteHandler:
        description = with_query(StoreQuery)
        return get(path, summary=summary, tags=[TAG], responses=listing, operation_class=description)(handler)

    def reads(path: str, summary: str, handler: Handler) -> HTTPRouteHandler:
        description = with_query(ReadQuery)
        return get(path, summary=summary, tags=[TAG], responses=reading, operation_class=description)(handler)

    return [
        idempotent.post(path, summary="Open a store", tags=[TAG], errors=creating)(stores.create),
        lists(path, "List stores", stores.list),
        reads(one, "Read a store", stores.read),
        lists("/uncached/stores", "List stores, past the cache", stores.list_uncached),
        reads("/uncached/stores/{uuid:str}", "Read a store, past the cache", stores.read_uncached),
        get(
            f"{one}/history",
            summary="Read what happened to a store",
            tags=[TAG],
            responses=responses(InvalidInput, *_CALLER, StoreNotFound),
            operation_class=with_query(HistoryQuery),
        )(stores.history),
        patch(one, summary="Change a store", tags=[TAG], responses=changing)(stores.change),
        delete(one, summary="Close a store", tags=[TAG], responses=deleting)(stores.delete),
        get(
            f"{path}/export",
            summary="Export stores",
            tags=[TAG],
            responses=listing,
            operation_class=export_operation(StoreQuery),
        )(stores.export),
        *import_routes(path, "stores", imports, idempotent, TAG, IMPORT_SAMPLE),
    ]


def schedule_routes(controllers: ScheduleControllers, idempotent: IdempotentRoutes) -> list[HTTPRouteHandler]:
    """Return the endpoints of the stores' schedules."""
    return ScheduleRoutes(
        "/stores/{uuid:str}",
        TAG,
        reading=(Forbidden, StoreNotFound, BadGateway, ServiceUnavailable, GatewayTimeout),
        changing=(StoreNotFound, *_CLIENT),
        urgent=(StoreNotFound,),
    ).all(controllers, idempotent)


def internal_routes(fences: FenceController) -> list[HTTPRouteHandler]:
    """Return the endpoints for services alone, never routed by the gateway."""
    path = "/internal/clients/{uuid:str}/fence"
    return [
        get(path, include_in_schema=False)(fences.read),
        put(path, include_in_schema=False)(fences.set),
        delete(path, include_in_schema=False)(fences.lift),
    ]
