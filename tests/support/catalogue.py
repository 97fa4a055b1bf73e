"""The tables of docs/metrics.md."""

import re
from pathlib import Path

from tests.support.exposition import Family

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"

SERVICES = frozenset({"auth", "client", "store"})
_PROCESSES = {
    "all": SERVICES | {"gateway"},
    "services": SERVICES,
    "services with a replica": SERVICES,
    "client, store": SERVICES - {"auth"},
    "auth": {"auth"},
}
_ROW = re.compile(r"\| `(\w+)` \| (\w+) \| ([\w, ]*) ?\| ([^|]+) \| ([^|]+) \| ([^|]+) \|")


def documented() -> dict[str, dict[str, Family]]:
    """Return what each process is said to expose, by name."""
    found: dict[str, dict[str, Family]] = {process: {} for process in _PROCESSES["all"]}
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("| `"):
            row = _ROW.fullmatch(line)
            assert row, line
            name, kind, labels, _, processes, _ = row.groups()
            names = frozenset(label.strip() for label in labels.split(",") if label.strip())
            for process in _PROCESSES[processes]:
                found[process][name] = Family(name, kind, names)
    return found


def documented_names() -> set[str]:
    """Return every name that a query may use of a documented metric."""
    names: set[str] = set()
    for families in documented().values():
        for family in families.values():
            names |= _of_family(family)
    return names


def _of_family(family: Family) -> set[str]:
    if family.type == "histogram":
        return {f"{family.name}_{suffix}" for suffix in ("bucket", "count", "sum")}
    return {family.name}
