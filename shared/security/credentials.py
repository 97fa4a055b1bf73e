"""How a service gets access tokens of its own (OAuth 2.0 client credentials, RFC 6749 section 4.4)."""

import asyncio
import time
from collections.abc import AsyncGenerator

import httpx
import msgspec

from shared.config import OAuthClientConfig
from shared.http import ServiceClient

TOKEN_PATH = "/internal/oauth/token"  # noqa: S105 - a path


class TokenAnswer(msgspec.Struct):
    """The answer of a token endpoint (RFC 6749, section 5.1); `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int


class ServiceCredentials(httpx.Auth):
    """Adds this service's own access token to its calls, renewed at half its life."""

    def __init__(self, auth: ServiceClient, config: OAuthClientConfig) -> None:
        self._auth = auth
        self._config = config
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send `request` with the token."""
        request.headers["Authorization"] = f"Bearer {await self.token()}"
        yield request

    async def token(self) -> str:
        """Return a token with at least half its life before it; raises ServiceUnavailable without auth."""
        if time.monotonic() >= self._renew_at:
            async with self._renewing:
                if time.monotonic() >= self._renew_at:
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
        self._renew_at = time.monotonic() + answer.expires_in / 2
