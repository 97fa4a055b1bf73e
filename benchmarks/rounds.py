"""Rounds in which the servers of one comparison take turns, so that a disturbed moment meets all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Target, saturate
from benchmarks.machine import busy_seconds
from benchmarks.processes import Server


@dataclass(frozen=True)
class Plan:
    """How long is measured: `rounds` turns of `seconds` for each server, which has `core` to itself."""

    rounds: int
    seconds: float
    core: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Contender:
    """A server and what is asked of it."""

    server: Server
    target: Target


@dataclass(frozen=True)
class Sample:
    """One turn of one server: its answers a second, its share of the core, and what others took of it."""

    rate: float
    cpu_share: float
    others_share: float

    @property
    def per_cpu_second(self) -> float:
        """Answers for each second of processor time the server used: its speed on a core of its own.

        Other than answers by the clock, it does not depend on who else uses the core, and when the server
        is busy all the time both are the same.
        """
        return self.rate / self.cpu_share


@dataclass(frozen=True)
class Spread:
    """A value that was measured several times."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def low(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest."""
        return max(self.values)


Samples = Mapping[str, Sequence[Sample]]


def alternate(contenders: Sequence[Contender], plan: Plan) -> Samples:
    """Load the contenders in turn, and return the samples of each by its server's name."""
    samples: dict[str, list[Sample]] = {each.server.name: [] for each in contenders}
    for each in contenders:
        saturate(each.target, plan.seconds / 2)  # warms up: connections, compiled statements, caches
    for number in range(plan.rounds):
        for each in contenders:
            sample = _take(each, plan)
            samples[each.server.name].append(sample)
            plan.say(_progress(number + 1, plan.rounds, each.server.name, sample))
    return samples


def ratio(samples: Samples, ours: str, peer: str) -> Spread:
    """Return how many times as fast as the peer we were, round by round."""
    pairs = zip(samples[ours], samples[peer], strict=True)
    return Spread(tuple(mine.per_cpu_second / its.per_cpu_second for mine, its in pairs))


def _take(contender: Contender, plan: Plan) -> Sample:
    used, busy = contender.server.cpu_seconds(), busy_seconds(plan.core)
    load = saturate(contender.target, plan.seconds)
    used, busy = contender.server.cpu_seconds() - used, busy_seconds(plan.core) - busy
    return Sample(load.rate, used / load.seconds, max(0.0, busy - used) / load.seconds)


def _progress(number: int, rounds: int, name: str, sample: Sample) -> str:
    return (
        f"round {number}/{rounds}  {name:<28} {sample.per_cpu_second:>9,.0f} requests per CPU second"
        f"  ({sample.rate:,.0f}/s with {sample.cpu_share:.0%} of the core, others {sample.others_share:.0%})"
    )
