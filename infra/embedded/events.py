"""What the process runner reports, as sentences."""

import re
from pathlib import Path

_ENDED = re.compile(r"(?:exited|stopped): (?P<name>\w+) \((?P<how>.+?)(?:; (?:not )?expected)?\)$")
_SPAWNED = re.compile(r"spawned: '(?P<name>\w+)' with pid (?P<pid>\d+)$")
_GIVEN_UP = re.compile(r"gave up: (?P<name>\w+) entered FATAL state")


def describe(line: str, logs: Path) -> str | None:
    """Return a sentence for a line of the process runner's log, or None when it says nothing new."""
    if found := _ENDED.search(line):
        return f"{found['name']} ended ({found['how']}) and is started again. {_log(logs, found['name'])}"
    if found := _SPAWNED.search(line):
        return f"{found['name']} runs again as process {found['pid']}."
    if found := _GIVEN_UP.search(line):
        return f"{found['name']} keeps failing and is not started again. {_log(logs, found['name'])}"
    return None


def _log(logs: Path, name: str) -> str:
    return f"Its log is {logs / name}.log."
