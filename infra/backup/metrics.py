"""What node_exporter's textfile collector reads of backups and restores."""

from collections.abc import Mapping
from pathlib import Path

_HELP = {
    "backup_last_success_timestamp_seconds": "When the last backup that succeeded ended.",
    "backup_duration_seconds": "How long the last backup took.",
    "backup_size_bytes": "Size of the last full backup as it is kept.",
    "backup_restore_last_success_timestamp_seconds": "When the last restore that succeeded ended.",
    "backup_restore_duration_seconds": "How long the last restore took.",
}


def write(file: Path, values: Mapping[str, float]) -> None:
    """Replace the file, so that who reads it sees the old or the new values and nothing between."""
    lines = [
        f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n{name} {value:.3f}\n"
        for name, value in values.items()
    ]
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text("".join(lines))
    draft.chmod(0o644)
    draft.replace(file)
