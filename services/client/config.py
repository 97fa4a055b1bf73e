"""What the client service reads from its environment."""

from shared.config import DatabaseConfig, ProcessConfig, TokenConfig


class ClientConfig(ProcessConfig, frozen=True, kw_only=True):
    """The client service's configuration; `auth_url` is where tokens' keys are published."""

    database: DatabaseConfig
    token: TokenConfig
    auth_url: str
