"""`python -m tests.helm.golden` writes anew what the chart renders to for each file of values."""

from pathlib import Path
from typing import Any

import yaml

from infra.chart.readme import CHART
from tests.helm.rendering import render

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(CHART.glob("values-*.yaml"))
REWRITE = "./taskw helm:golden"


def golden(values: Path) -> Path:
    """Return the file that holds what these values rendered to when somebody last looked."""
    return FOLDER / f"{values.stem.removeprefix('values-')}.yaml"


def rendered(values: Path) -> str:
    """Return the objects of these values in an order that does not depend on the templates' names."""
    objects = sorted(map(_masked, map(_without_copies, render(values))), key=_place)
    return yaml.safe_dump_all(objects, sort_keys=False, width=110, allow_unicode=True)


def _place(each: dict[str, Any]) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]


def _without_copies(each: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is copied from files with tests of their own."""
    component = each["metadata"]["labels"]["app.kubernetes.io/component"]
    files_of_servers = each["kind"] == "ConfigMap" and component in {"postgres", "provision"}
    copied = files_of_servers or component in {"dashboards", "alerts"}
    return {name: value for name, value in each.items() if not copied or name not in {"data", "spec"}}


def _masked(each: dict[str, Any]) -> dict[str, Any]:
    """Hide what Secrets hold, which is made anew each time."""
    return {**each, "data": dict.fromkeys(each["data"], "…")} if each["kind"] == "Secret" else each


if __name__ == "__main__":
    for file in FILES:
        golden(file).write_text(rendered(file))
