import configparser
import shlex
from pathlib import Path

import pytest

from infra.embedded.events import describe
from infra.embedded.programs import gateway, services
from infra.embedded.settings import read
from infra.embedded.state import State
from infra.embedded.supervisor import Group, Program, configuration


def parsed(tmp_path: Path, *groups: Group) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(configuration(State(tmp_path), groups))
    return parser


def test_databases_start_first_and_stop_last(tmp_path: Path) -> None:
    settings, state = read({}), State(tmp_path)
    groups = [services(settings, state, reload=False), gateway(settings, state, reload=False)]
    parser = parsed(tmp_path, Group("databases", 10, []), *groups)
    priorities = [parser.getint(f"group:{name}", "priority") for name in ("databases", "services", "gateway")]
    assert priorities == sorted(priorities)


def test_commands_survive_odd_paths(tmp_path: Path) -> None:
    command = ["/opt/it's 100% odd/bin/run", "--name=a b"]
    parser = parsed(tmp_path, Group("odd", 1, [Program("odd", command, tmp_path)]))
    assert shlex.split(parser.get("program:odd", "command")) == command


def test_the_configuration_holds_no_secret(tmp_path: Path) -> None:
    settings = read({"ADMIN_PASSWORD": "correct-horse", "JWT_SECRET": "battery-staple-battery-staple-32"})
    text = configuration(State(tmp_path), [services(settings, State(tmp_path), reload=False)])
    assert "horse" not in text
    assert "staple" not in text


def test_a_drain_has_time_to_end(tmp_path: Path) -> None:
    settings = read({"SERVICE_DRAIN_SECONDS": "40"})
    parser = parsed(tmp_path, services(settings, State(tmp_path), reload=False))
    assert parser.getint("program:store", "stopwaitsecs") > 60


def test_reload_watches_the_service_and_what_it_shares(tmp_path: Path) -> None:
    [program] = gateway(read({}), State(tmp_path), reload=True).programs
    assert [Path(path).name for path in program.command[-2:]] == ["gateway", "shared"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2026-01-01 00:00:00,000 WARN exited: auth (terminated by SIGKILL; not expected)", "auth ended"),
        (
            "2026-01-01 00:00:00,000 INFO exited: store (exit status 0; expected)",
            "store ended (exit status 0)",
        ),
        ("2026-01-01 00:00:00,000 INFO spawned: 'auth' with pid 42", "auth runs again as process 42."),
        ("2026-01-01 00:00:00,000 INFO gave up: auth entered FATAL state, too many", "auth keeps failing"),
    ],
)
def test_events_become_sentences(line: str, sentence: str) -> None:
    assert (describe(line, Path("/logs")) or "").startswith(sentence)


@pytest.mark.parametrize(
    "line", ["", "INFO success: auth entered RUNNING state", "INFO supervisord started with pid 1"]
)
def test_other_events_are_not_told(line: str) -> None:
    assert describe(line, Path("/logs")) is None
