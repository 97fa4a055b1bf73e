import os
import socket
import stat
from collections.abc import Generator
from pathlib import Path

import pytest

from infra.embedded import admin, private
from infra.embedded.console import Console
from infra.embedded.errors import StartError
from infra.embedded.logs import Follower, last_lines
from infra.embedded.ports import free_port, is_to_itself, require_free
from infra.embedded.private import Secrets
from infra.embedded.settings import read
from infra.embedded.state import ROOT, AlreadyRunningError, State, find
from infra.embedded.unprivileged import Account


@pytest.fixture
def open_mask() -> Generator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_mask")
def test_private_files_are_for_their_owner_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("public")
    path.chmod(0o644)
    private.write(path, "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_secrets_are_long_and_distinct_and_kept(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json")
    first, second = secrets.get("first"), secrets.get("second")
    assert first != second
    assert len(first) >= 43  # 256 bits in base64
    assert Secrets(tmp_path / "secrets.json").get("first") == first


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_damaged_secrets_file_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    secret = Secrets(tmp_path / "secrets.json").get("first")
    assert Secrets(tmp_path / "secrets.json").known("first") == secret


def test_an_account_keeps_the_password_it_was_made_with(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json")
    made, changed = read({"ADMIN_PASSWORD": "the first one"}), read({"ADMIN_PASSWORD": "another"})
    admin.remember(made, secrets, "cluster", admin.password(made, secrets, "cluster"))
    assert admin.password(changed, secrets, "cluster") == "the first one"
    assert admin.differs(changed, secrets, "cluster")
    assert admin.password(changed, secrets, "another cluster") == "another"
    assert admin.password(read({}), secrets, "cluster") == "the first one"


def test_the_state_can_be_moved(tmp_path: Path) -> None:
    assert find({}).folder == (ROOT / ".gerai").resolve()
    assert find({"GERAI_STATE_DIR": str(tmp_path)}).folder == tmp_path.resolve()


def test_one_launcher_at_a_time(tmp_path: Path) -> None:
    state = State(tmp_path)
    with state.lock(), pytest.raises(AlreadyRunningError) as refused, state.lock():
        pass
    assert refused.value.pid == os.getpid()
    with state.lock():
        pass


def test_sockets_fit_whatever_the_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    assert State(tmp_path / "short").folder == tmp_path / "short"
    assert len(str(State(deep).socket)) < 100


def test_a_follower_sees_lines_added_after_it_began(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n")
    follower = Follower(log)
    with log.open("a") as file:
        file.write("one\ntwo\nhal")
    assert follower.read() == ["one", "two"]
    with log.open("a") as file:
        file.write("f\n")
    assert follower.read() == ["half"]
    follower.close()


def test_a_follower_survives_rotation(tmp_path: Path) -> None:
    log = tmp_path / "log"
    follower = Follower(log)
    log.write_text("one\n")
    assert follower.read() == ["one"]
    log.rename(tmp_path / "log.1")
    log.write_text("two\n")
    assert follower.read() == ["two"]
    follower.close()


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"".join(b"%d\n" % number for number in range(100)) + b"\xff\n")
    assert last_lines(tmp_path / "log", 2) == "  99\n  �"
    assert "nothing" in last_lines(tmp_path / "absent")


def test_a_taken_port_is_named_with_its_variable_and_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StartError, match=rf"Port {port} \(store\) .*process {os.getpid()} .*STORE_PORT"):
            require_free({"store": port})
    require_free({"store": free_port()})


def test_a_connection_to_itself_is_noticed() -> None:
    with socket.socket() as alone, socket.create_server(("127.0.0.1", 0)) as server:
        alone.bind(("127.0.0.1", 0))
        alone.connect(alone.getsockname())
        assert is_to_itself(alone)
        with socket.create_connection(server.getsockname()) as proper:
            assert not is_to_itself(proper)


def test_a_reader_that_stalls_does_not_stop_the_console() -> None:
    reading, writing = os.pipe()
    console = Console(writing)
    for _ in range(20_000):
        console.say("x" * 100)
    console.close(0.1)
    os.close(reading)


def test_a_reader_that_leaves_does_not_stop_the_console() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    console = Console(writing)
    console.say("nobody reads this")
    console.close()
    os.close(writing)


@pytest.mark.usefixtures("open_mask")
def test_whether_an_account_reaches_a_folder(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    me = Account("me", os.getuid(), os.getgid())
    stranger = Account("stranger", os.getuid() + 1, os.getgid() + 1)
    assert me.passes_to(tmp_path / "closed" / "data")
    assert not stranger.passes_to(tmp_path / "closed" / "data")
    assert stranger.passes_to(Path("/data"))
