"""How a service gets access tokens of its own (OAuth 2.0 client credentials, RFC 6749 section 4.4)."""

import asyncio
import time
from collections.abc import AsyncGenerator

import httpx
import msgspec

from shared.config import OAuthClientConfig
from shared.http import ServiceClient

TOKEN_PATH = "/internal/oauth/token"  # noqa: S105 - a path

REPLACED_AFTER_SECONDS = 1.0
"""A token is not replaced sooner because it is refused: another may be refused as well."""

_UNAUTHORIZED = 401


class TokenAnswer(msgspec.Struct):
    """The answer of a token endpoint (RFC 6749, section 5.1); `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int


class ServiceCredentials(httpx.Auth):
    """Adds this service's own access token to its calls, renewed at half its life, or when it is refused.

    It is refused before its time when the clock of auth was wrong as it was issued, or a key is no more.
    """

    def __init__(self, auth: ServiceClient, config: OAuthClientConfig) -> None:
        self._auth = auth
        self._config = config
        self._token = ""
        self._renewed_at = self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send `request` with the token, and once more with another when that is refused."""
        token = await self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == _UNAUTHORIZED and (another := await self._instead_of(token)):
            request.headers["Authorization"] = f"Bearer {another}"
            yield request

    async def token(self) -> str:
        """Return a token with at least half its life before it; raises ServiceUnavailable without auth."""
        if time.monotonic() >= self._renew_at:
            async with self._renewing:
                if time.monotonic() >= self._renew_at:
                    await self._renew()
        return self._token

    async def _instead_of(self, refused: str) -> str | None:
        """Return a token other than the one that was refused; None while it is too young to be replaced."""
        async with self._renewing:
            if self._token == refused:
                if time.monotonic() - self._renewed_at < REPLACED_AFTER_SECONDS:
                    return None
                await self._renew()
        return self._token

    async def _renew(self) -> None:
        answer = await self._auth.post_form(
            TOKEN_PATH,
            {"grant_type": "client_credentials"},
            TokenAnswer,
            auth=httpx.BasicAuth(self._config.client_id, self._config.client_secret.reveal()),
        )
        self._token = answer.access_token
        self._renewed_at = time.monotonic()
        self._renew_at = self._renewed_at + answer.expires_in / 2
