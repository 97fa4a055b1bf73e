"""Configuration: environment variables, with a dotenv file below them, read once into frozen structs.

A process declares a struct made of the fragments here; `load` fills it or says, in one error, every
variable that is missing or invalid. Variable names are the fragment's prefix and the field's name.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeGuard, TypeVar, get_args

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from shared.conversion import to_value
from shared.errors import InvalidInput

C = TypeVar("C", bound="Fragment")
T = TypeVar("T")

Port = Annotated[int, Meta(ge=1, le=65535)]

_SHORTEST_PRODUCTION_SECRET = 16
_FEWEST_DISTINCT_CHARACTERS = 8
_WEAK_WORDS = ("password", "changeme", "secret", "postgres", "example", "default", "admin123", "12345678")


class ConfigurationError(Exception):
    """The environment does not describe a process that can start; the text names each variable."""


class Secret(msgspec.Struct, frozen=True):
    """A value that is never shown: its representation hides it, `reveal` returns it."""

    value: str

    def reveal(self) -> str:
        """Return the secret itself, for the one place that needs it."""
        return self.value

    def __repr__(self) -> str:
        return "Secret(***)"

    def is_weak(self) -> bool:
        """Tell whether this is too short, too repetitive or too well known for production."""
        value = self.value.lower()
        return (
            len(value) < _SHORTEST_PRODUCTION_SECRET
            or len(set(value)) < _FEWEST_DISTINCT_CHARACTERS
            or any(word in value for word in _WEAK_WORDS)
        )


class Fragment(msgspec.Struct, frozen=True, kw_only=True):
    """A group of variables that share a prefix."""

    PREFIX: ClassVar[str] = ""

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each rule between fields that does not hold."""
        return iter(())


class ServiceConfig(Fragment, frozen=True, kw_only=True):
    """Where the process listens and how it behaves there."""

    PREFIX: ClassVar[str] = "SERVICE_"

    host: str = "127.0.0.1"
    port: Port
    endpoint_v: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._-]+)+$")] = "/v1"
    environment: Literal["development", "test", "production"] = "development"
    revision: str = "unknown"
    drain_seconds: Annotated[float, Meta(ge=0, le=300)] = 0.0


class LogConfig(Fragment, frozen=True, kw_only=True):
    """How log lines look and which are written."""

    PREFIX: ClassVar[str] = "LOG_"

    format: Literal["json", "console"] = "json"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class DatabaseConfig(Fragment, frozen=True, kw_only=True):
    """The writer's connection, and the reader's where it differs.

    A replica that may be more than `read_max_lag_seconds` behind is not read from.
    """

    PREFIX: ClassVar[str] = "DB_"

    type: str = "postgresql"
    host: str
    port: Port = 5432
    user: str
    password: Secret
    name: str
    schema: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]*$")] = "public"
    sslmode: Literal["disable", "prefer", "require", "verify-full"] = "prefer"
    pool_size: Annotated[int, Meta(ge=1, le=200)] = 10
    pool_wait_ms: Annotated[int, Meta(ge=1, le=30_000)] = 500
    read_host: str | None = None
    read_port: Port | None = None
    read_user: str | None = None
    read_password: Secret | None = None
    read_name: str | None = None
    read_max_lag_seconds: Annotated[float, Meta(ge=1, le=10)] = 5.0

    def problems(self) -> Iterator[str]:
        """Refuse database types other than PostgreSQL by name."""
        if self.type != "postgresql":
            yield f"DB_TYPE '{self.type}' is not supported: set it to postgresql"

    def reader(self) -> "DatabaseConfig":
        """Return the configuration of the read connection; each absent part is the writer's."""
        return msgspec.structs.replace(
            self,
            host=self.read_host or self.host,
            port=self.read_port or self.port,
            user=self.read_user or self.user,
            password=self.read_password or self.password,
            name=self.read_name or self.name,
        )


class RedisConfig(Fragment, frozen=True, kw_only=True):
    """How Redis is reached. The cache waits `timeout_ms` for an answer, then does without."""

    PREFIX: ClassVar[str] = "REDIS_"

    host: str
    port: Port = 6379
    password: Secret | None = None
    db: Annotated[int, Meta(ge=0)] = 0
    tls: bool = False
    timeout_ms: Annotated[int, Meta(ge=1, le=1000)] = 20


