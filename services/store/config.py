"""What the store service reads from its environment."""

from shared.config import (
    DatabaseConfig,
    IdempotencyConfig,
    OAuthClientConfig,
    ProcessConfig,
    RedisConfig,
    TokenConfig,
)


class StoreConfig(ProcessConfig, frozen=True, kw_only=True):
    """The store service's configuration.

    `auth_url` is where tokens' keys are published and tokens of its own granted, `client_url` where clients
    are asked for.
    """

    database: DatabaseConfig
    redis: RedisConfig
    token: TokenConfig
    idempotency: IdempotencyConfig
    oauth: OAuthClientConfig
    auth_url: str
    client_url: str
