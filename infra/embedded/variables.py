"""The environment of each process: what the platform decides, on top of what the person set."""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec
from dotenv import dotenv_values

from infra.embedded.errors import StartError
from infra.embedded.private import Secrets
from infra.embedded.settings import RedisAddress, Settings
from infra.embedded.state import State
from infra.postgres.provision import ServiceDatabase

SERVICES = ("auth", "client", "store")
PROCESSES = (*SERVICES, "gateway")

_OAUTH_CLIENTS = ("client", "store")
_OURS = ("SERVICE_", "DB_", "REDIS_", "JWT_", "OAUTH_", "ADMIN_", "LOG_", "IDEMPOTENCY_")
_OURS_BY_NAME = {
    *("AUTH_URL", "CLIENT_URL", "STORE_URL", "METRICS_PORT", "ENV_FILE"),
    *(field.name.upper() for field in msgspec.structs.fields(Settings)),
}
_KEPT = ("SERVICE_", "JWT_", "LOG_", "DB_POOL_SIZE")
_DEFAULT_POSTGRES_PORT = 5432


@dataclass(frozen=True)
class Plan:
    """All that the environments depend on."""

    state: State
    settings: Settings
    secrets: Secrets
    person: Mapping[str, str]
    superuser_url: str
    cluster_id: str
    redis: RedisAddress
    admin_password: str
    log_format: str

    def database(self, service: str) -> ServiceDatabase:
        """Return the database and the roles of a service."""
        name = f"gerai_{service}"
        owner, app = self.secrets.get(f"{name}_owner"), self.secrets.get(f"{name}_app")
        return ServiceDatabase(name, owner, app)


def environments(plan: Plan) -> dict[str, dict[str, str]]:
    """Return the variables of each process, and of each service's owner as `auth-owner` and so on."""
    kept = {name: value for name, value in plan.person.items() if _is_kept(name)}
    found = {process: kept | _of_process(plan, process) for process in PROCESSES}
    for service in SERVICES:
        database = plan.database(service)
        owner = {"DB_USER": database.owner, "DB_PASSWORD": database.owner_password}
        found[f"{service}-owner"] = found[service] | owner
    return found


def is_ours(name: str) -> bool:
    """Tell whether a variable configures processes of ours, and so belongs in their files alone."""
    return name.startswith(_OURS) or name in _OURS_BY_NAME


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what processes get directly: no setting, no secret, nothing that misleads PostgreSQL."""
    return {
        name: value for name, value in environment.items() if not is_ours(name) and not name.startswith("PG")
    }


def dotenv(variables: Mapping[str, str]) -> str:
    """Return the text of a dotenv file.

    Raises:
        StartError: a value cannot be written in one.
    """
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in variables.items())
    read = dotenv_values(stream=io.StringIO(text), interpolate=False)
    unwritable = [name for name, value in variables.items() if read.get(name) != value]
    if unwritable:
        raise StartError(f"{' and '.join(unwritable)} cannot be passed on: avoid a backslash at the end.")
    return text


def _is_kept(name: str) -> bool:
    return name.startswith(_KEPT) or not (is_ours(name) or name in os.environ)


def _of_process(plan: Plan, process: str) -> dict[str, str]:
    settings = plan.settings
    variables = {
        "SERVICE_HOST": settings.service_host if process == "gateway" else "127.0.0.1",
        "SERVICE_PORT": str(settings.ports()[process]),
        "SERVICE_ENDPOINT_V": settings.service_endpoint_v,
        "SERVICE_ENVIRONMENT": settings.service_environment,
        "LOG_FORMAT": plan.log_format,
        "LOG_LEVEL": settings.log_level,
        **{f"{service.upper()}_URL": settings.url(service) for service in SERVICES},
        **_redis(plan.redis),
        **_tokens(plan, process),
    }
    if process == "gateway":
        return variables | {"METRICS_PORT": str(settings.gateway_metrics_port)}
    variables["IDEMPOTENCY_SECRET"] = plan.secrets.get(f"idempotency {process}")
    return variables | _database(plan, process) | _oauth(plan, process) | _admin(plan, process)


def _database(plan: Plan, service: str) -> dict[str, str]:
    server = urlsplit(plan.superuser_url)
    database = plan.database(service)
    return {
        "DB_TYPE": "postgresql",
        "DB_HOST": server.hostname or "127.0.0.1",
        "DB_PORT": str(server.port or _DEFAULT_POSTGRES_PORT),
        "DB_USER": database.app,
        "DB_PASSWORD": database.app_password,
        "DB_NAME": database.name,
        "DB_SCHEMA": "public",
        "DB_SSLMODE": parse_qs(server.query).get("sslmode", ["prefer"])[0],
    }


def _redis(address: RedisAddress) -> dict[str, str]:
    variables = {
        "REDIS_HOST": address.host,
        "REDIS_PORT": str(address.port),
        "REDIS_DB": str(address.database),
        "REDIS_TLS": str(address.tls).lower(),
    }
    return variables | ({"REDIS_PASSWORD": address.password} if address.password else {})


def _tokens(plan: Plan, process: str) -> dict[str, str]:
    variables = {"JWT_ALGORITHM": plan.settings.jwt_algorithm}
    if plan.settings.jwt_algorithm == "HS256":
        secret = plan.settings.jwt_secret
        variables["JWT_SECRET"] = secret.reveal() if secret else plan.secrets.get("jwt")
    elif process == "auth" and "JWT_KEY_FILE" not in plan.person:
        variables["JWT_KEY_FILE"] = str(plan.state.signing_key)
    return variables


def _oauth(plan: Plan, service: str) -> dict[str, str]:
    if service not in _OAUTH_CLIENTS:
        granted = (f"{name}:{plan.secrets.get(f'oauth {name}')}" for name in _OAUTH_CLIENTS)
        return {"OAUTH_CLIENTS": ",".join(granted)}
    return {"OAUTH_CLIENT_ID": service, "OAUTH_CLIENT_SECRET": plan.secrets.get(f"oauth {service}")}


def _admin(plan: Plan, service: str) -> dict[str, str]:
    if service != "auth":
        return {}
    return {"ADMIN_EMAIL": plan.settings.admin_email, "ADMIN_PASSWORD": plan.admin_password}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
