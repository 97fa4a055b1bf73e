"""Values of labels: few of each, whatever callers send."""

UNMATCHED = "unmatched"
"""The route of requests that match none."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def method_label(method: str) -> str:
    """Return a method of HTTP, or one word for all that nobody uses."""
    return method if method in _METHODS else "OTHER"
