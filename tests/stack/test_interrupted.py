"""The engine that the compose stack runs on, when whoever started it is interrupted."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from infra.embedded.state import ROOT

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PROGRAM = """
    import time
    from pathlib import Path
    from tests.support.engine import engine
    with engine() as found:
        found.podman("network", "create", "interrupted")
        command = ["run", "--detach", "--network", "interrupted", "redis:8.2-bookworm", "redis-server"]
        found.podman(*command, "--save", "")
        print(found.url.removeprefix("unix://").removesuffix("/socket"), flush=True)
        time.sleep(600)
"""


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("ended", SIGNALS, ids=lambda each: each.name)
def test_nothing_is_left_of_what_was_interrupted(ended: signal.Signals) -> None:
    before = _bridges()
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        folder = running.stdout.readline().strip()
        assert Path(folder, "socket").exists()
        assert _of(folder)
        assert _bridges() - before
        running.send_signal(ended)
    assert _of(folder) == []
    assert _bridges() == before
    assert not Path(folder).exists()


def _of(folder: str) -> list[list[str]]:
    """Return the processes that have this folder on their command line: podman's, and a container's."""
    return [each.info["cmdline"] for each in psutil.process_iter(["cmdline"]) if folder in str(each.info)]


def _bridges() -> set[str]:
    return {name for name in psutil.net_if_addrs() if name.startswith("podman")}
