"""What tasks say in a checkout that nothing was ever started in, and when they are given nonsense."""

from pathlib import Path

import pytest

from tests.support.launcher import Launcher
from tests.support.tasks import WITHOUT_PLATFORM, run

pytestmark = pytest.mark.e2e

WITHOUT_BACKUP = (
    "restore --to 2026-11-25T14:03:00Z",
    "restore --to 2026-11-25T14:03:00Z --in-place",
    "backup:dump gerai_store",
    "backup:drill",
)
TASKS = (
    *("up", "dev", "down", "migrate", "seed", "import", "backup", "restore", "backup:dump", "backup:drill"),
    *("db:report", "events:replay", "events:dead", "release", "smoke", "image:build"),
)
WRONG = (
    "down everything",
    "migrate --to 0002",
    "seed --stores -3",
    "backup --keep 0",
    "backup --follow --metrics-port 70000",
    "restore --to yesterday",
    "backup:dump postgres",
    "events:replay --since yesterday",
    "events:dead show 7",
    "smoke nowhere",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return Launcher(tmp_path).environment()


@pytest.mark.parametrize("line", WITHOUT_PLATFORM)
def test_it_says_how_to_start_the_platform(line: str, environment: dict[str, str]) -> None:
    done = run(line, environment)
    assert done.returncode == 1
    assert "./taskw up" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("line", WITHOUT_BACKUP)
def test_it_says_how_to_make_a_backup(line: str, environment: dict[str, str]) -> None:
    done = run(line, environment)
    assert done.returncode == 1
    assert "./taskw backup" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("task", TASKS)
def test_it_helps_and_does_nothing(task: str, environment: dict[str, str]) -> None:
    done = run(f"{task} --help", environment)
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "usage")
    assert not Path(environment["GERAI_STATE_DIR"]).exists()


@pytest.mark.parametrize("line", WRONG)
def test_nonsense_is_refused(line: str, environment: dict[str, str]) -> None:
    done = run(line, environment)
    assert done.returncode in {1, 2}, done.stdout
    assert "Traceback" not in done.stdout
    assert not Path(environment["GERAI_STATE_DIR"]).exists()
