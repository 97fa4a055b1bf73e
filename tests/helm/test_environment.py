from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from gateway.config import GatewayConfig
from services.auth.config import AuthConfig
from services.client.config import ClientConfig
from services.store.config import StoreConfig
from shared.command import MigrationConfig
from shared.config import Fragment, load
from tests.helm.rendering import Objects, environment

CONFIGS: dict[str, type[Fragment]] = {
    "gateway": GatewayConfig,
    "auth": AuthConfig,
    "client": ClientConfig,
    "store": StoreConfig,
}
READ_BY_OPENSSL = {"SSL_CERT_FILE"}


def variables(config: type[Fragment]) -> Iterator[str]:
    for field in msgspec.structs.fields(config):
        if isinstance(field.type, type) and issubclass(field.type, Fragment):
            yield from variables(field.type)
        else:
            yield f"{config.PREFIX}{field.name}".upper()


def test_there_is_a_deployment_for_each_process(of_kind: Callable[[str], list[Any]]) -> None:
    found = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in of_kind("Deployment")}
    assert found == set(CONFIGS)


@pytest.mark.parametrize("service", CONFIGS)
def test_each_process_starts_with_what_its_pod_gives_it(objects: Objects, service: str) -> None:
    given = environment(_of(objects, "Deployment", service), objects)
    load(CONFIGS[service], given)
    assert set(given) <= {*variables(CONFIGS[service]), *READ_BY_OPENSSL}


@pytest.mark.parametrize("service", ["auth", "client", "store"])
def test_migrations_get_the_owners_connection_and_nothing_else(objects: Objects, service: str) -> None:
    jobs = [each for each in objects if each["kind"] == "Job" and service in each["metadata"]["name"]]
    for job in jobs:
        given = environment(job, objects)
        config = load(MigrationConfig, given)
        assert config.database.user == f"gerai_{service}_owner"
        assert set(given) <= {*variables(MigrationConfig), *READ_BY_OPENSSL}


@pytest.mark.parametrize("service", CONFIGS)
def test_neighbours_are_asked_where_their_services_are(objects: Objects, service: str) -> None:
    ports = {
        f"http://{each['metadata']['name']}:{port['port']}"
        for each in objects
        if each["kind"] == "Service"
        for port in each["spec"]["ports"]
    }
    given = environment(_of(objects, "Deployment", service), objects)
    assert {value for name, value in given.items() if name.endswith("_URL")} <= ports


def _of(objects: Objects, kind: str, service: str) -> dict[str, Any]:
    return next(
        each
        for each in objects
        if each["kind"] == kind and each["metadata"]["labels"]["app.kubernetes.io/component"] == service
    )
