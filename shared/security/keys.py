"""Where the keys that verify access tokens come from."""

import time
from typing import Protocol

import msgspec
from jwt import PyJWK

from shared.config import TokenConfig
from shared.errors import GeraiError
from shared.http import ServiceClient

VerificationKey = PyJWK | bytes


class KeySource(Protocol):
    """Finds the key with which a token says it was signed."""

    async def find(self, key_id: str) -> VerificationKey | None:
        """Return the key, or None when there is none of that id."""
        ...


class SharedSecret:
    """One secret for signing and verifying (HS256)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    async def find(self, key_id: str) -> VerificationKey | None:
        """Return the secret, whatever `key_id` says."""
        del key_id
        return self._secret


class JsonWebKey(msgspec.Struct, omit_defaults=True):
    """A public Ed25519 key (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str = ""
    alg: str = ""


class JsonWebKeySet(msgspec.Struct):
    """The answer of a JWKS endpoint (RFC 7517, section 5)."""

    keys: list[JsonWebKey]


class RemoteKeySet:
    """The keys that auth publishes, fetched when an unknown one appears.

    Refreshed at most every `pause` seconds, so that made-up key ids cost auth nothing.
    """

    def __init__(self, auth: ServiceClient, pause: float = 5.0) -> None:
        self._auth = auth
        self._pause = pause
        self._fetched_at = float("-inf")
        self._keys: dict[str, PyJWK] = {}

    async def find(self, key_id: str) -> VerificationKey | None:
        """Return the key, fetching the set again when it is not known.

        Raises:
            ServiceUnavailable: when no set could be fetched yet.
        """
        if key_id not in self._keys and time.monotonic() - self._fetched_at > self._pause:
            await self._fetch()
        return self._keys.get(key_id)

    async def _fetch(self) -> None:
        try:
            answer = await self._auth.get("/.well-known/jwks.json", JsonWebKeySet)
        except GeraiError:
            if not self._keys:
                raise
        else:
            self._keys = {key.kid: PyJWK(msgspec.to_builtins(key), algorithm="EdDSA") for key in answer.keys}
        self._fetched_at = time.monotonic()


def key_source(config: TokenConfig, auth: ServiceClient) -> KeySource:
    """Return where a service that is not auth finds the keys for `config`'s algorithm."""
    if config.algorithm == "HS256" and config.secret:
        return SharedSecret(config.secret.reveal().encode())
    return RemoteKeySet(auth)
