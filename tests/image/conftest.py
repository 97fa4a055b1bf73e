"""The images of the four services, built as infra/docker/Dockerfile says."""

import pytest

from tests.support.base_image import base_image
from tests.support.containers import CannotBuild, Containers, require_programs

SERVICES = ("auth", "client", "store", "gateway")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.image)


@pytest.fixture(scope="session")
def containers() -> Containers:
    try:
        require_programs()
    except CannotBuild as error:
        pytest.fail(str(error))
    return Containers()


@pytest.fixture(scope="session")
def base(containers: Containers) -> str:
    return base_image(containers)


@pytest.fixture(scope="session")
def images(containers: Containers, base: str) -> dict[str, str]:
    """The id of each service's image."""
    assert base
    return {service: containers.build(service) for service in SERVICES}
