import pytest

from shared.config import (
    ConfigurationError,
    DatabaseConfig,
    ProcessConfig,
    Secret,
    TokenConfig,
    load,
)


class Example(ProcessConfig, frozen=True, kw_only=True):
    database: DatabaseConfig
    token: TokenConfig
    auth_url: str


STRONG = "vK8#qLz27!mWx5Rt@9"
ENVIRONMENT = {
    "SERVICE_PORT": "8002",
    "DB_HOST": "db",
    "DB_USER": "app",
    "DB_PASSWORD": STRONG,
    "DB_NAME": "gerai",
    "AUTH_URL": "http://auth",
}


def problems(**changes: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load(Example, {**ENVIRONMENT, **changes})
    return str(raised.value)


def test_values_come_from_prefixed_variables_and_defaults() -> None:
    config = load(Example, {**ENVIRONMENT, "LOG_LEVEL": "DEBUG"})
    assert (config.service.port, config.service.endpoint_v, config.log.level) == (8002, "/v1", "DEBUG")
    assert config.database.password.reveal() == STRONG


def test_without_a_replica_the_reader_is_the_writer() -> None:
    database = load(Example, ENVIRONMENT).database
    assert database.reader() == database


def test_the_reader_takes_what_is_given_and_the_rest_from_the_writer() -> None:
    reader = load(
        Example, {**ENVIRONMENT, "DB_READ_HOST": "replica", "DB_READ_PORT": "5433"}
    ).database.reader()
    assert (reader.host, reader.port, reader.user, reader.name) == ("replica", 5433, "app", "gerai")


def test_every_wrong_variable_is_named_at_once() -> None:
    text = problems(SERVICE_PORT="70000", LOG_FORMAT="xml", DB_HOST="")
    assert "SERVICE_PORT" in text
    assert "LOG_FORMAT" in text


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="DB_NAME is required"):
        load(Example, {name: value for name, value in ENVIRONMENT.items() if name != "DB_NAME"})


def test_other_databases_are_refused_by_name() -> None:
    assert "DB_TYPE 'mysql' is not supported" in problems(DB_TYPE="mysql")


@pytest.mark.parametrize("secret", ["", "short"])
def test_hs256_needs_a_secret_of_256_bits(secret: str) -> None:
    assert "JWT_SECRET" in problems(JWT_ALGORITHM="HS256", **({"JWT_SECRET": secret} if secret else {}))


@pytest.mark.parametrize(
    "weak", ["postgres", "changeme-changeme-changeme", "aaaaaaaaaaaaaaaaaaaaaaaa", "short"]
)
def test_production_refuses_weak_secrets(weak: str) -> None:
    assert "DB_PASSWORD is too weak" in problems(SERVICE_ENVIRONMENT="production", DB_PASSWORD=weak)


def test_development_accepts_them() -> None:
    assert load(Example, {**ENVIRONMENT, "DB_PASSWORD": "postgres"}).service.environment == "development"


def test_a_configuration_never_shows_its_secrets() -> None:
    assert STRONG not in repr(load(Example, ENVIRONMENT))
    assert STRONG not in str(Secret(STRONG))
