"""What can be seen of signing in from outside."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from services.auth.errors import InvalidCredentials, SignInSlowed
from shared.telemetry.counts import Counts

_RESULTS = ("succeeded", "refused", "slowed")


class AuthMetrics:
    """Attempts to sign in, and the age of the key that signs."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._sign_ins = Counts[str](
            "auth_sign_ins",
            "Attempts to sign in: succeeded, refused, slowed (not tried, after too many refused ones).",
            ("result",),
            [(result,) for result in _RESULTS],
        )
        registry.register(self._sign_ins)
        self._key_created = Gauge(
            "auth_signing_key_created_timestamp_seconds",
            "When the key that signs access tokens was first used, as a Unix time.",
            registry=registry,
        )

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Surround an attempt to sign in; one that fails of something else counts as nothing."""
        try:
            yield
        except SignInSlowed:
            self._sign_ins.add(("slowed",))
            raise
        except InvalidCredentials:
            self._sign_ins.add(("refused",))
            raise
        self._sign_ins.add(("succeeded",))

    def signing_since(self, instant: datetime) -> None:
        """Note since when the key is used."""
        self._key_created.set(instant.timestamp())
