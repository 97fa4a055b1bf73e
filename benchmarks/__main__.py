"""`python -m benchmarks` measures the platform beside its peers and compares the ratios with the goals."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from benchmarks import bulk, freshness, gateway, memory, report, search, store, telemetry
from benchmarks.errors import BenchmarkError
from benchmarks.machine import Cores, bound_to, cores
from benchmarks.processes import Stage
from benchmarks.report import Result
from benchmarks.rounds import Plan
from infra.embedded.errors import StartError

_HOW = """\
Each server under test runs on one core of its own; what asks it, what it asks and the database run on the
others. Each comparison takes turns: one peer, then the other, again and again, on 16 connections that always
have a request under way. A figure is the median of the turns: answers for each second of processor time the
server used, which is requests a second on a core of its own, whoever else uses the machine. A ratio is the
median of the turns' ratios.

gateway  Forwards an authenticated GET of a small JSON answer with everything on, beside a plain forwarder of
         Litestar and httpx.AsyncClient, and nginx as reverse proxy (when it is installed). Then the 99th
         percentile of the time to answer at a quarter of the rate it reached, less that of the upstream
         alone in its place.
         None of the three writes a line for each request.
store    Reads one store from PostgreSQL, and from the cache, with everything on, beside a Litestar handler
         with a SQLAlchemy ORM session for each request, and one that returns the same bytes from a Redis GET.
         None of them writes a line for each request.
telemetry
         Loads the gateway, and reads of a store, with metrics, a line for each request and a tenth of them
         recorded and exported, beside the same process with none of these.
freshness
         Runs the whole platform. Reads 1,000 stores as Zipf's law has it, with one write in a hundred, counts
         the answers that came from the cache and looks for any older than an acknowledged write. Then changes
         clients at half the rate that is possible and takes the time from an acknowledged change to the
         first answer of the store service that shows it. Last it freezes Redis under a quarter of the load
         that is possible, and takes what that adds to the 99th percentile of reads after the first second.
bulk     Runs the whole platform on all cores. Imports a file of 100,000 stores through the gateway, from its
         first byte to the end of the import, and copies the same rows into the same table, emptied, with
         asyncpg's COPY, in turns. Then exports them, and takes how much the store service grows meanwhile.
memory   Runs the whole platform, signs in 200 times, loads every service, and takes resident memory.
search   Fills the table of stores to 1,000, 100,000 and 1,000,000, of which the same 1,000 or fewer match,
         and asks the store service for them in each way: the first page, and the next one by cursor.
         The 95th percentile of 60 answers each, not from the cache, at the largest size beside the smallest.

The exit status is 1 when a goal is missed.
"""

_PARTS: dict[str, Callable[[Stage, Plan], list[Result]]] = {
    "gateway": gateway.measure,
    "store": store.measure,
    "telemetry": telemetry.measure,
    "freshness": freshness.measure,
    "bulk": bulk.measure,
    "memory": memory.measure,
    "search": search.measure,
}


def main() -> int:
    """Measure what the command line asks for, print the table and return the exit status."""
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    try:
        results = _measured(arguments)
    except (BenchmarkError, StartError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted; everything that was started is stopped.")
    print(f"\n{report.table(results)}\n\n{report.remarks(results)} {time.monotonic() - started:.0f} s.")
    if arguments.write:
        report.RESULTS.write_text(report.document(results))
    return 1 if any(result.met is False for result in results) else 0


def _measured(arguments: argparse.Namespace) -> list[Result]:
    divided = cores()
    plan = Plan(arguments.rounds, arguments.seconds, divided.server, _say)
    with bound_to(divided.others):
        return [result for part in arguments.only or _PARTS for result in _part(part, divided, plan)]


def _part(part: str, divided: Cores, plan: Plan) -> list[Result]:
    _say(f"\n{part}")
    with tempfile.TemporaryDirectory(prefix="gerai-benchmark-") as folder, ExitStack() as processes:
        return _PARTS[part](Stage(divided, Path(folder), processes), plan)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the platform beside its peers.",
        epilog=_HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), metavar="PART", help=", ".join(_PARTS))
    parser.add_argument("--rounds", type=int, default=9, help="turns of each server (default 9)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn (default 1)")
    parser.add_argument("--write", action="store_true", help="rewrite benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write keeps the whole table: leave out --only")
    return arguments


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop measuring; a second signal must not break off the stopping."""
    del number, frame
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
