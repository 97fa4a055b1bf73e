"""The workflows of GitHub, run by act with programs beside them that note how they are called."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.workflows.act import program
from tests.workflows.outside import outside
from tests.workflows.repository import Repository


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.workflows)


@pytest.fixture(scope="session")
def make() -> Generator[Callable[[Path], Repository]]:
    if not program().exists():
        pytest.fail("act is not built: ./taskw test:workflows builds it.")
    with outside() as url:
        yield lambda place: Repository.made(place, url)


@pytest.fixture
def repository(make: Callable[[Path], Repository], tmp_path: Path) -> Repository:
    return make(tmp_path)
