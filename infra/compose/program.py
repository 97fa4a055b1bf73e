"""Docker Compose out of Debian's package, unpacked into a cache: it reads the file without any engine."""

import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path.home() / ".cache" / "gerai" / "compose"

_RELEASE = "trixie"  # the first with Compose 2
_PLUGIN = Path("usr", "libexec", "docker", "cli-plugins", "docker-compose")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class ComposeMissing(Exception):
    """Why there is no Docker Compose, as a sentence."""


def compose(cache: Path = CACHE) -> str:
    """Return the path of Docker Compose.

    Raises:
        ComposeMissing: it is in neither the cache nor a package that apt can download.
    """
    folder = cache / _RELEASE
    if not (folder / _PLUGIN).exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            raise ComposeMissing(
                "Docker Compose is had out of Debian's package, which takes apt-get and dpkg."
            )
        _unpack(folder)
    return str(folder / _PLUGIN)


def _unpack(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        place = Path(name)
        (place / "lists").mkdir()
        (place / "sources.list").write_text(f"deb [signed-by={_KEYS}] {_mirror()} {_RELEASE} main\n")
        options = {
            "Dir::Etc::SourceList": place / "sources.list",
            "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": place / "lists",
        }
        given = [part for option, value in options.items() for part in ("-o", f"{option}={value}")]
        said = [_run(["apt-get", "--quiet", *given, *command], place) for command in _COMMANDS]
        found = list(place.glob("*.deb"))
        if not found:
            raise ComposeMissing(f"Debian's package docker-compose cannot be downloaded. {said[-1]}")
        _run(["dpkg", "-x", str(found[0]), str(place / "contents")], place)
        # Moved at the end: what an interrupted run leaves is never taken for the whole.
        shutil.rmtree(folder, ignore_errors=True)
        (place / "contents").rename(folder)


_COMMANDS = (["update"], ["download", "docker-compose"])


def _mirror() -> str:
    """Return where this machine has its packages from."""
    said = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"], Path.cwd())
    mirrors = [line.strip() for line in said.splitlines() if line.strip().rstrip("/").endswith("/debian")]
    if not mirrors:
        raise ComposeMissing(
            "Docker Compose is had out of Debian's package, and apt knows no mirror of Debian."
        )
    return mirrors[0]


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else done.stderr.strip()
