"""Why a key is refused."""

from collections.abc import Mapping
from typing import ClassVar

from shared.errors import Conflict, GeraiError


class KeyReused(GeraiError):
    """The key belongs to another request of this caller."""

    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"
    template = (
        "This Idempotency-Key was used for another request. Repeat that request unchanged, or use a new key."
    )


class KeyInFlight(Conflict):
    """A request with the key is being served right now."""

    code = "IDEMPOTENCY_IN_FLIGHT"
    template = "A request with this Idempotency-Key is still being served. Repeat it in a moment."
    default_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}
