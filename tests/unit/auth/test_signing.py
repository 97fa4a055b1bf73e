import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.auth.config import KeyConfig
from services.auth.signing import SigningKeys, TokenIssuer, load_signing_keys
from shared.config import ConfigurationError, TokenConfig
from shared.errors import Unauthenticated
from shared.security.tokens import TokenVerifier
from tests.support.auth_fakes import PSEUDONYMS
from tests.support.tokens import CONFIG as HS256
from tests.support.tokens import SECRET, principal

EDDSA = TokenConfig()


def load(path: Path, previous: str = "") -> SigningKeys:
    return load_signing_keys(EDDSA, KeyConfig(key_file=str(path), previous_key_files=previous))


def kid(keys: SigningKeys) -> str:
    return keys.published.keys[0].kid


def test_a_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "jwt.pem"
    first = load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kid(load(path)) == kid(first)
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(load, [tmp_path / "jwt.pem"] * 32))
    assert len({kid(keys) for keys in loaded}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    key = Ed25519PrivateKey.from_private_bytes(
        base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    )
    [published] = SigningKeys(key).published.keys
    assert published.x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert published.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert (published.kty, published.crv, published.use, published.alg) == ("OKP", "Ed25519", "sig", "EdDSA")


async def test_tokens_of_an_earlier_key_stay_valid(tmp_path: Path) -> None:
    old = load(tmp_path / "old.pem")
    token = TokenIssuer(EDDSA, old, 900).issue(principal())
    public = tmp_path / "older.pem"
    public.write_bytes(
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    new = load(tmp_path / "new.pem", f"{tmp_path}/old.pem, {public}")
    assert [key.kid for key in new.published.keys][1] == kid(old)
    assert len(new.published.keys) == 3
    await TokenVerifier(EDDSA, new).verify(token)
    with pytest.raises(Unauthenticated):
        await TokenVerifier(EDDSA, load(tmp_path / "new.pem")).verify(token)


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "jwt.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"jwt\.pem must hold"):
        load(tmp_path / "jwt.pem")


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    rsa = generate_private_key(65537, 2048)
    (tmp_path / "jwt.pem").write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match="Ed25519"):
        load(tmp_path / "jwt.pem")


@pytest.mark.parametrize("name", [".", "file/jwt.pem"])
def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="JWT_KEY_FILE"):
        load(tmp_path / name)


def test_a_missing_earlier_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="JWT_PREVIOUS_KEY_FILES"):
        load(tmp_path / "jwt.pem", str(tmp_path / "missing.pem"))


async def test_a_shared_secret_publishes_nothing() -> None:
    keys = load_signing_keys(HS256, KeyConfig())
    assert keys.published.keys == []
    caller = principal("manager")
    token = TokenIssuer(HS256, keys, 900).issue(caller)
    assert await TokenVerifier(HS256, keys).verify(token) == caller
    assert claims_of(token, SECRET, "HS256")["roles"] == ["manager"]


def test_a_token_says_what_rfc_9068_asks_for(tmp_path: Path) -> None:
    keys = load(tmp_path / "jwt.pem")
    caller = principal("user")
    token = TokenIssuer(EDDSA, keys, 900).issue(caller)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": kid(keys)}
    assert isinstance(keys.signing_key, Ed25519PrivateKey)
    claims = claims_of(token, keys.signing_key.public_key(), "EdDSA")
    assert set(claims) == {"iss", "aud", "sub", "exp", "nbf", "iat", "jti", "sid", "roles"}
    assert claims["exp"] - claims["iat"] == 900
    assert (claims["sub"], claims["sid"]) == (caller.subject, str(caller.session))


def claims_of(token: str, key: Any, algorithm: str) -> dict[str, Any]:  # noqa: ANN401 - PyJWT's own key types
    return jwt.decode(token, key, [algorithm], audience="gerai-api", issuer="gerai")


def test_the_names_of_keys_in_use_are_their_ids(tmp_path: Path) -> None:
    old = load(tmp_path / "old.pem")
    keys = load(tmp_path / "new.pem", str(tmp_path / "old.pem"))
    used = keys.in_use(PSEUDONYMS)
    assert (used.algorithm, used.signing, used.verifying) == (
        "EdDSA",
        kid(keys),
        sorted([kid(keys), kid(old)]),
    )


def test_the_name_of_a_secret_is_not_the_secret() -> None:
    first, same, other = (
        SigningKeys(secret).in_use(PSEUDONYMS) for secret in (b"a" * 32, b"a" * 32, b"b" * 32)
    )
    assert first == same != other
    assert (first.algorithm, first.verifying) == ("HS256", [first.signing])
    assert not any(shown in first.signing for shown in ("aaaa", "61616161"))
