"""Builds the client service: the only place where its objects are made and joined."""

from litestar.openapi.spec import Tag

from services.client import routes
from services.client.client_api import StoreApi
from services.client.config import ClientConfig
from services.client.controller.clients import ClientController
from services.client.repository.clients import ClientRepository
from services.client.repository.deletions import DeletionRepository
from services.client.repository.imports import ImportedClientRepository
from services.client.repository.workhours import WorkhourRepository
from services.client.usecase.clients import Clients
from services.client.usecase.deletions import Deletions, Undoing
from services.client.usecase.imports import ClientImports, ClientKind
from services.client.usecase.workhours import ClientOwners
from shared.app import Application
from shared.bulk.controller import ImportController
from shared.bulk.imports import Imports
from shared.bulk.intake import Intake
from shared.bulk.metrics import ImportMetrics
from shared.bulk.worker import ImportWorker
from shared.cache.era import Era
from shared.cache.link import RedisLink
from shared.cache.metrics import CacheMetrics, RedisMetrics
from shared.cache.reads import ReadCache
from shared.db import Database
from shared.events.history import History
from shared.events.metrics import EventMetrics
from shared.events.relay import Relay
from shared.http import ServiceClient
from shared.idempotency.pruning import Pruning
from shared.idempotency.routes import IdempotentRoutes
from shared.schedules.factory import schedule_controllers
from shared.security.credentials import ServiceCredentials
from shared.security.keys import key_source
from shared.security.tokens import TokenVerifier
from shared.service import create_application
from shared.telemetry.metrics import Metrics


def create_app(config: ClientConfig) -> Application:
    """Return the client service, ready to be served."""
    auth = ServiceClient("auth", config.auth_url)
    stores = ServiceClient("store", config.store_url, auth=ServiceCredentials(auth, config.oauth))
    metrics = Metrics()
    link = RedisLink(config.redis, RedisMetrics(metrics.registry))
    database = Database(config.database, "gerai-client", link, metrics.registry)
    cache = ReadCache(link, Era(link, database), CacheMetrics(metrics.registry))
    clients = ClientRepository(database, cache)
    deletions = Deletions(clients, DeletionRepository(database), StoreApi(stores))
    undoing = Undoing(deletions)
    controller = ClientController(Clients(clients, History(database)), deletions)
    owners = ClientOwners(clients, WorkhourRepository(database, cache))
    schedules = schedule_controllers(owners, database)
    idempotent = IdempotentRoutes(database, config.idempotency)
    pruning = Pruning(database)
    imports = Imports(database, ImportMetrics("client", metrics.registry))
    kind = ClientKind(ImportedClientRepository(cache))
    importing = ImportWorker(imports, kind)
    events = EventMetrics(metrics.registry)
    relay = Relay("client", config, database, before_publish=[clients.invalidate], metrics=events)
    return create_application(
        "client",
        config,
        routes=[
            *routes.routes(controller, ImportController(ClientImports(Intake(imports, kind))), idempotent),
            *routes.schedule_routes(schedules, idempotent),
        ],
        internal_routes=routes.internal_routes(controller),
        verifier=TokenVerifier(config.token, key_source(config.token, auth)),
        tags=[Tag(name=routes.TAG, description="Client companies, the masters of stores.")],
        metrics=metrics,
        on_start=[database.start, cache.start, relay.start, pruning.start, undoing.start, importing.start],
        on_stop=[
            importing.stop,
            pruning.stop,
            undoing.stop,
            relay.stop,
            cache.close,
            stores.close,
            auth.close,
            database.close,
        ],
    )
