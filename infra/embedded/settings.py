"""What a person can set about the platform: the environment, with the checkout's `.env` below it."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from infra.embedded.errors import StartError
from shared.config import ConfigurationError, Fragment, Port, Secret, load

PORTS = {
    "gateway": "GATEWAY_PORT",
    "auth": "AUTH_PORT",
    "client": "CLIENT_PORT",
    "store": "STORE_PORT",
    "PostgreSQL": "POSTGRES_PORT",
    "Redis": "REDIS_PORT",
    "gateway metrics": "GATEWAY_METRICS_PORT",
}
"""The variable that moves the port of each listener."""


class Settings(Fragment, frozen=True, kw_only=True):
    """The platform's settings; a field is the variable of the same name in capitals."""

    gateway_port: Port = 8080
    auth_port: Port = 8001
    client_port: Port = 8002
    store_port: Port = 8003
    postgres_port: Port = 54320
    redis_port: Port = 63790
    gateway_metrics_port: Port = 9080

    admin_email: str = "admin@example.com"
    admin_password: Secret | None = None
    jwt_algorithm: Literal["EdDSA", "HS256"] = "EdDSA"
    jwt_secret: Secret | None = None
    service_host: str = "127.0.0.1"
    service_endpoint_v: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._-]+)+$")] = "/v1"
    service_environment: Literal["development", "test", "production"] = "development"
    service_drain_seconds: Annotated[float, Meta(ge=0, le=300)] = 0.0
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] | None = None
    database_url: Secret | None = None
    redis_url: Secret | None = None
    gerai_demo: bool = True

    def ports(self) -> dict[str, int]:
        """Return the port of each listener of ours, without those of servers that someone else runs."""
        ports: dict[str, int] = {name: getattr(self, variable.lower()) for name, variable in PORTS.items()}
        if self.database_url:
            del ports["PostgreSQL"]
        if self.redis_url:
            del ports["Redis"]
        return ports

    def url(self, process: str) -> str:
        """Return the base URL of a process."""
        return f"http://127.0.0.1:{self.ports()[process]}"


class RedisAddress(msgspec.Struct, frozen=True):
    """Where a Redis server is and how to sign in there."""

    host: str
    port: int
    password: str
    database: int = 0
    tls: bool = False


def user_environment(root: Path) -> dict[str, str]:
    """Return what the person set: the environment, and below it the `.env` of `root`. Empty means unset."""
    values = {**dotenv_values(root / ".env", interpolate=False), **os.environ}
    return {name: value for name, value in values.items() if value}


def read(environment: dict[str, str]) -> Settings:
    """Return the settings.

    Raises:
        StartError: naming every variable that is not valid.
    """
    try:
        settings = load(Settings, environment)
    except ConfigurationError as error:
        raise StartError(str(error)) from None
    _require_distinct(settings.ports())
    return settings


def redis_address(url: str) -> RedisAddress:
    """Read a `redis://` URL, or one of `rediss://` for TLS.

    Raises:
        StartError: it asks for what the services cannot do.
    """
    parts = urlsplit(url)
    number = parts.path.strip("/") or "0"
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or not number.isdecimal():
        raise StartError("REDIS_URL must look like redis://:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS.")
    if parts.username and parts.username != "default":
        raise StartError("REDIS_URL names a user; the services sign in to Redis with a password alone.")
    password, tls = unquote(parts.password or ""), parts.scheme == "rediss"
    return RedisAddress(parts.hostname, parts.port or 6379, password, int(number), tls)


def _require_distinct(ports: dict[str, int]) -> None:
    variables: dict[int, str] = {}
    for name, port in ports.items():
        if port in variables:
            raise StartError(
                f"{variables[port]} and {PORTS[name]} are both {port}. Set one of them to another port."
            )
        variables[port] = PORTS[name]
