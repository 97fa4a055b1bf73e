"""The compose stack, running in containers."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

from infra.collector import collector
from infra.debian import ProgramMissing, program
from infra.embedded.state import ROOT
from infra.postgres.contrib import PACKAGE
from tests.support.base_image import base_image, postgres_image
from tests.support.containers import CannotBuild, Containers, require_programs
from tests.support.engine import engine
from tests.support.stack import FILE, Stack

_STAND_INS = ROOT / "tests" / "stack" / "images"
_OF_BACKUPS = ROOT / "infra" / "docker" / "Dockerfile.backup"
_SERVERS = ("postgres", "redis")
_OBSERVERS = (
    *("prometheus", "alertmanager", "otel-collector", "backup-metrics"),
    *("postgres-exporter", "redis-exporter", "blackbox-exporter"),
)
_SERVICES = ("auth", "client", "store", "gateway")
_TAG = f"test-{os.getpid()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def compose() -> str:
    try:
        return program("docker-compose", "docker-compose", suite="trixie")  # the first with Compose 2
    except ProgramMissing as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def images() -> Generator[str]:
    """The images that the file names, ours under the tag that is given here."""
    try:
        require_programs()
    except CannotBuild as error:
        pytest.fail(str(error))
    containers = Containers()
    base_image(containers)
    for name in _SERVERS:
        folder = _STAND_INS / name
        stand_in = containers.build_from(folder / "Dockerfile", folder, {"PACKAGE": PACKAGE})
        containers.podman("tag", stand_in, _image(name))
    for name in _OBSERVERS:
        recipe = _STAND_INS / "observers" / "Dockerfile"
        containers.podman("tag", containers.build_from(recipe, _collector(), stage=name), _image(name))
    built = {name: containers.build(name) for name in _SERVICES}
    built["backup"] = containers.build_from(_OF_BACKUPS, ROOT, {"BASE": postgres_image(containers)})
    ours = {f"docker.io/gerai/{name}:{_TAG}": image for name, image in built.items()}
    for name, image in ours.items():
        containers.podman("tag", image, name)
    yield _TAG
    for name in ours:
        containers.podman("untag", name)


@pytest.fixture(scope="session")
def stack(images: str, compose: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """The stack with everything that is there without a profile, healthy."""
    with engine() as found:
        stack = Stack(found, compose, tmp_path_factory.mktemp("stack"), images)
        stack.up()
        yield stack


def _collector() -> Path:
    """Return the folder with the collector."""
    if not collector().exists():
        pytest.fail("The collector is not built: ./taskw test:stack builds it.")
    return collector().parent


def _image(service: str) -> str:
    """Return the full name of the image that the file names."""
    image: str = yaml.safe_load(FILE.read_text())["services"][service]["image"]
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
