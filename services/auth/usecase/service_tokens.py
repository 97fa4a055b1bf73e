"""Tokens for services (OAuth 2.0 client credentials, RFC 6749, section 4.4)."""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import unquote_plus

from services.auth import constants
from services.auth.errors import InvalidClient
from services.auth.pseudonyms import Pseudonyms
from services.auth.repository.outside_events import ANONYMOUS, Bound, OutsideEvent, OutsideEvents
from services.auth.schema import ServiceToken
from services.auth.signing import TokenIssuer
from shared.config import Secret
from shared.security.principal import Principal

# Services renew their tokens all day, a refusal is rare.
_GRANTS = Bound(constants.SERVICE_TOKENS_TOLD, constants.SERVICE_GRANTS_WINDOW_SECONDS)
_REFUSALS = Bound(constants.SERVICE_TOKENS_TOLD, constants.AUDIT_WINDOW_SECONDS)


class ServiceTokens:
    """The use case of services that sign in."""

    def __init__(
        self,
        clients: Mapping[str, Secret],
        issuer: TokenIssuer,
        events: OutsideEvents,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._clients = clients
        self._issuer = issuer
        self._events = events
        self._pseudonyms = pseudonyms
        self._nobodys = Secret(secrets.token_urlsafe())

    async def grant(self, client_id: str, client_secret: str) -> ServiceToken:
        """Return a token of role service.

        Raises:
            InvalidClient: when the client is unknown or its secret is wrong, after the same time.
        """
        granted = self._is_right(client_id, client_secret)
        await self._tell(client_id, granted=granted)
        if not granted:
            raise InvalidClient("The client is unknown or its secret is not right.")
        principal = Principal(_subject(client_id), "service")
        return ServiceToken(access_token=self._issuer.issue(principal), expires_in=self._issuer.lifetime)

    def _is_right(self, client_id: str, client_secret: str) -> bool:
        expected = self._clients.get(client_id, self._nobodys).reveal()
        # RFC 6749, section 2.3.1, lets clients form-encode their secret; most send it as it is.
        given = (client_secret, unquote_plus(client_secret))
        matches = [hmac.compare_digest(expected.encode(), each.encode()) for each in given]
        return any(matches) and client_id in self._clients

    async def _tell(self, client_id: str, *, granted: bool) -> None:
        """Tell the audit; unknown clients are counted as one, for their ids are whatever somebody typed."""
        service = client_id if client_id in self._clients else None
        type_ = constants.SERVICE_TOKEN_GRANTED if granted else constants.SERVICE_TOKEN_REFUSED
        event = OutsideEvent(
            type=type_,
            kind=f"{type_}:{service or ''}",
            subject_type="service",
            subject=self._pseudonyms.uuid("service", service or ""),
            actor=_subject(client_id) if granted else ANONYMOUS,
            facts={"service": service},
        )
        await self._events.record(event, _GRANTS if granted else _REFUSALS)


def _subject(service: str) -> str:
    return f"service:{service}"
