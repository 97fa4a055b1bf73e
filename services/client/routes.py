"""The URL table of the client service, read once at start."""

from litestar import delete, get, patch
from litestar.handlers import HTTPRouteHandler

from services.client.controller.clients import ClientController
from services.client.errors import (
    ClientHasStores,
    ClientNotFound,
    DeletionUnderWay,
    DeletionUndone,
    DuplicateClient,
)
from services.client.schema import ClientQuery, DeleteQuery
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

TAG = "clients"

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_STORES = (
    ClientHasStores,
    DeletionUnderWay,
    BadGateway,
    DeletionUndone,
    ServiceUnavailable,
    GatewayTimeout,
)

IMPORT_SAMPLE = {"name": "Kopi Nusantara", "email": "halo@kopi-nusantara.example", "city": "Jakarta"}


def routes(
    clients: ClientController, imports: ImportController, idempotent: IdempotentRoutes
) -> list[HTTPRouteHandler]:
    """Return the endpoints apps reach through the gateway."""
    path, one = "/master-client", "/master-client/{uuid:str}"
    reading = responses(InvalidInput, Unauthenticated, ClientNotFound)
    creating = (*_BODY, Unauthenticated, Forbidden, DuplicateClient)
    changing = responses(
        *_BODY, Unauthenticated, Forbidden, ClientNotFound, DuplicateClient, PreconditionFailed
    )
    deleting = responses(
        InvalidInput, Unauthenticated, Forbidden, ClientNotFound, PreconditionFailed, *_STORES
    )
    listing = responses(InvalidInput, Unauthenticated)
    return [
        idempotent.post(path, summary="Register a client", tags=[TAG], errors=creating)(clients.create),
        get(
            path,
            summary="List clients",
            tags=[TAG],
            responses=listing,
            operation_class=with_query(ClientQuery),
        )(clients.list),
        get(one, summary="Read a client", tags=[TAG], responses=reading)(clients.read),
        get(
            f"{one}/history",
            summary="Read what happened to a client",
            tags=[TAG],
            responses=responses(InvalidInput, Unauthenticated, Forbidden, ClientNotFound),
            operation_class=with_query(HistoryQuery),
        )(clients.history),
        patch(one, summary="Change a client", tags=[TAG], responses=changing)(clients.change),
        delete(
            one,
            summary="End a client",
            tags=[TAG],
            responses=deleting,
            operation_class=with_query(DeleteQuery),
        )(clients.delete),
        get(
            f"{path}/export",
            summary="Export clients",
            tags=[TAG],
            responses=listing,
            operation_class=export_operation(ClientQuery),
        )(clients.export),
        *import_routes(path, "clients", imports, idempotent, TAG, IMPORT_SAMPLE),
    ]


def schedule_routes(controllers: ScheduleControllers, idempotent: IdempotentRoutes) -> list[HTTPRouteHandler]:
    """Return the endpoints of the clients' schedules."""
    unknown = (ClientNotFound,)
    return ScheduleRoutes(
        "/master-client/{uuid:str}", TAG, reading=unknown, changing=unknown, urgent=unknown
    ).all(controllers, idempotent)


def internal_routes(clients: ClientController) -> list[HTTPRouteHandler]:
    """Return the endpoints for services alone, never routed by the gateway."""
    return [get("/internal/clients/{uuid:str}", include_in_schema=False)(clients.read_uncached)]
