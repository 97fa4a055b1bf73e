"""The dashboards of Grafana as they stand in infra/."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "infra" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))

_LABELS = re.compile(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring) *\([^)]*\)")
_FUNCTION = re.compile(r"\b[a-z_]+ *(?=\()")
_WORDS = frozenset({"and", "or", "unless", "bool"})


class Query(NamedTuple):
    """An expression, and where it is shown."""

    dashboard: str
    panel: str
    expression: str


def read(file: Path) -> dict[str, Any]:
    """Return a dashboard."""
    return json.loads(file.read_text())


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels that show something."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def queries() -> Iterator[Query]:
    """Yield every expression that Prometheus is asked."""
    for dashboard in map(read, FILES):
        for panel in panels(dashboard):
            if panel["datasource"]["type"] == "prometheus":
                for target in panel["targets"]:
                    yield Query(dashboard["uid"], panel["title"], target["expr"])


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics that an expression asks for."""
    left = _FUNCTION.sub(" ", _LABELS.sub(" ", expression))
    return set(re.findall(r"(?<![\w.])[a-z][\w:]*", left)) - _WORDS
