"""What the auth service reads from its environment."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from services.auth.passwords import password_problem
from shared.config import (
    DatabaseConfig,
    Fragment,
    IdempotencyConfig,
    ProcessConfig,
    RedisConfig,
    Secret,
    TokenConfig,
)
from shared.text import Email

Seconds = Annotated[int, Meta(ge=1, le=10 * 366 * 24 * 3600)]

_DAY = 24 * 3600
_OAUTH_CLIENT = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,63}):(?P<secret>[!-~]+)")


class KeyConfig(Fragment, frozen=True, kw_only=True):
    """The files of the keys that sign and verify (EdDSA); each holds one key as PEM.

    `key_file` is made at the first start. `previous_key_files`, comma-separated, are published as well, so
    that tokens they signed stay valid after a change of key.
    """

    PREFIX: ClassVar[str] = "JWT_"

    key_file: str | None = None
    previous_key_files: str = ""

    def previous(self) -> list[Path]:
        """Return the files of earlier keys."""
        return [Path(name.strip()) for name in self.previous_key_files.split(",") if name.strip()]


class LifetimeConfig(Fragment, frozen=True, kw_only=True):
    """How long what auth issues is valid, in seconds; a session ends however often it was refreshed."""

    access_token_seconds: Seconds = 15 * 60
    refresh_token_seconds: Seconds = 30 * _DAY
    session_seconds: Seconds = 90 * _DAY


class AdminConfig(Fragment, frozen=True, kw_only=True):
    """The administrator that exists from the first start."""

    PREFIX: ClassVar[str] = "ADMIN_"

    email: Email | None = None
    password: Secret | None = None

    def problems(self) -> Iterator[str]:
        """Require both or neither, and a password that a person could choose."""
        if (self.email is None) != (self.password is None):
            yield "ADMIN_EMAIL and ADMIN_PASSWORD belong together: set both or neither"
        elif self.email and self.password:
            problem = password_problem(self.password.reveal(), self.email)
            if problem:
                yield f"ADMIN_PASSWORD {problem}"


class OAuthClientsConfig(Fragment, frozen=True, kw_only=True):
    """The services that may ask for tokens of their own, as `name:SECRET,name:SECRET`."""

    PREFIX: ClassVar[str] = "OAUTH_"

    clients: Secret | None = None

    def problems(self) -> Iterator[str]:
        """Require the form, and each name once."""
        if len(self.secrets()) < len(self._entries()):
            yield "OAUTH_CLIENTS must be name:SECRET pairs, comma-separated, with distinct lower-case names"

    def secrets(self) -> dict[str, Secret]:
        """Return the secret of each service by its name."""
        matches = [_OAUTH_CLIENT.fullmatch(entry) for entry in self._entries()]
        return {match["name"]: Secret(match["secret"]) for match in matches if match}

    def _entries(self) -> list[str]:
        text = self.clients.reveal() if self.clients else ""
        return [entry.strip() for entry in text.split(",") if entry.strip()]


class AuthConfig(ProcessConfig, frozen=True, kw_only=True):
    """The auth service's configuration."""

    database: DatabaseConfig
    redis: RedisConfig
    token: TokenConfig
    idempotency: IdempotencyConfig
    keys: KeyConfig
    lifetimes: LifetimeConfig
    admin: AdminConfig
    oauth: OAuthClientsConfig

    def problems(self) -> Iterator[str]:
        """Require a key file for EdDSA, and in production a strong secret of every service."""
        if self.token.algorithm == "EdDSA" and not self.keys.key_file:
            yield "JWT_KEY_FILE is required when JWT_ALGORITHM is EdDSA: it is made when it does not exist"
        if self.service.environment == "production":
            for name, secret in self.oauth.secrets().items():
                if secret.is_weak():
                    yield f"OAUTH_CLIENTS holds a secret of {name} that is too weak for production"
