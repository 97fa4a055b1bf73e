"""What a request says of its repetition: its key, and a fingerprint that tells it from other requests."""

import hashlib
import hmac
import re

import msgspec

from shared.config import Secret
from shared.errors import FieldError, InvalidInput
from shared.request import JsonRequest

HEADER = "Idempotency-Key"
RAW_HEADER = HEADER.lower().encode()
MOST_CHARACTERS = 255

_BARE = r"[!#-+\-./0-:<-\[\]-~]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\["\\])+"'
SYNTAX = f"^(?:{_BARE}|{_QUOTED})$"

_KEY = re.compile(SYNTAX)
_ESCAPED = re.compile(r'\\(["\\])')
_PROBLEM = (
    f"must have 1 to {MOST_CHARACTERS} printable ASCII characters: a string in double quotes (RFC 8941), "
    "or the same without them when it holds no space, quote, comma, semicolon or backslash"
)


def key_of(request: JsonRequest) -> str | None:
    """Return the request's key, None without the header; `"abc"` and `abc` are the same key.

    Raises:
        InvalidInput: naming the header, when its value is not one key.
    """
    value = request.header(RAW_HEADER)
    return None if value is None else read_key(value)


def read_key(value: str) -> str:
    """Return the key that a header's value holds. Raises as `key_of` does."""
    value = value.strip(" \t")
    key = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
    # `$` would let a line feed pass at the end.
    if not _KEY.fullmatch(value) or value.endswith("\n") or len(key) > MOST_CHARACTERS:
        raise InvalidInput(details=[FieldError(HEADER, _PROBLEM)])
    return key


class Fingerprint:
    """The HMAC-SHA-256 of a request to `route`: what tells it from others, as far as it has been read.

    It is keyed, so that nobody who reads the database can try out which passwords a body may have held.
    """

    def __init__(self, secret: Secret, route: str) -> None:
        self._mac = hmac.new(secret.reveal().encode(), route.encode() + b"\0", hashlib.sha256)

    def add(self, piece: bytes) -> None:
        """Take in what was read next."""
        self._mac.update(piece)

    def digest(self) -> bytes:
        """Return the fingerprint of all that was taken in."""
        return self._mac.digest()


def fingerprint(secret: Secret, route: str, body: msgspec.Struct) -> Fingerprint:
    """Return the fingerprint of a request to `route` with `body`.

    It is made of what was read, so that neither spaces nor the order of members matter.
    """
    whole = Fingerprint(secret, route)
    whole.add(msgspec.json.encode(body, order="deterministic"))
    return whole
