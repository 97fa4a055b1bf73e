"""Files that only their owner can read."""

import json
import os
import secrets
from pathlib import Path

_BYTES = 32


def write(path: Path, text: str) -> None:
    """Replace the file at `path` by one with `text`, never readable by others, never half-written."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


class Secrets:
    """Secrets made on first use and kept in one JSON file.

    A file that cannot be read as such is replaced: whoever uses these secrets sets them anew at each start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = _read(path)

    def get(self, name: str) -> str:
        """Return the secret called `name`: at least 256 random bits, safe in URLs and in dotenv files."""
        if name not in self._values:
            self.keep(name, secrets.token_urlsafe(_BYTES))
        return self._values[name]

    def known(self, name: str) -> str | None:
        """Return the secret called `name` if there is one."""
        return self._values.get(name)

    def keep(self, name: str, value: str) -> None:
        """Remember `value` under `name`."""
        self._values[name] = value
        write(self._path, json.dumps(self._values, indent=2))


def _read(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in values.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}
