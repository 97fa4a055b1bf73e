"""Programs out of Debian's packages, unpacked into a cache: that needs no root and starts no service."""

import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path.home() / ".cache" / "gerai" / "debian"


class ProgramMissing(Exception):
    """Why a program cannot be had, as a sentence that says what to install."""

    def __init__(self, name: str, package: str, reason: str = "") -> None:
        super().__init__(f"{name} is missing; on Debian it is in the package {package}. {reason}".strip())


def program(name: str, package: str, cache: Path = CACHE) -> str:
    """Return the path of a program: from PATH, from the cache, or else out of Debian's `package`.

    Raises:
        ProgramMissing: where it can be had in none of these ways.
    """
    unpacked = cache / package
    found = shutil.which(name) or _in(unpacked, name)
    if found is None and shutil.which("apt-get") and shutil.which("dpkg"):
        reason = _unpack(package, unpacked)
        found = _in(unpacked, name)
        if found is None:
            raise ProgramMissing(name, package, reason)
    if found is None:
        raise ProgramMissing(name, package)
    return found


def _in(unpacked: Path, name: str) -> str | None:
    return shutil.which(name, path=str(unpacked / "usr" / "bin"))


def _unpack(package: str, folder: Path) -> str:
    """Put what the package holds into `folder`, if it can be had; return what apt said."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        said = _download(package, Path(place))
        contents = Path(place, "contents")
        for archive in Path(place).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(archive), str(contents)], check=True)  # noqa: S607 - from PATH
        if contents.exists():  # moved at the end: what an interrupted run leaves is never taken for the whole
            shutil.rmtree(folder, ignore_errors=True)
            contents.rename(folder)
    return said


def _download(package: str, folder: Path) -> str:
    """Download it; where apt has no lists of packages yet, as in a new container, get those first."""
    said = ""
    for command in (["download", package], ["update"], ["download", package]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command],  # noqa: S607 - from PATH
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stderr.strip()
        if list(folder.glob("*.deb")):
            break
    return said
