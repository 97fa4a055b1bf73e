"""What processes expose at /metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.platform import Platform


@dataclass(frozen=True)
class Family:
    """One metric by the name that queries use, its type, and the labels that its series have."""

    name: str
    type: str
    labels: frozenset[str]


class Exposition:
    """All series of one process at one moment."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    @property
    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """Every series."""
        return {
            (sample.name, frozenset(sample.labels.items()))
            for family in self._families
            for sample in family.samples
        }

    @property
    def families(self) -> dict[str, Family]:
        """Every metric by name."""
        found: dict[str, Family] = {}
        for family in self._families:
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            found[name] = Family(name, family.type, frozenset(labels))
        return found

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the series of this name that have these labels; 0 when there is none."""
        return sum(
            sample.value
            for family in self._families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


async def exposed(platform: Platform, process: str) -> Exposition:
    """Ask a process for its metrics."""
    url = metrics_url(platform, process)
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    return Exposition(answer.text)


def metrics_url(platform: Platform, process: str) -> str:
    """Return where a process exposes its metrics."""
    return f"{platform.url('metrics' if process == 'gateway' else process)}/metrics"


def grown(before: Mapping[str, Exposition], after: Mapping[str, Exposition]) -> set[object]:
    """Return the series that appeared between two moments."""
    return {each for process in after for each in after[process].series - before[process].series}
