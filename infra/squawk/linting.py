"""Squawk's findings in the SQL of migrations, less what is excluded with a reason."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from shared.migrations import history

EVERYWHERE = "everywhere"
POSTGRESQL = "18"

_PROGRAM = Path(sys.executable).with_name("squawk")

Exclusions = Mapping[str, Mapping[str, str]]
"""Reasons by rule, by revision (`store 0006`) or everywhere."""


class Finding(msgspec.Struct, frozen=True):
    """What squawk says of a statement."""

    file: str
    line: int
    rule_name: str
    message: str
    help: str | None = None

    @property
    def revision(self) -> str:
        """The revision whose statement it is, as exclusions name it."""
        return Path(self.file).stem


class CannotLint(Exception):
    """Why nothing was found out, as a sentence."""


def lint(services: Mapping[str, Path]) -> list[Finding]:
    """Return what squawk finds in the revisions of services, given by the folders that hold them.

    Raises:
        CannotLint: squawk does not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        for service, revisions in services.items():
            for number, sql in history.sql(revisions).items():
                Path(folder, f"{service} {number}.sql").write_text(sql)
        return _run(sorted(Path(folder).iterdir()))


def judge(findings: Iterable[Finding], exclusions: Exclusions) -> list[str]:
    """Return what is to be mended: findings that are not excluded, and exclusions of nothing."""
    unused = {(place, rule) for place, rules in exclusions.items() for rule in rules}
    told: list[str] = []
    for finding in findings:
        reasons = {(place, finding.rule_name) for place in (finding.revision, EVERYWHERE)}
        if reasons.isdisjoint((place, rule) for place, rules in exclusions.items() for rule in rules):
            told.append(f"{finding.revision}: {finding.rule_name}: {finding.message} {finding.help or ''}")
        unused -= reasons
    return told + [f"{place}: {rule} is excluded and does not occur" for place, rule in sorted(unused)]


def _run(files: list[Path]) -> list[Finding]:
    command = [str(_PROGRAM), "--pg-version", POSTGRESQL, "--reporter", "json"]
    try:
        done = subprocess.run([*command, *map(str, files)], capture_output=True, check=False)
    except FileNotFoundError as missing:
        raise CannotLint(f"{_PROGRAM} is missing: ./taskw check installs it.") from missing
    try:
        return msgspec.json.decode(done.stdout, type=list[Finding])
    except msgspec.DecodeError as error:
        raise CannotLint(f"squawk did not run: {done.stderr.decode().strip()}") from error
