"""Names for what must not be kept as it is: the hash of it under a key that the database does not hold."""

import hashlib
import hmac
from uuid import UUID

from shared.config import Secret
from shared.text import unique_key

_VERSION_8 = 8 << 76
_VARIANT = 0b10 << 62
_FIXED = (0xF << 76) | (0b11 << 62)


class Pseudonyms:
    """Names accounts, services and keys alike whether they exist or not.

    What is typed as an e-mail address may be a password. Nobody who reads the database can try out what it
    was, for lack of the key.
    """

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.digest(secret.reveal().encode(), b"gerai auth pseudonyms", hashlib.sha256)

    def of_account(self, email: str) -> bytes:
        """Return the 32 bytes that stand for an e-mail address, however it is spelt."""
        return self._digest("account", unique_key(email))

    def uuid(self, kind: str, name: str) -> UUID:
        """Return a UUID version 8 (RFC 9562) that stands for the `name` of something of this kind."""
        number = int.from_bytes(self._digest(kind, name)[:16])
        return UUID(int=number & ~_FIXED | _VERSION_8 | _VARIANT)

    def account_uuid(self, email: str) -> UUID:
        """Return the UUID that stands for an e-mail address that has no account."""
        return self.uuid("unknown account", unique_key(email))

    def _digest(self, kind: str, name: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{name}".encode(), hashlib.sha256)