class TokenConfig(Fragment, frozen=True, kw_only=True):
    """How access tokens are signed and what they must say."""

    PREFIX: ClassVar[str] = "JWT_"

    algorithm: Literal["EdDSA", "HS256"] = "EdDSA"
    secret: Secret | None = None
    issuer: str = "gerai"
    audience: str = "gerai-api"

    def problems(self) -> Iterator[str]:
        """Require for HS256 a secret of at least 256 bits (RFC 7518, section 3.2)."""
        if self.algorithm == "HS256" and (self.secret is None or len(self.secret.reveal().encode()) < 32):
            yield "JWT_SECRET must be at least 32 bytes long when JWT_ALGORITHM is HS256"


class OAuthClientConfig(Fragment, frozen=True, kw_only=True):
    """The credentials with which a service asks auth for its own tokens."""

    PREFIX: ClassVar[str] = "OAUTH_"

    client_id: str
    client_secret: Secret


class IdempotencyConfig(Fragment, frozen=True, kw_only=True):
    """The key of the hashes that tell one request from another; every process of a service has the same."""

    PREFIX: ClassVar[str] = "IDEMPOTENCY_"

    secret: Secret

    def problems(self) -> Iterator[str]:
        """Require 256 bits or more."""
        if len(self.secret.reveal().encode()) < 32:
            yield "IDEMPOTENCY_SECRET must be at least 32 bytes long"


class TracingConfig(Fragment, frozen=True, kw_only=True):
    """Where spans go; without an endpoint nothing is recorded."""

    PREFIX: ClassVar[str] = "OTEL_"

    exporter_otlp_endpoint: str | None = None
    traces_sampler_arg: Annotated[float, Meta(ge=0, le=1)] | None = None


PRODUCTION_RATIO = 0.1


class ProcessConfig(Fragment, frozen=True, kw_only=True):
    """What every process has."""

    service: ServiceConfig
    log: LogConfig
    tracing: TracingConfig

    @property
    def sampling_ratio(self) -> float:
        """The share of requests that is recorded, where no caller has decided."""
        asked = self.tracing.traces_sampler_arg
        if asked is not None:
            return asked
        return PRODUCTION_RATIO if self.service.environment == "production" else 1.0


def load(type_: type[C], environment: Mapping[str, str]) -> C:
    """Return `type_` filled from `environment`.

    Raises:
        ConfigurationError: naming every variable that is missing, invalid or too weak for production.
    """
    problems: list[str] = []
    config = _fill(type_, environment, problems)
    if config is not None:
        problems += _rule_problems(config)
    if config is None or problems:
        raise ConfigurationError(
            "Configuration is not valid:\n" + "\n".join(f"  - {text}" for text in problems)
        )
    return config


def process_environment() -> dict[str, str]:
    """Return the environment, with the dotenv file named by ENV_FILE (default `.env`) below it.

    Empty values count as absent.
    """
    file = Path(os.environ.get("ENV_FILE", ".env"))
    values = {**dotenv_values(file, interpolate=False), **os.environ}
    return {name: value for name, value in values.items() if value}


def _fill(type_: type[C], environment: Mapping[str, str], problems: list[str]) -> C | None:
    values: dict[str, Any] = {}
    before = len(problems)
    for field in msgspec.structs.fields(type_):
        name = f"{type_.PREFIX}{field.name}".upper()
        if _is_fragment(field.type):
            values[field.name] = _fill(field.type, environment, problems)
        elif name in environment:
            values[field.name] = _read(name, environment[name], field.type, problems)
        elif field.required:
            problems.append(f"{name} is required")
    return type_(**values) if len(problems) == before else None


def _is_fragment(type_: Any) -> TypeGuard[type[Fragment]]:  # noqa: ANN401 - a type form
    return isinstance(type_, type) and issubclass(type_, Fragment)


def _read(name: str, text: str, type_: Any, problems: list[str]) -> object:  # noqa: ANN401 - a type form
    if type_ is Secret or Secret in get_args(type_):
        return Secret(text)
    try:
        return to_value(name, text, type_)
    except InvalidInput as error:
        problems += [f"{problem.field} {problem.message}" for problem in error.details]
        return None


def _rule_problems(config: Fragment) -> Iterator[str]:
    yield from config.problems()
    for _, fragment in _parts(config, Fragment):
        yield from _rule_problems(fragment)
    if isinstance(config, ProcessConfig) and config.service.environment == "production":
        yield from _weak_secrets(config)


def _weak_secrets(config: Fragment) -> Iterator[str]:
    for name, secret in _parts(config, Secret):
        if secret.is_weak():
            variable = f"{config.PREFIX}{name}".upper()
            yield f"{variable} is too weak for production: use at least 16 random characters"
    for _, fragment in _parts(config, Fragment):
        yield from _weak_secrets(fragment)


def _parts(config: Fragment, type_: type[T]) -> Iterator[tuple[str, T]]:
    for field in msgspec.structs.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, type_):
            yield field.name, value
