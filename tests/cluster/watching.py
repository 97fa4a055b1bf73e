"""What became of a kind of objects, in the order in which it happened."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.chart.programs import program
from tests.cluster.release import Release


@dataclass(frozen=True)
class Change:
    """An object as it was at a revision; revisions of all kinds come from one counter."""

    name: str
    revision: int
    status: dict[str, Any]


@contextmanager
def watching(release: Release, kind: str) -> Generator[Callable[[], list[Change]]]:
    """Watch a kind of the namespace meanwhile; the value returns the changes that were seen until now."""
    command = [
        program("kubectl"),
        f"--kubeconfig={release.cluster.kubeconfig}",
        f"--namespace={release.namespace}",
        *("get", kind, "--watch", "--output=json"),
    ]
    with tempfile.NamedTemporaryFile() as seen, subprocess.Popen(command, stdout=seen) as process:
        try:
            yield lambda: list(_changes(Path(seen.name).read_text()))
        finally:
            process.terminate()


def _changes(seen: str) -> Iterator[Change]:
    rest, decoder = seen.lstrip(), json.JSONDecoder()
    while rest:
        try:
            found, end = decoder.raw_decode(rest)
        except json.JSONDecodeError:  # it is still being written
            return
        meta = found["metadata"]
        yield Change(meta["name"], int(meta["resourceVersion"]), found.get("status", {}))
        rest = rest[end:].lstrip()
