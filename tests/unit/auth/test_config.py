import pytest

from services.auth.config import AuthConfig
from shared.config import ConfigurationError, load

STRONG = "vK8#qLz27!mWx5Rt@9"
ENVIRONMENT = {
    "SERVICE_PORT": "8001",
    "DB_HOST": "db",
    "DB_USER": "app",
    "DB_PASSWORD": STRONG,
    "DB_NAME": "gerai_auth",
    "REDIS_HOST": "redis",
    "JWT_KEY_FILE": "/keys/jwt.pem",
    "IDEMPOTENCY_SECRET": STRONG * 2,
    "OAUTH_CLIENTS": f"client:{STRONG}, store:{STRONG}=",
    "ADMIN_EMAIL": "admin@example.com",
    "ADMIN_PASSWORD": STRONG,
}


def problems(**changes: str) -> str:
    environment = {name: value for name, value in {**ENVIRONMENT, **changes}.items() if value}
    with pytest.raises(ConfigurationError) as raised:
        load(AuthConfig, environment)
    return str(raised.value)


def test_a_full_configuration() -> None:
    config = load(AuthConfig, {**ENVIRONMENT, "SERVICE_ENVIRONMENT": "production"})
    secrets = {name: secret.reveal() for name, secret in config.oauth.secrets().items()}
    assert secrets == {"client": STRONG, "store": f"{STRONG}="}
    lifetimes = config.lifetimes
    assert (lifetimes.access_token_seconds, lifetimes.refresh_token_seconds, lifetimes.session_seconds) == (
        15 * 60,
        30 * 86400,
        90 * 86400,
    )


def test_lifetimes_and_earlier_keys_are_configured() -> None:
    config = load(
        AuthConfig, {**ENVIRONMENT, "ACCESS_TOKEN_SECONDS": "60", "JWT_PREVIOUS_KEY_FILES": "a.pem, b.pem,"}
    )
    assert config.lifetimes.access_token_seconds == 60
    assert [path.name for path in config.keys.previous()] == ["a.pem", "b.pem"]


def test_admin_and_services_are_optional() -> None:
    without = {
        name: value for name, value in ENVIRONMENT.items() if not name.startswith(("ADMIN_", "OAUTH_"))
    }
    config = load(AuthConfig, without)
    assert config.admin.email is None
    assert config.oauth.secrets() == {}


def test_eddsa_needs_a_key_file_and_hs256_a_secret() -> None:
    assert "JWT_KEY_FILE is required" in problems(JWT_KEY_FILE="")
    assert "JWT_SECRET" in problems(JWT_ALGORITHM="HS256")
    load(AuthConfig, {**ENVIRONMENT, "JWT_ALGORITHM": "HS256", "JWT_SECRET": STRONG * 2, "JWT_KEY_FILE": ""})


@pytest.mark.parametrize(
    "clients",
    ["client", "client:", ":secret", "Client:secret", "a:b c", "a:ü", "a:b,a:c", "client:a;store:b,x"],
)
def test_services_need_names_and_secrets(clients: str) -> None:
    text = problems(OAUTH_CLIENTS=clients)
    assert "OAUTH_CLIENTS must be name:SECRET" in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ADMIN_PASSWORD": ""}, "ADMIN_EMAIL and ADMIN_PASSWORD"),
        ({"ADMIN_EMAIL": ""}, "ADMIN_EMAIL and ADMIN_PASSWORD"),
        ({"ADMIN_EMAIL": "nobody"}, "ADMIN_EMAIL"),
        ({"ADMIN_PASSWORD": "short"}, "ADMIN_PASSWORD must have 8 to 128 characters"),
        ({"ADMIN_PASSWORD": "admin@example.com"}, "ADMIN_PASSWORD must not be the e-mail address"),
        ({"ACCESS_TOKEN_SECONDS": "0"}, "ACCESS_TOKEN_SECONDS"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, str], named: str) -> None:
    assert named in problems(**changes)


def test_production_refuses_weak_secrets() -> None:
    text = problems(
        SERVICE_ENVIRONMENT="production",
        ADMIN_PASSWORD="administrator",
        OAUTH_CLIENTS=f"client:{STRONG},store:short",
    )
    assert "ADMIN_PASSWORD is too weak" in text
    assert "OAUTH_CLIENTS holds a secret of store" in text


def test_nothing_secret_is_shown() -> None:
    assert STRONG not in repr(load(AuthConfig, ENVIRONMENT))
