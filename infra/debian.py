"""Programs out of Debian's packages, unpacked into a cache: that needs no root and starts no service."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path.home() / ".cache" / "gerai" / "debian"


class ProgramMissing(Exception):
    """Why a program cannot be had, as a sentence that says what to install."""

    def __init__(self, name: str, package: str, reason: str = "") -> None:
        super().__init__(f"{name} is missing; on Debian it is in the package {package}. {reason}".strip())


_SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {suite} main"
_FOLDERS = (Path("usr", "bin"), Path("usr", "libexec", "docker", "cli-plugins"))


def program(name: str, package: str, cache: Path = CACHE, suite: str = "") -> str:
    """Return the path of a program: from PATH, from the cache, or else out of Debian's `package`.

    With `suite`, such as `trixie`, it is that Debian's and no other, for what the machine's own has too old.

    Raises:
        ProgramMissing: where it can be had in none of these ways.
    """
    unpacked = cache / suite / package
    found = None if suite else shutil.which(name)
    found = found or _in(unpacked, name)
    if found is None and shutil.which("apt-get") and shutil.which("dpkg"):
        reason = _unpack(package, unpacked, suite)
        found = _in(unpacked, name)
        if found is None:
            raise ProgramMissing(name, package, reason)
    if found is None:
        raise ProgramMissing(name, package)
    return found


def _in(unpacked: Path, name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join(str(unpacked / folder) for folder in _FOLDERS))


def _unpack(package: str, folder: Path, suite: str) -> str:
    """Put what the package holds into `folder`, if it can be had; return what apt said."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        said = _download(package, Path(place), _options(suite, Path(place)) if suite else [])
        contents = Path(place, "contents")
        for archive in Path(place).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(archive), str(contents)], check=True)  # noqa: S607 - from PATH
        if contents.exists():  # moved at the end: what an interrupted run leaves is never taken for the whole
            shutil.rmtree(folder, ignore_errors=True)
            contents.rename(folder)
    return said


def _options(suite: str, folder: Path) -> list[str]:
    """Return the options with which apt knows only `suite`, and keeps what it knows in `folder`."""
    sources = folder / "sources.list"
    sources.write_text(_SOURCE.format(mirror=_mirror(), suite=suite))
    for needed in ("lists/partial", "cache/archives/partial"):
        (folder / "apt" / needed).mkdir(parents=True)
    places = {
        "Dir::Etc::sourcelist": str(sources),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": str(folder / "apt" / "lists"),
        "Dir::Cache": str(folder / "apt" / "cache"),
    }
    return [part for name, value in places.items() for part in ("-o", f"{name}={value}")]


def _download(package: str, folder: Path, options: list[str]) -> str:
    """Download it; where apt has no lists of packages yet, as in a new container, get those first."""
    said = ""
    for command in (["download", package], ["update"], ["download", package]):
        said = _apt([*options, *command], folder).stderr.strip()
        if list(folder.glob("*.deb")):
            break
    return said


def _mirror() -> str:
    """Return where this machine has its packages of Debian from; empty where that is nowhere."""
    found = _apt(["indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"], Path.cwd()).stdout
    return next((line for line in found.split() if line.rstrip("/").endswith("/debian")), "")


def _apt(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "--quiet", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
