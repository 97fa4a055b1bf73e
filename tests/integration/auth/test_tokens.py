"""Keys, the token endpoint for services, and what the service does at its start."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import jwt
import pytest
from msgspec.structs import replace

from services.auth.config import AdminConfig, AuthConfig, KeyConfig
from services.auth.factory import create_app
from shared.config import OAuthClientConfig, Secret, TokenConfig
from shared.http import ServiceClient
from shared.security.credentials import ServiceCredentials
from shared.security.keys import RemoteKeySet
from shared.security.tokens import TokenVerifier
from tests.support.auth import AuthApi, code
from tests.support.databases import TestDatabase
from tests.support.serving import calling, serving
from tests.support.tokens import bearer

TOKEN = "/internal/oauth/token"
GRANT = {"grant_type": "client_credentials"}
ADMIN = AdminConfig(email="admin@example.com", password=Secret("the admin's password"))


@pytest.fixture
def eddsa(auth_config: AuthConfig, tmp_path: Path) -> AuthConfig:
    keys = KeyConfig(key_file=str(tmp_path / "jwt.pem"))
    return replace(auth_config, token=TokenConfig(), keys=keys, admin=ADMIN)


@pytest.fixture
async def signing(eddsa: AuthConfig, auth_database: TestDatabase) -> AsyncGenerator[AuthApi]:
    """The service with keys of its own and a first admin."""
    async with calling(create_app(eddsa)) as http:
        yield AuthApi(http, auth_database)


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


async def test_the_published_key_verifies_the_tokens(signing: AuthApi) -> None:
    session = await signing.sign_in("admin@example.com", "the admin's password")
    answer = await signing.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    [key] = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert jwt.get_unverified_header(session.access_token) == {
        "alg": "EdDSA",
        "typ": "at+jwt",
        "kid": key["kid"],
    }
    claims = jwt.decode(session.access_token, jwt.PyJWK(key), ["EdDSA"], audience="gerai-api", issuer="gerai")
    assert set(claims) == {"iss", "aud", "sub", "exp", "nbf", "iat", "jti", "sid", "roles"}
    assert (await signing.http.get("/v1/auth/me", headers=session.headers)).status_code == 200


async def test_tokens_of_another_kind_are_refused(signing: AuthApi) -> None:
    assert code(await signing.http.get("/v1/auth/me", headers=bearer())) == (401, "UNAUTHENTICATED")


async def test_a_shared_secret_publishes_no_key(api: AuthApi) -> None:
    assert (await api.http.get("/.well-known/jwks.json")).json() == {"keys": []}


async def test_a_change_of_key_keeps_tokens_valid(
    eddsa: AuthConfig, auth_database: TestDatabase, tmp_path: Path
) -> None:
    async with calling(create_app(eddsa)) as http:
        session = await AuthApi(http, auth_database).sign_in("admin@example.com", "the admin's password")
    keys = KeyConfig(key_file=str(tmp_path / "new.pem"), previous_key_files=str(tmp_path / "jwt.pem"))
    async with calling(create_app(replace(eddsa, keys=keys))) as http:
        assert len((await http.get("/.well-known/jwks.json")).json()["keys"]) == 2
        assert (await http.get("/v1/auth/me", headers=session.headers)).status_code == 200


async def test_the_audit_tells_each_change_of_key_once(
    eddsa: AuthConfig, auth_database: TestDatabase, tmp_path: Path
) -> None:
    async def start(config: AuthConfig) -> list[str]:
        async with calling(create_app(config)) as http:
            return sorted(key["kid"] for key in (await http.get("/.well-known/jwks.json")).json()["keys"])

    old, *_ = await asyncio.gather(*(start(eddsa) for _ in range(3)))
    new_file = str(tmp_path / "new.pem")
    both_files = KeyConfig(key_file=new_file, previous_key_files=str(tmp_path / "jwt.pem"))
    both = await start(replace(eddsa, keys=both_files))
    new = await start(replace(eddsa, keys=KeyConfig(key_file=new_file)))
    async with calling(create_app(replace(eddsa, keys=KeyConfig(key_file=new_file)))) as http:
        session = await AuthApi(http, auth_database).sign_in("admin@example.com", "the admin's password")
        answer = await http.get("/v1/audit?type=signing_keys.changed", headers=session.headers)
    entries = answer.json()["data"][::-1]
    shown = [
        {"algorithm": "EdDSA", "signing": signing[0], "verifying": verifying}
        for signing, verifying in ((old, old), (new, both), (new, new))
    ]
    assert [entry["after"] for entry in entries] == shown
    assert [entry["before"] for entry in entries] == [None, *shown[:2]]
    assert {entry["actor"] for entry in entries} == {"system"}


async def test_services_sign_in_and_verify_over_http(eddsa: AuthConfig) -> None:
    async with serving(create_app(eddsa)) as url:
        auth = ServiceClient("auth", url)
        config = OAuthClientConfig(client_id="store", client_secret=Secret("a+b/c="))
        token = await ServiceCredentials(auth, config).token()
        principal = await TokenVerifier(TokenConfig(), RemoteKeySet(auth)).verify(token)
        await auth.close()
    assert (principal.subject, principal.role, principal.session) == ("service:store", "service", None)


async def test_the_answer_of_the_token_endpoint(api: AuthApi) -> None:
    answer = await api.http.post(TOKEN, data=GRANT, headers=basic("client", "client-secret"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 900)


async def test_credentials_in_the_form_work_too(api: AuthApi) -> None:
    form = {**GRANT, "client_id": "store", "client_secret": "a+b/c="}
    assert (await api.http.post(TOKEN, data=form)).status_code == 200
    same = await api.http.post(TOKEN, data={**GRANT, "client_id": "store"}, headers=basic("store", "a+b/c="))
    assert same.status_code == 200


@pytest.mark.parametrize(
    ("form", "headers", "status", "error"),
    [
        (GRANT, {}, 401, "invalid_client"),
        (GRANT, basic("client", "wrong"), 401, "invalid_client"),
        (GRANT, basic("nobody", "client-secret"), 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic !!!"}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic /w=="}, 401, "invalid_client"),
        (GRANT, {"Authorization": "Bearer x"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "client", "client_secret": "\x00ü"}, {}, 401, "invalid_client"),
        ({}, basic("client", "client-secret"), 400, "invalid_request"),
        ({"grant_type": ""}, basic("client", "client-secret"), 400, "invalid_request"),
        ({"grant_type": ["a", "b"]}, basic("client", "client-secret"), 400, "invalid_request"),
        ({**GRANT, "client_secret": "x"}, basic("client", "client-secret"), 400, "invalid_request"),
        ({**GRANT, "client_id": "store"}, basic("client", "client-secret"), 400, "invalid_request"),
        ({"grant_type": "password"}, basic("client", "client-secret"), 400, "unsupported_grant_type"),
    ],
)
async def test_refusals_of_the_token_endpoint(
    api: AuthApi, form: dict[str, str], headers: dict[str, str], status: int, error: str
) -> None:
    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api.http.post(TOKEN, data=form, headers=content_type | headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("www-authenticate", "").startswith("Basic") is (status == 401)


@pytest.mark.parametrize("content", [b"%ff", b"\xff", b"&".join(b"a%d=1" % n for n in range(60))])
async def test_forms_that_cannot_be_read(api: AuthApi, content: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **basic("client", "client-secret")}
    answer = await api.http.post(
        TOKEN, content=b"grant_type=client_credentials&x=" + content, headers=headers
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_the_token_endpoint_reads_forms_alone(api: AuthApi) -> None:
    answer = await api.http.post(TOKEN, json=GRANT, headers=basic("client", "client-secret"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_the_first_admin_is_created_once(eddsa: AuthConfig, auth_database: TestDatabase) -> None:
    async def start() -> None:
        async with calling(create_app(eddsa)):
            pass

    await asyncio.gather(start(), start(), start())
    changed = AdminConfig(email="ADMIN@example.com", password=Secret("another password"))
    async with calling(create_app(replace(eddsa, admin=changed))) as http:
        api = AuthApi(http, auth_database)
        await api.sign_in("admin@example.com", "the admin's password")
        [row] = await api.run("SELECT role, is_active FROM users")
        assert (row["role"], row["is_active"]) == ("admin", True)


async def test_a_deleted_first_admin_comes_back(eddsa: AuthConfig, signing: AuthApi) -> None:
    await signing.run("UPDATE users SET deleted_at = now()")
    async with calling(create_app(eddsa)) as http:
        answer = await http.post(
            "/v1/auth/login", json={"email": "admin@example.com", "password": "the admin's password"}
        )
    assert answer.status_code == 200


async def test_what_the_service_says_of_itself(api: AuthApi) -> None:
    document = (await api.http.get("/openapi.json")).json()
    open_to_all = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == []
    }
    assert open_to_all == {
        ("post", "/v1/auth/login"),
        ("post", "/v1/auth/refresh"),
        ("get", "/.well-known/jwks.json"),
    }
    assert TOKEN not in document["paths"]
    login = document["paths"]["/v1/auth/login"]["post"]["responses"]
    assert set(login) == {"200", "400", "401", "415", "429", "503"}


async def test_other_methods_are_refused_in_the_envelope(api: AuthApi) -> None:
    answers: list[httpx.Response] = [await api.http.get(TOKEN), await api.http.get("/v1/auth/login")]
    assert {code(answer) for answer in answers} == {(405, "METHOD_NOT_ALLOWED")}
