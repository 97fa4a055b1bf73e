from urllib.parse import quote_plus

import pytest

from services.auth.errors import InvalidClient
from services.auth.signing import SigningKeys, TokenIssuer
from services.auth.usecase.service_tokens import ServiceTokens
from shared.config import Secret
from shared.security.principal import Principal
from shared.security.tokens import TokenVerifier
from tests.support.auth_fakes import PSEUDONYMS, FakeEvents
from tests.support.tokens import CONFIG, SECRET

KEYS = SigningKeys(SECRET.encode())


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture
def tokens(events: FakeEvents) -> ServiceTokens:
    clients = {"store": Secret("a+b/c%2Bd="), "client": Secret("another")}
    return ServiceTokens(clients, TokenIssuer(CONFIG, KEYS, 900), events, PSEUDONYMS)


@pytest.mark.parametrize("secret", ["a+b/c%2Bd=", quote_plus("a+b/c%2Bd=")])
async def test_a_service_gets_a_token_of_its_own(
    tokens: ServiceTokens, events: FakeEvents, secret: str
) -> None:
    answer = await tokens.grant("store", secret)
    assert answer.expires_in == 900
    named = await TokenVerifier(CONFIG, KEYS).verify(answer.access_token)
    assert named == Principal("service:store", "service")
    [event] = events.told
    assert (event.type, event.actor, event.facts) == (
        "service_token.granted",
        "service:store",
        {"service": "store"},
    )


@pytest.mark.parametrize(
    ("client_id", "secret", "service"),
    [
        ("store", "wrong", "store"),
        ("store", "", "store"),
        ("client", "a+b/c%2Bd=", "client"),
        ("a+b/c%2Bd=", "store", None),
        ("", "", None),
        ("störe", "ü", None),
    ],
)
async def test_others_get_none(
    tokens: ServiceTokens, events: FakeEvents, client_id: str, secret: str, service: str | None
) -> None:
    with pytest.raises(InvalidClient):
        await tokens.grant(client_id, secret)
    [event] = events.told
    assert (event.type, event.actor, event.facts) == (
        "service_token.refused",
        "anonymous",
        {"service": service},
    )
    assert event.kind == f"service_token.refused:{service or ''}"
    assert event.subject == PSEUDONYMS.uuid("service", service or "")
