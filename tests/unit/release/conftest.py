"""Programs that note how they are called and answer as they are told, instead of Docker, cosign and Helm."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.release import rollout

_PROGRAM = """#!/usr/bin/env python3
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
call = " ".join([pathlib.Path(__file__).name, *sys.argv[1:]])
with (folder / "calls").open("a") as calls:
    calls.write(call + "\\n")
for part, (status, text) in reversed(json.loads((folder / "answers").read_text())):
    if part in call:
        print(text)
        sys.exit(status)
"""


@dataclass
class Programs:
    folder: Path
    answers: list[tuple[str, tuple[int, str]]] = field(default_factory=list[tuple[str, tuple[int, str]]])

    def answer(self, part: str, text: object = "", *, status: int = 0) -> None:
        """Have calls that contain `part` print `text` and end with `status`, whatever was said before."""
        self.answers.append((part, (status, text if isinstance(text, str) else json.dumps(text))))
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def calls(self, part: str = "") -> list[str]:
        file = self.folder / "calls"
        return [line for line in file.read_text().splitlines() if part in line] if file.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "cosign", "helm", "uv"):
        (folder / name).write_text(_PROGRAM)
        (folder / name).chmod(0o755)
    (folder / "answers").write_text("[]")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    found: Callable[[str], str] = lambda name: str(folder / name)  # noqa: E731
    monkeypatch.setattr(rollout, "program", found)
    return Programs(folder)
