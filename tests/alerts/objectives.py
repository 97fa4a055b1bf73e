"""Cases of the objectives: traffic at the gateway of which a share goes wrong, just above and just below."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.alerts.rules import Case

_ROUTE = 'job="gerai", service="gateway", route="/v1/stores"'
_COUNT = "http_server_request_duration_seconds_count"
_BUCKET = "http_server_request_duration_seconds_bucket"

Stretch = tuple[float, int]
"""What each interval adds, and for how many intervals."""


@dataclass(frozen=True)
class Windows:
    """The windows of an alert in intervals, and the share of requests that its threshold is."""

    name: str
    interval: str
    minutes: int
    long: int
    short: int
    burn: float


WINDOWS = (
    Windows("1h", "1m", 1, 60, 5, 14.4),
    Windows("6h", "5m", 5, 72, 6, 6),
    Windows("1d", "15m", 15, 96, 8, 3),
    Windows("3d", "30m", 30, 144, 12, 1),
)


def _counter(*stretches: Stretch) -> str:
    """Return a counter in promtool's notation."""
    parts, value = ["0"], 0.0
    for step, times in stretches:
        parts.append(f"{value + step:.6f}+{step:.6f}x{times - 1}")
        value += step * times
    return " ".join(parts)


def _failing(*stretches: tuple[float, float, int]) -> Mapping[str, str]:
    """Return the counters of requests answered well and with a 503, given requests, share and intervals."""
    good = [(requests * (1 - share), times) for requests, share, times in stretches]
    bad = [(requests * share, times) for requests, share, times in stretches]
    return {
        f'{_COUNT}{{{_ROUTE}, status="200"}}': _counter(*good),
        f'{_COUNT}{{{_ROUTE}, status="503"}}': _counter(*bad),
    }


def _slow(*stretches: tuple[float, float, int]) -> Mapping[str, str]:
    """Return the counters of all requests and of those within the limit."""
    fast = [(requests * (1 - share), times) for requests, share, times in stretches]
    every = [(requests, times) for requests, _, times in stretches]
    return {
        f'{_BUCKET}{{{_ROUTE}, status="200", le="0.25"}}': _counter(*fast),
        f'{_COUNT}{{{_ROUTE}, status="200"}}': _counter(*every),
    }


def _cases(
    alert: str, budget: float, going: Callable[..., Mapping[str, str]], windows: Windows
) -> Iterator[Case]:
    limit = windows.burn * budget
    busy, few = 60_000.0, 0.1 * 60 * windows.minutes
    whole = windows.long + 2

    def case(*stretches: tuple[float, float, int], fires: bool) -> Case:
        at = f"{sum(times for *_, times in stretches) * windows.minutes}m"
        return Case(
            f"{alert}{windows.name}", at, going(*stretches), [{}] if fires else [], interval=windows.interval
        )

    yield case((busy, limit * 1.03, whole), fires=True)
    yield case((busy, limit * 0.97, whole), fires=False)
    # It goes on being bad, and has just become better: the short window alone is below.
    yield case((busy, limit * 1.5, whole), (busy, limit * 0.97, windows.short + 1), fires=False)
    # It was nearly bad for long, and is bad now: the long window alone is below.
    rest = windows.long - windows.short
    nearly = limit * (0.97 * windows.long - 1.2 * windows.short) / rest
    yield case((busy, nearly, whole), (busy, limit * 1.2, windows.short), fires=False)
    yield case((few * 1.05, 0.5, whole), fires=True)
    yield case((few * 0.95, 0.5, whole), fires=False)


def objectives() -> Iterator[Case]:
    """Yield the cases of every alert on an objective."""
    for windows in WINDOWS:
        yield from _cases("ErrorBudgetBurn", 0.001, _failing, windows)
        yield from _cases("LatencyBudgetBurn", 0.01, _slow, windows)
    yield from _not_counted()


def _not_counted() -> Iterator[Case]:
    """Yield what is bad and yet no failed or slow request, beside ten times as much that is good."""
    at, well = "70m", _counter((10_000, 70))
    bad, none = _counter((1_000, 70)), "0x70"
    good = {
        f'{_COUNT}{{{_ROUTE}, status="200"}}': well,
        f'{_BUCKET}{{{_ROUTE}, status="200", le="0.25"}}': well,
    }
    gateway = 'job="gerai", service="gateway"'

    def slow(labels: str) -> Mapping[str, str]:
        return {**good, f"{_COUNT}{{{labels}}}": bad, f'{_BUCKET}{{{labels}, le="0.25"}}': none}

    for labels in (
        f'{gateway}, route="/readyz", status="503"',
        f'{gateway}, route="/healthz", status="503"',
        f'{gateway}, route="unmatched", status="503"',
        f'{gateway}, route="/v1/stores", status="499"',
        'job="gerai", service="store", route="/v1/stores", status="503"',
    ):
        yield Case("ErrorBudgetBurn1h", at, slow(labels))
    for labels in (
        f'{gateway}, route="/readyz", status="200"',
        f'{gateway}, route="unmatched", status="404"',
        f'{gateway}, route="/v1/stores/import", status="202"',
        f'{gateway}, route="/v1/stores/export", status="200"',
        f'{gateway}, route="/v1/stores", status="504"',
        'job="gerai", service="store", route="/v1/stores", status="200"',
    ):
        yield Case("LatencyBudgetBurn1h", at, slow(labels))
