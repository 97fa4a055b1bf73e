import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import Target, at_rate, saturate, target
from benchmarks.processes import Program, Server, python, running
from benchmarks.upstream import BODY
from infra.embedded.ports import free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the load generator needs epoll")


def usable_cores() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    port = free_port()
    program = python("upstream", port, "benchmarks.upstream", str(port))
    with running(program, usable_cores(), tmp_path_factory.mktemp("upstream")) as server:
        yield server


def test_every_answer_is_counted_and_timed(upstream: Server) -> None:
    load = saturate(target(upstream.port, "/", ("token",)), 0.2)
    assert load.rate * load.seconds == pytest.approx(len(load.latencies))
    assert len(load.latencies) > 100
    assert 0 < load.percentile(0.5) <= load.percentile(0.99) <= load.percentile(1)


def test_a_rate_is_kept(upstream: Server) -> None:
    load = at_rate(target(upstream.port, "/", ("token",)), 1, 200)
    assert load.rate == pytest.approx(200, rel=0.5)


def test_an_answer_that_is_not_the_expected_one_ends_the_measurement(
    upstream: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.load._PATIENCE_SECONDS", 0.2)
    unexpected = Target(upstream.port, "/", ("token",), BODY + b" ")
    with pytest.raises(BenchmarkError, match="One began with"):
        saturate(unexpected, 0.1)


def test_the_processor_time_of_a_server_grows_with_its_work(upstream: Server) -> None:
    before = upstream.cpu_seconds()
    saturate(target(upstream.port, "/", ("token",)), 0.3)
    assert upstream.cpu_seconds() > before


def test_a_program_that_does_not_start_says_what_it_printed(tmp_path: Path) -> None:
    program = Program("broken", ("/bin/sh", "-c", "echo out of coffee; exit 1"), free_port())
    with pytest.raises(BenchmarkError, match="out of coffee"), running(program, usable_cores(), tmp_path):
        pass
