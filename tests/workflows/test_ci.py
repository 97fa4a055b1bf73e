import yaml

from tests.workflows.repository import Repository

JOBS = {"check", "test", "drills", "chart", "images"}


def test_a_pull_request_is_checked_by_tasks_that_there_are_and_reaches_no_account(
    repository: Repository,
) -> None:
    run = repository.pull_request()
    assert run.succeeded, run.told
    assert run.jobs() == JOBS
    tasks = {call.split()[1] for _, call in run.calls if call.startswith("taskw ")}
    assert tasks <= set(yaml.safe_load((repository.folder / "Taskfile.yml").read_text())["tasks"])
    assert {"check", "test", "test:rollout", "test:restore", "test:helm", "image:build"} <= tasks
    for what in ("aws ", "cosign ", "gh ", "docker login", "docker push"):
        assert not [call for _, call in run.calls if call.startswith(what)]


def test_what_fails_is_told_and_stops_nothing_else(repository: Repository) -> None:
    run = repository.pull_request(fails="test:rollout")
    assert not run.succeeded
    assert run.jobs() == JOBS
    assert run.of("drills") == ["taskw test:rollout"]
