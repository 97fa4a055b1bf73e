"""The URL table of the store service, read once at start."""

from litestar import delete, get, patch, post, put
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
from shared.openapi import responses, with_query

TAG = "stores"

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_CALLER = (Unauthenticated, Forbidden)
_CLIENT = (ClientNotFound, ClientInactive, BadGateway, ServiceUnavailable, GatewayTimeout)


def routes(stores: StoreController) -> list[HTTPRouteHandler]:
    """Return the endpoints apps reach through the gateway."""
    path, one = "/stores", "/stores/{uuid:str}"
    creating = responses(*_BODY, *_CALLER, *_CLIENT, ClientBeingDeleted, DuplicateStore)
    listing = responses(InvalidInput, *_CALLER)
    reading = responses(InvalidInput, *_CALLER, StoreNotFound, BadGateway, ServiceUnavailable, GatewayTimeout)
    changing = responses(*_BODY, *_CALLER, StoreNotFound, *_CLIENT, DuplicateStore)
    deleting = responses(InvalidInput, *_CALLER, StoreNotFound)
    return [
        post(path, summary="Open a store", tags=[TAG], responses=creating)(stores.create),
        get(
            path, summary="List stores", tags=[TAG], responses=listing, operation_class=with_query(StoreQuery)
        )(stores.list),
        get(
            one, summary="Read a store", tags=[TAG], responses=reading, operation_class=with_query(ReadQuery)
        )(stores.read),
        patch(one, summary="Change a store", tags=[TAG], responses=changing)(stores.change),
        delete(one, summary="Close a store", tags=[TAG], responses=deleting)(stores.delete),
    ]


def internal_routes(fences: FenceController) -> list[HTTPRouteHandler]:
    """Return the endpoints for services alone, never routed by the gateway."""
    path = "/internal/clients/{uuid:str}/fence"
    return [
        get(path, include_in_schema=False)(fences.read),
        put(path, include_in_schema=False)(fences.set),
        delete(path, include_in_schema=False)(fences.lift),
    ]
