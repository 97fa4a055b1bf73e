"""Images and containers without an engine: buildah builds, podman runs, with a storage of their own."""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.embedded.state import ROOT

DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
CACHE = Path.home() / ".cache" / "gerai" / "containers"
REVISION = "0123456789abcdef0123456789abcdef01234567"

_PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
_MOST_FILES = _MOST_PROCESSES = 4096
_CERTIFICATES = Path("/etc/ssl/certs")
_STOP_SECONDS = 25  # 20 for requests in flight, 2 to end, and some for the machine


class CannotBuild(Exception):
    """Why there is no image, as a sentence that says what is missing."""


def require_programs() -> None:
    """Check that images can be built and run here.

    Raises:
        CannotBuild: naming what is missing.
    """
    missing = [name for name in _PROGRAMS if not shutil.which(name)]
    if missing:
        raise CannotBuild(f"Debian's packages {', '.join(missing)} are missing; apt-get installs them.")
    if os.geteuid():
        raise CannotBuild("Making a base image and running what is built takes root.")


class Containers:
    """Builds, keeps and runs images; the storage is kept from one run to the next, for its layers."""

    def __init__(self, folder: Path = CACHE) -> None:
        storage = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self._buildah = ["buildah", *storage]
        self._podman = ["podman", *storage, "--runtime", "runc"]

    def podman(self, *arguments: str) -> str:
        """Run podman and return what it prints.

        Raises:
            CannotBuild: with what it says when it fails.
        """
        return _output([*self._podman, *arguments])

    def has(self, image: str) -> bool:
        """Tell whether an image is here."""
        return not subprocess.run([*self._podman, "image", "exists", image], check=False).returncode

    def build(self, service: str) -> str:
        """Build the image of a service and return its id."""
        arguments = {"SERVICE": service, "REVISION": REVISION}
        return self.build_from(DOCKERFILE, ROOT, arguments)

    def build_from(
        self, recipe: Path, context: Path, arguments: Mapping[str, str] | None = None, stage: str = ""
    ) -> str:
        """Build an image, or a stage of it, with this machine's network settings, which leave no trace."""
        given = [part for item in (arguments or {}).items() for part in ("--build-arg", "=".join(item))]
        given += ["--target", stage] if stage else []
        with tempfile.TemporaryDirectory() as folder:
            name = Path(folder, "id")
            options = ["--isolation", "chroot", "--network", "host", "--pull-never", "--layers", "--quiet"]
            volumes = [part for volume in _package_index(Path(folder)) for part in ("--volume", volume)]
            command = [*self._buildah, "bud", *options, *volumes, *given, "--iidfile", str(name)]
            _output([*command, "--file", str(recipe), str(context)])
            return name.read_text().removeprefix("sha256:")

    def size(self, image: str) -> int:
        """Return the bytes of an image's files, with those of its base."""
        return int(self.podman("image", "inspect", "--format", "{{.Size}}", image))

    @contextmanager
    def files(self, image: str) -> Generator[Path]:
        """Show an image's files in a folder for as long as the block lasts."""
        folder = self.podman("image", "mount", image)
        try:
            yield Path(folder)
        finally:
            self.podman("image", "unmount", image)

    def command(self, image: str, *options: str, arguments: Sequence[str] = ()) -> list[str]:
        """Return the command line that runs a container as confined as production runs it."""
        confined = [
            *("--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--cap-drop", "all"),  # noqa: S108 - the container's
            *("--security-opt", "no-new-privileges", "--network", "host", "--log-driver", "none"),
            *(part for limit in limits() for part in ("--ulimit", limit)),
        ]
        return [*self._podman, "run", "--rm", *confined, *options, image, *arguments]

    def run(self, image: str, *options: str, arguments: Sequence[str] = ()) -> str:
        """Run a container to its end and return what it prints.

        Raises:
            CannotBuild: with what it says when it fails.
        """
        return _output(self.command(image, *options, arguments=arguments))

    def stop(self, name: str) -> None:
        """Ask a container to end (SIGTERM), and end it by force when it has not within its limit."""
        self.podman("stop", "--time", str(_STOP_SECONDS), name)


def limits() -> list[str]:
    """Return limits of files and processes that this machine may set: podman's own may be too high."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    return [f"nofile={_least(files, _MOST_FILES)}", f"nproc={_least(processes, _MOST_PROCESSES)}"]


def _least(hard: int, most: int) -> str:
    value = most if hard == resource.RLIM_INFINITY else min(hard, most)
    return f"{value}:{value}"


def _package_index(folder: Path) -> list[str]:
    """Return the volumes that let pip and uv reach the index that this machine uses."""
    found = subprocess.run(
        ["python3", "-m", "pip", "config", "get", "global.index-url"],  # noqa: S607 - from PATH
        capture_output=True,
        text=True,
        check=False,
    )
    index = os.environ.get("PIP_INDEX_URL") or found.stdout.strip()
    lines = ["[global]", *([f"index-url = {index}"] if index else [])]
    if _CERTIFICATES.exists():  # whom this machine trusts, for networks with an authority of their own
        lines.append(f"cert = {_CERTIFICATES / 'ca-certificates.crt'}")
    pip, uv = folder / "pip.conf", folder / "uv.toml"
    pip.write_text("\n".join(lines) + "\n")
    uv.write_text("system-certs = true\n")
    volumes = [f"{pip}:/etc/pip.conf:ro", f"{uv}:/etc/uv/uv.toml:ro"]
    return [*volumes, f"{_CERTIFICATES}:{_CERTIFICATES}:ro"] if _CERTIFICATES.exists() else volumes


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-15:])
        raise CannotBuild(f"{' '.join(command[:1])} failed with {done.returncode}:\n{said}")
    return done.stdout.strip()
