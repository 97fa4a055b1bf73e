"""How values are shown to a person, with their units; what is not known is a dash."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

UNKNOWN = "-"

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _known(show: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(show)
    def shown(value: Any) -> str:  # noqa: ANN401 - a column's value
        return UNKNOWN if value is None else show(value)

    return shown


@_known
def count(value: float) -> str:
    """Return `1,234`."""
    return f"{value:,.0f}"


@_known
def size(value: float) -> str:
    """Return bytes as PostgreSQL does: `12 MB`, of 1024 kB each."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1024 * 10:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:,.0f} TB"


@_known
def share(value: float) -> str:
    """Return a part of one as `12.3 %`."""
    return f"{value:.1%}".replace("%", " %")


@_known
def milliseconds(value: float) -> str:
    """Return `0.34 ms`, `12.3 ms` or `1,234 ms`."""
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} ms"


@_known
def span(value: timedelta) -> str:
    """Return a length of time by its two largest units: `3 d 4 h`."""
    left = max(value.total_seconds(), 0)
    if left < 1:
        return f"{left:.1f} s"
    parts: list[str] = []
    for seconds, unit in _SPANS:
        whole, left = divmod(left, seconds)
        if whole or parts:
            parts.append(f"{whole:.0f} {unit}")
    return " ".join(parts[:2])


def ago(value: timedelta | None) -> str:
    """Return how long ago something was, or `never`."""
    return "never" if value is None else f"{span(value)} ago"


@_known
def statement(value: str) -> str:
    """Return SQL on one line."""
    return " ".join(value.split())
