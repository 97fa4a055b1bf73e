"""What observing is compared with: a process of ours that measures nothing.

`python -m benchmarks.peers.unobserved gateway`, or `services.store`, takes the environment of that process,
which says that it writes no line for a request and exports no span. Requests keep their ids and trace
contexts: callers are promised these. Production has no switch for metrics: nobody would run without.
"""

import runpy
import sys

from shared.telemetry.calls import CallMetrics
from shared.telemetry.counts import Counts
from shared.telemetry.durations import Durations
from shared.telemetry.event_loop import EventLoopLag


def stop_measuring() -> None:
    """Make every metric of this process keep nothing."""
    for kind, method in (
        (Durations, "observe"),
        (Counts, "add"),
        (CallMetrics, "count"),
        (EventLoopLag, "start"),
    ):
        setattr(kind, method, _nothing)


def _nothing(*_: object) -> None:
    pass


if __name__ == "__main__":
    stop_measuring()
    runpy.run_module(sys.argv.pop(1), run_name="__main__")
