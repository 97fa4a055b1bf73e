"""The drill: restoring the newest moment, to see that it can be done, what is lost and how long it takes."""

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.backup import metrics
from infra.backup.archive import Archive
from infra.backup.errors import BackupError
from infra.backup.programs import Clusters
from infra.backup.restore import restore


@dataclass(frozen=True)
class Drill:
    """What a loss of the server would have cost: the newest changes, and time; both in seconds."""

    recovery_point: float
    recovery_time: float


def drill(archive: Archive, folder: Path, cluster: Clusters) -> Drill:
    """Restore the newest moment into `folder`, check it, remove it again, and keep the figures as metrics.

    Raises:
        BackupError: it cannot be restored.
    """
    decided, started = datetime.now(UTC), time.monotonic()
    through = archive.through()
    if through is None:
        raise BackupError(
            f"No changes are archived in {archive.folder}, so there is nothing to try."
            " ./taskw backup -- --follow archives them."
        )
    copy = restore(archive, through, folder, cluster)
    found = Drill((decided - through).total_seconds(), time.monotonic() - started)
    shutil.rmtree(copy.folder)
    if folder.is_symlink():
        folder.unlink()
    keep(archive, found)
    return found


def keep(archive: Archive, found: Drill) -> None:
    """Keep the figures of a drill as metrics."""
    values = {
        "backup_drill_recovery_point_seconds": found.recovery_point,
        "backup_drill_recovery_time_seconds": found.recovery_time,
    }
    metrics.write(archive.metrics / "drill.prom", values)
