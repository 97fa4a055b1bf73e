"""Every process is wired by its factory, and nothing is built before the factory is called."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.factory import create_app as create_gateway
from services.auth.config import AuthConfig
from services.auth.factory import create_app as create_auth
from services.client.config import ClientConfig
from services.client.factory import create_app as create_client
from services.store.config import StoreConfig
from services.store.factory import create_app as create_store
from shared.app import Application
from shared.config import load

ROOT = Path(__file__).parents[2]

ENVIRONMENT = {
    "SERVICE_PORT": "1",
    "LOG_LEVEL": "ERROR",
    "DB_HOST": "db.invalid",
    "DB_USER": "app",
    "DB_PASSWORD": "only-for-tests",
    "DB_NAME": "gerai",
    "REDIS_HOST": "redis.invalid",
    "AUTH_URL": "http://auth.invalid",
    "CLIENT_URL": "http://client.invalid",
    "STORE_URL": "http://store.invalid",
    "OAUTH_CLIENT_ID": "store",
    "OAUTH_CLIENT_SECRET": "only-for-tests",
    "IDEMPOTENCY_SECRET": "only-for-tests-" + "0123456789abcdef" * 2,
    "METRICS_PORT": "2",
}

# What a module must not make while it is imported.
BUILT = """
import gc, importlib, sys
importlib.import_module(sys.argv[1])
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine
from shared.http import ServiceClient
from shared.app import Application
kinds = (Litestar, AsyncEngine, ServiceClient, Application)
sys.exit(", ".join(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds)) or 0)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**ENVIRONMENT, "JWT_KEY_FILE": str(tmp_path / "jwt.pem")}


def operations(application: Application) -> set[str]:
    return {route.path for route in application.litestar.routes}


def test_auth_is_wired(environment: dict[str, str]) -> None:
    paths = operations(create_auth(load(AuthConfig, environment)))
    assert {"/v1/auth/login", "/v1/users", "/.well-known/jwks.json"} <= paths


def test_client_is_wired(environment: dict[str, str]) -> None:
    assert "/v1/master-client" in operations(create_client(load(ClientConfig, environment)))


def test_store_is_wired(environment: dict[str, str]) -> None:
    assert "/v1/stores" in operations(create_store(load(StoreConfig, environment)))


def test_the_gateway_is_wired(environment: dict[str, str]) -> None:
    paths = operations(create_gateway(load(GatewayConfig, environment)))
    assert {"/healthz", "/readyz", "/openapi.json", "/swagger"} <= paths
    assert "/metrics" not in paths


def test_the_prefix_is_configured(environment: dict[str, str]) -> None:
    config = load(ClientConfig, {**environment, "SERVICE_ENDPOINT_V": "/api/v2"})
    assert "/api/v2/master-client" in operations(create_client(config))


@pytest.mark.parametrize(
    "module",
    ["services.auth.factory", "services.client.factory", "services.store.factory", "gateway.factory"],
)
def test_nothing_is_built_at_import(module: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", BUILT, module], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
