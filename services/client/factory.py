"""Builds the client service: the only place where its objects are made and joined."""

from litestar.openapi.spec import Tag

from services.client import routes
from services.client.config import ClientConfig
from services.client.controller.clients import ClientController
from services.client.repository.clients import ClientRepository
from services.client.usecase.clients import Clients
from shared.app import Application, create_application
from shared.db import Database
from shared.http import ServiceClient
from shared.security.keys import key_source
from shared.security.tokens import TokenVerifier


def create_app(config: ClientConfig) -> Application:
    """Return the client service, ready to be served."""
    database = Database(config.database, "gerai-client")
    auth = ServiceClient("auth", config.auth_url)
    controller = ClientController(Clients(ClientRepository(database)))
    return create_application(
        "client",
        config,
        routes=routes.routes(controller),
        internal_routes=routes.internal_routes(controller),
        verifier=TokenVerifier(config.token, key_source(config.token, auth)),
        tags=[Tag(name=routes.TAG, description="Client companies, the masters of stores.")],
        on_stop=[auth.close, database.close],
    )
