"""What it costs readers that Redis is frozen: connections stay, and nothing comes on them."""

import os
import signal
from pathlib import Path
from statistics import median

from benchmarks.load import Target, at_rate, saturate
from benchmarks.report import Result
from benchmarks.rounds import Plan, Spread

MOST_ADDED_MILLISECONDS = 25.0

_ROUNDS = 5
_RATE_SHARE = 0.25
_FIRST_SECOND = 1.0


def measure(target: Target, redis: int, plan: Plan) -> Result:
    """Compare the 99th percentile of reads at one rate before Redis is frozen and from a second after."""
    rate = _RATE_SHARE * saturate(target, plan.seconds).rate
    pairs = [_percentiles(target, redis, rate, plan) for _ in range(_ROUNDS)]
    added = Spread(tuple(frozen - before for before, frozen in pairs))
    before, frozen = (median(values) for values in zip(*pairs, strict=True))
    return Result(
        f"99th percentile of reads at {rate:,.0f}/s while Redis is frozen",
        f"{frozen:.1f} ms",
        f"{before:.1f} ms before",
        f"+{added.middle:.1f} ms ({added.low:.1f} to {added.high:.1f})",
        f"<= +{MOST_ADDED_MILLISECONDS:.0f} ms",
        added.middle <= MOST_ADDED_MILLISECONDS,
    )


def process_id(folder: Path) -> int:
    """Return the process of the Redis whose files are in `folder`."""
    return int((folder / "redis" / "redis.pid").read_text())


def _percentiles(target: Target, redis: int, rate: float, plan: Plan) -> tuple[float, float]:
    """Return the 99th percentile before and meanwhile, in milliseconds."""
    seconds = 2 * plan.seconds
    before = at_rate(target, seconds, rate)
    os.kill(redis, signal.SIGSTOP)
    try:
        at_rate(target, _FIRST_SECOND, rate)
        frozen = at_rate(target, seconds, rate)
    finally:
        os.kill(redis, signal.SIGCONT)
    at_rate(target, _FIRST_SECOND, rate)  # until it is used again
    found = 1000 * before.percentile(0.99), 1000 * frozen.percentile(0.99)
    plan.say(f"at {rate:,.0f}/s  99th percentile {found[0]:.1f} ms, while Redis is frozen {found[1]:.1f} ms")
    return found
