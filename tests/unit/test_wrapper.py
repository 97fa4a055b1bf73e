import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import wrapper


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    for name in ("uv", "task"):
        (tmp_path / "bin" / name).touch(mode=0o755)
    (tmp_path / "complete").write_text("\n".join((*wrapper.PINS, wrapper.sysconfig.get_platform(), "")))
    return tmp_path


def test_tools_that_are_there_are_left_alone(tools: Path) -> None:
    before = sorted(tools.rglob("*"))
    wrapper.prepare(tools)
    assert sorted(tools.rglob("*")) == before


@pytest.mark.parametrize("missing", ["complete", "bin/uv", "bin/task"])
def test_a_half_made_folder_is_noticed(tools: Path, missing: str) -> None:
    (tools / missing).unlink()
    assert not wrapper.is_complete(tools)


def test_tools_of_another_version_are_replaced(tools: Path) -> None:
    (tools / "complete").write_text("uv==0.0.1\n")
    assert not wrapper.is_complete(tools)


def test_tasks_find_our_tools_first_and_no_foreign_environment() -> None:
    environment = wrapper.task_environment({"PATH": "/bin", "VIRTUAL_ENV": "/other", "PYTHONHOME": "/other"})
    assert environment["PATH"] == f"{wrapper.TOOLS / 'bin'}{os.pathsep}/bin"
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & set(environment)


def test_the_exit_status_of_a_task_is_passed_on() -> None:
    # In a process of its own, since the wrapper blocks signals for the rest of its life.
    program = "import os, sys; from infra.wrapper import run; sys.exit(run(['false'], dict(os.environ)))"
    finished = subprocess.run([sys.executable, "-c", program], cwd=wrapper.ROOT, check=False)
    assert finished.returncode == 1
