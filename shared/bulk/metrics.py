"""What can be seen of imports from outside."""

from prometheus_client import CollectorRegistry

from shared.events.metrics import CHANGES
from shared.telemetry.counts import Counts

_STATES = ("completed", "failed")
_RESULTS = ("created", "changed", "unchanged", "failed")


class ImportMetrics:
    """Imports of one kind of things that this process finished, and what their rows came to."""

    def __init__(self, resource: str, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._resource = resource
        self._finished = Counts[str, str](
            "imports_finished",
            "Imports by how they ended: completed, failed; dry runs too.",
            ("resource", "state"),
            [(resource, state) for state in _STATES],
        )
        self._rows = Counts[str, str](
            "import_rows",
            "Rows of imports by what they came to: created, changed, unchanged, failed; not of dry runs.",
            ("resource", "result"),
            [(resource, result) for result in _RESULTS],
        )
        for collector in (self._finished, self._rows):
            registry.register(collector)

    def finished(self, state: str) -> None:
        """Count an import that ended in `state`."""
        self._finished.add((self._resource, state))

    def applied(self, *, created: int, changed: int, unchanged: int, failed: int) -> None:
        """Count the rows of an import that was applied, and what they created and changed."""
        for result, number in zip(_RESULTS, (created, changed, unchanged, failed), strict=True):
            self._rows.add((self._resource, result), number)
        CHANGES.add((self._resource, "created"), created)
        CHANGES.add((self._resource, "changed"), changed)

    def refused(self, failed: int) -> None:
        """Count the bad rows of an import of which nothing was applied."""
        self._rows.add((self._resource, "failed"), failed)
