"""The tasks of Taskfile.yml as commands, without the time that Task itself takes to start."""

import shlex
import subprocess
import sys

import yaml

from infra.embedded.state import ROOT

_FILE = ROOT / "Taskfile.yml"

WITHOUT_PLATFORM = (
    "migrate",
    "seed",
    "import README.md --format csv",
    "backup",
    "backup --follow",
    "db:report",
    "events:replay --since 2h",
    "events:dead",
    "events:dead show store/1",
    "events:dead redrive all",
)
"""Commands that cannot do their work while there is no platform, or it is stopped."""


def run(line: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run what `./taskw` runs for a task and the words after it; its output is one text."""
    name, *words = shlex.split(line)
    return subprocess.run(
        ["/bin/sh", "-c", _command(name, shlex.join(words))],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


def _command(name: str, words: str) -> str:
    command: str = yaml.safe_load(_FILE.read_text())["tasks"][name]["cmd"]
    values = {
        "{{.PYTHON}}": sys.executable,
        "{{.CLI_ARGS}}": words,
        '{{.CLI_ARGS | default "list"}}': words or "list",
    }
    for template, value in values.items():
        command = command.replace(template, value)
    return command
