"""The four images as processes: confined as in production, on a real PostgreSQL and a real Redis."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from infra.postgres.provision import ServiceDatabase, provision
from shared.config import DatabaseConfig, RedisConfig
from tests.support.containers import REVISION, CannotBuild, Containers
from tests.support.databases import PASSWORD, TestDatabase, described
from tests.support.exposition import exposed
from tests.support.platform import Platform, running

USER = 65532
LIMIT_SECONDS = 30
PROCESSES = ("auth", "client", "store", "gateway")
WRITE = "open('{}', 'w')"
SHOW_USER = "import os; print(os.getuid(), os.getgid())"


@pytest.fixture(scope="module")
def empty_databases(postgres_url: str) -> dict[str, TestDatabase]:
    """Databases of their own, without a table."""
    provided = {
        name: ServiceDatabase(f"image_{name}", PASSWORD, PASSWORD) for name in ("auth", "client", "store")
    }
    asyncio.run(provision(postgres_url, list(provided.values())))
    return {name: described(postgres_url, each) for name, each in provided.items()}


@pytest.fixture(scope="module")
def migrated(
    containers: Containers, images: dict[str, str], empty_databases: dict[str, TestDatabase]
) -> dict[str, TestDatabase]:
    """The same, migrated by the images."""
    for name, database in empty_databases.items():
        containers.run(images[name], *_options(database.owner), arguments=["migrate"])
    return empty_databases


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the signing key, as a mounted Secret has it: for auth to read, and nobody to write."""
    folder = tmp_path_factory.mktemp("keys")
    key = folder / "jwt.pem"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    os.chown(key, 0, USER)
    key.chmod(0o440)
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
async def platform(
    containers: Containers,
    images: dict[str, str],
    migrated: dict[str, TestDatabase],
    redis_config: RedisConfig,
    keys: Path,
) -> AsyncGenerator[Platform]:
    class InContainers(Platform):
        def command(self, name: str) -> list[str]:
            options = [part for variable in self.environments[name] for part in ("--env", variable)]
            keyed = ["--volume", f"{keys}:{keys}:ro"] if name == "auth" else []
            return containers.command(images[name], "--name", _name(name), *options, *keyed)

    async with running(migrated, redis_config, keys, kind=InContainers) as platform:
        yield platform


async def test_what_is_created_through_the_gateway_is_read_there(platform: Platform) -> None:
    admin = await platform.sign_in()
    client = await _create(platform, admin, "master-client", name="Ours", email="ours@gerai.example")
    store = await _create(platform, admin, "stores", client_uuid=client, code="JKT-1", name="Jakarta 1")
    answer = await platform.http.get(f"/v1/stores/{store}?include=client", headers=admin)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["client"]["name"] == "Ours"


async def test_the_api_s_page_is_in_the_gateway_s_image(platform: Platform) -> None:
    assert (await platform.http.get("/swagger/index.html")).status_code == 200
    assert (await platform.http.get("/openapi.json")).json()["paths"]


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_process_tells_the_revision_of_its_image(platform: Platform, process: str) -> None:
    metrics = await exposed(platform, process)
    assert metrics.value("gerai_build_info", service=process, revision=REVISION) == 1


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_nobody_and_writes_to_tmp_alone(containers: Containers, process: str) -> None:
    def python(code: str) -> str:
        return containers.podman("exec", _name(process), "python", "-c", code)

    assert python(SHOW_USER) == f"{USER} {USER}"
    python(WRITE.format("/tmp/scratch"))  # noqa: S108 - the container's
    for place in ("/app/scratch", "/etc/scratch", "/var/tmp/scratch"):  # noqa: S108
        with pytest.raises(CannotBuild, match="Read-only file system"):
            python(WRITE.format(place))


@pytest.mark.parametrize("process", PROCESSES[::-1])
async def test_a_process_ends_by_sigterm_without_an_error(
    platform: Platform, containers: Containers, process: str
) -> None:
    await asyncio.to_thread(containers.stop, _name(process))
    assert platform.processes[process].wait(LIMIT_SECONDS) == 0


def test_a_migration_that_waits_ends_by_sigterm(
    containers: Containers, images: dict[str, str], migrated: dict[str, TestDatabase]
) -> None:
    name = _name("migration")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(LIMIT_SECONDS)
        owner = replace(migrated["store"].owner, port=silent.getsockname()[1])
        command = containers.command(images["store"], "--name", name, *_options(owner), arguments=["migrate"])
        process = subprocess.Popen(command)
        connection, _ = silent.accept()
        with connection:
            containers.stop(name)
        assert process.wait(LIMIT_SECONDS) == 128 + signal.SIGTERM


def _name(process: str) -> str:
    """Return what this run calls its container."""
    return f"gerai-test-{os.getpid()}-{process}"


def _options(owner: DatabaseConfig) -> list[str]:
    """Return what a migration is given: the owner's connection, as the chart's Job has it."""
    variables = {
        "DB_HOST": owner.host,
        "DB_PORT": owner.port,
        "DB_NAME": owner.name,
        "DB_USER": owner.user,
        "DB_PASSWORD": owner.password.reveal(),
        "DB_SSLMODE": owner.sslmode,
    }
    return [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]


async def _create(platform: Platform, headers: dict[str, str], what: str, **fields: str) -> str:
    answer = await platform.http.post(f"/v1/{what}", json=fields, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["uuid"]
