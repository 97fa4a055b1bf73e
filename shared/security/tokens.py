"""Access tokens: JSON Web Tokens as RFC 9068 profiles them."""

import hashlib
import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

import jwt
import msgspec

from shared.config import TokenConfig
from shared.errors import Unauthenticated
from shared.security.keys import KeySource
from shared.security.principal import Principal, Role

TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, RFC 9068 section 2.1
REQUIRED_CLAIMS = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"]

_LEEWAY_SECONDS = 5
_MOST_CACHED = 10_000
_LONGEST_TOKEN = 4096


class Claims(msgspec.Struct):
    """The claims of ours that a principal is made of."""

    sub: str
    roles: tuple[Role]
    client_uuid: UUID | None = None
    sid: UUID | None = None


class TokenVerifier:
    """Verifies access tokens, remembering the verified ones until they expire."""

    def __init__(self, config: TokenConfig, keys: KeySource) -> None:
        self._config = config
        self._keys = keys
        self._verified: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Return the caller that `token` names.

        Raises:
            Unauthenticated: when it is malformed, expired, or not signed for us by auth.
            ServiceUnavailable: when the keys cannot be fetched.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known and known[0] > time.time():
            return known[1]
        payload = await self._decode(token)
        principal = _principal(payload)
        self._remember(digest, float(payload["exp"]), principal)
        return principal

    async def _decode(self, token: str) -> dict[str, Any]:
        try:
            key = await self._key_of(token)
            return jwt.decode(
                token,
                key,
                algorithms=[self._config.algorithm],
                issuer=self._config.issuer,
                audience=self._config.audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": REQUIRED_CLAIMS},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(reason="the access token has expired, refresh it") from None
        except (jwt.InvalidTokenError, UnicodeError):
            raise Unauthenticated(reason="the access token is not valid") from None

    async def _key_of(self, token: str) -> Any:  # noqa: ANN401 - PyJWT's own key types
        if len(token) > _LONGEST_TOKEN:
            raise jwt.InvalidTokenError
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TOKEN_TYPE:
            raise jwt.InvalidTokenError
        key = await self._keys.find(str(header.get("kid", "")))
        if key is None:
            raise jwt.InvalidTokenError
        return key

    def _remember(self, digest: bytes, expires_at: float, principal: Principal) -> None:
        self._verified[digest] = (expires_at, principal)
        if len(self._verified) > _MOST_CACHED:
            self._verified.popitem(last=False)


def bearer_token(authorization: str | None) -> str:
    """Return the token of an Authorization header (RFC 6750, section 2.1), or raise Unauthenticated."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(reason="send the header 'Authorization: Bearer <access token>'")
    return token.strip()


def _principal(payload: dict[str, Any]) -> Principal:
    try:
        claims = msgspec.convert(payload, Claims)
    except msgspec.ValidationError:
        raise Unauthenticated(reason="the access token lacks a claim") from None
    return Principal(claims.sub, claims.roles[0], claims.client_uuid, claims.sid)
