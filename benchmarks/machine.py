"""The machine that is measured on, and which of its cores do what."""

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.errors import BenchmarkError


@dataclass(frozen=True)
class Cores:
    """One core for the server under test; the others for what asks it and what it asks."""

    server: int
    others: frozenset[int]


def cores() -> Cores:
    """Split the cores this process may use.

    Raises:
        BenchmarkError: there are fewer than two, or the system cannot bind processes to cores.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise BenchmarkError("The benchmarks bind processes to cores, which needs Linux.")
    usable = os.sched_getaffinity(0)
    server = max(usable)
    others = usable - _siblings(server)
    if not others:
        raise BenchmarkError("The benchmarks need two cores: one for the server, one for what asks it.")
    return Cores(server, frozenset(others))


@contextmanager
def bound_to(cores: frozenset[int]) -> Generator[None]:
    """Bind this process, and the processes it starts meanwhile, to `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def busy_seconds(core: int) -> float:
    """Return how long `core` has worked for anyone, the hypervisor's other guests included."""
    times = psutil.cpu_times(percpu=True)[core]
    return times.user + times.nice + times.system + times.irq + times.softirq + times.steal


def description() -> str:
    """Return processor, cores and Python in a line."""
    cores = os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _siblings(core: int) -> set[int]:
    """Return `core` with the logical cores that share its physical one."""
    file = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    text = file.read_text().strip() if file.exists() else str(core)
    siblings: set[int] = {core}
    for part in text.split(","):
        first, _, last = part.partition("-")
        siblings.update(range(int(first), int(last or first) + 1))
    return siblings
