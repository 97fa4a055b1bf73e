"""Access tokens for tests, signed with a secret that only tests know."""

import time
from uuid import UUID

import jwt

from shared.config import IdempotencyConfig, Secret, TokenConfig
from shared.identifiers import new_uuid
from shared.security.principal import Principal, Role

SECRET = "only-for-tests-" + "0123456789abcdef" * 4
CONFIG = TokenConfig(algorithm="HS256", secret=Secret(SECRET))
IDEMPOTENCY = IdempotencyConfig(secret=Secret(SECRET))


def access_token(role: Role = "admin", client_uuid: UUID | None = None, **claims: object) -> str:
    """Return a token as auth would issue it; `claims` replace its own, None removes one."""
    now = int(time.time())
    payload: dict[str, object] = {
        "iss": CONFIG.issuer,
        "aud": CONFIG.audience,
        "sub": str(new_uuid()),
        "sid": str(new_uuid()),
        "jti": str(new_uuid()),
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "roles": [role],
        "client_uuid": str(client_uuid) if client_uuid else None,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, SECRET, "HS256", headers={"typ": "at+jwt", "kid": "test"})


def bearer(role: Role = "admin", client_uuid: UUID | None = None) -> dict[str, str]:
    """Return the Authorization header of a caller."""
    return {"Authorization": f"Bearer {access_token(role, client_uuid)}"}


def principal(role: Role = "admin", client_uuid: UUID | None = None) -> Principal:
    """Return a caller, for tests of use cases."""
    return Principal(str(new_uuid()), role, client_uuid, new_uuid())
