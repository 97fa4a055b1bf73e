"""A copy of the checkout that is pushed to, or asked to pull; act runs here the jobs that follow."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.chart.programs import PACKAGE
from tests.workflows import act
from tests.workflows.outside import REQUEST_TOKEN

NAME = "owner/gerai"
REGISTRY = "registry.example"

_ROOT = Path(__file__).parents[2]
_STAND_INS = Path(__file__).parent / "stand-ins"
_PROGRAMS = ("aws", "cosign", "docker", "gh", "sudo", "uv")
_VARIABLES = {
    "AWS_REGION": "region",
    "BUILD_ROLE_ARN": "role:build",
    "CLUSTER": "cluster",
    "DEPLOY_ROLE_ARN": "role:deploy",
    "REGISTRY": REGISTRY,
}
_ACTION = re.compile(r"uses: ((?!actions/checkout)[\w-]+/([\w-]+)@\w+)")  # act has the checkout itself
_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """What came of an event."""

    succeeded: bool
    told: str
    calls: list[tuple[str, str]]

    def of(self, job: str, part: str = "") -> list[str]:
        """Return how a job called programs, where the call has this part."""
        return [call for name, call in self.calls if name == job and part in call]

    def jobs(self) -> set[str]:
        """Return the jobs that called any."""
        return {name for name, _ in self.calls}


@dataclass(frozen=True)
class Repository:
    """Its files, what jobs note, and the home in which they find programs instead of the real ones."""

    folder: Path
    notes: Path
    home: Path
    outside: str

    @classmethod
    def made(cls, place: Path, outside: str) -> "Repository":
        """Copy the checkout, and put stand-ins where jobs find them."""
        made = cls(place / "repository", place / "notes", place / "home", outside)
        made.notes.mkdir()
        _copy(made.folder)
        _stand_in(made.folder / "taskw")
        for name in _PROGRAMS:
            _stand_in(made.home / "bin" / name)
        _stand_in(made.home / ".cache" / "gerai" / "kubernetes" / PACKAGE / "helm" / "helm")
        for file in made.folder.glob(
            ".github/workflows/*.yml"
        ):  # GitHub knows both spellings, act the second
            file.write_text(file.read_text().replace("uses: $/", "uses: ./"))
        return made

    def push(self, branch: str, *, fails: str = "") -> Run:
        """Push to a branch; calls that contain `fails` do."""
        return self._event("push", branch, {"ref": f"refs/heads/{branch}"}, fails)

    def pull_request(self, *, fails: str = "") -> Run:
        """Ask to pull a branch into development; calls that contain `fails` do."""
        request = {"pull_request": {"head": {"ref": "change"}, "base": {"ref": "development"}}}
        return self._event("pull_request", "change", request, fails)

    def _event(self, name: str, branch: str, event: Mapping[str, Any], fails: str) -> Run:
        self._commit(branch)
        file = self.notes / "event.json"
        file.write_text(json.dumps(event))
        done = subprocess.run(
            [str(act.program()), name, f"--eventpath={file}", *self._options(branch, fails)],
            cwd=self.folder,
            env={"HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
        return Run(done.returncode == 0, done.stdout, self._calls())

    def _commit(self, branch: str) -> None:
        author = "-c user.name=test -c user.email=test@example.org"
        for command in (
            f"git init --quiet --initial-branch={branch}",
            f"git remote add origin https://github.com/{NAME}",
            "git add --all",
            f"git {author} commit --quiet --message=All",
        ):
            subprocess.run(shlex.split(command), cwd=self.folder, check=True)

    def _options(self, branch: str, fails: str) -> list[str]:
        variables = {**_VARIABLES, "PUBLIC_URL": self.outside}
        environment = {
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.outside}/token?job=1",
            "FAILS": fails,
            "GITHUB_WORKFLOW_REF": f"{NAME}/.github/workflows/deploy.yml@refs/heads/{branch}",
            "NOTES": str(self.notes),
            "PYTHON": sys.executable,
        }
        return [
            "--platform=ubuntu-24.04=-self-hosted",
            "--action-offline-mode",
            *(f"--local-repository={action}={folder}" for action, folder in self._actions().items()),
            *(f"--var={name}={value}" for name, value in variables.items()),
            *(f"--env={name}={value}" for name, value in environment.items()),
        ]

    def _actions(self) -> dict[str, Path]:
        """Return what stands in for each action that the workflows name."""
        text = "".join(file.read_text() for file in self.folder.glob(".github/workflows/*.yml"))
        named = {action: _STAND_INS / name for action, name in _ACTION.findall(text)}
        nothing = _STAND_INS / "nothing"
        return {action: folder if folder.exists() else nothing for action, folder in named.items()}

    def _calls(self) -> list[tuple[str, str]]:
        file = self.notes / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(job, call) for job, _, call in (line.partition(": ") for line in lines)]


def _copy(folder: Path) -> None:
    listed = shlex.split("git ls-files -z --cached --others --exclude-standard")
    names = subprocess.run(listed, cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (source := _ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)


def _stand_in(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(_STAND_INS / "program", file)
