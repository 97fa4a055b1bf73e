"""The Secrets that come with a release for development: what its pods need, in the keys they ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.chart.readme import CHART
from infra.postgres.__main__ import DATABASES
from services.auth.config import AuthConfig, KeyConfig
from services.auth.signing import load_signing_keys
from services.client.config import ClientConfig
from shared.config import TokenConfig, load
from tests.helm.rendering import Objects, container, containers, environment, made_secrets, pod, render

DEVELOPMENT = CHART / "values-development.yaml"
WITH_ONE_SECRET = CHART / "ci" / "in-cluster.yaml"
WORKLOADS = ("Deployment", "Job", "Pod", "StatefulSet")
HELD_BY_MORE_THAN_ONE = {"REDIS_PASSWORD", "JWT_SECRET"}

Secrets = dict[str, dict[str, str]]


@pytest.fixture(scope="module", params=[DEVELOPMENT, WITH_ONE_SECRET], ids=lambda file: file.stem)
def objects(request: pytest.FixtureRequest) -> Objects:
    return render(request.param)


@pytest.fixture(scope="module")
def secrets(objects: Objects) -> Secrets:
    return made_secrets(objects)


def test_they_have_the_keys_that_pods_ask_for_and_no_other(objects: Objects, secrets: Secrets) -> None:
    asked = {one for each in objects if each["kind"] in WORKLOADS for one in _asked(each, secrets)}
    assert {(name, key) for name, data in secrets.items() for key in data} == asked


def test_auth_knows_the_secrets_of_those_who_call(objects: Objects, secrets: Secrets) -> None:
    auth = load(AuthConfig, _given(objects, "gerai-auth"))
    known = {name: secret.reveal() for name, secret in auth.oauth.secrets().items()}
    assert known == {name: secrets[f"gerai-{name}"]["OAUTH_CLIENT_SECRET"] for name in ("client", "store")}
    client = load(ClientConfig, _given(objects, "gerai-client"))
    assert known[client.oauth.client_id] == client.oauth.client_secret.reveal()


def test_auth_signs_with_the_key_of_its_secret(tmp_path: Path) -> None:
    key = tmp_path / "jwt.pem"
    key.write_text(made_secrets(render(DEVELOPMENT))["gerai-auth"]["jwt.pem"])
    assert load_signing_keys(TokenConfig(), KeyConfig(key_file=str(key))).signing_key


def test_every_database_and_role_gets_its_password(objects: Objects, secrets: Secrets) -> None:
    [job] = [each for each in objects if each["kind"] == "Job"]
    given = environment(job, objects)
    for database in DATABASES:
        service = database.removeprefix("gerai_")
        assert given[f"{database.upper()}_OWNER_PASSWORD"] == secrets[f"gerai-{service}-owner"]["DB_PASSWORD"]
        assert given[f"{database.upper()}_APP_PASSWORD"] == secrets[f"gerai-{service}"]["DB_PASSWORD"]
    assert given["PGPASSWORD"] == secrets["gerai-postgres"]["password"]


def test_redis_asks_for_the_password_that_services_have(secrets: Secrets) -> None:
    password = secrets["gerai-redis"]["password"]
    assert secrets["gerai-redis"]["redis.conf"] == f"requirepass {password}\n"
    given = {data["REDIS_PASSWORD"] for data in secrets.values() if "REDIS_PASSWORD" in data}
    assert given == {password}


def test_no_two_are_the_same_but_those_that_have_to_be(secrets: Secrets) -> None:
    alone = [
        value
        for data in secrets.values()
        for key, value in data.items()
        if key not in HELD_BY_MORE_THAN_ONE and "\n" not in value
    ]
    assert len(alone) == len(set(alone))
    assert all(len(value) >= 32 or "@" in value for value in alone)


def test_they_outlive_the_release_as_the_data_does_that_they_open(objects: Objects) -> None:
    for each in objects:
        kept = each["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
        assert (kept == "keep") == (each["kind"] == "Secret")


def test_a_secret_that_somebody_names_is_theirs() -> None:
    settings = ["services.store.secretName=mine", "services.store.database.ownerSecretName=mine-too"]
    objects = render(DEVELOPMENT, *(f"--set={setting}" for setting in settings))
    made = {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"}
    assert not made & {"gerai-store", "gerai-store-owner", "mine", "mine-too"}
    [job] = [each for each in objects if each["kind"] == "Job"]
    sources = {each["name"]: each.get("valueFrom") for each in container(job)["env"]}
    assert sources["GERAI_STORE_APP_PASSWORD"]["secretKeyRef"]["name"] == "mine"
    assert sources["GERAI_STORE_OWNER_PASSWORD"]["secretKeyRef"]["name"] == "mine-too"


def _asked(workload: dict[str, Any], secrets: Secrets) -> Iterator[tuple[str, str]]:
    """Return the Secrets and keys that a workload refers to."""
    for one in containers(workload):
        for variable in one.get("env", ()):
            if reference := variable.get("valueFrom"):
                yield reference["secretKeyRef"]["name"], reference["secretKeyRef"]["key"]
    for volume in pod(workload).get("volumes", ()):
        if secret := volume.get("secret"):
            name = secret["secretName"]
            for key in [item["key"] for item in secret["items"]] if "items" in secret else secrets[name]:
                yield name, key


def _given(objects: Objects, name: str) -> dict[str, str]:
    """Return the variables of a Deployment's process."""
    kinds = {each["metadata"]["name"]: each for each in objects if each["kind"] == "Deployment"}
    return environment(kinds[name], objects)
