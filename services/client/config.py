"""What the client service reads from its environment."""

from shared.config import (
    DatabaseConfig,
    IdempotencyConfig,
    OAuthClientConfig,
    ProcessConfig,
    RedisConfig,
    TokenConfig,
)


class ClientConfig(ProcessConfig, frozen=True, kw_only=True):
    """The client service's configuration.

    `auth_url` is where tokens' keys are published and tokens of its own granted, `store_url` where stores are
    asked about before a client is deleted.
    """

    database: DatabaseConfig
    redis: RedisConfig
    token: TokenConfig
    idempotency: IdempotencyConfig
    oauth: OAuthClientConfig
    auth_url: str
    store_url: str
