"""Starting, stopping and recovering, as `./taskw up` and `./taskw down` do it."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress

import httpx
import pytest

from infra.embedded.state import ROOT
from tests.support.launcher import DOWN, Launcher, Run, until
from tests.support.tasks import WITHOUT_PLATFORM
from tests.support.tasks import run as run_task

pytestmark = pytest.mark.e2e

TASKW_UP = (str(ROOT / "taskw"), "up")
READY = "Stop it with Ctrl-C"


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Generator[Launcher]:
    launcher = Launcher(tmp_path_factory.mktemp("launcher"))
    yield launcher
    launcher.clean_up()


def ready(launcher: Launcher) -> Run:
    run = launcher.start()
    run.wait_for(READY)
    return run


@contextmanager
def admin(launcher: Launcher) -> Generator[httpx.Client]:
    with httpx.Client(base_url=launcher.url("gateway"), timeout=30) as client:
        answer = client.post("/v1/auth/login", json=json.loads(launcher.state.sign_in.read_text()))
        client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
        yield client


def test_the_platform_from_its_first_start_on(launcher: Launcher) -> None:
    first = ready(launcher)
    the_first_request_works_when_pasted(first)
    secrets_are_in_files_of_ours_alone(launcher)
    uuid = a_client_is_registered(launcher)
    a_second_start_is_refused(launcher, first)
    a_killed_service_comes_back(launcher, first)

    first.process.kill()
    first.wait()
    second = ready(launcher)
    assert "Ended what an interrupted start had left running." in second.text
    with admin(launcher) as client:
        assert client.get(f"/v1/master-client/{uuid}").json()["data"]["name"] == "Kept over a restart"

    assert launcher.start(DOWN).wait() == 0
    assert second.wait() == 0
    assert launcher.processes() == []


def test_a_half_written_data_directory_is_replaced(launcher: Launcher) -> None:
    postgres = launcher.state.folder / "postgres"
    (postgres / "data" / "PG_VERSION").unlink()
    (postgres / "data.new").mkdir()
    run = launcher.start(TASKW_UP)
    the_gateway_opens_last(launcher)
    run.wait_for(READY)
    assert "The PostgreSQL data directory was incomplete" in run.text
    assert [path for path in postgres.iterdir() if ".incomplete-" in path.name]

    run.process.send_signal(signal.SIGTERM)  # to the wrapper alone, as `kill` does
    assert run.wait() == 0
    assert launcher.processes() == []
    assert "Traceback" not in run.text


def test_databases_left_without_a_process_runner_are_ended(launcher: Launcher) -> None:
    run = launcher.start()
    run.wait_for("databases")
    [runner] = launcher.processes("supervisor.supervisord")
    runner.kill()
    assert run.wait() == 1
    assert "The process runner ended unexpectedly" in run.text
    assert launcher.processes() == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", launcher.ports["Redis"]))


def test_taken_ports_are_named_with_their_variables(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", launcher.ports["store"])):
        run = launcher.start()
        assert run.wait() == 1
    assert f"Port {launcher.ports['store']} (store) is taken by process {os.getpid()}" in run.text
    assert "STORE_PORT" in run.text


def test_a_service_that_cannot_start_says_why(launcher: Launcher) -> None:
    run = launcher.start(JWT_KEY_FILE="/dev/null/key.pem")
    assert run.wait() == 1
    assert "auth did not start" in run.text
    assert "/dev/null" in run.text
    assert launcher.processes() == []


def test_stopping_what_does_not_run_is_no_error(launcher: Launcher) -> None:
    run = launcher.start(DOWN)
    assert run.wait() == 0
    assert "Nothing is running." in run.text


@pytest.mark.parametrize("line", WITHOUT_PLATFORM)
def test_a_command_for_the_running_platform_says_that_it_is_stopped(launcher: Launcher, line: str) -> None:
    done = run_task(line, launcher.environment())
    assert done.returncode == 1
    assert "./taskw up" in done.stdout
    assert "Traceback" not in done.stdout


def the_first_request_works_when_pasted(run: Run) -> None:
    curl = shutil.which("curl")
    if curl:
        commands = re.findall(r"^  (?:TOKEN=|curl ).*$", run.text, re.MULTILINE)
        answer = subprocess.run(
            ["/bin/sh", "-c", "\n".join(commands)], capture_output=True, text=True, check=True
        )
        assert '"status_code":200' in answer.stdout, answer.stdout


def the_gateway_opens_last(launcher: Launcher) -> None:
    """Whoever gets through its door finds everything behind it, the admin too."""

    def is_open() -> bool:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", launcher.ports["gateway"])).close()
            return True
        return False

    until(is_open)
    with admin(launcher) as client:
        assert client.get("/v1/stores").status_code == 200


def secrets_are_in_files_of_ours_alone(launcher: Launcher) -> None:
    folder = launcher.state.folder
    private = [
        launcher.state.secrets,
        launcher.state.admin_password,
        launcher.state.sign_in,
        *folder.glob("env/*"),
    ]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in private)
    secrets = re.findall(r'": "(.+)"', launcher.state.secrets.read_text())
    shown = launcher.state.supervisor.read_text()
    for process in launcher.processes():
        shown += " ".join([*process.cmdline(), *process.environ().values()])
    assert secrets
    assert not [secret for secret in secrets if secret in shown]


def a_client_is_registered(launcher: Launcher) -> str:
    with admin(launcher) as client:
        answer = client.post(
            "/v1/master-client", json={"name": "Kept over a restart", "email": "kept@example.com"}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["uuid"]


def a_second_start_is_refused(launcher: Launcher, first: Run) -> None:
    second = launcher.start()
    assert second.wait() == 1
    assert f"runs already, started by process {first.process.pid}" in second.text
    assert launcher.is_ready("gateway")


def a_killed_service_comes_back(launcher: Launcher, run: Run) -> None:
    [killed] = launcher.processes("services.auth")
    killed.kill()
    run.wait_for("auth ended (terminated by SIGKILL) and is started again.")
    until(lambda: launcher.is_ready("auth"))
