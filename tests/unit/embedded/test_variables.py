import io
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded import variables
from infra.embedded.errors import StartError
from infra.embedded.private import Secrets
from infra.embedded.settings import RedisAddress, read
from infra.embedded.state import State
from infra.embedded.variables import PROCESSES, Plan, dotenv, environments, inherited

SERVER = "postgresql://postgres:top-secret@127.0.0.1:54320/postgres"


def plan(folder: Path, person: dict[str, str], superuser_url: str = SERVER) -> Plan:
    return Plan(
        state=State(folder),
        settings=read(person),
        secrets=Secrets(folder / "secrets.json"),
        person=person,
        superuser_url=superuser_url,
        cluster_id="1",
        redis=RedisAddress("127.0.0.1", 63790, "redis-password"),
        admin_password="admin-password",
        log_format="json",
    )


def test_each_process_gets_no_more_secrets_than_it_needs(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {}))
    holders = {name: [p for p in PROCESSES if name in made[p]] for name in ("ADMIN_PASSWORD", "DB_PASSWORD")}
    assert holders == {"ADMIN_PASSWORD": ["auth"], "DB_PASSWORD": ["auth", "client", "store"]}
    assert not any("top-secret" in value for process in made.values() for value in process.values())


def test_services_share_credentials_with_auth_alone(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {}))
    granted = made["auth"]["OAUTH_CLIENTS"].split(",")
    assert granted == [f"{name}:{made[name]['OAUTH_CLIENT_SECRET']}" for name in ("client", "store")]


def test_owner_and_application_differ_in_their_role_alone(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {}))
    differing = {name for name, value in made["store"].items() if made["store-owner"][name] != value}
    assert differing == {"DB_USER", "DB_PASSWORD"}
    assert made["store-owner"]["DB_USER"] == "gerai_store_owner"


def test_secrets_stay_the_same_between_starts(tmp_path: Path) -> None:
    assert environments(plan(tmp_path, {})) == environments(plan(tmp_path, {}))


def test_what_the_person_sets_reaches_the_processes(tmp_path: Path) -> None:
    person = {
        "ADMIN_EMAIL": "me@example.com",
        "SERVICE_ENDPOINT_V": "/api/v2",
        "SERVICE_DRAIN_SECONDS": "3",
        "DB_POOL_SIZE": "7",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "STORE_PORT": "9003",
    }
    made = environments(plan(tmp_path, person))
    assert made["auth"]["ADMIN_EMAIL"] == "me@example.com"
    for process in PROCESSES:
        assert made[process]["SERVICE_ENDPOINT_V"] == "/api/v2"
        assert made[process]["SERVICE_DRAIN_SECONDS"] == "3"
        assert made[process]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
        assert made[process]["STORE_URL"] == "http://127.0.0.1:9003"
    assert made["store"]["DB_POOL_SIZE"] == "7"


def test_variables_of_a_single_service_do_not_disturb(tmp_path: Path) -> None:
    person = {
        "DB_HOST": "elsewhere",
        "DB_READ_HOST": "replica",
        "SERVICE_PORT": "1",
        "AUTH_URL": "http://elsewhere",
    }
    made = environments(plan(tmp_path, person))
    assert made["store"]["DB_HOST"] == "127.0.0.1"
    assert made["store"]["SERVICE_PORT"] == "8003"
    assert made["store"]["AUTH_URL"] == "http://127.0.0.1:8001"
    assert "DB_READ_HOST" not in made["store"]


def test_hs256_without_a_secret_gets_one_that_all_share(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {"JWT_ALGORITHM": "HS256"}))
    assert len({made[process]["JWT_SECRET"] for process in PROCESSES}) == 1
    assert "JWT_KEY_FILE" not in made["auth"]


def test_the_signing_key_is_for_auth_alone(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {}))
    assert [process for process in PROCESSES if "JWT_KEY_FILE" in made[process]] == ["auth"]


def test_a_named_server_is_used_with_its_encryption(tmp_path: Path) -> None:
    made = environments(plan(tmp_path, {}, "postgresql://root:x@db.example:6432/postgres?sslmode=require"))
    store = made["store"]
    assert (store["DB_HOST"], store["DB_PORT"], store["DB_SSLMODE"]) == ("db.example", "6432", "require")


def test_processes_inherit_neither_settings_nor_secrets() -> None:
    environment = {
        "PATH": "/bin",
        "ADMIN_PASSWORD": "x",
        "DATABASE_URL": "x",
        "DB_PASSWORD": "x",
        "PGPASSWORD": "x",
    }
    assert inherited(environment) == {"PATH": "/bin"}


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,9}", fullmatch=True), st.text(), max_size=5))
def test_dotenv_files_say_what_was_written_or_refuse(values: dict[str, str]) -> None:
    try:
        text = dotenv(values)
    except StartError:
        return
    assert dotenv_values(stream=io.StringIO(text), interpolate=False) == values


@pytest.mark.parametrize(
    "value", ["plain", "with space", "it's", '"quoted"', "a#b #c", "${HOME}", "päss\\word", " "]
)
def test_ordinary_passwords_can_be_written(value: str) -> None:
    assert dotenv_values(stream=io.StringIO(dotenv({"X": value})), interpolate=False) == {"X": value}


def test_every_platform_setting_is_kept_from_processes() -> None:
    assert all(
        variables.is_ours(name) for name in ("DATABASE_URL", "REDIS_URL", "GATEWAY_PORT", "GERAI_DEMO")
    )
