from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflows.outside import IDENTITY_TOKEN
from tests.workflows.repository import NAME, REGISTRY, Repository, Run

IMAGES = {"auth", "backup", "client", "gateway", "store"}
ENVIRONMENTS = {"development": "staging", "main": "production"}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def branch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def pushed(
    branch: str, make: Callable[[Path], Repository], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Repository, Run]:
    """What came of a push to a branch."""
    repository = make(tmp_path_factory.mktemp(branch))
    run = repository.push(branch)
    assert run.succeeded, run.told
    return repository, run


@pytest.fixture
def run(pushed: tuple[Repository, Run]) -> Run:
    return pushed[1]


def named(calls: list[str]) -> set[str]:
    """Return the last word of each call: the image that it is about."""
    return {call.split()[-1] for call in calls}


def test_everything_is_checked_before_anything_is_built(run: Run) -> None:
    jobs = [job for job, _ in run.calls]
    first = jobs.index("build")
    assert set(jobs[:first]) == {"check", "test", "drills", "chart", "images"}
    assert set(jobs[first:]) == {"build", "deploy"}


def test_every_image_is_built_once_and_pushed_signed_and_verified_by_its_content(run: Run) -> None:
    assert len(run.of("build", "docker build ")) == len(IMAGES)
    assert {name.split("/")[2].partition(":")[0] for name in named(run.of("build", "docker push"))} == IMAGES
    signed = named(run.of("build", "cosign sign"))
    assert {name.partition("@")[0] for name in signed} == {f"{REGISTRY}/gerai/{image}" for image in IMAGES}
    assert named(run.of("build", "cosign attest")) == signed
    assert named(run.of("deploy", "cosign verify ")) == signed
    assert named(run.of("deploy", "cosign verify-attestation")) == signed


def test_only_what_this_branch_signed_is_deployed(run: Run, branch: str) -> None:
    by = f"https://github.com/{NAME}/.github/workflows/deploy.yml@refs/heads/{branch}"
    for verified in run.of("deploy", "cosign verify"):
        assert f"--certificate-identity {by} " in verified


def test_it_is_deployed_to_the_branch_s_environment_tested_and_asked(run: Run, branch: str) -> None:
    environment = ENVIRONMENTS[branch]
    steps = [call for call in run.of("deploy") if call.startswith(("taskw", "helm upgrade", "helm test"))]
    verify, deploy, upgrade, test, smoke = steps
    assert verify.startswith("taskw release -- verify")
    assert deploy == f"taskw release -- deploy {environment}"
    assert f"values-{environment}.yaml --values release.json --rollback-on-failure --wait" in upgrade
    assert test.startswith("helm test")
    assert smoke.startswith("taskw smoke -- http://127.0.0.1:")


@pytest.mark.parametrize(("job", "first"), [("build", "taskw release -- publish"), ("deploy", "aws eks")])
def test_a_job_signs_in_for_itself_before_it_reaches_the_account(run: Run, job: str, first: str) -> None:
    calls = run.of(job)
    assert [call for call in calls if f"--role-arn role:{job} " in call and IDENTITY_TOKEN in call]
    login = calls.index(f"docker login --username AWS --password-stdin {REGISTRY}")
    assert login < next(index for index, call in enumerate(calls) if call.startswith(first))


def test_the_session_s_password_signs_in_to_the_registry(pushed: tuple[Repository, Run]) -> None:
    repository, _ = pushed
    for job in ("build", "deploy"):
        assert (repository.notes / f"password-of-{job}").read_text() == "password-for-session-of-aws\n"


def test_no_secret_is_told(run: Run) -> None:
    assert "*** and *** must be told to nobody" in run.told
    for secret in ("secret-of-aws", "session-of-aws", IDENTITY_TOKEN):
        assert secret not in run.told


@pytest.mark.parametrize(
    ("fails", "job", "next_step"),
    [
        ("taskw test:helm", "chart", "docker push"),
        ("--role-arn role:build", "build", "docker login"),
        ("docker push --quiet registry.example/gerai/store", "build", "cosign sign"),
        ("cosign sign --yes registry.example/gerai/gateway", "build", "gh run download"),
        ("--role-arn role:deploy", "deploy", "cosign verify"),
        ("aws ecr get-login-password", "build", "docker push"),
        ("cosign verify ", "deploy", "helm upgrade"),
        ("cosign verify-attestation", "deploy", "helm upgrade"),
        ("helm upgrade", "deploy", "helm test"),
        ("helm test", "deploy", "taskw smoke"),
        ("taskw smoke", "deploy", "nothing"),
    ],
)
def test_what_fails_stops_what_follows(repository: Repository, fails: str, job: str, next_step: str) -> None:
    run = repository.push("main", fails=fails)
    assert not run.succeeded
    assert run.of(job, fails)
    assert not [call for _, call in run.calls if call.startswith(next_step)]
