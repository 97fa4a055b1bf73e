import json
from pathlib import Path

import pytest

from infra.release import images
from infra.release.run import ReleaseError
from tests.unit.release.conftest import Programs

REGISTRY = "123.dkr.ecr.example"
DIGESTS = {service: f"sha256:{place}" for place, service in enumerate(images.IMAGES)}
IDENTITY = "https://github.com/gerai/gerai/.github/workflows/deploy.yml@refs/heads/main"
PYTHON, POSTGRES = f"python@sha256:{'b' * 64}", f"postgres@sha256:{'d' * 64}"


@pytest.fixture(autouse=True)
def registries(programs: Programs) -> None:
    """Let the bases be known, and nothing of ours have been published yet."""
    programs.answer("inspect --format {{json .RepoDigests}} python:3.13-slim-trixie", [PYTHON])
    programs.answer("inspect --format {{json .RepoDigests}} postgres:18-trixie", [POSTGRES])
    programs.answer("imagetools inspect", status=1)


@pytest.fixture
def published(programs: Programs, tmp_path: Path) -> Path:
    for service, digest in DIGESTS.items():
        known = [f"elsewhere/{service}@sha256:old", f"{REGISTRY}/gerai/{service}@{digest}"]
        programs.answer(f"inspect --format {{{{json .RepoDigests}}}} {REGISTRY}/gerai/{service}:abc", known)
    values = tmp_path / "release.json"
    images.publish(REGISTRY, "abc", values)
    return values


def test_every_image_is_built_by_its_recipe_on_bases_by_content(programs: Programs) -> None:
    images.build("abc")
    python = PYTHON.replace("@", ":3.13-slim-trixie@")
    postgres = POSTGRES.replace("@", ":18-trixie@")
    assert programs.calls("docker build") == [
        *(
            f"docker build --file infra/docker/Dockerfile --build-arg BASE={python}"
            f" --build-arg SERVICE={service} --build-arg REVISION=abc --tag gerai/{service}:abc ."
            for service in ("gateway", "auth", "client", "store")
        ),
        (
            f"docker build --file infra/docker/Dockerfile.backup --build-arg PYTHON={python}"
            f" --build-arg BASE={postgres} --build-arg REVISION=abc --tag gerai/backup:abc ."
        ),
    ]
    assert programs.calls()[0] == "docker pull --quiet python:3.13-slim-trixie"


def test_an_image_that_cannot_be_built_stops_the_release(programs: Programs) -> None:
    programs.answer("SERVICE=auth", status=1)
    with pytest.raises(ReleaseError, match="docker build"):
        images.build("abc")
    assert len(programs.calls("docker build")) == 2


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ReleaseError, match="docker is missing"):
        images.build("abc")


def test_the_chart_is_told_the_digest_of_each(published: Path) -> None:
    release = json.loads(published.read_text())
    assert release["image"] == {"registry": REGISTRY}
    told = {**release["services"], "backup": release["backup"]}
    assert {name: each["image"]["digest"] for name, each in told.items()} == DIGESTS


def test_what_was_published_before_stays_what_it_is(programs: Programs, tmp_path: Path) -> None:
    for service, digest in DIGESTS.items():
        programs.answer(
            f"imagetools inspect --format {{{{json .Manifest}}}} {REGISTRY}/gerai/{service}:abc",
            {"digest": digest},
        )
    images.publish(REGISTRY, "abc", tmp_path / "release.json")
    assert programs.calls("docker push") == []
    known = images.references(tmp_path / "release.json")
    assert {name: reference.partition("@")[2] for name, reference in known.items()} == DIGESTS


def test_each_is_signed_and_verified_by_content(programs: Programs, published: Path) -> None:
    images.sign(published)
    images.verify(published, IDENTITY, "https://issuer")
    for service, digest in DIGESTS.items():
        reference = f"{REGISTRY}/gerai/{service}@{digest}"
        assert f"cosign sign --yes {reference}" in programs.calls()
        [attested] = programs.calls("cosign attest --yes --type cyclonedx --predicate")[:1]
        assert attested.split()[-2].endswith(".cdx.json")
        [scanned] = programs.calls(f"syft scan registry:{reference}")
        assert "cyclonedx-json=" in scanned
        by = f"--certificate-identity {IDENTITY} --certificate-oidc-issuer https://issuer"
        assert f"cosign verify {by} --output text {reference}" in programs.calls()
        assert f"cosign verify-attestation {by} --type cyclonedx {reference}" in programs.calls()


@pytest.mark.parametrize("what", ["cosign verify ", "cosign verify-attestation"])
def test_what_nobody_signed_is_refused(programs: Programs, published: Path, what: str) -> None:
    programs.answer(what, status=1)
    with pytest.raises(ReleaseError, match=f"{what.strip()} "):
        images.verify(published, IDENTITY, "https://issuer")


@pytest.mark.parametrize("text", ["", "{}", '{"image": {"registry": "r"}, "services": {}}', "[]"])
def test_what_publish_did_not_write_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(ReleaseError, match="does not tell what was published"):
        images.references(tmp_path / "release.json")
