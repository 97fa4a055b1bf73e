import time
from collections.abc import Callable

import jwt
import pytest

from shared.errors import Unauthenticated
from shared.identifiers import new_uuid
from shared.security.keys import SharedSecret, VerificationKey
from shared.security.tokens import TokenVerifier, bearer_token
from tests.support.tokens import CONFIG, SECRET, access_token


class CountingKeys:
    def __init__(self) -> None:
        self.asked = 0
        self._keys = SharedSecret(SECRET.encode())

    async def find(self, key_id: str) -> VerificationKey | None:
        self.asked += 1
        return await self._keys.find(key_id)


@pytest.fixture
def keys() -> CountingKeys:
    return CountingKeys()


@pytest.fixture
def verifier(keys: CountingKeys) -> TokenVerifier:
    return TokenVerifier(CONFIG, keys)


async def test_a_valid_token_names_its_principal(verifier: TokenVerifier) -> None:
    tenant = new_uuid()
    principal = await verifier.verify(access_token("manager", tenant))
    assert (principal.role, principal.client_uuid) == ("manager", tenant)


async def test_a_verified_token_is_remembered(verifier: TokenVerifier, keys: CountingKeys) -> None:
    token = access_token()
    assert await verifier.verify(token) == await verifier.verify(token)
    assert keys.asked == 1


async def test_a_remembered_token_is_verified_again_once_it_expires(
    verifier: TokenVerifier, keys: CountingKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = access_token()
    await verifier.verify(token)
    later = time.time() + 1000
    monkeypatch.setattr(time, "time", lambda: later)
    await verifier.verify(token)
    assert keys.asked == 2


def signed(
    payload_of: str, secret: str = SECRET, algorithm: str | None = "HS256", typ: str = "at+jwt"
) -> str:
    payload = jwt.decode(payload_of, options={"verify_signature": False})
    return jwt.encode(payload, secret, algorithm, headers={"typ": typ, "kid": "test"})


@pytest.mark.parametrize(
    "token",
    [
        lambda: "not.a.token",
        lambda: "é",
        lambda: "a" * 10_000,
        lambda: access_token() + "x",
        lambda: access_token(exp=int(time.time()) - 60),
        lambda: access_token(nbf=int(time.time()) + 60),
        lambda: access_token(iss="someone-else"),
        lambda: access_token(aud="another-api"),
        lambda: access_token(jti=None),
        lambda: access_token(exp=None),
        lambda: access_token(roles=["root"]),
        lambda: access_token(roles=[]),
        lambda: access_token(roles=None),
        lambda: access_token(jti=7),
        lambda: signed(access_token(), typ="JWT"),
        lambda: signed(access_token(), secret="another secret of at least 32 bytes!"),
        lambda: signed(access_token(), secret=SECRET, algorithm="HS512"),
        lambda: signed(access_token(), secret="", algorithm=None),
    ],
)
async def test_other_tokens_are_refused(verifier: TokenVerifier, token: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token())


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "abc"])
def test_a_header_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        bearer_token(header)


def test_the_scheme_is_case_insensitive() -> None:
    assert bearer_token("bearer abc") == "abc"
