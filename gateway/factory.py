"""Builds the gateway: the only place where its objects are made and joined."""

from collections.abc import Sequence

from litestar.types import ASGIApp

from gateway.config import GatewayConfig
from gateway.description import Description
from gateway.front import Front
from gateway.metrics_listener import MetricsListener
from gateway.pages import pages
from gateway.proxy import Proxy
from gateway.routes import Route, RouteTable, platform_routes
from gateway.upstream import Upstream
from shared.app import Application, assemble
from shared.http import ServiceClient
from shared.security.keys import key_source
from shared.security.tokens import TokenVerifier
from shared.telemetry.metrics import Metrics


def create_app(config: GatewayConfig, routes: Sequence[Route] | None = None) -> Application:
    """Return the gateway, ready to be served; `routes` replace those of the platform."""
    urls = {"auth": config.auth_url, "client": config.client_url, "store": config.store_url}
    services = {name: ServiceClient(name, url) for name, url in urls.items()}
    verifier = TokenVerifier(config.token, key_source(config.token, services["auth"]))
    table = RouteTable(platform_routes(config.service.endpoint_v) if routes is None else routes)
    upstreams = {name: Upstream(name, url) for name, url in urls.items()}
    metrics = Metrics()
    listener = MetricsListener(metrics, config.service.host, config.metrics_port)

    async def close_upstreams() -> None:
        for upstream in upstreams.values():
            upstream.close()

    def front(local: ASGIApp) -> ASGIApp:
        return Front(local, Proxy(table, upstreams, verifier))

    return assemble(
        "gateway",
        config,
        handlers=pages(Description(services, table, config.service.endpoint_v)),
        verifier=verifier,
        metrics=metrics,
        on_start=[listener.start],
        on_stop=[close_upstreams, *(service.close for service in services.values()), listener.stop],
        front=front,
        follows_callers=False,
    )
