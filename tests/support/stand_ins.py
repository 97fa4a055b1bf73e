"""Servers' images where no registry is asked: tests/stack/images stands in for them."""

from infra.embedded.state import ROOT
from infra.postgres.contrib import PACKAGE
from tests.support.base_image import base_image
from tests.support.containers import Containers

_FOLDER = ROOT / "tests" / "stack" / "images"


def stand_in(containers: Containers, server: str, name: str) -> str:
    """Build what stands in for a server's image, which gets the full form of the image's `name`.

    Raises:
        CannotBuild: what it is made of cannot be had.
    """
    base_image(containers)
    folder = _FOLDER / server
    image = containers.build_from(folder / "Dockerfile", folder, {"PACKAGE": PACKAGE})
    full = f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"
    containers.podman("tag", image, full)
    return full
