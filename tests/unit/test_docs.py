"""What the documentation names exists."""

import re
from itertools import product
from pathlib import Path

import pytest
import yaml

from infra.embedded.state import ROOT

PLACES = ("*.md", "docs/**/*.md", "helm/**/*.md", "benchmarks/**/*.md")
PAGES = sorted(str(file.relative_to(ROOT)) for place in PLACES for file in ROOT.glob(place))
TASKS = set(yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"])
FOLDERS = {folder.name for folder in ROOT.iterdir() if folder.is_dir()}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Path:
    return ROOT / request.param


def test_every_task_it_names_exists(page: Path) -> None:
    named = set(re.findall(r"\./taskw ([a-z][a-z:]*)", page.read_text()))
    assert named <= TASKS


def test_every_file_it_links_exists(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_path_it_names_exists(page: Path) -> None:
    words = {
        word.strip(".,;:()").rstrip("/")
        for code in re.findall(r"`([^`\n]+)`", page.read_text())
        for word in code.split()
    }
    paths = {word for word in words if "/" in word and word.partition("/")[0] in FOLDERS}
    assert [path for path in sorted(paths) if not all(map(_exists, _expanded(path)))] == []


def _expanded(path: str) -> list[str]:
    """Return the paths that a shell makes of `a/{b,c}`."""
    parts = re.split(r"\{([^}]*)\}", path)
    choices = [part.split(",") if number % 2 else [part] for number, part in enumerate(parts)]
    return ["".join(chosen) for chosen in product(*choices)]


def _exists(path: str) -> bool:
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()
