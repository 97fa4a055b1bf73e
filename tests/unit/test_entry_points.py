"""Every `python -m infra.…` says what it does when it is asked, and does nothing else."""

import subprocess
import sys

import pytest

from infra.embedded.state import ROOT

INFRA = ROOT / "infra"
MODULES = sorted(
    {f"infra.{path.parent.name}" for path in INFRA.glob("*/__main__.py")}
    | {f"infra.{path.stem}" for path in INFRA.glob("*.py") if "python -m infra." in path.read_text()}
)
MISSPELT = "--no-such-option"


def _run(module: str, argument: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, argument]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_all_of_them_are_known() -> None:
    assert {"infra.compose", "infra.collector", "infra.embedded"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_help_says_what_it_does(module: str) -> None:
    done = _run(module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize("module", MODULES)
def test_a_wrong_argument_is_told_without_a_traceback(module: str) -> None:
    done = _run(module, MISSPELT)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert "Traceback" not in done.stderr
