"""What stands in for the images' base where no registry is asked: Debian's own Python, made with debootstrap.

It has the name of the base, the same release of Debian and the same minor version of Python.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from tests.support.containers import DOCKERFILE, CannotBuild, Containers

_PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv", "python-is-python3")


def base_image(containers: Containers) -> str:
    """Return the name of the base, after having made what stands in for it unless it is there.

    Raises:
        CannotBuild: Debian's packages cannot be had, or its Python is another one.
    """
    name, python, release = _named()
    full = f"docker.io/library/{name}"
    if not containers.has(full):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "root")
            _bootstrap(release, root, _PACKAGES)
            _be_like(python, root)
            _import(containers, root, full)
    return full


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
    debootstrap = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release, str(root)]
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


def _import(containers: Containers, root: Path, name: str) -> None:
    archive = root.with_suffix(".tar")
    subprocess.run(
        ["tar", "--create", "--one-file-system", f"--file={archive}", f"--directory={root}", "."],  # noqa: S607
        check=True,
    )
    containers.podman("import", "--quiet", str(archive), name)
