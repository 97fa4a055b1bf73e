from urllib.parse import quote_plus

import pytest

from services.auth.errors import InvalidClient
from services.auth.signing import SigningKeys, TokenIssuer
from services.auth.usecase.service_tokens import ServiceTokens
from shared.config import Secret
from shared.security.principal import Principal
from shared.security.tokens import TokenVerifier
from tests.support.tokens import CONFIG, SECRET

KEYS = SigningKeys(SECRET.encode())
TOKENS = ServiceTokens({"store": Secret("a+b/c%2Bd=")}, TokenIssuer(CONFIG, KEYS, 900))


@pytest.mark.parametrize("secret", ["a+b/c%2Bd=", quote_plus("a+b/c%2Bd=")])
async def test_a_service_gets_a_token_of_its_own(secret: str) -> None:
    answer = TOKENS.grant("store", secret)
    assert answer.expires_in == 900
    named = await TokenVerifier(CONFIG, KEYS).verify(answer.access_token)
    assert named == Principal("service:store", "service")


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("store", "wrong"), ("store", ""), ("client", "a+b/c%2Bd="), ("", ""), ("störe", "ü")],
)
def test_others_get_none(client_id: str, secret: str) -> None:
    with pytest.raises(InvalidClient):
        TOKENS.grant(client_id, secret)
