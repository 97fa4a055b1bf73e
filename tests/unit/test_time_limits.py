"""Nothing that a process asks of another may take for ever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine

import shared.engine
from gateway.config import GatewayConfig
from gateway.factory import create_app as create_gateway
from gateway.routes import platform_routes
from gateway.upstream import IDLE_SECONDS
from services.auth.config import AuthConfig
from services.auth.factory import create_app as create_auth
from services.client.config import ClientConfig
from services.client.factory import create_app as create_client
from services.store.config import StoreConfig
from services.store.factory import create_app as create_store
from shared.config import load
from shared.http import transport
from shared.server import KEEP_ALIVE_SECONDS
from tests.unit.test_factories import ENVIRONMENT

LONGEST = 30
"""More seconds than any limit may allow."""

PROCESSES: dict[str, tuple[Callable[..., object], type[Any]]] = {
    "auth": (create_auth, AuthConfig),
    "client": (create_client, ClientConfig),
    "store": (create_store, StoreConfig),
    "gateway": (create_gateway, GatewayConfig),
}


def recorded(monkeypatch: pytest.MonkeyPatch, type_: type[Any]) -> list[Any]:
    """Return a list of every object of `type_` that is made from now on."""
    made: list[Any] = []
    original = type_.__init__

    def init(self: object, *arguments: object, **keywords: object) -> None:
        made.append(self)
        original(self, *arguments, **keywords)

    monkeypatch.setattr(type_, "__init__", init)
    return made


@pytest.mark.parametrize("process", PROCESSES)
def test_every_client_of_a_process_has_limits(
    process: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limits: dict[str, object] = {}

    def engine(*arguments: object, **keywords: Any) -> object:  # noqa: ANN401 - SQLAlchemy's own keywords
        connect = keywords["connect_args"]
        limits["database pool"] = keywords["pool_timeout"]
        limits["database connect"] = connect["timeout"]
        limits["database command"] = connect["command_timeout"]
        limits["database statement"] = float(
            connect["server_settings"]["statement_timeout"].removesuffix("s")
        )
        return create_async_engine(*arguments, **keywords)  # type: ignore[arg-type] - passed on

    monkeypatch.setattr(shared.engine, "create_async_engine", engine)
    clients, caches = recorded(monkeypatch, httpx.AsyncClient), recorded(monkeypatch, Redis)
    create, config = PROCESSES[process]
    create(load(config, {**ENVIRONMENT, "JWT_KEY_FILE": str(tmp_path / "jwt.pem")}))
    for number, client in enumerate(clients):
        limits |= {f"HTTP {number} {name}": each for name, each in client.timeout.as_dict().items()}
    for number, cache in enumerate(caches):
        keywords = cache.get_connection_kwargs()
        limits |= {
            f"Redis {number} {name}": keywords.get(name)
            for name in ("socket_timeout", "socket_connect_timeout")
        }
    assert limits
    for name, seconds in limits.items():
        assert isinstance(seconds, int | float), f"{name} has no limit"
        assert 0 < seconds < LONGEST, name


def test_every_route_has_a_limit() -> None:
    assert all(0 < route.seconds < LONGEST for route in platform_routes("/v1"))


def test_the_side_that_sends_closes_unused_connections_first() -> None:
    """A server that closes first may do so while a request is on its way."""
    assert max(transport.IDLE_SECONDS, IDLE_SECONDS) * 2 < KEEP_ALIVE_SECONDS
