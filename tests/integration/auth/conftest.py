"""The auth service on a real, empty database. It takes the tokens that tests sign (HS256)."""

from collections.abc import AsyncGenerator

import pytest
from msgspec.structs import replace

from services.auth.config import AdminConfig, AuthConfig, KeyConfig, LifetimeConfig, OAuthClientsConfig
from services.auth.factory import create_app
from shared.config import RedisConfig, Secret
from tests.support.auth import AuthApi
from tests.support.databases import TestDatabase
from tests.support.serving import LOG, SERVICE, TRACING, calling
from tests.support.tokens import CONFIG, IDEMPOTENCY


@pytest.fixture
def auth_config(auth_database: TestDatabase, redis_config: RedisConfig) -> AuthConfig:
    return AuthConfig(
        service=SERVICE,
        log=LOG,
        tracing=TRACING,
        database=replace(auth_database.app, pool_size=10),
        redis=redis_config,
        token=CONFIG,
        idempotency=IDEMPOTENCY,
        keys=KeyConfig(),
        lifetimes=LifetimeConfig(),
        admin=AdminConfig(),
        oauth=OAuthClientsConfig(clients=Secret("client:client-secret,store:a+b/c=")),
    )


@pytest.fixture
async def api(auth_config: AuthConfig, auth_database: TestDatabase) -> AsyncGenerator[AuthApi]:
    async with calling(create_app(auth_config)) as http:
        yield AuthApi(http, auth_database)
