"""Requests that were refused because there were too many of them."""

from shared.errors import GeraiError
from shared.telemetry.counts import Counts

_TOO_MANY = 429

RATE_LIMITED = Counts[str](
    "http_server_rate_limited",
    "Requests that this process answered 429, by the code of the error.",
    ("reason",),
)
"""Those of this process: what renders errors does not know its registry."""


def count_refusal(error: GeraiError) -> None:
    """Count an error that a caller is told, if it is that they ask too often."""
    if error.status == _TOO_MANY:
        RATE_LIMITED.add((error.code.lower(),))
