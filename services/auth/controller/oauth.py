"""HTTP in and out of what OAuth and JOSE define: the token endpoint and the published keys."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from litestar import Request, Response

from services.auth import constants
from services.auth.errors import InvalidClient, InvalidOAuthRequest, OAuthError, UnsupportedGrantType
from services.auth.schema import OAuthFailure, ServiceToken
from services.auth.signing import SigningKeys
from services.auth.usecase.service_tokens import ServiceTokens
from shared.controller import Controller
from shared.conversion import query_fields
from shared.errors import InvalidInput
from shared.request import JsonRequest
from shared.security.keys import JsonWebKeySet

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"

_UNSTORED = {"Cache-Control": "no-store"}


class OAuthController(Controller):
    """Reads forms and answers in the words of the standards, without the envelope."""

    def __init__(self, tokens: ServiceTokens, keys: SigningKeys) -> None:
        self._tokens = tokens
        self._keys = keys

    async def token(self, request: JsonRequest) -> Response[ServiceToken]:
        """Grant a service a token of its own (RFC 6749, section 4.4)."""
        form = await _form(request)
        client_id, client_secret = _client(request.headers.get("authorization"), form)
        _require_known_grant(form.get("grant_type"))
        return Response(await self._tokens.grant(client_id, client_secret), headers=_UNSTORED)

    async def keys(self) -> Response[JsonWebKeySet]:
        """Publish the keys that verify access tokens (RFC 7517)."""
        fresh = f"public, max-age={constants.JWKS_CACHE_SECONDS}"
        return Response(self._keys.published, headers={"Cache-Control": fresh})


def render_oauth_error(_: Request[Any, Any, Any], error: OAuthError) -> Response[OAuthFailure]:
    """Return a refusal as RFC 6749, section 5.2, shapes it."""
    failure = OAuthFailure(error=error.code, error_description=error.description)
    return Response(failure, status_code=error.status, headers={**error.headers, **_UNSTORED})


async def _form(request: JsonRequest) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise InvalidOAuthRequest(f"Send the parameters as {FORM}.")
    try:
        return query_fields(await request.body())
    except InvalidInput:
        raise InvalidOAuthRequest("The form is not readable, or repeats a parameter.") from None


def _require_known_grant(grant_type: str | None) -> None:
    if not grant_type:
        raise InvalidOAuthRequest("The parameter grant_type is required.")
    if grant_type != GRANT:
        raise UnsupportedGrantType(f"Only {GRANT} is granted here.")


def _client(authorization: str | None, form: dict[str, str]) -> tuple[str, str]:
    """Return the id and secret of HTTP Basic authentication, or of the form (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidClient("The Basic credentials cannot be read.") from None
    client_id, _, client_secret = text.partition(":")
    client_id = unquote_plus(client_id)
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise InvalidOAuthRequest("Authenticate once: by HTTP Basic or in the form.")
    return client_id, client_secret
