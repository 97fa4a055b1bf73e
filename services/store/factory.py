"""Builds the store service: the only place where its objects are made and joined."""

from litestar.openapi.spec import Tag

from services.store import routes
from services.store.client_api import ClientApi
from services.store.config import StoreConfig
from services.store.controller.fences import FenceController
from services.store.controller.stores import StoreController
from services.store.events import CONSUMER, SOURCE, ClientEvents
from services.store.repository.client_hours import keep_parts
from services.store.repository.clients import ClientRepository, keep_client
from services.store.repository.fences import FenceRepository
from services.store.repository.imports import ImportedStoreRepository
from services.store.repository.stores import StoreRepository
from services.store.repository.workhours import WorkhourRepository
from services.store.usecase.fences import Fences
from services.store.usecase.imports import StoreImports, StoreKind
from services.store.usecase.known_clients import KnownClients
from services.store.usecase.stores import Stores
from services.store.usecase.workhours import StoreOwners
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
from shared.events.consumer import Consumer, member_name
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


def create_app(config: StoreConfig) -> Application:
    """Return the store service, ready to be served."""
    metrics = Metrics()
    link = RedisLink(config.redis, RedisMetrics(metrics.registry))
    database = Database(config.database, "gerai-store", link, metrics.registry)
    cache = ReadCache(link, Era(link, database), CacheMetrics(metrics.registry))
    auth = ServiceClient("auth", config.auth_url)
    clients = ServiceClient("client", config.client_url, auth=ServiceCredentials(auth, config.oauth))
    directory = ClientApi(clients)
    known = KnownClients(ClientRepository(database), directory)
    stores = StoreRepository(database, cache)
    use_cases = Stores(stores, directory, known, History(database))
    controller = StoreController(use_cases)
    owners = StoreOwners(use_cases, stores, WorkhourRepository(database, cache), known)
    schedules = schedule_controllers(owners, database)
    idempotent = IdempotentRoutes(database, config.idempotency)
    pruning = Pruning(database)
    imports = Imports(database, ImportMetrics("store", metrics.registry))
    kind = StoreKind(ImportedStoreRepository(cache), directory)
    importing = ImportWorker(imports, kind)
    events = EventMetrics(metrics.registry)
    relay = Relay("store", config, database, before_publish=[stores.invalidate], metrics=events)
    consumer = Consumer(
        CONSUMER,
        SOURCE,
        ClientEvents(stores, keep_client, keep_parts),
        database,
        config.redis,
        member=member_name(config.service),
        metrics=events,
    )
    return create_application(
        "store",
        config,
        routes=[
            *routes.routes(controller, ImportController(StoreImports(Intake(imports, kind))), idempotent),
            *routes.schedule_routes(schedules, idempotent),
        ],
        internal_routes=routes.internal_routes(FenceController(Fences(FenceRepository(database)))),
        verifier=TokenVerifier(config.token, key_source(config.token, auth)),
        tags=[Tag(name=routes.TAG, description="Stores, the places that clients run.")],
        metrics=metrics,
        on_start=[database.start, cache.start, relay.start, pruning.start, consumer.start, importing.start],
        on_stop=[
            importing.stop,
            pruning.stop,
            consumer.stop,
            relay.stop,
            cache.close,
            clients.close,
            auth.close,
            database.close,
        ],
    )
