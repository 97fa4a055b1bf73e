"""Keys that sign access tokens, the public ones as a JSON Web Key Set, and the tokens themselves."""

import base64
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt import PyJWK

from services.auth.config import KeyConfig
from services.auth.pseudonyms import Pseudonyms
from services.auth.schema import KeysInUse
from shared.config import ConfigurationError, TokenConfig
from shared.identifiers import new_uuid
from shared.security.keys import JsonWebKey, JsonWebKeySet, VerificationKey
from shared.security.principal import Principal
from shared.security.tokens import TOKEN_TYPE

_ALGORITHM = "EdDSA"


class SigningKeys:
    """The key that signs, and those that verify: the signing one and the ones before it.

    It is auth's own source of verification keys, without a call to itself.
    """

    def __init__(
        self, signing_key: Ed25519PrivateKey | bytes, previous: Sequence[Ed25519PublicKey] = ()
    ) -> None:
        self.signing_key = signing_key
        self.published = JsonWebKeySet([])
        self.headers = {"typ": TOKEN_TYPE}
        self._secret: bytes | None = None
        if isinstance(signing_key, bytes):
            self._secret = signing_key
        else:
            self.published = JsonWebKeySet([_public(key) for key in (signing_key.public_key(), *previous)])
            self.headers["kid"] = self.published.keys[0].kid
        self._verifying = {
            key.kid: PyJWK(msgspec.to_builtins(key), algorithm=_ALGORITHM) for key in self.published.keys
        }

    async def find(self, key_id: str) -> VerificationKey | None:
        """Return the key that verifies what `key_id` signed."""
        return self._secret or self._verifying.get(key_id)

    def in_use(self, pseudonyms: Pseudonyms) -> KeysInUse:
        """Return the names of these keys: of public keys their ids, of a secret its pseudonym."""
        if self._secret:
            name = str(pseudonyms.uuid("signing secret", self._secret.hex()))
            return KeysInUse(algorithm="HS256", signing=name, verifying=[name])
        return KeysInUse(algorithm=_ALGORITHM, signing=self.headers["kid"], verifying=sorted(self._verifying))


class TokenIssuer:
    """Issues access tokens as RFC 9068 profiles them; `lifetime` is in seconds."""

    def __init__(self, config: TokenConfig, keys: SigningKeys, lifetime: int) -> None:
        self.lifetime = lifetime
        self._config = config
        self._keys = keys

    def issue(self, principal: Principal) -> str:
        """Return a token that names `principal`."""
        now = int(time.time())
        claims = {
            "iss": self._config.issuer,
            "aud": self._config.audience,
            "sub": principal.subject,
            "exp": now + self.lifetime,
            "nbf": now,
            "iat": now,
            "jti": str(new_uuid()),
            "roles": [principal.role],
        }
        if principal.session:
            claims["sid"] = str(principal.session)
        if principal.client_uuid:
            claims["client_uuid"] = str(principal.client_uuid)
        return jwt.encode(claims, self._keys.signing_key, self._config.algorithm, headers=self._keys.headers)


def load_signing_keys(token: TokenConfig, files: KeyConfig) -> SigningKeys:
    """Return the keys of the configured algorithm, making the key file where it is absent.

    Raises:
        ConfigurationError: when a file cannot be read or made, or holds no Ed25519 key.
    """
    if token.algorithm == "HS256" and token.secret:
        return SigningKeys(token.secret.reveal().encode())
    path = Path(files.key_file or "")
    try:
        if not path.exists():
            _make_key(path)
        return SigningKeys(_private_key(path), [_public_key(each) for each in files.previous()])
    except OSError as error:
        raise ConfigurationError(f"JWT_KEY_FILE or JWT_PREVIOUS_KEY_FILES cannot be used: {error}") from None


def _make_key(path: Path) -> None:
    """Write a new key that only this user can read; when two processes start at once, one key wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)  # never replaces a file, and shows it only when it is whole
    finally:
        Path(temporary).unlink()


def _private_key(path: Path) -> Ed25519PrivateKey:
    with contextlib.suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise ConfigurationError(f"{path} must hold an unencrypted Ed25519 private key in PEM form (PKCS #8)")


def _public_key(path: Path) -> Ed25519PublicKey:
    with contextlib.suppress(ValueError, UnsupportedAlgorithm):
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            return key
    return _private_key(path).public_key()


def _public(key: Ed25519PublicKey) -> JsonWebKey:
    x = _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    # RFC 7638: the hash of the required members, sorted, without white space.
    thumbprint = hashlib.sha256(msgspec.json.encode({"crv": "Ed25519", "kty": "OKP", "x": x})).digest()
    return JsonWebKey(kty="OKP", crv="Ed25519", x=x, kid=_base64url(thumbprint), use="sig", alg=_ALGORITHM)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
