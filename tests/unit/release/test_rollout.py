from pathlib import Path

import pytest

from infra.release.rollout import roll_out
from infra.release.run import ReleaseError
from tests.unit.release.conftest import Programs

DIGESTS = Path("release.json")


def history(programs: Programs, *statuses: str) -> None:
    """Let the release have revisions of these statuses."""
    programs.answer("helm list", [{"name": "gerai"}] if statuses else [])
    revisions = [{"revision": number, "status": status} for number, status in enumerate(statuses, 1)]
    programs.answer("helm history", revisions)


def steps(programs: Programs) -> list[str]:
    changing = ("upgrade", "test", "rollback", "uninstall")
    return [call.split()[1] for call in programs.calls("helm ") if call.split()[1] in changing]


def test_it_is_upgraded_with_the_environment_s_values_and_tested(programs: Programs) -> None:
    history(programs, "superseded", "deployed")
    roll_out("staging", DIGESTS)
    assert steps(programs) == ["upgrade", "test"]
    [upgrade] = programs.calls("helm upgrade")
    for part in (
        "--install",
        "values-staging.yaml",
        "--values release.json",
        "--rollback-on-failure",
        "--wait",
    ):
        assert part in upgrade
    assert upgrade.index("values-staging.yaml") < upgrade.index("release.json")  # the later wins


def test_a_release_that_fails_its_test_goes_back_to_what_was_deployed(programs: Programs) -> None:
    history(programs, "superseded", "deployed", "failed")
    programs.answer("helm test", status=1)
    with pytest.raises(ReleaseError, match="test"):
        roll_out("production", DIGESTS)
    assert steps(programs) == ["upgrade", "test", "rollback"]
    assert programs.calls("helm rollback gerai 2 ")


def test_an_upgrade_that_fails_is_helm_s_to_roll_back(programs: Programs) -> None:
    history(programs, "deployed")
    programs.answer("helm upgrade", status=1)
    with pytest.raises(ReleaseError, match="upgrade"):
        roll_out("staging", DIGESTS)
    assert steps(programs) == ["upgrade"]


@pytest.mark.parametrize("pending", ["pending-upgrade", "pending-rollback"])
def test_what_a_killed_runner_left_is_rolled_back_first(programs: Programs, pending: str) -> None:
    history(programs, "deployed", pending)
    roll_out("staging", DIGESTS)
    assert steps(programs) == ["rollback", "upgrade", "test"]
    assert programs.calls("helm rollback gerai 1 ")


def test_a_first_install_that_was_interrupted_is_removed_first(programs: Programs) -> None:
    history(programs, "pending-install")
    roll_out("staging", DIGESTS)
    assert steps(programs) == ["uninstall", "upgrade", "test"]


def test_the_first_release_has_nothing_to_go_back_to(programs: Programs) -> None:
    history(programs)
    programs.answer("helm test", status=1)
    with pytest.raises(ReleaseError):
        roll_out("staging", DIGESTS)
    assert steps(programs) == ["upgrade", "test"]
