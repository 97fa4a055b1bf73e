from pathlib import Path

import pytest

from infra.embedded.errors import StartError
from infra.embedded.settings import RedisAddress, read, redis_address, user_environment


def test_defaults_are_the_documented_ports() -> None:
    assert read({}).ports() == {
        "gateway": 8080,
        "auth": 8001,
        "client": 8002,
        "store": 8003,
        "PostgreSQL": 54320,
        "Redis": 63790,
        "gateway metrics": 9080,
    }


def test_every_port_moves() -> None:
    moved = read({"GATEWAY_PORT": "1", "REDIS_PORT": "65535"}).ports()
    assert (moved["gateway"], moved["Redis"]) == (1, 65535)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "eighty", "80.5", "١٢"])
def test_a_port_that_is_none_names_its_variable(value: str) -> None:
    with pytest.raises(StartError, match="STORE_PORT"):
        read({"STORE_PORT": value})


def test_every_invalid_variable_is_named() -> None:
    with pytest.raises(StartError, match=r"(?s)AUTH_PORT.*SERVICE_ENDPOINT_V.*LOG_LEVEL"):
        read({"AUTH_PORT": "x", "LOG_LEVEL": "LOUD", "SERVICE_ENDPOINT_V": "v1"})


def test_two_listeners_cannot_share_a_port() -> None:
    with pytest.raises(StartError, match="GATEWAY_PORT and AUTH_PORT are both 8001"):
        read({"GATEWAY_PORT": "8001"})


def test_ports_of_servers_that_someone_else_runs_are_not_ours() -> None:
    settings = read({"DATABASE_URL": "postgresql://x@elsewhere/postgres", "REDIS_URL": "redis://elsewhere"})
    assert not {"PostgreSQL", "Redis"} & set(settings.ports())


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ADMIN_EMAIL=file@example.com\nLOG_LEVEL=DEBUG\nADMIN_PASSWORD=\n")
    monkeypatch.setenv("ADMIN_EMAIL", "environment@example.com")
    person = user_environment(tmp_path)
    assert (person["ADMIN_EMAIL"], person["LOG_LEVEL"]) == ("environment@example.com", "DEBUG")
    assert "ADMIN_PASSWORD" not in person


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", RedisAddress("cache", 6379, "", 0)),
        ("redis://:p%40ss@cache:1234/5", RedisAddress("cache", 1234, "p@ss", 5)),
        ("redis://default:word@cache/", RedisAddress("cache", 6379, "word", 0)),
        ("rediss://:word@cache", RedisAddress("cache", 6379, "word", 0, tls=True)),
    ],
)
def test_redis_urls(url: str, address: RedisAddress) -> None:
    assert redis_address(url) == address


@pytest.mark.parametrize(
    "url", ["http://cache", "cache:6379", "redis://", "redis://cache/x", "redis://me:x@cache"]
)
def test_redis_urls_that_the_services_could_not_use(url: str) -> None:
    with pytest.raises(StartError, match="REDIS_URL"):
        redis_address(url)
