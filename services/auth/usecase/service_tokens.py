"""Tokens for services (OAuth 2.0 client credentials, RFC 6749, section 4.4)."""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import unquote_plus

from services.auth.errors import InvalidClient
from services.auth.schema import ServiceToken
from services.auth.signing import TokenIssuer
from shared.config import Secret
from shared.security.principal import Principal


class ServiceTokens:
    """The use case of services that sign in."""

    def __init__(self, clients: Mapping[str, Secret], issuer: TokenIssuer) -> None:
        self._clients = clients
        self._issuer = issuer
        self._nobodys = Secret(secrets.token_urlsafe())

    def grant(self, client_id: str, client_secret: str) -> ServiceToken:
        """Return a token of role service.

        Raises:
            InvalidClient: when the client is unknown or its secret is wrong, after the same time.
        """
        expected = self._clients.get(client_id, self._nobodys).reveal()
        # RFC 6749, section 2.3.1, lets clients form-encode their secret; most send it as it is.
        given = (client_secret, unquote_plus(client_secret))
        matches = [hmac.compare_digest(expected.encode(), each.encode()) for each in given]
        if not any(matches) or client_id not in self._clients:
            raise InvalidClient("The client is unknown or its secret is not right.")
        principal = Principal(f"service:{client_id}", "service")
        return ServiceToken(access_token=self._issuer.issue(principal), expires_in=self._issuer.lifetime)
