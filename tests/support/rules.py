"""The rules of Prometheus as they stand in infra/."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.embedded.state import ROOT

RULES = ROOT / "infra" / "prometheus" / "rules"

Rule = dict[str, Any]


def rules() -> Iterator[Rule]:
    """Yield a copy of every rule, recording ones and alerts, file by file in their order."""
    for file in sorted(RULES.glob("*.yml")):
        for group in read(file)["groups"]:
            yield from copy.deepcopy(group["rules"])


def alerts() -> list[Rule]:
    """Return every alert."""
    return [rule for rule in rules() if "alert" in rule]


def read(file: Path) -> Any:  # noqa: ANN401 - as YAML does
    """Return what a YAML file holds."""
    return yaml.safe_load(file.read_text())
